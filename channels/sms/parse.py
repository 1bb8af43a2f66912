"""From the fields of Twilio's webhooks to messages and statuses. Pure: tolerant of what is new, strict on what is used.

A signature does not show where one field ends and the next begins, so only fields that are known are read, and none
that comes twice.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Literal

from bot import Command, Consent, Content, Media, Pressed, Text, Value
from channels.sms.numbers import WHATSAPP, Number, number_of
from channels.sms.settings import SmsSettings
from channels.sms.signature import Form

_SID = re.compile(r"(?:SM|MM)[0-9a-fA-F]{32}", re.ASCII)
_MEDIA = re.compile(r"/Messages/((?:SM|MM)[0-9a-fA-F]{32})/Media/(ME[0-9a-fA-F]{32})$", re.ASCII)
_TYPE = re.compile(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,80}", re.ASCII)
_COORDINATE = re.compile(r"-?[0-9]{1,3}(?:\.[0-9]{1,12})?", re.ASCII)
_FIELDS = (
    *("MessageSid", "SmsSid", "AccountSid", "From", "To", "Body", "NumMedia", "OptOutType", "ProfileName"),
    *("ButtonPayload", "ButtonText", "Latitude", "Longitude", "Address", "Label"),
    *("MessageStatus", "SmsStatus", "ErrorCode"),
)
_MOST_MEDIA = 10
_KNOWN = frozenset(
    [*_FIELDS, *(f"Media{what}{number}" for number in range(_MOST_MEDIA) for what in ("Url", "ContentType"))]
)
_LONGEST_NAME = 200

FileUrl = Callable[[str, str], str]
"""Gives the file of a ref, with a name, an address of ours."""


class BadForm(ValueError):
    """The form can't be read; the text says why, without what stands in it."""


class Incoming(Value, frozen=True):
    """What somebody sent us. `chat` is where an answer goes; `number` is None for a short code or a name."""

    sid: str
    chat: str
    content: Content
    to: str
    number: Number | None
    name: str = ""


class Status(Value, frozen=True):
    """What became of a message that we sent."""

    sid: str
    state: str
    to: str
    code: int = 0


Fields = dict[str, str]


def fields_of(form: Form) -> Fields:
    """The fields that we know. Raises BadForm where one of them comes twice, or is not UTF-8."""
    fields: Fields = {}
    for raw, value in form:
        name = raw.decode("utf-8", "replace")
        if name not in _KNOWN:
            continue
        if name in fields:
            raise BadForm(f"{name} comes twice")
        try:
            fields[name] = value.decode("utf-8")
        except UnicodeDecodeError as problem:
            raise BadForm(f"{name} is not UTF-8") from problem
    return fields


def incoming(fields: Fields, settings: SmsSettings, file_url: FileUrl) -> Incoming:
    """Read a message. Raises BadForm."""
    sender = fields.get("From", "")
    if not sender.removeprefix(WHATSAPP).strip():
        raise BadForm("From is missing")
    number = number_of(sender)
    if number is None and sender.removeprefix(WHATSAPP).startswith("+"):
        raise BadForm("From is no telephone number")
    whatsapp = WHATSAPP if sender.startswith(WHATSAPP) else ""
    return Incoming(
        sid=sid_of(fields),
        chat=whatsapp + (number.e164 if number else ""),
        content=_content(fields, settings, file_url),
        to=fields.get("To", ""),
        number=number,
        name=fields.get("ProfileName", "").strip()[:_LONGEST_NAME],
    )


def status(fields: Fields) -> Status:
    """Read a status callback. Raises BadForm."""
    code = fields.get("ErrorCode", "")
    state = fields.get("MessageStatus") or fields.get("SmsStatus", "")
    if not re.fullmatch(r"[a-z_]{1,30}", state, re.ASCII):
        raise BadForm("MessageStatus is missing")
    return Status(
        sid=sid_of(fields),
        state=state,
        to=fields.get("To", ""),
        code=int(code) if re.fullmatch(r"[0-9]{1,6}", code, re.ASCII) else 0,
    )


def sid_of(fields: Fields) -> str:
    """Twilio's name for the message. Raises BadForm."""
    sid = fields.get("MessageSid") or fields.get("SmsSid", "")
    if not _SID.fullmatch(sid):
        raise BadForm("MessageSid is missing")
    return sid


Keyword = Literal["", "stop", "start", "help"]


def keyword(text: str, settings: SmsSettings) -> Keyword:
    """Whether a text is one word about consent, however it is written: " Stop!", "opt-out", "ＳＴＯＰ"."""
    if len(text) > 40:
        return ""
    word = "".join(char for char in unicodedata.normalize("NFKC", text).upper() if char.isalnum())
    if not word:
        return ""
    words: tuple[tuple[Keyword, Sequence[str]], ...] = (
        ("stop", settings.stop_words),
        ("start", settings.start_words),
        ("help", settings.help_words),
    )
    return next((meant for meant, listed in words if word in listed), "")


def _content(fields: Fields, settings: SmsSettings, file_url: FileUrl) -> Content:
    body = fields.get("Body", "")
    meant = _OPT_OUT.get(fields.get("OptOutType", "").upper()) or keyword(body, settings)
    match meant:
        case "stop":
            return Consent(on=False, word=body.strip())
        case "start":
            return Consent(on=True, word=body.strip())
        case "help":
            return Command(name="help")
    if payload := fields.get("ButtonPayload", ""):
        return Pressed(token=payload, label=fields.get("ButtonText", "") or body)
    media = _media(fields, file_url)
    return Text(text=_with_place(body, fields), media=media)


_OPT_OUT: dict[str, Keyword] = {"STOP": "stop", "START": "start", "HELP": "help"}


def _with_place(body: str, fields: Fields) -> str:
    """A place is words: its name and address, and where it is."""
    latitude, longitude = fields.get("Latitude", ""), fields.get("Longitude", "")
    if not (_COORDINATE.fullmatch(latitude) and _COORDINATE.fullmatch(longitude)):
        return body
    named = [fields[name] for name in ("Label", "Address") if fields.get(name, "").strip()]
    return "\n".join(part for part in (body, *named, f"{latitude}, {longitude}") if part)


def _media(fields: Fields, file_url: FileUrl) -> tuple[Media, ...]:
    count = fields.get("NumMedia", "0")
    found = []
    for number in range(min(int(count), _MOST_MEDIA) if re.fullmatch(r"[0-9]{1,3}", count, re.ASCII) else 0):
        place = _MEDIA.search(fields.get(f"MediaUrl{number}", ""))
        if place is None:
            continue  # not one of Twilio's addresses: nothing that we would open
        given = fields.get(f"MediaContentType{number}", "").lower()
        type = given if _TYPE.fullmatch(given) else "application/octet-stream"
        name = f"{place[2][:10]}.{_ENDINGS.get(type, type.rpartition('/')[2].removeprefix('x-'))}"
        found.append(Media(url=file_url(f"{place[1]}/{place[2]}", name), name=name, type=type))
    return tuple(found)


_ENDINGS = {
    "application/octet-stream": "bin",
    "image/jpeg": "jpg",
    "audio/mpeg": "mp3",
    "audio/amr": "amr",
    "video/3gpp": "3gp",
    "text/vcard": "vcf",
    "text/x-vcard": "vcf",
    "text/plain": "txt",
}

"""Webhooks become messages: what is there is read, what is missing is missed, what is new is ignored."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.messages import Command, Consent, Content, Pressed, Text
from channels.sms.parse import BadForm, Incoming, fields_of, incoming, keyword, status
from channels.sms.settings import SmsSettings
from channels.sms.signature import read_form
from tests.platforms.twilio import OURS, THEIRS, sid_of
from tests.platforms.twilio_schema import DATA

SAMPLES = DATA / "webhook_samples.json"
needs_data = pytest.mark.skipif(not SAMPLES.is_file(), reason="needs the webhook samples in ../shared/data/twilio")

SETTINGS = SmsSettings()
PLAIN = {"MessageSid": sid_of("one"), "From": THEIRS, "To": OURS, "Body": "hello"}


def read(fields: Mapping[str, str]) -> Incoming:
    form = read_form(urlencode(fields).encode())
    assert form is not None
    return incoming(fields_of(form), SETTINGS, lambda ref, name: f"https://bot.example/{ref}/{name}")


def content(**fields: str) -> Content:
    return read({**PLAIN, **fields}).content


def test_a_text() -> None:
    came = read({**PLAIN, "Body": "Grüße 🙂\nfrom me", "SomethingNew": "x"})
    assert came.content == Text(text="Grüße 🙂\nfrom me")
    assert (came.sid, came.chat, came.to, came.name) == (sid_of("one"), THEIRS, OURS, "")
    assert came.number is not None
    assert (came.number.country, came.number.timezone) == ("US", "America/Los_Angeles")


@needs_data
def test_recorded_webhooks() -> None:
    samples = json.loads(SAMPLES.read_text(encoding="utf-8"))
    old = read(dict(parse_qsl(samples["sms_received_2016"])))
    assert (old.content, old.chat) == (Text(text="twilio-go testing!"), "+19253920364")
    emulated = read(samples["plugin_webhook"]["body"])
    assert (emulated.content, emulated.chat) == (Text(text="Ahoy"), "+15017122661")


@pytest.mark.parametrize(
    "word", ["STOP", "stop", " Stop. ", "STOP ALL", "Opt-Out", "cancel", "ＳＴＯＰ", "Unsubscribe!"]
)
def test_stop_in_all_its_forms(word: str) -> None:
    assert content(Body=word) == Consent(on=False, word=word.strip())


@pytest.mark.parametrize("word", ["START", "unstop", "Yes", "start!"])
def test_start_in_all_its_forms(word: str) -> None:
    assert content(Body=word) == Consent(on=True, word=word)


@pytest.mark.parametrize("word", ["HELP", "help!", "Info"])
def test_help(word: str) -> None:
    assert content(Body=word) == Command(name="help")


@pytest.mark.parametrize("text", ["stop it", "please stop", "I can't stop now", "helpful", "no", "", "🛑", "STOP" * 20])
def test_sentences_are_no_keywords(text: str) -> None:
    assert content(Body=text) == Text(text=text)


def test_twilios_own_reading_of_an_opt_out_counts() -> None:
    assert content(Body="ARRÊT", OptOutType="STOP") == Consent(on=False, word="ARRÊT")
    assert content(Body="AIDE", OptOutType="HELP") == Command(name="help")
    assert content(Body="hello", OptOutType="SOMETHING") == Text(text="hello")


def test_words_of_the_operators_own() -> None:
    settings = SmsSettings(stop_words=("Arrêt", "Stop"), help_words=())
    assert keyword("arrêt !", settings) == "stop"
    assert keyword("cancel", settings) == keyword("help", settings) == ""


def test_pictures() -> None:
    at = f"https://api.twilio.com/2010-04-01/Accounts/AC{'0' * 32}/Messages/MM{'1' * 32}/Media/ME{'2' * 32}"
    found = content(
        NumMedia="3",
        MediaUrl0=at,
        MediaContentType0="image/jpeg",
        MediaUrl1="https://evil.example/x",
        MediaContentType1="image/png",
        MediaUrl2=at,
        MediaContentType2="no type at all",
    )
    assert isinstance(found, Text)
    first, third = found.media
    assert (first.type, first.name) == ("image/jpeg", "ME22222222.jpg")
    assert first.url == f"https://bot.example/MM{'1' * 32}/ME{'2' * 32}/ME22222222.jpg"
    assert third.type == "application/octet-stream"


def test_whatsapp() -> None:
    came = read({**PLAIN, "From": f"whatsapp:{THEIRS}", "To": f"whatsapp:{OURS}", "ProfileName": "Ana"})
    assert (came.chat, came.name) == (f"whatsapp:{THEIRS}", "Ana")
    assert came.number is not None
    assert came.number.e164 == THEIRS
    assert content(ButtonPayload="c1.2", ButtonText="Yes", Body="Yes please") == Pressed(token="c1.2", label="Yes")
    place = content(Body="", Latitude="48.2", Longitude="16.37", Label="Home", Address="Ring 1")
    assert place == Text(text="Home\nRing 1\n48.2, 16.37")
    assert content(Latitude="x", Longitude="16.37") == Text(text="hello")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"From": ""}, "From is missing"),
        ({"From": "whatsapp:"}, "From is missing"),
        ({"From": "+1"}, "From is no telephone number"),
        ({"From": "+99999999999999999"}, "From is no telephone number"),
        ({"From": "+1415555\u0660123"}, "From is no telephone number"),
        ({"MessageSid": ""}, "MessageSid is missing"),
        ({"MessageSid": "SM1; DROP TABLE"}, "MessageSid is missing"),
    ],
)
def test_what_is_needed_and_wrong(fields: Mapping[str, str], problem: str) -> None:
    with pytest.raises(BadForm, match=problem):
        read({**PLAIN, **fields})


@pytest.mark.parametrize("sender", ["12345", "GOOGLE", "whatsapp:GOOGLE"])
def test_senders_that_nobody_can_answer(sender: str) -> None:
    assert read({**PLAIN, "From": sender}).number is None


def test_a_status() -> None:
    found = status({"MessageSid": sid_of("x"), "MessageStatus": "undelivered", "ErrorCode": "30003", "To": THEIRS})
    assert (found.state, found.code) == ("undelivered", 30003)
    with pytest.raises(BadForm):
        status({"MessageSid": sid_of("x"), "MessageStatus": "\x00"})


@given(st.dictionaries(st.sampled_from([*PLAIN, "NumMedia", "MediaUrl0", "Latitude", "OptOutType"]), st.text()))
def test_any_fields_are_read_or_refused(fields: dict[str, str]) -> None:
    clean = {name: value.encode("utf-8", "replace").decode() for name, value in fields.items()}
    with contextlib.suppress(BadForm):
        read({**PLAIN, **clean})


@given(st.binary())
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    form = read_form(body)
    if form is not None:
        with contextlib.suppress(BadForm):
            fields_of(form)

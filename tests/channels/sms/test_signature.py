"""Only Twilio gets in: whatever is changed about a webhook, it is refused, and leaves nothing behind."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

import aiohttp
import pytest
from twilio.request_validator import RequestValidator

from channels.sms.signature import is_signed, sign
from tests.channels.sms.rig import Rig, rig
from tests.platforms.twilio import OURS, SID, THEIRS, TOKEN, sid_of
from tests.platforms.twilio_schema import DATA

VECTORS = DATA / "signature_vectors.json"
needs_data = pytest.mark.skipif(not VECTORS.is_file(), reason="needs the signature vectors in ../shared/data/twilio")

FIELDS = {"MessageSid": sid_of("one"), "AccountSid": SID, "From": THEIRS, "To": OURS, "Body": "hello & good-bye ü"}


@dataclass
class Asked:
    """A webhook as it goes over the wire."""

    url: str
    body: bytes
    headers: list[tuple[str, str]]


def signature(url: str, fields: Mapping[str, str] = FIELDS, token: str = TOKEN) -> str:
    """By the SDK's validator."""
    return str(RequestValidator(token).compute_signature(url, dict(fields)))


def genuine(url: str) -> Asked:
    body = urlencode(FIELDS).encode()
    form = ("Content-Type", "application/x-www-form-urlencoded")
    return Asked(url, body, [form, ("X-Twilio-Signature", signature(url))])


def signed_with(value: str) -> Callable[[Asked], Asked]:
    return lambda asked: replace(asked, headers=[asked.headers[0], ("X-Twilio-Signature", value)])


def resigned(url: str, fields: Mapping[str, str] = FIELDS, token: str = TOKEN) -> Callable[[Asked], Asked]:
    return signed_with(signature(url, fields, token))


def changed_case(asked: Asked) -> Asked:
    return replace(asked, headers=[asked.headers[0], ("X-Twilio-Signature", asked.headers[1][1].swapcase())])


MUTATIONS: dict[str, Callable[[Asked], Asked]] = {
    "no signature": lambda asked: replace(asked, headers=asked.headers[:1]),
    "two signatures": lambda asked: replace(asked, headers=[*asked.headers, asked.headers[1]]),
    "an empty signature": signed_with(""),
    "no base64": signed_with("%%%"),
    "not ASCII": signed_with("sch\u00f6n"),
    "a bit less": lambda asked: signed_with(asked.headers[1][1][:-1])(asked),
    "another case": changed_case,
    "another account's token": lambda asked: resigned(asked.url, token="another")(asked),
    "the host of a header": resigned("https://evil.example/channels/sms"),
    "https instead": lambda asked: resigned(asked.url.replace("http:", "https:"))(asked),
    "another path": lambda asked: resigned(asked.url + "/status")(asked),
    "a query that was not signed": lambda asked: replace(asked, url=asked.url + "?oid=1"),
    "one byte more": lambda asked: replace(asked, body=asked.body + b"!"),
    "a field more": lambda asked: replace(asked, body=asked.body + b"&OptOutType=STOP"),
    "no body": lambda asked: replace(asked, body=b""),
    "other words": lambda asked: replace(asked, body=asked.body.replace(b"hello", b"hullo")),
    "broken gzip": lambda asked: replace(asked, headers=[*asked.headers, ("Content-Encoding", "gzip")]),
    "JSON": lambda asked: replace(asked, body=json.dumps(FIELDS).encode()),
    "too many fields": lambda asked: replace(asked, body=b"&".join(b"a%d=1" % n for n in range(1000))),
}


async def ask(asked: Asked) -> int:
    async with (
        aiohttp.ClientSession() as http,
        http.post(asked.url, data=asked.body, headers=asked.headers, skip_auto_headers=["Content-Type"]) as answer,
    ):
        return answer.status


def traces(rig: Rig) -> list[object]:
    """Everything that a webhook can leave behind."""
    return [*rig.core.offered, *rig.core.unreadable, *rig.core.notes]


@pytest.mark.parametrize("what", MUTATIONS)
async def test_a_changed_webhook_is_refused(what: str) -> None:
    async with rig() as r:
        asked = MUTATIONS[what](genuine(r.twilio.webhook))
        assert await ask(asked) in (400, 401)
        assert traces(r) == []
        assert await ask(genuine(r.twilio.webhook)) == 200
        assert [message.text for message in r.heard] == ["hello & good-bye ü"]


async def test_a_strangers_headers_change_nothing() -> None:
    async with rig() as r:
        there = genuine(r.twilio.webhook)
        spoofed = [("Host", "evil.example"), ("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Proto", "https")]
        assert await ask(replace(there, headers=[*there.headers, *spoofed])) == 200
        evil = resigned("https://evil.example/channels/sms")(there)
        assert await ask(replace(evil, headers=[*evil.headers, *spoofed])) == 401


async def test_packed_bodies_are_checked_unpacked() -> None:
    async with rig() as r:
        there = genuine(r.twilio.webhook)
        packed = replace(there, body=gzip.compress(there.body), headers=[*there.headers, ("Content-Encoding", "gzip")])
        assert await ask(packed) == 200


async def test_a_valid_webhook_a_hundred_times_is_one_message() -> None:
    async with rig() as r:
        assert [await ask(genuine(r.twilio.webhook)) for _ in range(100)] == [200] * 100
        assert len(r.heard) == 1


async def test_too_long_is_refused_before_it_is_read() -> None:
    async with rig() as r:
        asked = genuine(r.twilio.webhook)
        assert await ask(replace(asked, body=b"Body=" + b"x" * 300_000)) == 413
        assert traces(r) == []


async def test_fields_that_run_into_each_other_are_not_believed() -> None:
    """a=1b2 and a1b=2 have the same signature; what matters is that the fields which are read are whole."""
    async with rig() as r:
        whole = genuine(r.twilio.webhook)
        body = urlencode({**{k: v for k, v in FIELDS.items() if k != "To"}, "T": "o" + OURS}).encode()
        assert await ask(replace(whole, body=body)) == 200  # To is not needed
        body = urlencode({**{k: v for k, v in FIELDS.items() if k != "From"}, "Fro": "m" + THEIRS}).encode()
        assert await ask(replace(whole, body=body)) == 200
        assert len(r.heard) == 1
        assert [one.problem for one in r.core.unreadable] == ["From is missing"]


async def test_a_field_that_comes_twice_is_set_aside() -> None:
    async with rig() as r:
        body = urlencode(FIELDS).encode() + b"&Body=other"
        fields = {**FIELDS, "Body": ["hello & good-bye ü", "other"]}

        class Several(dict[str, object]):
            def getall(self, name: str) -> list[str]:
                value = self[name]
                return value if isinstance(value, list) else [str(value)]

        signed = RequestValidator(TOKEN).compute_signature(r.twilio.webhook, Several(fields))
        asked = signed_with(signed)(replace(genuine(r.twilio.webhook), body=body))
        assert await ask(asked) == 200
        assert [one.problem for one in r.core.unreadable] == ["Body comes twice"]
        assert r.heard == []


@needs_data
def test_twilios_own_vectors() -> None:
    data = json.loads(VECTORS.read_text(encoding="utf-8"))
    for vector in data["vectors"]:
        if "body" in vector:
            continue  # a JSON body; no webhook about messages has one
        pairs = vector.get("form_multi") or list(data["params"].items())
        form = [(name.encode(), value.encode()) for name, value in pairs]
        token = data["auth_token"]
        assert is_signed(vector["url"], form, [vector["signature"]], token), vector["note"]
        assert not is_signed(vector["url"], form, [vector["signature"]], token + "x")
        assert not is_signed(vector["url"], [*form, (b"more", b"1")], [vector["signature"]], token)


def test_the_port_may_be_spelled_out_or_not() -> None:
    form = [(b"a", b"1")]
    for signed, asked in [
        ("https://bot.example:443/x", "https://bot.example/x"),
        ("https://bot.example/x", "https://bot.example:443/x"),
        ("http://bot.example:80/x", "http://bot.example/x"),
        ("https://bot.example:8443/x?y=1", "https://bot.example:8443/x?y=1"),
        ("http://[::1]:80/x", "http://[::1]/x"),
    ]:
        assert is_signed(asked, form, [sign(signed, form, "t").decode()], "t"), (signed, asked)
    assert not is_signed("https://bot.example/x", form, [sign("http://bot.example/x", form, "t").decode()], "t")

"""The channel is on where its credentials are; every mistake has a name; a bot without it does not pay for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bot.clock import SystemClock, SystemEntropy
from bot.errors import PluginError, SettingsError
from bot.plugins import PluginContext
from bot.settings import Settings
from bot.store.sqlite import SqliteStore
from channels import sms
from channels.sms.settings import SmsSettings, lines
from tests.platforms.twilio import OURS, SID, THEIRS

ROOT = Path(__file__).resolve().parents[3]
ENVIRON = {"TWILIO_ACCOUNT_SID": SID, "TWILIO_AUTH_TOKEN": "secret", "TWILIO_FROM": OURS}


def registered(tmp_path: Path, environ: dict[str, str], options: dict[str, str] | None = None) -> list[tuple[str, str]]:
    given = Settings.load(environ=environ, options=options)
    store = SqliteStore(tmp_path / "x.db")
    context = PluginContext(given, tmp_path, SystemClock(), SystemEntropy(), store, "https://bot.example")
    found: list[tuple[str, str]] = []
    sms.register_channels(
        lambda channel: found.append((channel.account, ",".join(route.path for route in channel.routes()))), context
    )
    assert "secret" not in repr(context.settings(SmsSettings, "sms"))
    return found


def test_off_without_credentials(tmp_path: Path) -> None:
    assert registered(tmp_path, {}) == []


def test_on_with_the_names_that_people_have(tmp_path: Path) -> None:
    assert registered(tmp_path, ENVIRON) == [("main", "/channels/sms,/channels/sms/status")]


def test_ten_numbers_share_one_account() -> None:
    accounts = {f"shop{n}": {"sender": f"+1415555010{n}"} for n in range(10)}
    settings = SmsSettings.model_validate({"account_sid": SID, "auth_token": "secret", "accounts": accounts})
    found = lines(settings, "https://bot.example/")
    assert [line.account for line in found] == list(accounts)
    assert {line.account_sid for line in found} == {SID}
    assert len({line.path for line in found}) == len({line.sender for line in found}) == 10
    assert found[3].path == "/channels/sms/shop3"


def test_an_account_may_be_another_customers() -> None:
    other = {"sender": THEIRS, "account_sid": "AC" + "9" * 32, "auth_token": "other", "countries": ["AT"], "rate": 5}
    settings = SmsSettings.model_validate(
        {"account_sid": SID, "auth_token": "secret", "sender": OURS, "accounts": {"b": other}}
    )
    main, b = lines(settings, "https://bot.example")
    assert (main.account, main.auth_token.get_secret_value(), main.countries) == ("main", "secret", ())
    assert (b.account_sid, b.auth_token.get_secret_value(), b.countries, b.rate) == (
        "AC" + "9" * 32,
        "other",
        ("AT",),
        5,
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"account_sid": SID}, "sms.auth_token: is missing; set it in the file, or as TWILIO_AUTH_TOKEN"),
        ({"account_sid": SID, "auth_token": "x"}, "sms.sender: is missing; set it in the file, or as TWILIO_FROM"),
        (
            {"account_sid": SID, "auth_token": "x", "sender": "12345"},
            "sms.countries: is missing; this kind of sender has no country",
        ),
        ({"accounts": {"b": {"sender": OURS}}}, "sms.accounts.b.account_sid: is missing"),
    ],
)
def test_what_is_missing_is_named(given: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        lines(SmsSettings.model_validate(given), "https://bot.example")
    assert any(problem.startswith(words) for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sms.sender": "0043 664"}, "should be a number such as +14155550100"),
        ({"sms.account_sid": "nonsense"}, "should be AC and 32 hex digits"),
        ({"sms.api_url": "api.twilio.com"}, "should be a web address such as https://api.twilio.com"),
        ({"sms.max_segments": "0"}, "should be at least 1"),
        ({"sms.loop_messages": "30"}, "should be at most 29"),
        ({"sms.accounts": '{"status": {}}'}, "an account can't be called status"),
        ({"sms.accounts": '{"A B": {}}'}, "the account name 'A B' should be of a-z, 0-9, _ and -"),
        ({"sms.accounts": "shop"}, "should be a group of settings"),
        ({"sms.countries": "Austria"}, "should be countries of two letters, such as [US, CA]"),
        ({"sms.rate": "-1"}, "should be at least 0"),
        ({"sms.sender_": "x"}, "there is no such setting; did you mean sender?"),
    ],
)
def test_mistakes_are_found_at_the_start_in_plain_words(tmp_path: Path, options: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        registered(tmp_path, ENVIRON, options)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("public", "api", "missing"),
    [
        ("https://bot.example", "https://api.twilio.com", False),
        ("http://127.0.0.1:8080", "https://api.twilio.com", True),
        ("http://localhost:8080", "https://api.twilio.com", True),
        ("http://127.0.0.1:8080", "http://127.0.0.1:4013", False),
    ],
)
def test_an_address_that_twilio_can_not_reach_is_a_mistake(public: str, api: str, missing: bool) -> None:
    given = {"account_sid": SID, "auth_token": "x", "sender": OURS, "api_url": api}
    try:
        lines(SmsSettings.model_validate(given), public)
    except SettingsError as mistakes:
        assert missing
        assert "PUBLIC_URL is missing" in mistakes.problems[0]
    else:
        assert not missing


def test_a_missing_sdk_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name in {"channels.sms.api", "channels.sms.channel"}]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "twilio.rest", None)
    with pytest.raises(PluginError, match=r"pip install '\.\[sms\]'"):
        registered(tmp_path, ENVIRON)


def test_a_bot_without_sms_loads_nothing_of_it() -> None:
    code = (
        "import sys, bot, channels.sms; "
        "print([n for n in sys.modules if n.split('.')[0] in ('twilio', 'phonenumbers', 'requests')])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

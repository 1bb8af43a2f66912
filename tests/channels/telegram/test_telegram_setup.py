"""What a bot tells Telegram once, the settings, and that the token stays where it belongs."""

from __future__ import annotations

import asyncio
import io
import logging
import subprocess
import sys
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from bot import KnownCommand, Rejected, SendError, SettingsError, StartError
from bot.app import App
from bot.operations.log import configure
from bot.settings import LogSettings, Settings
from bot.testing.channel_kit import Core, soon
from channels.telegram import api
from channels.telegram.naming import Naming
from channels.telegram.settings import TelegramSettings
from channels.telegram.setup import menus
from tests.channels.telegram.fakes import ANA, bench, channel_for, delivery
from tests.platforms.telegram import GROUP, TOKEN, TelegramServer

TRACK = KnownCommand(name="track", about={"": "Find an order", "de": "Bestellung finden", "pt-BR": "x"})
STOP = KnownCommand(name="stop", about={"en": "Be quiet"})
OTHER_TOKEN = "654321:OTHER-token-of-nobody-0123456789"
ROOT = Path(__file__).resolve().parents[3]


def settings(environ: dict[str, str]) -> TelegramSettings:
    return Settings.load(environ=environ).section(TelegramSettings, "telegram")


# --- webhook and commands


async def test_the_webhook_is_set_once_with_all_that_matters() -> None:
    async with bench() as b:
        assert await soon(lambda: "telegram.main.webhook" in b.core.notes)
        (call,) = b.server.made("setWebhook")
        assert call.given["url"] == "https://bot.example/channels/telegram/main"
        assert len(call.given["secret_token"]) == 64
        assert call.given["max_connections"] == 40
        assert "message_reaction" in call.given["allowed_updates"]
        assert not call.given.get("drop_pending_updates")
        for _ in range(2):
            await b.channel.stop()
            await b.channel.start(b.core)
            await asyncio.sleep(0.1)
        assert len(b.server.made("setWebhook")) == 1
        # Somebody else's webhook, and another secret, are set right at the next start.
        b.server.webhook["url"] = "https://elsewhere.example"
        await b.channel.stop()
        await b.channel.start(b.core)
        assert await soon(lambda: len(b.server.made("setWebhook")) == 2)
        changed = channel_for(b.server, secret="x" * 40)
        await changed.start(b.core)
        assert await soon(lambda: b.server.webhook["secret_token"] == "x" * 40)
        await changed.stop()


async def test_a_webhook_that_somebody_takes_away_is_set_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.telegram.setup.LOOK_EVERY", 0.05)
    async with bench() as b:
        b.server.webhook = {}
        assert await soon(lambda: b.server.webhook.get("url") == "https://bot.example/channels/telegram/main")
        assert len(await b.writes("hello")) == 1


async def test_updates_that_telegram_could_not_deliver_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.telegram.setup.LOOK_EVERY", 0.05)
    with structlog.testing.capture_logs() as logs:
        async with bench() as b:
            b.server.webhook_error = "Connection timed out"
            b.server.pending[1] = {"update_id": 1}
            assert await soon(lambda: any(line["event"] == "telegram_webhook_not_reached" for line in logs))


async def test_setting_up_is_tried_until_it_is_done() -> None:
    server = TelegramServer()
    server.fail("500", "setWebhook")
    async with bench(server=server, commands=[TRACK]) as b:
        assert await soon(lambda: "" in b.server.commands)


async def test_commands_are_told_by_language_and_only_when_they_changed() -> None:
    async with bench(commands=[TRACK, STOP]) as b:
        assert await soon(lambda: "telegram.main.commands" in b.core.notes)
        assert b.server.commands["de"] == [
            {"command": "track", "description": "Bestellung finden"},
            {"command": "stop", "description": "Be quiet"},
        ]
        assert b.server.commands[""][0]["description"] == "Find an order"
        assert set(b.server.commands) == {"", "de", "en"}
        for commands, told in (([TRACK, STOP], 3), ([STOP], 5)):
            await b.channel.stop()
            b.core.known_commands = list(commands)
            await b.channel.start(b.core)
            assert await soon(lambda told=told: len(b.server.made("setMyCommands")) >= told)  # type: ignore[misc]
            await asyncio.sleep(0.1)
            assert len(b.server.made("setMyCommands")) == told
        assert set(b.server.commands) == {"", "en"}


@given(
    st.lists(
        st.builds(
            KnownCommand,
            name=st.text(max_size=40) | st.from_regex(r"[a-z0-9_]{1,32}", fullmatch=True),
            about=st.dictionaries(st.sampled_from(["", "de", "en", "pt-BR", "x"]), st.text(max_size=300), max_size=3),
        ),
        max_size=120,
    )
)
def test_any_menu_is_one_that_telegram_takes(commands: list[KnownCommand]) -> None:
    for language, menu in menus(commands).items():
        assert len(language) in (0, 2)
        assert len(menu) <= 100
        assert all(1 <= len(about) <= 256 and about == about.strip() for _, about in menu)


# --- starting


async def test_a_wrong_token_is_told_at_the_start() -> None:
    server = TelegramServer()
    await server.start()
    server.token = OTHER_TOKEN
    channel = channel_for(TelegramServer(token=TOKEN, calls=server.calls))
    channel._settings = TelegramSettings(api_url=server.url)
    with pytest.raises(StartError, match="BotFather") as caught:
        await channel.start(Core())
    assert TOKEN not in str(caught.value)
    await server.stop()


@pytest.mark.parametrize("public_url", ["", "http://bot.example"])
def test_a_webhook_without_https_is_a_mistake_in_the_settings(public_url: str, tmp_path: Path) -> None:
    """So that `check` finds it too, which starts nothing."""
    environ = {"TELEGRAM_BOT_TOKEN": TOKEN, "FRONTDESK_TELEGRAM__MODE": "webhook", "PUBLIC_URL": public_url}
    environ["FRONTDESK_HOME"] = str(tmp_path)
    with pytest.raises(SettingsError) as caught:
        App.build(Settings.load(environ=environ), builtins=["channels.telegram"], entry_points=False)
    assert caught.value.problems == [
        "telegram.mode: a webhook needs an address that begins with https://; set PUBLIC_URL to it, or mode to polling"
    ]


async def test_an_unreachable_telegram_does_not_keep_the_bot_from_starting() -> None:
    channel = channel_for(TelegramServer())
    await channel.start(Core())
    with pytest.raises(SendError):
        await channel.send(delivery("hello", ANA))
    await channel.stop()


async def test_a_telegram_that_does_not_answer_holds_up_no_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.telegram.naming.PATIENCE", 0.2)
    monkeypatch.setattr("channels.telegram.naming.FIRST_PAUSE", 0.1)
    server = TelegramServer()
    server.fail("hang", "getMe")
    async with asyncio.timeout(3), bench(server=server) as b:
        (said,) = await b.writes("hello")
        assert said.text == "hello"
        assert await soon(lambda: "telegram.main.name.123456" in b.core.notes)
        assert await b.writes("@frontdesk_bot hello", chat=GROUP)


async def test_an_outage_is_told_once_and_asked_about_less_and_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def quickly(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0)

    monkeypatch.setattr("channels.telegram.naming.asyncio.sleep", quickly)
    server, core = TelegramServer(), Core()
    await server.start()
    server.fail("500", "getMe", times=8)
    calls = api.Api(TOKEN, server.url)
    naming = Naming(calls, core, "main", 123456, lambda: 1.0)
    with structlog.testing.capture_logs() as logs:
        assert await naming.first() == ""
        assert await naming.insist() == "frontdesk_bot"
        server.fail("500", "getMe")
        assert await naming.first() == "frontdesk_bot"
    assert [line["event"] for line in logs] == ["telegram_not_reached", "telegram_reached", "telegram_not_reached"]
    assert pauses == [2, 4, 8, 16, 32, 60, 60, 60]
    await calls.close()
    await server.stop()


# --- settings


def test_one_bot_by_the_name_that_people_know() -> None:
    found = settings({"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_API_URL": "http://127.0.0.1:81/bot"})
    assert list(found.bots()) == ["main"]
    assert found.api_url == "http://127.0.0.1:81"
    assert found.bots()["main"].bot_id == 123456
    assert settings({}).bots() == {}


def test_three_bots_by_name() -> None:
    environ = {"TELEGRAM_BOT_TOKEN": TOKEN, "FRONTDESK_TELEGRAM__ACCOUNTS__SALES__BOT_TOKEN": OTHER_TOKEN}
    environ["FRONTDESK_TELEGRAM__ACCOUNTS__HELP__BOT_TOKEN"] = "777:THIRD-token"
    bots = settings(environ).bots()
    assert list(bots) == ["main", "sales", "help"]
    assert len({bot.secret for bot in bots.values()}) == 3
    assert bots["sales"].secret == settings(environ).bots()["sales"].secret


def test_the_secrets_of_all_bots_are_hidden_in_logs() -> None:
    given = Settings.load(
        environ={"TELEGRAM_BOT_TOKEN": TOKEN, "FRONTDESK_TELEGRAM__ACCOUNTS__SALES__BOT_TOKEN": OTHER_TOKEN}
    )
    given.section(TelegramSettings, "telegram")
    assert {TOKEN, OTHER_TOKEN} <= given.secrets


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"TELEGRAM_BOT_TOKEN": "nonsense"}, "BotFather"),
        ({"TELEGRAM_API_URL": "ftp://x"}, "web address"),
        ({"FRONTDESK_TELEGRAM__WEBHOOK_SECRET": "short"}, "32 to 256"),
        ({"TELEGRAM_BOT_TOKEN": TOKEN, "FRONTDESK_TELEGRAM__ACCOUNTS__B__BOT_TOKEN": TOKEN}, "same bot"),
        ({"TELEGRAM_BOT_TOKEN": TOKEN, "FRONTDESK_TELEGRAM__ACCOUNTS__MAIN__BOT_TOKEN": OTHER_TOKEN}, "leave out"),
        ({"FRONTDESK_TELEGRAM__MODE": "push"}, "auto"),
    ],
)
def test_mistakes_are_told_without_the_token(environ: dict[str, str], said: str) -> None:
    with pytest.raises(StartError, match=said) as caught:
        settings(environ)
    assert TOKEN not in str(caught.value)
    assert "nonsense" not in str(caught.value)


# --- the token


async def test_the_token_is_in_no_log_line(caplog: pytest.LogCaptureFixture) -> None:
    """Not even at the lowest level, and without the redactor, whatever fails."""
    stream = io.StringIO()
    configure(LogSettings(level="debug"), set(), stream)
    caplog.set_level(logging.DEBUG)
    try:
        async with bench() as b:
            await b.writes("my secret words")
            for fault in ("429", "500", "garbage", "close after", "close before"):
                b.server.fail(fault, "sendMessage")  # type: ignore[arg-type]
                with pytest.raises(SendError):
                    await b.says("more secret words")
            b.server.fail("garbage", "getFile")
            with pytest.raises((SendError, Rejected)):
                async with b.channel.open_file("x"):
                    pass
            await b.server.deliver_raw(b'{"update_id": 1, "message": {"text": 1}}', {"update_id": 1})
        said = stream.getvalue() + caplog.text
        assert "telegram_update_unreadable" in said
        assert TOKEN not in said
        assert TOKEN.partition(":")[2] not in said
        assert "secret words" not in said
    finally:
        structlog.reset_defaults()
        logging.getLogger().handlers[:] = [one for one in logging.getLogger().handlers if one is caplog.handler]


def test_without_a_token_the_sdk_is_not_loaded() -> None:
    """It takes half a second and thirty megabytes, which a bot without Telegram should not pay."""
    code = "import sys, channels.telegram; print('telegram' in sys.modules, 'httpx' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_a_missing_sdk_is_told_with_the_fix() -> None:
    code = """
import sys
sys.modules["telegram"] = None
from types import SimpleNamespace
from bot import StartError
from bot.settings import Settings
import channels.telegram as plugin
given = Settings.load(environ={"TELEGRAM_BOT_TOKEN": "1:abc"})
context = SimpleNamespace(settings=given.section, public_url="", clock=None)
try:
    plugin.register_channels(None, context)
except StartError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert "pip install '.[telegram]'" in done.stdout, done.stderr

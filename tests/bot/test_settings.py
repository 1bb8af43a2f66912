"""Settings come from three places, and every mistake is told at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field, SecretStr

from bot.errors import SettingsError
from bot.settings import Env, PluginSettings, Section, ServerSettings, Settings, StoreSettings


class Carrier(Section):
    """The settings of an invented plugin."""

    token: Annotated[SecretStr | None, Env("CARRIER_TOKEN")] = None
    origins: tuple[str, ...] = ()
    speed: Annotated[int, Field(ge=1)] = 3
    mode: Literal["push", "poll"] = "push"


class Strict(Section):
    """A section with something that must be set."""

    url: Annotated[str, Env("STRICT_URL")]
    name: str


def write(folder: Path, text: str) -> Path:
    file = folder / "frontdesk.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def problems(settings: Settings, *, complete: bool = True) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        settings.check(complete=complete)
    return caught.value.problems


def test_nothing_set_gives_the_defaults() -> None:
    settings = Settings.load()
    server = settings.section(ServerSettings, "server")
    assert (server.host, server.port, server.home, server.url) == (
        "127.0.0.1",
        8080,
        Path("var"),
        "http://127.0.0.1:8080",
    )
    settings.check()


def test_the_environment_beats_the_file_and_the_command_line_beats_both(tmp_path: Path) -> None:
    file = write(tmp_path, "server:\n  port: 1000\n  host: filehost\ncarrier:\n  speed: 5\n  mode: poll\n")
    environ = {"PORT": "2000", "FRONTDESK_CARRIER__SPEED": "6", "FRONTDESK_CARRIER__MODE": "push"}
    settings = Settings.load(file, environ, {"carrier.speed": "7"})
    server, carrier = settings.section(ServerSettings, "server"), settings.section(Carrier, "carrier")
    assert (server.port, server.host) == (2000, "filehost")
    assert (carrier.speed, carrier.mode) == (7, "push")
    assert Settings.load(file, environ, {"server.port": "3000"}).section(ServerSettings, "server").port == 3000


def test_known_names_reach_the_field_that_claims_them(tmp_path: Path) -> None:
    environ = {
        "CARRIER_TOKEN": "s3cret-value",
        "FRONTDESK_HOME": str(tmp_path),
        "DATABASE_URL": "",
        "FRONTDESK_PLUGINS": "a, b",
    }
    settings = Settings.load(None, environ)
    token = settings.section(Carrier, "carrier").token
    assert token is not None
    assert token.get_secret_value() == "s3cret-value"
    assert settings.secrets == {"s3cret-value"}
    assert settings.section(ServerSettings, "server").home == tmp_path
    assert settings.section(StoreSettings, "store").database_url is None, "a variable that is empty is not set"
    assert settings.section(PluginSettings, "plugins").folders == (Path("a"), Path("b"))
    settings.check()


@pytest.mark.parametrize("text", ["https://a.test, https://b.test", '["https://a.test", "https://b.test"]'])
def test_several_values_are_json_or_have_commas(text: str) -> None:
    settings = Settings.load(None, {"FRONTDESK_CARRIER__ORIGINS": text})
    assert settings.section(Carrier, "carrier").origins == ("https://a.test", "https://b.test")


def test_all_mistakes_of_all_sources_and_sections_come_at_once(tmp_path: Path) -> None:
    file = write(tmp_path, "server:\n  prot: 1\n  host: 12\n\ncarrier:\n  speed: 0\nserverr:\n  a: 1\nlist:\n  - 1\n")
    environ = {"PORT": "eighty", "FRONTDESK_CARIER__MODE": "push", "FRONTDESK_HOEM": "/x", "FRONTDESK_X__": "1"}
    settings = Settings.load(file, environ, {"carrier.mode": "fax", "nonsense": "1"})
    for model, name in ((ServerSettings, "server"), (Carrier, "carrier"), (Strict, "strict")):
        with pytest.raises(SettingsError):
            settings.section(model, name)
    told = problems(settings)
    expected = [
        "list (",
        "FRONTDESK_HOEM: there is no such setting; did you mean FRONTDESK_HOME?",
        "FRONTDESK_X__: should look like FRONTDESK_SECTION__KEY",
        "--set nonsense: should look like --set section.key=value",
        f"server.prot ({file} line 2): there is no such setting; did you mean port?",
        f"server.host ({file} line 3): should be text; put it in quotes",
        "server.port (PORT): should be a whole number",
        f"carrier.speed ({file} line 6): should be at least 1",
        "carrier.mode (--set carrier.mode): should be 'push' or 'poll'",
        "strict.url: is missing; set it in the file, or as STRICT_URL",
        "strict.name: is missing; set it in the file, or as FRONTDESK_STRICT__NAME",
        f"serverr ({file} line 8): nobody has a section of that name; did you mean server?",
        "carier (FRONTDESK_CARIER__MODE): nobody has a section of that name; did you mean carrier?",
    ]
    for sentence in expected:
        assert any(line.startswith(sentence) for line in told), (sentence, told)
    assert len(told) == len(expected), told


def test_a_wrong_secret_is_never_repeated() -> None:
    settings = Settings.load(None, {"FRONTDESK_CARRIER__SPEED": "hunter2-hunter2", "CARRIER_TOKEN": "hunter3"})
    with pytest.raises(SettingsError) as caught:
        settings.section(Carrier, "carrier")
    assert "hunter" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("server:\n  port: [1\n", "frontdesk.yaml line 3: "),
        ("server:\n\tport: 1\n", "frontdesk.yaml line 2: "),
        ("just words", "should have sections"),
        ("server:\n  port: 1\n  port: 2\n", "server.port ("),
        ("server: 5\n", "server ("),
    ],
)
def test_a_broken_file_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    (only,) = problems(Settings.load(write(tmp_path, text)), complete=False)
    assert told in only


def test_a_file_that_is_not_there_or_not_text_is_told(tmp_path: Path) -> None:
    assert "can't be read" in problems(Settings.load(tmp_path / "none.yaml"))[0]
    (tmp_path / "latin.yaml").write_bytes(b"server:\n  host: caf\xe9\n")
    assert "UTF-8" in problems(Settings.load(tmp_path / "latin.yaml"))[0]


def test_other_peoples_variables_are_left_alone() -> None:
    kubernetes = {
        "FRONTDESK_PORT": "tcp://10.0.0.1:80",
        "FRONTDESK_SERVICE_HOST": "10.0.0.1",
        "FRONTDESK_PORT_80_TCP": "x",
    }
    Settings.load(None, kubernetes).check()


def test_own_sections_fall_back_and_still_tell() -> None:
    settings = Settings.load(None, {"PORT": "x"})
    assert settings.own(ServerSettings, "server").port == 8080
    assert problems(settings) == ["server.port (PORT): should be a whole number"]


def test_nested_keys_reach_a_mapping() -> None:
    class Deep(Section):
        limits: Annotated[dict[str, dict[str, int]], Field(default_factory=dict)]

    settings = Settings.load(None, {"FRONTDESK_DEEP__LIMITS__SMS__COUNT": "4"})
    assert settings.section(Deep, "deep").limits == {"sms": {"count": 4}}


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({"server.host": "0.0.0.0"}, "http://127.0.0.1:8080"),
        ({"server.host": "::1", "server.port": "9"}, "http://[::1]:9"),
        ({"server.public_url": "https://chat.example/"}, "https://chat.example"),
    ],
)
def test_the_address_for_people(given: dict[str, str], url: str) -> None:
    assert Settings.load(None, {}, given).section(ServerSettings, "server").url == url

"""Skills' tools for other programs: the same token, log, limits and jobs as the house's, gone with their plugin."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import schemathesis

from bot import PluginError, Skill
from bot.tools.catalogue import HOUSE
from bot.tools.openapi import document
from tests.bot.tools.support import Desk, desk, until

SECRET = "Kovalenko"

SHOP = '''
import asyncio
from enum import Enum

from pydantic import BaseModel

from bot import Skill
from bot.errors import Refused

skill = Skill("shop", "Sells shoes.")


class Job(BaseModel):
    """Called like a part of the endpoints' own description."""

    pairs: int


class Call(Enum):
    GREEN = "green"
    RED = "red"


@skill.tool(published=True)
async def stock(size: int, colour: Call = Call.RED, note: str = "") -> Job:
    """Says how many pairs of a size are there."""
    if note == "refuse":
        raise Refused("Kovalenko has them all.")
    if note == "break":
        raise RuntimeError("Kovalenko")
    if note == "hang":
        await asyncio.sleep(3600)
    return Job(pairs=VERSION)


@skill.tool()
async def hidden() -> str:
    """Is for the skill's own models."""
    return "hidden"
'''


def plugins(tmp_path: Path, version: int = 3) -> Path:
    """A folder of plugins with the shop in it."""
    folder = tmp_path / "plugins"
    folder.mkdir(exist_ok=True)
    (folder / "shop.py").write_text(SHOP.replace("VERSION", str(version)), encoding="utf-8")
    return folder


async def names(d: Desk) -> set[str]:
    """What is listed."""
    async with d.client.get("/api/v1/tools") as response:
        assert response.status == 200
        return {tool["name"] for tool in (await response.json())["tools"] if tool["installed"]}


async def test_it_is_called_by_its_name_and_claims_no_confidence(tmp_path: Path) -> None:
    async with desk(tmp_path / "home", folders=[plugins(tmp_path)]) as d:
        status, body = await d.call("shop.stock", {"size": 42, "colour": "green", "note": SECRET})
        assert status == 200
        assert (body["engine"], body["by"], body["confidence"]) == ("offline", "skill shop", None)
        assert body["result"] == {"value": {"pairs": 3}}
        assert {name for name in await names(d) if "." in name} == {"shop.stock"}
        (line,) = await d.usage()
        assert (line.tool_name, line.status, line.caller, line.confidence_score) == ("shop.stock", "ok", "tester", None)
        assert line.parameters == {
            "size": 42,
            "colour": "GREEN",
            "note": {"characters": len(SECRET)},
            "engine": "auto",
        }
        assert (await d.call("shop.stock", {"size": 42}, engine="model"))[1]["reasoning"] == [
            "no model does this tool's work"
        ]


@pytest.mark.parametrize(
    ("tool", "arguments", "status", "logged"),
    [
        ("shop.stock", {"size": "big", "x": 1}, 400, "bad_arguments"),
        ("shop.stock", {"size": 1, "note": "refuse"}, 422, "refused"),
        ("shop.stock", {"size": 1, "note": "break"}, 500, "failed"),
        ("shop.stock", {"size": 1, "note": "hang"}, 503, "busy"),
        ("shop.stok", {"size": 1}, 404, "unknown_tool"),
        ("shop.hidden", {}, 404, "unknown_tool"),
    ],
)
async def test_what_goes_wrong_is_told_as_for_any_tool(
    tmp_path: Path, tool: str, arguments: dict[str, Any], status: int, logged: str
) -> None:
    options = {"tools.seconds": "0.3"}
    async with desk(tmp_path / "home", folders=[plugins(tmp_path)], options=options) as d:
        got, body = await d.call(tool, arguments)
        (line,) = await d.usage()
    assert (got, line.status) == (status, logged)
    assert SECRET not in f"{line.error_message}{line.reasoning_trace}{line.parameters}"
    assert (SECRET in body["error"]) == (logged == "refused"), "only what the skill says to whoever asks"
    assert ("did you mean shop.stock?" in body["error"]) == (tool == "shop.stok")


async def test_a_job_is_done_later_and_once_per_key(tmp_path: Path) -> None:
    async with desk(tmp_path / "home", folders=[plugins(tmp_path)]) as d:
        key = {"Idempotency-Key": "once"}
        calls = [await d.call("shop.stock", {"size": 42}, mode="async", headers=key) for _ in range(2)]
        assert {status for status, _ in calls} == {202} and len({body["job_id"] for _, body in calls}) == 1

        async def done() -> dict[str, Any] | None:
            async with d.client.get(f"/api/v1/tools/jobs/{calls[0][1]['job_id']}") as response:
                body: dict[str, Any] = await response.json()
                return body if body["status"] == "done" else None

        assert (await until(done))["answer"]["result"] == {"value": {"pairs": 3}}


async def test_a_reloaded_plugin_answers_anew_and_one_that_went_does_not(tmp_path: Path) -> None:
    folder = plugins(tmp_path)
    async with desk(tmp_path / "home", folders=[folder]) as d:
        going = asyncio.create_task(d.call("shop.stock", {"size": 1, "note": "hang"}))
        await until(lambda: d.app.tools.registry._slots._value < 2)
        file = plugins(tmp_path, version=8) / "shop.py"
        assert (outcome := d.app.plugins.reload(file)) and outcome.ok
        assert (await d.call("shop.stock", {"size": 1}))[1]["result"] == {"value": {"pairs": 8}}
        assert not going.done(), "what had begun goes on"
        going.cancel()

        file.write_text(SHOP.replace("published=True", ""), encoding="utf-8")
        assert (outcome := d.app.plugins.reload(file)) and not outcome.ok, "nothing is left of it but a tool for nobody"
        assert "shop.stock" in await names(d), "the version that works stays"

        file.unlink()
        assert (outcome := d.app.plugins.reload(file)) and outcome.ok
        assert (await d.call("shop.stock", {"size": 1}))[0] == 404
        assert {name for name in await names(d) if "." in name} == set()
        assert (await d.call("SUMMARY", {"text": "One. Two."}))[0] == 200


async def test_the_description_stays_true_whatever_skills_call_their_types(tmp_path: Path) -> None:
    async with desk(tmp_path / "home", folders=[plugins(tmp_path)]) as d:
        made = document(d.app.tools.registry.tools, "http://127.0.0.1:8080")
        _, body = await d.call("shop.stock", {"size": 42})
    assert schemathesis.openapi.from_dict(made).validate() is None
    schemas = made["components"]["schemas"]
    assert schemas["Job"]["required"][0] == "job_id" and "tool_name" in schemas["Call"]["properties"]
    assert schemas["shop.stock.Call"]["enum"] == ["green", "red"]
    assert schemas.keys() > document(HOUSE, "")["components"]["schemas"].keys()

    def fits(name: str, value: object) -> bool:
        schema = {"$ref": f"#/components/schemas/{name}", "components": made["components"]}
        return jsonschema.Draft202012Validator(schema).is_valid(value)

    assert fits("ToolAnswer", body) and not fits("ToolAnswer", {**body, "confidence": 2})
    call = {"tool_name": "shop.stock", "arguments": {"size": 42, "colour": "red"}}
    assert fits("Call", call)
    assert not fits("Call", {**call, "arguments": {"size": 42, "colour": "blue"}})


@pytest.mark.parametrize("given", [{"confirm": "Really?"}, {"effect": True}])
def test_what_changes_something_is_not_published(given: dict[str, Any]) -> None:
    skill = Skill("shop", "Sells.")

    async def reserve(size: int) -> str:
        """Reserves a pair."""
        return str(size)

    with pytest.raises(PluginError) as told:
        skill.tool(published=True, **given)(reserve)
    line = reserve.__code__.co_firstlineno
    assert f"tool `reserve` in tests/bot/tools/test_tools_published.py:{line}" in str(told.value)
    assert "Leave out published=True" in str(told.value) and next(iter(given)) in str(told.value)
    assert skill.tools == {}


def test_a_name_that_could_not_be_called_is_not_published() -> None:
    skill = Skill("shop", "Sells.")

    async def stock() -> str:
        """Counts."""
        return ""

    stock.__name__ = "s" * 80
    with pytest.raises(PluginError, match="80 characters"):
        skill.tool(published=True)(stock)
    skill.tool()(stock)

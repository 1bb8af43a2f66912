"""The tools over HTTP: who may call, what is refused and how, once per key, and what is written down of it."""

from __future__ import annotations

import asyncio
import base64
import io
import wave
from pathlib import Path

import aiohttp
import pytest
from PIL import Image

from tests.bot.tools.support import FakeLlm, SlowMood, desk, stored, until

MINE = "Anna Kovalenko, anna@example.org, +43 660 1234567"
LONG = "Our shop sells lamps. Lamps are made of glass. The glass of lamps comes from the shop's own works. I like tea."


async def test_a_tool_answers_and_says_who_spoke_and_how_sure_it_is(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        status, body = await d.call("PROFILE_EXTRACTION", {"text": f"My name is {MINE}"})
    assert status == 200
    assert body["engine"] == "offline" and body["by"] == "rules"
    assert 0 < body["confidence"] <= 1
    assert body["result"]["name"] == "Anna Kovalenko"
    assert body["result"]["emails"] == ["anna@example.org"]
    assert body["result"]["phones"] == ["+436601234567"]


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer nonsense", "Basic YTpi", "Bearer fd_" + "0" * 64])
async def test_without_a_token_nobody_gets_in(tmp_path: Path, header: str | None) -> None:
    async with desk(tmp_path) as d, aiohttp.ClientSession(d.app.url) as stranger:
        headers = {"Authorization": header} if header else {}
        for method, path in (("POST", "execute"), ("GET", "jobs/abc"), ("GET", "")):
            address = f"/api/v1/tools/{path}".rstrip("/")
            async with stranger.request(method, address, json={"tool_name": "SUMMARY"}, headers=headers) as response:
                assert response.status == 401
                assert response.headers["WWW-Authenticate"] == "Bearer"
        assert await d.usage() == []


async def test_a_token_that_was_taken_back_opens_nothing(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        assert (await d.call("SUMMARY", {"text": LONG}))[0] == 200
        await d.app.tools.commands()["tool-revoke"]("tester")
        assert (await d.call("SUMMARY", {"text": LONG}))[0] == 401


async def test_the_store_has_no_token_in_it(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        await d.call("SUMMARY", {"text": LONG})
        token = d.token
    kept = stored(tmp_path)
    assert b"tools_tokens" in kept and token.encode() not in kept


async def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        status, body = await d.call("SUMMARY", {"text": " ", "sentences": 99, "words": 3})
        assert status == 400
        assert len(body["problems"]) == 3
        assert all(name in " ".join(body["problems"]) for name in ("`text`", "`sentences`", "`words`"))
        status, body = await d.call("SUMMARY", {}, engine="oracle", mode="later", webhook_url="ftp://x", hurry=True)
        assert status == 400 and len(body["problems"]) == 4


async def test_an_unknown_tool_is_404_and_names_the_nearest(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        status, body = await d.call("SUMARY", {"text": LONG})
        assert status == 404 and "SUMMARY" in body["error"]
        (line,) = await d.usage()
        assert (line.tool_name, line.status) == ("", "unknown_tool")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"null", b"\xff\xfe", b"[" * 100_000, b'{"tool_name":1}'])
async def test_a_body_that_is_no_call_is_400(tmp_path: Path, body: bytes) -> None:
    async with desk(tmp_path) as d:
        headers = {"Content-Type": "application/json"}
        async with d.client.post("/api/v1/tools/execute", data=body, headers=headers) as response:
            assert response.status == 400
            assert (await response.json())["problems"]


async def test_what_is_neither_json_nor_a_form_is_415_and_what_is_too_large_413(tmp_path: Path) -> None:
    async with desk(tmp_path, options={"tools.max_upload": "1024"}) as d:
        async with d.client.post("/api/v1/tools/execute", data="text") as response:
            assert response.status == 415
        status, body = await d.call("SUMMARY", {"text": "x" * 400_000})
        assert status == 413 and "bytes" in body["error"]

        async def trickle() -> object:
            for _ in range(40):
                yield b" " * 10_000

        headers = {"Content-Type": "application/json"}
        async with d.client.post("/api/v1/tools/execute", data=trickle(), headers=headers) as response:
            assert response.status == 413


async def test_what_can_not_be_read_is_422_and_an_engine_that_is_not_there_501(tmp_path: Path) -> None:
    async with desk(tmp_path, engines=("adapters.images",)) as d:
        junk = base64.b64encode(b"GIF89a and nothing else").decode()
        status, body = await d.call("IMAGE_MATCH", {"image": junk, "other": junk})
        assert status == 422 and "picture" in body["problems"][0]
        status, body = await d.call("SUMMARY", {"text": LONG})
        assert status == 501 and "turned off" in body["error"]
        assert [line.status for line in await d.usage()] == ["missing", "unreadable"]


async def test_who_calls_too_often_is_told_when_to_come_back(tmp_path: Path) -> None:
    async with desk(tmp_path, options={"tools.rate": "3"}) as d:
        codes = [(await d.call("SUMMARY", {"text": LONG}))[0] for _ in range(5)]
        assert codes == [200, 200, 200, 429, 429]
        async with d.client.get("/api/v1/tools") as response:
            assert response.status == 429
            assert 1 <= int(response.headers["Retry-After"]) <= 60
        # Another token has a bucket of its own.
        other = (await d.app.tools.commands()["tool-token"]("other")).split()[1]
        status, _ = await d.call("SUMMARY", {"text": LONG}, headers={"Authorization": f"Bearer {other}"})
        assert status == 200


async def test_too_much_at_once_is_503_and_a_slow_engine_keeps_its_place(tmp_path: Path) -> None:
    going = asyncio.Event()
    engine = SlowMood(going.wait)
    options = {"tools.together": "1", "tools.waiting": "1", "tools.seconds": "0.3"}
    async with desk(tmp_path, mood=engine, options=options) as d:
        answers = await asyncio.gather(*(d.call("MOOD", {"text": "hm"}) for _ in range(3)))
        assert [status for status, _ in answers] == [503, 503, 503]
        assert engine.calls == 1, "the others waited for the place of the first, in vain"
        async with d.client.post(
            "/api/v1/tools/execute", json={"tool_name": "MOOD", "arguments": {"text": "hm"}}
        ) as response:
            assert response.status == 503 and int(response.headers["Retry-After"]) > 0
        going.set()

        async def answered() -> bool:
            return (await d.call("MOOD", {"text": "hm"}))[0] == 200

        await until(answered)


async def test_the_same_key_gets_the_same_answer_and_does_the_work_once(tmp_path: Path) -> None:
    async def nothing() -> None:
        await asyncio.sleep(0.05)

    engine = SlowMood(nothing)
    async with desk(tmp_path, mood=engine) as d:
        key = {"Idempotency-Key": "abc-1"}
        first, second = await asyncio.gather(*(d.call("MOOD", {"text": "hm"}, headers=key) for _ in range(2)))
        assert sorted((first[0], second[0])) == [200, 409]
        again = await d.call("MOOD", {"text": "hm"}, headers=key)
        assert again[0] == 200 and again[1] == (first if first[0] == 200 else second)[1]
        assert engine.calls == 1
        assert (await d.call("MOOD", {"text": "other"}, headers=key))[0] == 422
        assert (await d.call("MOOD", {"text": "hm"}, headers={"Idempotency-Key": "ü" * 300}))[0] == 400


async def test_a_failure_that_may_pass_is_not_remembered_under_its_key(tmp_path: Path) -> None:
    fails = [True]

    async def act() -> None:
        if fails.pop() if fails else False:
            raise RuntimeError("out of luck, anna@example.org")

    async with desk(tmp_path, mood=SlowMood(act)) as d:
        key = {"Idempotency-Key": "k"}
        status, body = await d.call("MOOD", {"text": "hm"}, headers=key)
        assert status == 500 and "anna" not in str(body)
        assert (await d.call("MOOD", {"text": "hm"}, headers=key))[0] == 200


async def test_every_call_leaves_a_line_without_anybodys_words(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        await d.call("PROFILE_EXTRACTION", {"text": f"My name is {MINE}"})
        await d.call("SUMMARY", {"text": LONG, "sentences": 0})
        await d.call("SUMMARY", {"text": LONG, MINE: 1})
        good = await d.app.tools.commands()["tool-usage"]('{"json": true}')
        shown = await d.app.tools.commands()["tool-usage"]("{}")
        lines = await d.usage()
    assert [line.status for line in lines] == ["bad_arguments", "bad_arguments", "ok"]
    (good_line,) = [line for line in lines if line.status == "ok"]
    assert (
        good_line.tool_name == "PROFILE_EXTRACTION" and good_line.caller == "tester" and good_line.engine == "offline"
    )
    assert good_line.parameters == {"text": {"characters": len(f"My name is {MINE}")}, "engine": "auto"}
    assert good_line.confidence_score and good_line.latency_ms > 0 and good_line.reasoning_trace
    for field in [
        "timestamp",
        "tool_name",
        "parameters",
        "status",
        "confidence_score",
        "latency_ms",
        "error_message",
        "reasoning_trace",
    ]:
        assert f'"{field}"' in good
    assert "PROFILE_EXTRACTION: 1 calls" in shown
    kept = stored(tmp_path)
    for secret in ("Kovalenko", "example.org", "1234567", "comes from"):
        assert secret not in good + shown
        assert secret.encode() not in kept


async def test_a_form_carries_files_and_json_carries_them_as_base64(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.radial_gradient("L").save(buffer, "PNG")
    picture = buffer.getvalue()
    async with desk(tmp_path, engines=("adapters.images",)) as d:
        form = aiohttp.FormData({"tool_name": "IMAGE_MATCH"})
        form.add_field("image", picture, filename="a.png", content_type="image/png")
        form.add_field("other", picture, filename="b.png", content_type="image/png")
        async with d.client.post("/api/v1/tools/execute", data=form) as response:
            assert response.status == 200
            posted = await response.json()
        coded = base64.b64encode(picture).decode()
        status, body = await d.call("IMAGE_MATCH", {"image": coded, "other": coded})
        assert status == 200 and body["result"] == posted["result"] == {
            "same": True,
            "similarity": 1.0,
            "different_bits": 0,
            "both_show": None,
        }
        assert (await d.call("IMAGE_MATCH", {"image": coded}))[0] == 400
        assert (await d.call("IMAGE_MATCH", {"image": coded, "other": coded, "other_url": "http://x.org"}))[0] == 400


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/a.wav",
        "http://[::1]/a",
        "http://169.254.169.254/latest",
        "http://2130706433/",
        "http://a:b@x.org/",
    ],
)
async def test_an_address_inside_is_never_fetched(tmp_path: Path, url: str) -> None:
    async with desk(tmp_path, engines=("adapters.pronunciation",)) as d:
        status, body = await d.call("PRONUNCIATION_CHECKER", {"audio_url": url, "text_refs": ["hello"]})
        assert status == 422 and "audio_url" in body["problems"][0]
        (line,) = await d.usage()
        assert line.parameters["audio_url"] == {"characters": len(url)}


async def test_a_model_answers_where_it_is_asked_and_is_held_to_the_text(tmp_path: Path) -> None:
    invented = {"name": "Anna Kovalenko", "place": "Paris", "emails": ["anna@example.org", "boss@corp.com"]}
    llm = FakeLlm({"answer": invented, "confidence": 1.0})
    async with desk(tmp_path, llm=llm) as d:
        status, body = await d.call("PROFILE_EXTRACTION", {"text": f"My name is {MINE}"}, engine="model")
        assert status == 200 and body["engine"] == "model" and body["confidence"] == 0.9
        assert body["result"]["emails"] == ["anna@example.org"], "what is not in the text was made up"
        assert body["result"]["place"] == ""
        assert llm.asked[0].task == "extract" and "no instructions" in " ".join(llm.asked[0].lines[0].text.split())
        # By default no model is asked, and one that fails is stood in for.
        assert (await d.call("PROFILE_EXTRACTION", {"text": MINE}))[1]["engine"] == "offline"
        status, body = await d.call("PROFILE_EXTRACTION", {"text": MINE}, engine="model")
        assert status == 200 and body["engine"] == "offline"
        assert "no model could answer (NoAnswer)" in body["reasoning"]


async def test_an_answer_that_cites_no_passage_is_not_believed(tmp_path: Path) -> None:
    made_up = {"known": True, "answer": "Within an hour.", "sources": ["delivery.md#teleport"]}
    good = {"known": True, "answer": "3 to 5 days.", "sources": ["delivery.md#how-long-delivery-takes"]}
    llm = FakeLlm({"answer": made_up, "confidence": 0.9}, {"answer": good, "confidence": 0.9})
    async with desk(tmp_path, llm=llm, options={"tools.models": "KNOWLEDGE"}) as d:
        question = {"question": "How long does delivery take?"}
        status, body = await d.call("KNOWLEDGE", question)
        assert status == 200 and body["engine"] == "offline" and "Standard delivery" in body["result"]["answer"]
        status, body = await d.call("KNOWLEDGE", question)
        assert body["engine"] == "model" and body["result"]["answer"] == "3 to 5 days."
        assert "Standard delivery" in llm.asked[0].lines[1].text
        assert (await d.call("KNOWLEDGE", question, engine="offline"))[1]["engine"] == "offline"


async def test_a_recording_is_judged_word_by_word(tmp_path: Path) -> None:
    silence = io.BytesIO()
    with wave.open(silence, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(b"\0\0" * 8000)
    coded = base64.b64encode(silence.getvalue()).decode()
    async with desk(tmp_path, engines=("adapters.pronunciation",)) as d:
        status, body = await d.call("PRONUNCIATION_CHECKER", {"audio": coded, "text_refs": ["hello zzyzx 42"]})
        assert status == 422 and [p.split(" of ")[0] for p in body["problems"]] == ["word 2", "word 3"]
        assert "zzyzx" not in str(body)
        junk = base64.b64encode(b"RIFF but not really").decode()
        status, body = await d.call("PRONUNCIATION_CHECKER", {"audio": junk, "text_refs": ["hello"]})
        assert status == 422 and "WAV" in body["problems"][0]

"""Models that see and hear: they are sent what OpenAI's schema has, and what they say is held to what is there."""

from __future__ import annotations

import base64
import io
import json
import wave
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from adapters.llm.requests import body_of
from bot.ports import Ask, Finding, Inquiry, Line, Pronunciation, PronunciationChecker, Recording, Sound, Word
from bot.tools.asking import picture, recording
from tests.bot.tools.support import FakeLlm, desk
from tests.platforms import openai_schema
from tests.platforms.openai import LocalOpenAI, Say

SEEN = {"same": False, "similarity": 0.7, "both_show": "a grey circle"}


def png(mode: str = "L") -> bytes:
    buffer = io.BytesIO()
    Image.radial_gradient("L").convert(mode).save(buffer, "PNG")
    return buffer.getvalue()


def wav() -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(b"\0\1" * 8000)
    return buffer.getvalue()


def coded(file: bytes) -> str:
    return base64.b64encode(file).decode()


PICTURES = {"image": coded(png()), "other": coded(png("RGB"))}
READ = {"audio": coded(wav()), "text_refs": ["good morning", "hello world"]}


class Aligner(PronunciationChecker):
    """Hears the second text, and doubts all of it."""

    async def find(self, asked: Recording) -> Finding[Pronunciation]:
        sound = Sound(phone="HH", start=0.1, seconds=0.1, score=0.2)
        words = tuple(
            Word(word=word, start=at, seconds=0.3, score=0.2, doubtful=True, sounds=(sound,))
            for at, word in enumerate(("hello", "world"))
        )
        found = Pronunciation(text_ref=1, score=0.2, seconds=1.5, words=words)
        return Finding(result=found, confidence=0.8, by="aligner", reasoning=("2 texts were aligned",))


def judged(*words: tuple[int, str, float]) -> dict[str, Any]:
    said = [{"place": place, "word": word, "score": score} for place, word, score in words]
    return {"answer": {"words": said}, "confidence": 1.0}


def sent(ask: Ask) -> dict[str, Any]:
    """The last line as it goes over the wire, when OpenAI would take it."""
    body = body_of(Inquiry(model="m", lines=ask.lines, stream=False), "m", ())
    assert openai_schema.problems(openai_schema.REQUEST, body) == []
    message: dict[str, Any] = body["messages"][-1]
    return message


async def test_a_model_looks_at_both_pictures_and_the_bits_are_counted(tmp_path: Path) -> None:
    llm = FakeLlm({"answer": SEEN, "confidence": 0.8})
    async with desk(tmp_path, engines=("adapters.images",), llm=llm) as d:
        status, body = await d.call("IMAGE_MATCH", PICTURES, engine="model")
    assert status == 200 and body["engine"] == "model" and body["confidence"] == 0.8
    assert body["by"] == "fake/m"
    assert body["result"] == {**SEEN, "different_bits": 0}
    assert "it was held to what phash found" in body["reasoning"]
    (ask,) = llm.asked
    assert (ask.task, ask.needs) == ("judge", ("json", "vision"))
    text, one, other = sent(ask)["content"]
    assert json.loads(text["text"]) == {"asked": {}}, "files are shown, not read out"
    assert one["image_url"]["url"] == f"data:image/png;base64,{PICTURES['image']}"
    assert other["image_url"]["url"] == f"data:image/png;base64,{PICTURES['other']}"


async def test_an_engine_of_the_house_in_a_model_s_place_is_not_sold_as_one(tmp_path: Path) -> None:
    llm = FakeLlm({"answer": SEEN, "confidence": 0.8}, offline=True)
    async with desk(tmp_path, engines=("adapters.images",), llm=llm) as d:
        status, body = await d.call("IMAGE_MATCH", PICTURES, engine="model")
    assert status == 200 and body["engine"] == "offline" and body["by"].startswith("phash")
    assert "no model could answer (NoAnswer)" in body["reasoning"]


async def test_without_an_engine_a_model_still_looks_and_counts_no_bits(tmp_path: Path) -> None:
    llm = FakeLlm({"answer": {"same": True, "similarity": 1}, "confidence": 0.8})
    async with desk(tmp_path, engines=(), llm=llm) as d:
        status, body = await d.call("IMAGE_MATCH", PICTURES, engine="model")
        assert status == 200
        assert body["result"] == {"same": True, "similarity": 1.0, "different_bits": None, "both_show": None}
        assert (await d.call("IMAGE_MATCH", PICTURES))[0] == 501


async def test_a_picture_that_can_not_be_read_is_shown_to_nobody(tmp_path: Path) -> None:
    llm = FakeLlm({"answer": SEEN, "confidence": 0.8})
    async with desk(tmp_path, engines=("adapters.images",), llm=llm) as d:
        status, _ = await d.call("IMAGE_MATCH", {**PICTURES, "other": coded(b"GIF89a, no more")}, engine="model")
    assert status == 422 and llm.asked == []


async def test_who_contradicts_themselves_about_pictures_is_not_believed(tmp_path: Path) -> None:
    llm = FakeLlm({"answer": {"same": True, "similarity": 0.1}, "confidence": 0.8})
    async with desk(tmp_path, engines=("adapters.images",), llm=llm) as d:
        _, body = await d.call("IMAGE_MATCH", PICTURES, engine="model")
    assert body["engine"] == "offline" and "no model could answer (Misfit)" in body["reasoning"]


async def test_a_model_judges_the_words_that_were_aligned_and_no_others(tmp_path: Path) -> None:
    llm = FakeLlm(judged((1, "World", 0.4), (0, "hello", 0.9), (2, "again", 1.0), (0, "goodbye", 0.0)))
    async with desk(tmp_path, engines=(), llm=llm, pronunciation=Aligner()) as d:
        status, body = await d.call("PRONUNCIATION_CHECKER", READ, engine="model")
    assert status == 200 and body["engine"] == "model" and body["confidence"] == 0.9
    assert body["result"] == {
        "text_ref": 1,
        "score": 0.65,
        "seconds": 1.5,
        "words": [
            {"word": "hello", "start": 0.0, "seconds": 0.3, "score": 0.9, "doubtful": False, "sounds": []},
            {"word": "world", "start": 1.0, "seconds": 0.3, "score": 0.4, "doubtful": True, "sounds": []},
        ],
    }
    assert "it was held to what aligner found" in body["reasoning"]
    (ask,) = llm.asked
    assert (ask.task, ask.needs) == ("judge", ("json", "hearing"))
    text, heard = sent(ask)["content"]
    assert heard == {"type": "input_audio", "input_audio": {"data": READ["audio"], "format": "wav"}}
    assert json.loads(text["text"]) == {
        "asked": {"text_refs": READ["text_refs"]},
        "text_ref": 1,
        "words": [
            {"place": 0, "word": "hello", "start": 0.0, "seconds": 0.3},
            {"place": 1, "word": "world", "start": 1.0, "seconds": 0.3},
        ],
    }


@pytest.mark.parametrize(
    "words", [(), ((0, "hello", 0.9),), ((0, "hello", 0.9), (0, "world", 0.9)), ((0, "hello", 0.9), (1, "word", 0.9))]
)
async def test_who_does_not_judge_every_word_is_not_believed(
    tmp_path: Path, words: tuple[tuple[int, str, float], ...]
) -> None:
    async with desk(tmp_path, engines=(), llm=FakeLlm(judged(*words)), pronunciation=Aligner()) as d:
        _, body = await d.call("PRONUNCIATION_CHECKER", READ, engine="model")
    assert body["engine"] == "offline" and body["by"] == "aligner" and body["result"]["score"] == 0.2
    assert "no model could answer (Misfit)" in body["reasoning"]


async def test_without_alignment_nobody_judges(tmp_path: Path) -> None:
    llm = FakeLlm(judged((0, "hello", 0.9)))
    async with desk(tmp_path, engines=(), llm=llm) as d:
        assert (await d.call("PRONUNCIATION_CHECKER", READ, engine="model"))[0] == 501
    assert llm.asked == []


async def test_what_models_can_not_hear_is_heard_offline(tmp_path: Path) -> None:
    llm = FakeLlm(judged((0, "hello", 0.9), (1, "world", 0.9)))
    async with desk(tmp_path, engines=(), llm=llm, pronunciation=Aligner()) as d:
        given = {**READ, "audio": coded(b"OggS and so on")}
        _, body = await d.call("PRONUNCIATION_CHECKER", given, engine="model")
    assert body["engine"] == "offline" and llm.asked == []
    assert body["reasoning"] == ["2 texts were aligned", "models hear WAV and MP3 only"]


def test_files_go_out_as_what_they_are() -> None:
    assert picture(png()).startswith("data:image/png;base64,")
    assert recording(wav()).format == "wav"
    assert recording(b"ID3 and so on").format == "mp3"


# --- the whole way, over sockets


PROVIDERS = """
providers:
  own:
    openai_setting: {{base_url: "{url}"}}
    generation_params: {{model: ears, stream: false}}
    models: {{ears: {{context: 30000, abilities: [{abilities}]}}}}
routes:
  judge: [own]
"""


@pytest.mark.parametrize(
    ("tool", "given", "needed", "part"),
    [
        ("IMAGE_MATCH", PICTURES, "vision", "image_url"),
        ("PRONUNCIATION_CHECKER", READ, "hearing", "input_audio"),
    ],
)
@pytest.mark.parametrize("able", [True, False])
async def test_only_a_model_that_can_is_asked(
    tmp_path: Path, tool: str, given: dict[str, Any], needed: str, part: str, able: bool
) -> None:
    pytest.importorskip("openai")
    said = {"answer": SEEN, "confidence": 0.5} if needed == "vision" else judged((0, "hello", 1.0), (1, "world", 1.0))
    server = LocalOpenAI(key="", plan=lambda _: Say(text=json.dumps(said)))
    file = tmp_path / "providers.yaml"
    async with server:
        abilities = f"tools, json, {needed}" if able else "tools, json"
        file.write_text(PROVIDERS.format(url=server.url, abilities=abilities), encoding="utf-8")
        options = {"llm.providers": str(file), "tools.models": tool}
        engines = ("adapters.images", "adapters.llm")
        async with desk(tmp_path / "home", engines=engines, options=options, pronunciation=Aligner()) as d:
            status, body = await d.call(tool, given)
    assert status == 200 and server.problems == []
    assert body["engine"] == ("model" if able else "offline")
    assert len(server.requests) == (1 if able else 0)
    if able:
        assert part in {piece["type"] for piece in server.requests[0]["messages"][-1]["content"]}
    else:
        assert body["reasoning"][-2:] == ["no model could answer (NoAnswer)", f"it takes a model with {needed}"]


def test_a_line_that_only_hears_is_one_that_openai_takes() -> None:
    ask = Ask(task="judge", lines=(Line(role="user", audio=(recording(wav()),)),))
    assert [part["type"] for part in sent(ask)["content"]] == ["input_audio"]

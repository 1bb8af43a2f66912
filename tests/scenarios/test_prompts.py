"""Skills that use prompts as files: what models read, what people see, and what becomes of a prompt."""

from __future__ import annotations

import shutil
from pathlib import Path

from bot import NoAnswer, Skill, Turn
from bot.messages import Sender, Text
from bot.ports import Answer
from bot.testing import Bot, FakeLlm, survives

PROMPTS = Path(__file__).resolve().parents[2] / "config" / "prompts"


def desk() -> Skill:
    skill = Skill("desk", "Answers.")

    @skill.pattern(r"^ask (?P<what>.+)")
    async def ask(turn: Turn) -> None:
        answer = await turn.llm.prompted("answer/general", {"shop": "Shoes & Co", "question": turn.slot("what")})
        await turn.say("{text}", text=answer.text)

    @skill.pattern(r"^tell (?P<what>.+)")
    async def tell(turn: Turn) -> None:
        values = {"shop": "Shoes & Co", "question": turn.slot("what")}
        await turn.stream(turn.llm.stream_prompted("answer/general", values))

    @skill.pattern(r"^i wear (?P<size>.+)")
    async def wear(turn: Turn) -> None:
        size = turn.slot("size")
        await turn.remember("size", None if size == "nothing" else size, told=f"Wears size {size}.")
        await turn.remember("proof", "sesame")
        await turn.remember("told:whatever", 7)

    return skill


def bot(llm: FakeLlm) -> Bot:
    return Bot(desk(), llm=llm, prompts=PROMPTS)


async def test_a_model_reads_the_prompt_and_what_was_said() -> None:
    llm = FakeLlm("We do.")
    async with bot(llm) as b, b.user() as u:
        await u.says("ask do you sell boots?")
        u.sees("We do.")
        await u.says("ask and in red?")
        first, second = llm.asked
        assert first.prompt == "answer/general@1"
        assert first.task == "answer"
        assert "Shoes & Co" in first.lines[0].text
        assert "do you sell boots?" in first.lines[-1].text
        earlier = "\n".join(line.text for line in second.lines[1:-1])
        assert "do you sell boots?" in earlier
        assert "We do." in earlier
        assert "read answer/general@1" in await b.explain(f"{u.conversation}.1")


async def test_a_model_reads_what_was_told_of_a_person_and_nothing_else_that_is_remembered() -> None:
    llm = FakeLlm("43, I think.")
    async with bot(llm) as b, b.user() as u:
        for said in ("i wear 41", "i wear 43", "ask which size do i need?", "i wear nothing", "ask and now?"):
            await u.says(said)
        known, forgotten = (asked.lines[-1].text for asked in llm.asked)
        assert '<data from="memory" name="size">\nWears size 43.\n</data>' in known
        assert "Wears size 41" not in known
        assert "sesame" not in known
        assert 'from="memory"' not in forgotten


async def test_where_others_read_along_a_model_reads_no_memories() -> None:
    llm = FakeLlm("43, I think.")
    sender = Sender(id="ana")
    async with bot(llm) as b, b.user() as alone, b.user(room="#general") as among:
        await alone.does(Text(text="i wear 43"), sender=sender)
        await among.does(Text(text="ask which size do i need?"), sender=sender)
        await alone.does(Text(text="ask which size do i need?"), sender=sender)
        there, here = (asked.lines[-1].text for asked in llm.asked)
        assert 'from="memory"' not in there
        assert 'from="memory"' in here


async def test_an_answer_that_rests_on_memories_is_kept_for_that_person_only(tmp_path: Path) -> None:
    prompts = Path(shutil.copytree(PROMPTS, tmp_path / "prompts"))
    file = prompts / "answer" / "general.md"
    file.write_text(file.read_text(encoding="utf-8").replace("model:\n", "model:\n  cache: tenant\n"), encoding="utf-8")
    llm = FakeLlm("43, I think.")
    async with Bot(desk(), llm=llm, prompts=prompts) as b, b.user() as u, b.user() as other:
        await other.says("ask which size do i need?")
        await u.says("i wear 43")
        await u.says("ask which size do i need?")
        assert [asked.cache for asked in llm.asked] == ["tenant", "person"]


async def test_what_a_model_thinks_aloud_is_nobodys() -> None:
    thinking = FakeLlm(Answer(text="<think>They want boots. Secret.</think>We do sell boots.", model="m"))
    async with bot(thinking) as b, b.user() as u:
        await u.says("ask boots?")
        u.sees("We do sell boots.")
        u.does_not_see("Secret")
        await u.says("tell me")
        u.sees("We do sell boots.")
        u.does_not_see("Secret")


async def test_without_an_answer_the_sentence_is_said() -> None:
    async with bot(FakeLlm(NoAnswer("away", sentence="Sorry, not now."))) as b, b.user() as u:
        await u.says("ask boots?")
        u.sees("Sorry, not now.")
        await u.says("tell me")
        u.sees("Sorry, not now.")


async def test_what_becomes_of_people_is_put_down_to_their_prompt() -> None:
    async with bot(FakeLlm("We do.")) as b, b.user() as u:
        await u.says("ask boots?")
        await u.says("talk to a person")
        await b.settle()
        assert "handed off" in await b.app.prompts.listed()


async def test_a_prompt_is_asked_once_wherever_the_process_dies() -> None:
    async def scenario(b: Bot) -> None:
        async with b.user() as u:
            await u.says("ask boots?")
            u.sees("We do.")

    assert await survives(scenario, desk(), llm=FakeLlm("We do."), prompts=PROMPTS) > 2

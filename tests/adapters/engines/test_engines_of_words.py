"""The engines that read texts: what they find, what they say when they don't know, and that they invent nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.grammar.harper import Harper
from adapters.knowledge import PAGES
from adapters.knowledge.files import KnowledgeFiles
from adapters.knowledge.pages import cut
from adapters.languages.langid import Langid
from adapters.moods.vader import Vader
from adapters.profiles.fit import FieldFit
from adapters.profiles.rules import ProfileRules
from adapters.summaries.textrank import TextRank, sentences
from bot import BadArguments, ToolMissing, from_extra, intact
from bot.ports import Account, Draft, LongText, Pair, Profile, Question, Remark, Utterance

ABOUT = (
    "Hi, I'm Anna van Dyke. My e-mail is anna@acme.org, phone +43 660 123 4567. I live in Vienna and work as a data "
    "engineer at Acme Corp. I speak English and German, I love hiking and chess. My goal is to learn Spanish."
)


async def test_knowledge_is_answered_with_its_source_or_not_at_all(tmp_path: Path) -> None:
    engine = KnowledgeFiles(PAGES)
    found = await engine.find(Question(question="Do gift cards expire?"))
    assert found.result.known and found.result.sources == ("shop.md#gift-cards",)
    assert "don't expire" in found.result.answer and found.confidence > 0.5
    found = await engine.find(Question(question="What is the capital of France?"))
    assert not found.result.known and found.result.answer == "" and found.result.sources == ()
    empty = await KnowledgeFiles(tmp_path / "none").find(Question(question="Anything?"))
    assert not empty.result.known and empty.result.passages == ()


async def test_a_page_that_changes_is_read_again(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Zoo\n\n## Hours\n\nThe zoo opens at nine.\n")
    engine = KnowledgeFiles(tmp_path)
    asked = Question(question="When does the zoo open?")
    assert "nine" in (await engine.find(asked)).result.answer
    page.write_text("# Zoo\n\n## Hours\n\nThe zoo opens at ten.\n")
    os.utime(page, (1, 1))
    assert "ten" in (await engine.find(asked)).result.answer


def test_a_page_is_cut_at_its_headings() -> None:
    pieces = cut("a.md", "Before\n# Page\ntext\n## One\nfirst\nsecond\n## Empty\n### Deep\nthird")
    assert [(piece.source, piece.title, piece.text) for piece in pieces] == [
        ("a.md", "a.md", "Before"),
        ("a.md", "Page", "text"),
        ("a.md#one", "Page / One", "first second"),
        ("a.md#deep", "Page / Deep", "third"),
    ]


async def test_a_profile_is_read_out_of_a_text() -> None:
    profile = (await ProfileRules().find(Account(text=ABOUT))).result
    assert profile == Profile(
        name="Anna van Dyke",
        emails=("anna@acme.org",),
        phones=("+436601234567",),
        languages=("English", "German"),
        place="Vienna",
        company="Acme Corp",
        role="data engineer",
        interests=("hiking", "chess"),
        goals=("learn Spanish",),
    )


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Ich heiße Jürgen Groß.", "Jürgen Groß"),
        ("Me llamo María José", "María José"),
        ("je m'appelle Zoé", "Zoé"),
        ("This is Tom from accounting", "Tom"),
        ("I'm Sorry for the delay", ""),
        ("I am waiting for my parcel", ""),
        ("my name is not your business", ""),
        ("I am from Berlin", ""),
    ],
)
async def test_a_name_is_one_only_where_it_is_said_to_be(text: str, name: str) -> None:
    assert (await ProfileRules().find(Account(text=text))).result.name == name


@given(
    st.text(
        st.sampled_from("I'm my name is love speak English and at Acme. goal to ann@x.org +123456789 \n"), max_size=200
    )
)
def test_a_profile_has_nothing_that_is_not_in_the_text(text: str) -> None:
    if not text.strip():
        return
    profile = ProfileRules()._find(text).result
    for value in (profile.name, profile.place, profile.company, profile.role):
        assert value in text
    for value in (*profile.languages, *profile.skills, *profile.interests, *profile.goals, *profile.emails):
        assert value in text
    digits = "".join(filter(str.isdigit, text))
    assert all(phone.removeprefix("+") in digits for phone in profile.phones)


async def test_profiles_fit_by_what_both_have_and_a_required_field_that_lacks_ends_it() -> None:
    one = Profile(goals=("learn Spanish",), languages=("English", "German"), place="Vienna")
    same = (await FieldFit().find(Pair(profile=one, other=one))).result
    assert (
        same.score == 1
        and same.matches
        and {reason.field for reason in same.reasons} == {"goals", "languages", "place"}
    )
    other = Profile(goals=("learning spanish",), languages=("french",))
    found = await FieldFit().find(Pair(profile=one, other=other))
    assert 0 < found.result.score < 1 and found.confidence == found.result.compared == 0.4
    lacking = await FieldFit().find(Pair(profile=one, other=other, required=("languages",)))
    assert lacking.result.score == 0 and not lacking.result.matches
    nothing = await FieldFit().find(Pair(profile=one, other=Profile(company="Acme")))
    assert not nothing.result.matches and nothing.confidence == 0
    with pytest.raises(BadArguments, match="required"):
        await FieldFit().find(Pair(profile=one, other=one, required=("shoe size",)))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Wo ist mein Paket?", "de"),
        ("Where is my parcel, please?", "en"),
        ("¿Dónde está mi pedido?", "es"),
        ("Où est mon colis ?", "fr"),
        ("Где моя посылка?", "ru"),
        ("我的包裹在哪里", "zh"),
        ("12345 !!", ""),
    ],
)
async def test_languages_are_told_apart(text: str, language: str) -> None:
    found = await Langid().find(Utterance(text=text))
    assert found.result.language == language
    assert (found.confidence > 0.5) == bool(language)


async def test_a_language_that_is_impossible_is_never_the_answer() -> None:
    engine = Langid()
    found = await engine.find(Utterance(text="Wo ist mein Paket?", among=("en", "fr")))
    assert found.result.language in ("en", "fr")
    assert (await engine.find(Utterance(text="Wo ist mein Paket?"))).result.language == "de", "and nothing was left set"
    with pytest.raises(BadArguments, match="qq"):
        await engine.find(Utterance(text="hm", among=("qq",)))


async def test_moods_are_read_and_foreign_ones_said_to_be_a_guess() -> None:
    engine = Vader()
    assert (await engine.find(Remark(text="This is great, thank you so much!"))).result.mood == "positive"
    assert (await engine.find(Remark(text="Terrible. I hate waiting and nobody helps."))).result.mood == "negative"
    assert (await engine.find(Remark(text="The parcel has two labels."))).result.mood == "neutral"
    strange = await engine.find(Remark(text="Это просто ужасно"))
    assert strange.result.mood == "neutral" and strange.confidence == 0.34


async def test_grammar_is_checked_in_characters_and_mended() -> None:
    text = "🙂 He go to school. I have a apple and teh pear."
    found = (await Harper().find(Draft(text=text))).result
    assert not found.correct
    assert [text[each.start : each.end] for each in found.mistakes] == ["go", "a", "teh"]
    assert found.corrected == "🙂 He goes to school. I have an apple and the pear."
    bare = (await Harper().find(Draft(text=text, spelling=False))).result
    assert "teh" in bare.corrected and [each.kind for each in bare.mistakes] == ["Agreement", "Miscellaneous"]
    assert (await Harper().find(Draft(text="She goes to school."))).result.correct


async def test_a_summary_has_the_sentences_that_share_most_in_their_order() -> None:
    text = "Lamps are made of glass. I like tea. The glass of lamps is blown here. Lamps of glass last. It rained."
    found = await TextRank().find(LongText(text=text, sentences=2))
    kept = sentences(found.result.summary)
    assert len(kept) == 2 and all("glass" in sentence.casefold() for sentence in kept)
    assert [text.index(sentence) for sentence in kept] == sorted(text.index(sentence) for sentence in kept)
    whole = await TextRank().find(LongText(text="One. Two.", sentences=5))
    assert whole.result.summary == "One. Two." and whole.confidence == 1
    assert sentences("Dr. Smith came. He left at 5 p.m. sharp.") == ["Dr. Smith came.", "He left at 5 p.m. sharp."]


@given(st.text(min_size=1, max_size=400), st.integers(1, 5))
def test_a_summary_never_fails_and_is_never_longer(text: str, many: int) -> None:
    if text.strip():
        found = TextRank()._find(LongText(text=text, sentences=many)).result
        assert found.summary and len(found.summary) <= len(text)


def test_an_engine_that_is_absent_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(ToolMissing, match=r"pip install '\.\[grammar\]'"), from_extra("grammar"):
        import a_package_that_is_not_there  # type: ignore[import-not-found]  # noqa: F401, PLC0415
    file = tmp_path / "weights"
    file.write_bytes(b"something else")
    with pytest.raises(ToolMissing, match="not the file that was measured"):
        intact(file, "0" * 64, "grammar")
    with pytest.raises(ToolMissing, match="missing"):
        intact(tmp_path / "gone", "0" * 64, "grammar")

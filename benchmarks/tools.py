"""How right the tools' offline engines are, on public data, and how fast.

Run: `python -m benchmarks.tools SUBJECT [FOLDER]`. Without a folder only what needs no data of others runs:

    knowledge                 benchmarks/knowledge_questions.csv, and HINT3's out-of-scope messages where they are
    knowledge-vectors         the same by words and by sentence vectors
    profiles                  benchmarks/profile_accounts.yaml
    images                    pictures that are drawn here, resized, cropped, brightened, compressed
    languages DJANGO          folder of django.po files, one a language (de.po, zh_Hans.po, ...)
    moods TWEETEVAL           its datasets/sentiment
    grammar JFLEG [COUNT]     its test folder; the first COUNT sentences
    pronunciation SPEECHOCEAN its test/text as `text`, and recordings in a folder beside it (by default `held`)
"""

from __future__ import annotations

import asyncio
import base64
import csv
import io
import random
import re
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import yaml

from adapters.grammar.harper import Harper
from adapters.images.hashing import PerceptualHash
from adapters.knowledge import PAGES
from adapters.knowledge.files import KnowledgeFiles
from adapters.languages.langid import USUAL, Langid
from adapters.moods.vader import RIGHT, Vader
from adapters.profiles.rules import ProfileRules
from adapters.pronunciation.sphinx import Sphinx
from bot import BadArguments
from bot.ports import Account, Draft, Profile, Question, Recording, Remark, TwoPictures, Utterance

HERE = Path(__file__).resolve().parent
HINT3 = HERE.parents[1] / "shared" / "data" / "hint3"


async def knowledge(*, vectors: bool = False) -> None:
    """Questions to the demo shop's pages, and those that they don't answer."""
    rows = read_csv(HERE / "knowledge_questions.csv")
    engine = KnowledgeFiles(PAGES, vectors=vectors)
    ours = [row for row in rows if row["source"]]
    strange = [row["question"] for row in rows if not row["source"]]
    first = three = told = wrong = 0
    times = []
    for row in ours:
        began = time.perf_counter()
        found = (await engine.find(Question(question=row["question"]))).result
        times.append(time.perf_counter() - began)
        places = [passage.source for passage in found.passages]
        first += places[:1] == [row["source"]]
        three += row["source"] in places
        told += found.known and found.sources == (row["source"],)
        wrong += found.known and found.sources != (row["source"],)
        if found.known and found.sources != (row["source"],):
            print(f"  wrong: {row['question']} -> {found.sources}")
        elif not found.known:
            print(f"  silent: {row['question']} (best {places[:1]})")
    count = len(ours)
    print(f"{count} questions: right passage first {first / count:.1%}, among three {three / count:.1%}")
    print(f"answered right {told / count:.1%}, answered wrong {wrong / count:.1%}, median {median(times)}")
    print(f"of {len(strange)} questions about other things answered: {await claimed(engine, strange):.1%}")
    texts = [
        row["sentence"]
        for file in ("curekart_test.csv", "sofmattress_test.csv")
        for row in read_csv(HINT3 / file)
        if row["label"] == "NO_NODES_DETECTED"
    ]
    if texts:
        print(f"of {len(texts)} out-of-scope messages to two other shops answered: {await claimed(engine, texts):.1%}")


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a file; none where it is not there."""
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines())) if path.exists() else []


async def claimed(engine: KnowledgeFiles, texts: Sequence[str]) -> float:
    """The share that the engine claims to know."""
    known = [(await engine.find(Question(question=text))).result.known for text in texts if text.strip()]
    return sum(known) / len(known)


async def languages(folder: Path) -> None:
    """Strings of a user interface in 16 languages."""
    files = await asyncio.to_thread(lambda: {path.stem.split("_")[0]: path.read_text() for path in folder.glob("*.po")})
    samples = []
    for language in USUAL:
        text = files[language]
        strings = re.findall(r'^msg(?:str|id) "(.+)"$' if language == "en" else r'^msgstr "(.+)"$', text, re.MULTILINE)
        # What is mostly placeholders is in no language.
        bare = (re.sub(r"%(\(\w+\))?[a-z]|\{\w*\}|\\.", " ", string) for string in strings)
        samples += [(language, string) for string in bare if len(string.strip()) >= 8][:90]
    engine, times = Langid(), []
    right = {language: [0, 0] for language in USUAL}
    sure: list[tuple[float, bool]] = []
    for language, string in samples:
        began = time.perf_counter()
        found = await engine.find(Utterance(text=string))
        times.append(time.perf_counter() - began)
        right[language][0] += found.result.language == language
        right[language][1] += 1
        sure.append((found.confidence, found.result.language == language))
    total = sum(good for good, _ in right.values()) / len(samples)
    free = Langid(tuple(sorted({*USUAL, *EVERYWHERE})))
    among_more = [(await free.find(Utterance(text=string))).result.language == language for language, string in samples]
    print(f"{len(samples)} strings, {len(USUAL)} languages: {total:.1%}; among {len(free._among)}: {share(among_more)}")
    print(", ".join(f"{language} {good / max(1, all_):.0%}" for language, (good, all_) in right.items()))
    calibration(sure, (0.5, 0.7, 0.9, 1.01))
    print(f"median {median(times)}")


EVERYWHERE = re.findall(
    r"\w+",
    """af bg bn ca cs cy da el et fa fi gu he hr hu id is ka kk lt lv mk ms ne no pa ro sk sl sq sr sv sw ta te th tl
    ur vi""",
)


async def moods(folder: Path) -> None:
    """Tweets, judged by people."""
    names = ("negative", "neutral", "positive")
    for part in ("val", "test"):
        texts = (folder / f"{part}_text.txt").read_text(encoding="utf-8").splitlines()
        labels = [names[int(line)] for line in (folder / f"{part}_labels.txt").read_text().split()]
        engine, times, found = Vader(), [], []
        sure: dict[float, list[bool]] = {edge: [] for edge, _ in RIGHT}
        for text, label in zip(texts, labels, strict=True):
            began = time.perf_counter()
            mood = (await engine.find(Remark(text=text))).result
            times.append(time.perf_counter() - began)
            found.append(mood.mood)
            sure[next(edge for edge in sure if abs(mood.valence) < edge)].append(mood.mood == label)
        recalls = [
            statistics.mean(f == name for f, label in zip(found, labels, strict=True) if label == name)
            for name in names
        ]
        print(f"{part}: {len(texts)} tweets, macro recall {statistics.mean(recalls):.1%}, median {median(times)}")
        print("  right by |valence|: " + ", ".join(f"<{edge}: {share(each)}" for edge, each in sure.items()))


async def grammar(folder: Path, most: int) -> None:
    """Sentences of learners, and the same ones corrected by people."""
    wrong = (folder / "test.src").read_text(encoding="utf-8").splitlines()[:most]
    references = [(folder / f"test.ref{n}").read_text(encoding="utf-8").splitlines() for n in range(4)]
    engine, times, mended, flagged, falsely = Harper(), [], [], [], []
    for number, sentence in enumerate(wrong):
        mine = [reference[number].strip() for reference in references]
        if sentence.strip() in mine:
            continue
        began = time.perf_counter()
        found = (await engine.find(Draft(text=untokenized(sentence)))).result
        times.append(time.perf_counter() - began)
        flagged.append(not found.correct)
        mended.append(bare(found.corrected) in [bare(each) for each in mine])
    for number in range(len(wrong)):
        found = (await engine.find(Draft(text=untokenized(references[0][number])))).result
        falsely.append(not found.correct)
    print(f"{len(flagged)} wrong sentences: flagged {share(flagged)}, mended exactly {share(mended)}")
    print(f"{len(falsely)} corrected ones: flagged {share(falsely)}; median {median(times)}")


def untokenized(sentence: str) -> str:
    """A sentence as people write it: the data has spaces around every sign."""
    sentence = re.sub(r"\s+([.,!?;:%)\]])", r"\1", re.sub(r"([(\[$])\s+", r"\1", sentence.strip()))
    return re.sub(r"\s+(n't|'s|'m|'re|'ve|'ll|'d)\b", r"\1", re.sub(r"(``|'')", '"', sentence))


def bare(sentence: str) -> str:
    """A sentence without the spaces that tokenizing left."""
    return re.sub(r"\s+", "", sentence).casefold()


async def pronunciation(folder: Path, recordings: str = "held") -> None:
    """Recordings of learners: words that were read, against words that were not."""
    lines = (folder / "text").read_text(encoding="utf-8").splitlines()
    texts = dict(line.split("\t", 1) for line in lines)
    generator = random.Random(7)
    # Words that are surely in the dictionary, of other recordings.
    words = sorted(
        {word for text in texts.values() for word in text.lower().split() if word.isalpha() and len(word) > 2}
    )
    engine, right, wrong, times, seconds, failed = Sphinx(), [], [], [], 0.0, 0
    try:
        for path in sorted((folder / recordings).glob("*.wav")):
            said = texts[path.stem].lower().split()
            audio = base64.b64encode(path.read_bytes())
            place = generator.randrange(len(said))
            other = generator.choice(
                [word for word in words if word != said[place] and abs(len(word) - len(said[place])) < 3]
            )
            try:
                began = time.perf_counter()
                good = (await engine.find(Recording(audio=audio, text_refs=(" ".join(said),)))).result
                times.append(time.perf_counter() - began)
                seconds += good.seconds
                swapped = " ".join([*said[:place], other, *said[place + 1 :]])
                bad = (await engine.find(Recording(audio=audio, text_refs=(swapped,)))).result
            except BadArguments:
                failed += 1
                continue
            right += [word.score for word in good.words]
            wrong.append((good.words[place].score, bad.words[place].score))
    finally:
        await engine.stop()
    swapped_scores = [bad for _, bad in wrong]
    pairs = [good > bad for good, bad in wrong]
    print(f"{len(wrong)} recordings, {failed} could not be aligned")
    print(f"{statistics.median(times):.2f} s for {seconds / len(times):.1f} s")
    curve = area([good for good, _ in wrong], swapped_scores)
    print(f"read against not read: area under the curve {curve:.3f}, pairs {share(pairs)}")
    print(f"doubtful: {share([score < 0.5 for score in right])} of {len(right)} read words (by learners),")
    print(f"  {share([score < 0.5 for score in swapped_scores])} of the words that were not read")


def area(high: Sequence[float], low: Sequence[float]) -> float:
    """How often one of the first is above one of the second."""
    return statistics.mean((a > b) + (a == b) / 2 for a in high for b in low)


async def profiles() -> None:
    """What people say of themselves: of each kind of value how much is found, and how much of what is found is true."""
    accounts = yaml.safe_load((HERE / "profile_accounts.yaml").read_text(encoding="utf-8"))
    engine = ProfileRules()
    counted = {name: [0, 0, 0] for name in Profile.model_fields}
    for account in accounts:
        found = (await engine.find(Account(text=account["text"]))).result
        for name, counts in counted.items():
            said, read = (_values(values) for values in (account["says"].get(name), getattr(found, name)))
            counts[0] += len(said & read)
            counts[1] += len(said)
            counts[2] += len(read)
            for value in sorted(read - said):
                print(f"  {name} {value!r} is not said in: {account['text']}")
    for name, (right, said, read) in counted.items():
        print(f"{name}: {right} of {said} found, {read - right} others")
    right, said, read = (sum(counts[at] for counts in counted.values()) for at in range(3))
    print(f"{len(accounts)} texts: {right / said:.1%} of {said} values; of {read} found {right / read:.1%} are right")


def _values(value: object) -> set[str]:
    """One value or several, without what makes no difference."""
    several = value if isinstance(value, list | tuple) else [value] if value else []
    return {re.sub(r"[\s-]+(?=\d)", "", str(each).casefold()) for each in several}


async def images() -> None:
    """Drawn pictures: each against changed versions of itself, and against all others."""
    from PIL import Image, ImageEnhance  # noqa: PLC0415 - an extra

    generator, engine, times = random.Random(3), PerceptualHash(), []
    drawn = [_drawn(generator) for _ in range(60)]
    changes = {
        "half as large": lambda p: p.resize((p.width // 2, p.height // 2)),
        "3% cropped": lambda p: p.crop((int(p.width * 0.03), int(p.height * 0.03), p.width, p.height)),
        "10% cropped": lambda p: p.crop((int(p.width * 0.1), int(p.height * 0.1), p.width, p.height)),
        "brighter": lambda p: ImageEnhance.Brightness(p).enhance(1.3),
        "grey": lambda p: p.convert("L"),
        "JPEG 30": lambda p: Image.open(io.BytesIO(_bytes(p, "JPEG", 30))),
        "turned over": lambda p: p.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    }
    for name, change in changes.items():
        same = []
        for picture in drawn:
            began = time.perf_counter()
            found = await engine.find(TwoPictures(image=_coded(picture), other=_coded(change(picture))))
            times.append(time.perf_counter() - began)
            same.append(found.result.same)
        print(f"{name}: the same in {share(same)}")
    others = [
        (await engine.find(TwoPictures(image=_coded(a), other=_coded(b)))).result.same
        for number, a in enumerate(drawn)
        for b in drawn[:number]
    ]
    print(f"{len(others)} pairs of other pictures: the same in {share(others)}; median {median(times)}")


def _drawn(generator: random.Random) -> object:
    from PIL import Image, ImageDraw, ImageFilter  # noqa: PLC0415 - an extra

    def color() -> tuple[int, int, int]:
        return generator.randrange(256), generator.randrange(256), generator.randrange(256)

    picture = Image.new("RGB", (400, 300), color())
    pen = ImageDraw.Draw(picture)
    for _ in range(generator.randrange(4, 14)):
        x, y = generator.randrange(-50, 350), generator.randrange(-50, 250)
        box = (x, y, x + generator.randrange(20, 200), y + generator.randrange(20, 200))
        generator.choice((pen.ellipse, pen.rectangle))(box, fill=color())
    return picture.filter(ImageFilter.GaussianBlur(1.5))


def _bytes(picture: object, kind: str, quality: int = 90) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, quality=quality)  # type: ignore[attr-defined]
    return buffer.getvalue()


def _coded(picture: object) -> bytes:
    return base64.b64encode(_bytes(picture, "PNG"))


def calibration(sure: Sequence[tuple[float, bool]], edges: Sequence[float]) -> None:
    """How often it was right, by how sure it was."""
    low = 0.0
    for edge in edges:
        each = [right for confidence, right in sure if low <= confidence < edge]
        if each:
            print(f"  confidence {low:.2f} to {min(edge, 1):.2f}: right in {share(each)} of {len(each)}")
        low = edge


def share(found: Sequence[bool]) -> str:
    """A share in per cent."""
    return f"{statistics.mean(found):.1%}" if found else "-"


def median(times: Sequence[float]) -> str:
    """A median in milliseconds."""
    return f"{statistics.median(times) * 1000:.2f} ms"


def main() -> None:
    """Run one subject."""
    match sys.argv[1:]:
        case ["knowledge"]:
            asyncio.run(knowledge())
        case ["knowledge-vectors"]:
            asyncio.run(knowledge(vectors=True))
        case ["profiles"]:
            asyncio.run(profiles())
        case ["images"]:
            asyncio.run(images())
        case ["languages", folder]:
            asyncio.run(languages(Path(folder)))
        case ["moods", folder]:
            asyncio.run(moods(Path(folder)))
        case ["grammar", folder, *count]:
            asyncio.run(grammar(Path(folder), int(count[0]) if count else 10_000))
        case ["pronunciation", folder, *rest]:
            asyncio.run(pronunciation(Path(folder), *rest))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()

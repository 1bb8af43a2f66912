"""Answers out of Markdown files: by words, and by sentence vectors too where the operator turned them on.

The scores of both are added after each was brought to 0..1: on public data that beat each alone and rank fusion.
"""

from __future__ import annotations

import asyncio
import math
from pathlib import Path

from adapters.knowledge.pages import Piece, read_pages, stamp
from adapters.knowledge.ranking import Ranking, spread, stemmer
from adapters.knowledge.vectors import Vectors, likeness
from bot import Value
from bot.ports import Finding, Knowledge, KnowledgeEngine, Passage, Question

KNOWN = 0.45
"""Share of a question's meaning that the best passage has to cover for it to be an answer (docs/figures.md)."""

LONGEST_ANSWER = 800
STEEP = 9.0
"""How fast confidence grows around KNOWN."""


class _Index(Value, frozen=True):
    """What was read of the pages, and when they were like that."""

    stamp: tuple[tuple[str, int, int], ...]
    pieces: list[Piece]
    ranking: Ranking
    vectors: list[list[float]]


class KnowledgeFiles(KnowledgeEngine):
    """The pages of a folder; they are read again when one changes."""

    def __init__(self, folder: Path, *, vectors: bool = False, known: float = KNOWN) -> None:
        self._folder, self._with_vectors, self._known = folder, vectors, known
        self._stems = stemmer()
        self._index: _Index | None = None
        self._vectors: Vectors | None = None
        self._lock = asyncio.Lock()

    async def find(self, asked: Question) -> Finding[Knowledge]:
        """The passages that fit best, and whether the first of them answers the question."""
        async with self._lock:
            return await asyncio.to_thread(self._find, asked)

    def _find(self, asked: Question) -> Finding[Knowledge]:
        index = self._read()
        scores = spread(index.ranking.scores(asked.question))
        if index.vectors and self._vectors is not None:
            (vector,) = self._vectors.of([asked.question])
            by_meaning = spread([likeness(vector, other) for other in index.vectors])
            scores = [(a + b) / 2 for a, b in zip(scores, by_meaning, strict=True)]
        order = sorted(range(len(scores)), key=lambda place: -scores[place])[: asked.limit]
        covered = index.ranking.covered(asked.question, order[0]) if order else 0.0
        known = covered >= self._known
        confidence = 1 / (1 + math.exp(-STEEP * (covered - self._known)))
        best = index.pieces[order[0]] if known else None
        return Finding(
            result=Knowledge(
                known=known,
                answer=best.text[:LONGEST_ANSWER] if best else "",
                sources=(best.source,) if best else (),
                passages=tuple(_passage(index.pieces[place], scores[place]) for place in order if scores[place] > 0),
            ),
            confidence=round(confidence if known else 1 - confidence, 3),
            by="bm25+use-m3 0.2.1" if index.vectors else "bm25",
            reasoning=(
                f"{len(index.pieces)} passages were compared",
                f"the best one covers {covered:.0%} of the question's meaning; {self._known:.0%} count as an answer",
            ),
        )

    def _read(self) -> _Index:
        now = stamp(self._folder) if self._folder.is_dir() else ()
        if self._index is None or self._index.stamp != now:
            pieces = read_pages(self._folder) if now else []
            if self._with_vectors and self._vectors is None:
                self._vectors = Vectors()
            texts = [f"{piece.title}. {piece.text}" for piece in pieces]
            self._index = _Index(
                stamp=now,
                pieces=pieces,
                ranking=Ranking([(piece.title, piece.text) for piece in pieces], self._stems),
                vectors=self._vectors.of(texts) if self._vectors and texts else [],
            )
        return self._index


def _passage(piece: Piece, score: float) -> Passage:
    return Passage(text=piece.text, source=piece.source, title=piece.title, score=round(score, 3))

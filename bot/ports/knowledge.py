"""The port to what the house knows: answers out of its own pages, with their source, or a plain "not known"."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bot.ports.engine import Asked, Engine, Found, Prose, Sure


class Question(Asked):
    """A question; at most `limit` passages come back."""

    question: Annotated[Prose, Field(max_length=2000)]
    limit: Annotated[int, Field(ge=1, le=10)] = 3


class Passage(Found):
    """A piece of a page, and how well it fits (1 is the best of this answer). `source` is the file and its heading."""

    text: str
    source: str
    title: str
    score: Sure


class Knowledge(Found):
    """What is known. Where `known` is false the answer is empty, and the passages are only the nearest ones."""

    known: bool
    answer: str = ""
    sources: tuple[str, ...] = ()
    passages: tuple[Passage, ...] = ()


class KnowledgeEngine(Engine[Question, Knowledge]):
    """Answers questions out of pages."""

"""Prompts: files in `config/prompts/`, filled in for a person, in a version, in so many tokens. Asks no model.

prompt, frontmatter, template, reading, library   from files to values, every mistake with its line and fix
likeness, rendering                               filled in, with the examples and the context that fit
remembering, summarizing                          what is known of a person, and of what was said
private                                           a model's reasoning, taken out of its answer
versions, records, report                         who gets which version, and what became of them
cases, expecting, recordings, trying              tests of prompts, as files
prompts                                           all of it together
"""

from bot.prompts.private import Private, visible
from bot.prompts.prompts import Prompts
from bot.prompts.records import Outcome, Records
from bot.prompts.remembering import TOLD, Memory, memories
from bot.prompts.rendering import Rendered

__all__ = ["TOLD", "Memory", "Outcome", "Private", "Prompts", "Records", "Rendered", "memories", "visible"]

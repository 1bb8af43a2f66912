"""What a model gets to read, in so many tokens. Knows no model and no prompt.

fences      what others said, marked as data and unable to pose as anything else
measure     how many tokens a line is, for whoever has nothing better
pairs       lines in groups that belong together: a call with its results, a question with its answer
packing     which pieces fit: by relevance, recency and importance, each kind within its budget
transcript  a conversation's transcript as a model's lines
extracting  a summary made of the conversation's own sentences, without a model
summary     the running summary of a conversation, made behind the answers
"""

from bot.context.fences import Excerpt, fence, harmless_text
from bot.context.measure import Count, rough
from bot.context.packing import Packed, Part, pack
from bot.context.pairs import fit, whole
from bot.context.summary import Summaries, Summary
from bot.context.transcript import lines_of

__all__ = [
    "Count",
    "Excerpt",
    "Packed",
    "Part",
    "Summaries",
    "Summary",
    "fence",
    "fit",
    "harmless_text",
    "lines_of",
    "pack",
    "rough",
    "whole",
]

"""Answers of models that may be given again.

answers   the cache: what is kept, for whom, and what is given again
flights   an answer that is being made, for all who ask for it meanwhile
meanings  which kept question means the same as one that is asked
shelf     where all that lies: in this process, or shared by all
"""

from bot.llm.cache.answers import AnswerCache, CacheSettings
from bot.llm.cache.shelf import LocalShelf, Shelf

__all__ = ["AnswerCache", "CacheSettings", "LocalShelf", "Shelf"]

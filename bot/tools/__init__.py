"""Tools: one registry for skills, language models and the HTTP endpoint. Knows no engine: those stand behind ports."""

from bot.tools.registry import Registry
from bot.tools.room import ToolRoom
from bot.tools.settings import ToolSettings
from bot.tools.tool import ModelTask, Tool

__all__ = ["ModelTask", "Registry", "Tool", "ToolRoom", "ToolSettings"]

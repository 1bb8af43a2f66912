"""The HTTP server: it carries the routes of channels and desks, and says whether the bot is well."""

from bot.web.control import Control, ask_running
from bot.web.files import FileRoutes
from bot.web.health import Health
from bot.web.server import WebServer

__all__ = ["Control", "FileRoutes", "Health", "WebServer", "ask_running"]

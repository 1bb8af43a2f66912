"""python-telegram-bot's echo on its own webhook server. Runs in the peers' environment."""

from __future__ import annotations

import logging

from telegram import Update
from telegram.ext import Application, ContextTypes, MessageHandler, filters

from benchmarks.peers.platforms import TELEGRAM_TOKEN

PATH = "telegram"


def serve(port: int, sink: str, *, concurrent: bool) -> None:
    """As its examples do it: INFO in the log, httpx's requests kept out of it."""
    logging.basicConfig(format="%(asctime)s - %(name)s - %(levelname)s - %(message)s", level=logging.INFO)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    building = Application.builder().token(TELEGRAM_TOKEN).base_url(f"{sink}/bot")
    if concurrent:
        building = building.concurrent_updates(True)
    application = building.build()
    application.add_handler(MessageHandler(filters.TEXT & ~filters.COMMAND, _echo))
    application.run_webhook(
        listen="127.0.0.1",
        port=port,
        url_path=PATH,
        secret_token="an-invented-secret",  # noqa: S106 - invented
        webhook_url=f"https://bot.example/{PATH}",
        allowed_updates=Update.ALL_TYPES,
    )


async def _echo(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    await update.message.reply_text("echo: " + update.message.text)

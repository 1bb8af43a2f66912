"""nonebot2's echo with its Telegram adapter's webhook. Runs in the peers' environment."""

from __future__ import annotations

import nonebot
from nonebot import on_startswith
from nonebot.adapters.telegram import Adapter
from nonebot.adapters.telegram.event import MessageEvent

from benchmarks.peers.platforms import TELEGRAM_TOKEN


def serve(port: int, sink: str, *, driver: str) -> None:
    """As its documentation shows it, with its usual log; the driver is what the documentation lets one choose."""
    nonebot.init(
        driver=driver,
        host="127.0.0.1",
        port=port,
        telegram_bots=[{"token": TELEGRAM_TOKEN, "api_server": f"{sink}/", "is_webhook": True}],
        telegram_webhook_url="https://bot.example",
    )
    nonebot.get_driver().register_adapter(Adapter)
    echo = on_startswith("say")

    @echo.handle()
    async def answer(event: MessageEvent) -> None:
        await echo.finish("echo: " + event.get_plaintext())

    nonebot.run()

"""slack-bolt's echo, asynchronous, on its own aiohttp server. Runs in the peers' environment."""

from __future__ import annotations

from aiohttp import web
from slack_bolt.async_app import AsyncApp, AsyncSay
from slack_sdk.web.async_client import AsyncWebClient

from benchmarks.peers.platforms import SECRET, SLACK_PATH


def serve(port: int, sink: str, bystanders: int) -> None:
    """As its documentation shows it; only the address of the platform is ours, and the access log is off."""
    app = AsyncApp(
        signing_secret=SECRET,
        client=AsyncWebClient(token="xoxb-invented", base_url=f"{sink}/api/"),  # noqa: S106 - invented
    )
    for number in range(bystanders):
        app.message(f"bystander {number} please")(_never)

    @app.message("say")
    async def answer(message: dict[str, str], say: AsyncSay) -> None:
        await say("echo: " + message["text"])

    server = app.server(port=port, path=SLACK_PATH, host="127.0.0.1").web_app
    web.run_app(server, host="127.0.0.1", port=port, access_log=None)


async def _never(say: AsyncSay) -> None:
    await say("nobody said this")

"""What is measured: each target's name, how it is started, which platform it talks to and what it checks."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.peers.platforms import CONVERSATIONS, BotConnector, Platform, Slack, Telegram


@dataclass(frozen=True, slots=True)
class Entry:
    """One target. Without packages it is ours and runs in the project's environment."""

    server: str
    title: str
    platform: Callable[[], Platform]
    check: str = "none"
    """How it knows that the platform sent the webhook; the command tries a forged one on it."""
    packages: tuple[str, ...] = ()
    durable: bool = False
    bystanders: int = 0
    """So many further skills or listeners that never match."""
    meets: int = 0
    """It looks each person up once: so many turns come before anything is measured, one of each."""


# Pinned, so that two runs compare the same things; each set gets an environment of its own (install.py).
SLACK_BOLT = ("slack-bolt==1.30.0", "aiohttp==3.14.5")
PTB = ("python-telegram-bot[webhooks]==22.8",)
NONEBOT = ("nonebot2[fastapi,aiohttp,httpx,websockets]==2.5.0", "nonebot-adapter-telegram==0.1.0b20")
AGENTS = ("microsoft-agents-hosting-aiohttp==1.9.0", "microsoft-agents-hosting-core==1.9.0", "cryptography==50.0.2")
OPSDROID = ("opsdroid[connector-slack]==0.31.0", "setuptools<81")  # it imports pkg_resources, which 81 no longer has

TELEGRAM = functools.partial(Telegram, path="/telegram")
TALK = "please tell me a story about MARK"

ENTRIES = {
    "frontdesk": Entry("frontdesk", "Frontdesk", Slack, "v0 signature", durable=True),
    "frontdesk-slack": Entry(
        "frontdesk-slack",
        "Frontdesk, its Slack channel as shipped",
        functools.partial(Slack, path="/channels/slack/events"),
        "v0 signature",
        durable=True,
        meets=CONVERSATIONS,
    ),
    "bare": Entry("bare", "bare aiohttp, in and out", Slack),
    "bare-uvloop": Entry("bare-uvloop", "bare aiohttp + uvloop", Slack),
    "bolt": Entry("bolt", "slack-bolt", Slack, "v0 signature", SLACK_BOLT),
    "ptb": Entry("ptb", "python-telegram-bot", TELEGRAM, "secret token", PTB),
    "ptb-concurrent": Entry("ptb-concurrent", "python-telegram-bot, concurrent_updates", TELEGRAM, "secret token", PTB),
    "nonebot": Entry("nonebot", "nonebot2, FastAPI + aiohttp", TELEGRAM, "secret token", NONEBOT),
    "nonebot-httpx": Entry("nonebot-httpx", "nonebot2, FastAPI + httpx", TELEGRAM, "secret token", NONEBOT),
    "agents": Entry("agents", "Microsoft Agents SDK", BotConnector, "RS256 token", AGENTS),
    # Each person is looked up once over HTTP: few enough that the warm-up has met them all.
    "opsdroid": Entry(
        "opsdroid",
        "opsdroid",
        functools.partial(Slack, path="/connector/slack", conversations=500),
        "none (its Slack connector has none)",
        OPSDROID,
    ),
}

TELLING = functools.partial(Slack, words=TALK)

SKILLS = {
    "pattern-1": Entry("frontdesk", "Frontdesk, a pattern answers", Slack, "v0 signature", bystanders=1),
    "pattern-200": Entry("frontdesk", "Frontdesk, a pattern answers", Slack, "v0 signature", bystanders=200),
    "likeness-1": Entry("frontdesk", "Frontdesk, likeness to examples answers", TELLING, "v0 signature", bystanders=1),
    "likeness-200": Entry(
        "frontdesk", "Frontdesk, likeness to examples answers", TELLING, "v0 signature", bystanders=200
    ),
    "bolt-1": Entry("bolt", "slack-bolt, listeners", Slack, "v0 signature", SLACK_BOLT, bystanders=1),
    "bolt-200": Entry("bolt", "slack-bolt, listeners", Slack, "v0 signature", SLACK_BOLT, bystanders=200),
}

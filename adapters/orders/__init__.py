"""The embedded shop behind the `Orders` port, as a plugin, with its settings (section `shop`)."""

from __future__ import annotations

from pathlib import Path

from adapters.orders.demo import DemoShop
from adapters.orders.policy import load_policy
from bot import PluginContext, RegisterAdapter, Section, hookimpl
from bot.ports import Orders

POLICY = Path(__file__).resolve().parents[2] / "config" / "shop-policy.yaml"


class ShopSettings(Section):
    """Where the shop is. `folder` holds the public retail shop (db.json) to load instead of the made-up one.

    `show_codes` overrules the policy file: whether one-time codes are said aloud, so that a newcomer can sign in.
    """

    policy: Path = POLICY
    file: str = "shop.db"
    folder: Path | None = None
    show_codes: bool | None = None


@hookimpl
def register_adapters(register: RegisterAdapter, context: PluginContext) -> None:
    """Offer the embedded shop; its file is made at first use."""
    given = context.settings(ShopSettings, "shop")
    policy = load_policy(given.policy)
    if given.show_codes is not None:
        policy = policy.showing_codes(given.show_codes)
    register(Orders, DemoShop(context.home / given.file, policy, context.clock, context.entropy, folder=given.folder))

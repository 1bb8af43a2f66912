"""A shop's rules, as its policy file states them. Knows nothing of databases, customers or conversations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot import SettingsError
from bot.ports import State, Terms

# In C where PyYAML was built with it: a tenth of the time.
_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Identity(_Part):
    """How people prove who they are."""

    code_digits: Annotated[int, Field(ge=4, le=10)] = 6
    code_minutes: Annotated[int, Field(ge=1)] = 10
    code_attempts: Annotated[int, Field(ge=1)] = 5
    codes_per_hour: Annotated[int, Field(ge=1)] = 3
    name_and_postcode: Literal["code", "enough", "no"] = "code"
    show_codes: bool = False


class When(_Part):
    """The states in which something may be done."""

    states: tuple[State, ...]


class CancelRule(When):
    """When an order may be cancelled, and why."""

    reasons: Annotated[tuple[str, ...], Field(min_length=1)]


class AfterDelivery(When):
    """When delivered items may come back; `window_days` counts from delivery, None is no limit."""

    window_days: Annotated[int, Field(ge=1)] | None = None


class ReturnRule(AfterDelivery):
    """Returns: beside the original payment method, the money may go to these kinds."""

    other_refund_kinds: tuple[str, ...] = ("gift_card",)


class Notes(_Part):
    """Sentences that go with a change."""

    return_: Annotated[str, Field(alias="return")] = ""
    exchange: str = ""
    change_items: str = ""


class Policy(_Part):
    """All the rules of one shop."""

    shop: str = "the shop"
    currency: str = "$"
    time_zone: str = "UTC"
    identity: Identity = Identity()
    cancel: CancelRule
    change_address: When
    change_payment: When
    change_items: When
    return_: Annotated[ReturnRule, Field(alias="return")]
    exchange: AfterDelivery
    refund_when: dict[str, str] = {}
    notes: Notes = Notes()
    to_a_person: tuple[str, ...] = ()
    in_words: str = ""

    def showing_codes(self, show: bool) -> Policy:
        """The same rules, with one-time codes said aloud or not."""
        return self.model_copy(update={"identity": self.identity.model_copy(update={"show_codes": show})})

    def terms(self, sign_in_hint: str = "") -> Terms:
        """What the skill must know of these rules."""
        return Terms(
            shop=self.shop,
            currency=self.currency,
            time_zone=self.time_zone,
            cancel_reasons=self.cancel.reasons,
            name_accepted=self.identity.name_and_postcode != "no",
            name_is_enough=self.identity.name_and_postcode == "enough",
            sign_in_hint=sign_in_hint,
            refund_when=self.refund_when,
            refund_kinds=self.return_.other_refund_kinds,
            to_a_person=self.to_a_person,
            rules=self.in_words,
        )


def load_policy(path: Path) -> Policy:
    """Read a policy file; every mistake is reported at once, with its key."""
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a safe one
        return Policy.model_validate(data)
    except ValidationError as wrong:
        problems = [f"{path.name}: {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in wrong.errors()]
        raise SettingsError(problems) from wrong
    except (OSError, yaml.YAMLError) as wrong:
        raise SettingsError([f"{path.name}: {wrong}; put a readable policy file there"]) from wrong

"""A broadcast as its author writes it: a YAML file, checked, and the reply that it makes for one person. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from bot.errors import FrontdeskError
from bot.messages import Media
from bot.rendering import fill
from bot.replies import Card, Choice, Reply

_PLACE = re.compile(r"(?<!\{)\{([A-Za-z_]\w*)\}(?!\})")
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(m|h|d)")
_UNITS = {"m": 60.0, "h": 3600.0, "d": 24 * 3600.0}


class _Loader(yaml.SafeLoader):
    """YAML in which Yes, No, On and Off are words, as choices often are; true and false are what they were."""


_BOOL = "tag:yaml.org,2002:bool"
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if tag != _BOOL]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOL, re.compile("^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


def _span(text: str) -> str:
    if _SPAN.fullmatch(text.strip()) is None:
        raise ValueError("should be like 90m, 36h or 3d")
    return text


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GivenChoice(_Part):
    """A choice whose meaning is not its label."""

    label: str
    value: str = ""


class GivenCard(_Part):
    """A card."""

    title: str
    text: str = ""
    url: str = ""
    image: str = ""


class Segment(_Part):
    """Who: all of what is given must be true. `languages` "de" is also "de-AT"; `facts` are what skills remembered."""

    channels: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    facts: dict[str, str | int | float | bool] = Field(default_factory=dict)
    seen_within_days: Annotated[float, Field(gt=0)] | None = None
    not_seen_within_days: Annotated[float, Field(gt=0)] | None = None


class Campaign(_Part):
    """What a broadcast says, to whom and how fast.

    `text` is CommonMark; {name}, {first_name}, {language} and {any_fact} are filled in, from `defaults` where somebody
    has none; who has neither is left out. `footer` None is that of the settings.
    """

    name: Annotated[str, Field(min_length=1, max_length=120)]
    text: Annotated[str, Field(min_length=1)]
    choices: tuple[str | GivenChoice, ...] = ()
    card: GivenCard | None = None
    segment: Segment = Segment()
    defaults: dict[str, str] = Field(default_factory=dict)
    rate: Annotated[float, Field(gt=0, le=1000)] | None = None
    quiet_hours: bool = True
    expires: Annotated[str, AfterValidator(_span)] = "3d"
    footer: str | None = None

    @classmethod
    def read(cls, text: str) -> Campaign:
        """From YAML or JSON. Raises FrontdeskError with every mistake."""
        try:
            return cls.model_validate(yaml.load(text, _Loader))  # noqa: S506 - a safe loader
        except yaml.YAMLError as problem:
            raise FrontdeskError(f"The broadcast is no YAML: {problem}") from problem
        except ValidationError as problem:
            lines = [f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}" for error in problem.errors()]
            raise FrontdeskError("The broadcast can't be read:\n" + "\n".join(lines)) from problem

    @property
    def lifetime(self) -> float:
        """Seconds until it is over."""
        found = _SPAN.fullmatch(self.expires.strip())
        assert found is not None, "looked at when it was read"  # noqa: S101 - for the type checker
        return float(found[1]) * _UNITS[found[2]]

    @cached_property
    def places(self) -> tuple[str, ...]:
        """The names in braces, in order."""
        return tuple(dict.fromkeys(_PLACE.findall(self.text)))

    def missing(self, values: Mapping[str, str]) -> str:
        """The first place that stays empty for somebody; nothing if none does."""
        return next((name for name in self.places if not (values.get(name) or self.defaults.get(name))), "")

    def reply(self, values: Mapping[str, str], footer: str) -> Reply:
        """What somebody gets."""
        chosen = {name: values.get(name) or self.defaults.get(name, "") for name in self.places}
        below = footer if self.footer is None else self.footer
        text = "\n\n".join(part for part in (fill(self.text, chosen), below) if part)
        choices = tuple(
            Choice(label=given) if isinstance(given, str) else Choice(label=given.label, value=given.value)
            for given in self.choices
        )
        return Reply(text=text, choices=choices, card=self._card())

    def _card(self) -> Card | None:
        if self.card is None:
            return None
        image = Media(url=self.card.image, type="image/jpeg") if self.card.image else None
        return Card(title=self.card.title, text=self.card.text, url=self.card.url, image=image)

"""What an operator can set about the console. Knows no HTTP and no database."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ConsoleSettings(BaseModel):
    """Settings under `console:`; every one has a default that works on a fresh machine."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = True
    public_url: str = Field(default="", description="Where agents reach the console, e.g. https://desk.example.org")
    link_minutes: int = Field(default=30, ge=1, le=7 * 24 * 60, description="How long a sign-in link can be used")
    session_hours: int = Field(default=7 * 24, ge=1, le=90 * 24, description="How long an agent stays signed in")
    max_text: int = Field(default=8_000, ge=100, le=100_000, description="The longest answer or note, in characters")

    @property
    def origin(self) -> str:
        """The scheme and host of `public_url`, as a browser's Origin header has it; empty when it is not set."""
        scheme, found, rest = self.public_url.partition("://")
        return f"{scheme}://{rest.split('/')[0]}".lower() if found else ""

"""Settings of the web channel, and which pages may talk to it. Knows nothing of requests."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

UPLOAD_TYPES = (
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "application/pdf",
    "text/plain",
    "audio/mpeg",
    "audio/ogg",
    "audio/wav",
    "audio/mp4",
    "audio/webm",
)

_DEFAULT_PORTS = {"http": 80, "https": 443}


def origin_of(url: str) -> str:
    """The origin of a URL, spelled as browsers spell it: scheme, host, and the port unless it is the default."""
    parts = urlsplit(url.strip())
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or parts.username is not None:
        raise ValueError(f"{url!r} is not a web address; write it like https://shop.example")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = parts.port
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != _DEFAULT_PORTS[parts.scheme] else "")


def _origin(value: str) -> str:
    if urlsplit(value.strip()).path not in ("", "/"):
        raise ValueError(f"{value!r} has a path; an origin is only scheme and host, like https://shop.example")
    return origin_of(value)


def _public(value: str) -> str:
    if not value:
        return value
    origin_of(value)
    return value.rstrip("/")


class WebSettings(BaseModel):
    """How the widget looks and which pages may embed it.

    `origins` are host pages, compared exactly; the bot's own origin (`public_url`, and localhost on `port`) is always
    allowed. Sizes are in characters and bytes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    public_url: Annotated[str, AfterValidator(_public)] = ""
    port: int = Field(default=8080, ge=0, le=65535)
    origins: list[Annotated[str, AfterValidator(_origin)]] = []
    max_text: int = Field(default=20_000, ge=1, le=1_000_000)
    max_upload_bytes: int = Field(default=10 * 1024 * 1024, ge=1)
    max_uploads_total: int = Field(default=2 * 1024**3, ge=1)
    upload_types: list[str] = list(UPLOAD_TYPES)
    title: str = Field(default="Frontdesk", min_length=1, max_length=60)
    greeting: str = Field(default="Hi! I'm a bot. Ask me anything, or ask for a person.", max_length=500)
    locale: str = Field(default="", max_length=20)
    theme: Literal["auto", "light", "dark"] = "auto"
    demo: bool = True

    def allowed_origins(self) -> frozenset[str]:
        """Every origin whose pages may talk to this channel."""
        own = {f"http://localhost:{self.port}", f"http://127.0.0.1:{self.port}"}
        if self.public_url:
            own.add(origin_of(self.public_url))
        return frozenset({origin_of(origin) for origin in own} | set(self.origins))

"""Lets workspaces install the app, with Bolt's own OAuth flow. Knows no messages.

Bolt writes the pages, guards the state with a cookie, and exchanges the code; where states and tokens are kept is ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog
from aiohttp import web
from slack_bolt.async_app import AsyncBoltRequest
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackClientError
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from slack_sdk.web.async_client import AsyncWebClient

from bot import Clock, StoreUnavailable
from channels.slack.calls import silent
from channels.slack.settings import SlackAccount
from channels.slack.workspaces import Granted, ManyWorkspaces, Vault

STATE_SECONDS = 600
"""How long somebody may take to agree."""

log = structlog.get_logger(__name__)


class _States(AsyncOAuthStateStore):
    """States that say themselves until when they are good, sealed: what strangers ask for leaves no row anywhere.

    The flow takes one only from the browser that it was given to, and Slack's code beside it is good once.
    """

    def __init__(self, name: str, vault: Vault, clock: Clock) -> None:
        self._name, self._vault, self._clock = name, vault, clock

    async def async_issue(self) -> str:
        return self._vault.seal(self._name, str(self._clock.now() + STATE_SECONDS))

    async def async_consume(self, state: str) -> bool:
        try:
            return self._clock.now() <= float(self._vault.open(self._name, state))
        except ValueError:
            return False


class _Installations(AsyncInstallationStore):
    """Gives installations to the vault. The bot asks the vault itself, so nothing is read through here."""

    def __init__(self, workspaces: ManyWorkspaces) -> None:
        self._workspaces = workspaces

    async def async_save(self, installation: Installation) -> None:
        team = installation.enterprise_id if installation.is_enterprise_install else installation.team_id
        if not team or not installation.bot_token:
            raise ValueError("Slack gave no bot token; does the app ask for bot scopes?")
        scopes = installation.bot_scopes
        given = Granted(
            token=installation.bot_token,
            own=installation.bot_user_id or "",
            scopes=scopes if isinstance(scopes, str) else ",".join(scopes or ()),
            refresh=installation.bot_refresh_token or "",
            ends=float(installation.bot_token_expires_at or 0),
        )
        await self._workspaces.keep(team, given)


class Installing:
    """The two pages of the flow."""

    def __init__(
        self,
        account: str,
        settings: SlackAccount,
        redirect: str,
        workspaces: ManyWorkspaces,
        clock: Clock,
    ) -> None:
        client = AsyncWebClient(base_url=settings.api_url, retry_handlers=[], logger=silent(), timeout=10)
        assert settings.client_secret is not None  # noqa: S101 - the settings' own rule
        self._flow = AsyncOAuthFlow(
            client=client,
            logger=silent(),
            settings=AsyncOAuthSettings(
                client_id=settings.client_id,
                client_secret=settings.client_secret.get_secret_value(),
                scopes=list(settings.scopes),
                redirect_uri=redirect,
                authorization_url=settings.authorize_url,
                installation_store=_Installations(workspaces),
                state_store=_States(f"slack.{account}.state", workspaces.vault, clock),
                state_expiration_seconds=STATE_SECONDS,
                logger=silent(),
            ),
        )

    async def install(self, request: web.Request) -> web.StreamResponse:
        """The page with the button."""
        return await self._answered(request, back=False)

    async def back(self, request: web.Request) -> web.StreamResponse:
        """Where Slack sends people back to, with a code."""
        return await self._answered(request, back=True)

    async def _answered(self, request: web.Request, *, back: bool) -> web.StreamResponse:
        query: dict[str, str | Sequence[str]] = {key: request.query.getall(key) for key in request.query}
        headers: dict[str, str | Sequence[str]] = {"cookie": request.headers.get("Cookie", "")}
        asked = AsyncBoltRequest(body="", query=query, headers=headers)
        try:
            answer = await (self._flow.handle_callback(asked) if back else self._flow.handle_installation(asked))
        except StoreUnavailable:
            return web.Response(status=503, text="It could not be stored; please try again.")
        except (SlackClientError, ValueError, OSError, TimeoutError) as problem:
            log.warning("slack_install_failed", why=type(problem).__name__)
            return web.Response(status=502, text="Slack did not complete the installation; please try again.")
        return _as_response(answer)


def _as_response(answer: BoltResponse) -> web.Response:
    response = web.Response(status=answer.status, text=answer.body)
    headers: Mapping[str, Sequence[str]] = answer.headers
    for name, values in headers.items():
        if name.lower() == "content-type":
            response.content_type = "text/html"
            response.charset = "utf-8"
        elif name.lower() != "content-length":
            for value in values:
                response.headers.add(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    return response

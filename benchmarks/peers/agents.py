"""Microsoft's Agents SDK: its quickstart's echo on aiohttp. Runs in the peers' environment.

Every request's token is verified (RS256, audience, expiry) with a key made for this run: the SDK's own key client asks
the platform here for it instead of the Bot Connector. The token for its replies is fixed, as it would be for an hour.
"""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from microsoft_agents.hosting.aiohttp import CloudAdapter, jwt_authorization_middleware, start_agent_process
from microsoft_agents.hosting.core import AgentApplication, Authorization, MemoryStorage, TurnContext, TurnState
from microsoft_agents.hosting.core.authorization import AgentAuthConfiguration, AuthTypes
from microsoft_agents.hosting.core.authorization.anonymous_token_provider import AnonymousTokenProvider
from microsoft_agents.hosting.core.authorization.connection_manager import ConnectionManager
from microsoft_agents.hosting.core.authorization.jwt import jwt_token_validator

from benchmarks.peers.platforms import BotConnector

APP = "00000000-0000-4000-8000-000000000001"
ISSUER = "https://api.botframework.com"


class FixedToken(AnonymousTokenProvider):
    """Stands where MSAL would answer from its cache."""

    def __init__(self, configuration: AgentAuthConfiguration) -> None:
        self._configuration = configuration

    @property
    def configuration(self) -> AgentAuthConfiguration:
        """What it was made with."""
        return self._configuration

    async def get_access_token(self, resource_url: str, scopes: list[str], force_refresh: bool = False) -> str:
        """Always the same."""
        return "invented"


def serve(port: int, sink: str, home: Path) -> None:
    """Write the platform's token and keys to `home`, and serve."""
    trust(sink, home)
    account = AgentAuthConfiguration(auth_type=AuthTypes.client_secret, client_id=APP, client_secret="invented")  # noqa: S106 - invented
    connections = ConnectionManager(FixedToken, {"SERVICE_CONNECTION": account})
    adapter, storage = CloudAdapter(connection_manager=connections), MemoryStorage()
    agent = AgentApplication[TurnState](
        storage=storage, adapter=adapter, authorization=Authorization(storage, connections)
    )

    @agent.activity("message")
    async def answer(context: TurnContext, _: TurnState) -> None:
        await context.send_activity(f"echo: {context.activity.text}")

    async def receive(request: web.Request) -> web.Response | None:
        return await start_agent_process(request, agent, adapter)

    app = web.Application(middlewares=[jwt_authorization_middleware])
    app.router.add_post(BotConnector.path, receive)
    app["agent_configuration"] = connections.get_default_connection_configuration()
    web.run_app(app, host="127.0.0.1", port=port, access_log=None)


def trust(sink: str, home: Path) -> None:
    """Make a key and sign a token with it, for the platform; let the SDK's key client look there."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": APP, "nbf": now - 60, "exp": now + 7200, "serviceurl": f"{sink}/"}
    public = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": "run", "use": "sig", "alg": "RS256"}
    home.mkdir(parents=True, exist_ok=True)
    (home / "token").write_text(jwt.encode(claims, key, algorithm="RS256", headers={"kid": "run"}))
    (home / "keys").write_text(json.dumps({"keys": [public]}))
    # The SDK has no setting for the address of the keys, only a cache of clients by address.
    client = jwt_token_validator._JwkClientCacheEntry(jwt.PyJWKClient(f"{sink}/keys"), threading.Lock())
    uri = jwt_token_validator.BOTFRAMEWORK_JWKS_URIS[ISSUER]
    jwt_token_validator.JwtTokenValidator._jwk_client_manager._cache[uri] = client

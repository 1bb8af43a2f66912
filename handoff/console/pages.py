"""The console's pages: the shell, its style and scripts, and signing in. Knows no tickets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import parse_qs

from aiohttp import web

from bot import Agent
from handoff.console import access
from handoff.console.guard import Guard
from handoff.console.inputs import clean_name
from handoff.console.means import Means
from handoff.console.web import COOKIE, Refusal, read_body, same_origin, secured

_FOLDER = Path(__file__).parent / "static"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html"}
LONGEST_NAME = 60


class Pages:
    """The handlers; files are read once, so a name in an address never reaches the disk."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._files = _read_files()

    def routes(self, guard: Guard) -> Sequence[web.RouteDef]:
        """Where the pages are reached."""
        return [
            web.get("/console", guard.careful(self.shell)),
            web.get("/console/", guard.careful(self._to_shell)),
            web.get("/console/sign-in", guard.careful(self.sign_in_form)),
            web.post("/console/sign-in", guard.careful(self.sign_in)),
            web.get("/console/static/{name}", guard.careful(self.static)),
        ]

    async def shell(self, request: web.Request) -> web.StreamResponse:
        """The console for whoever is signed in; how to get a link for everybody else."""
        now, session = self._means.now(), request.cookies.get(COOKIE, "")[:200]
        agent = await self._means.read(lambda c: access.signed_in(c, session, now)) if session else None
        if agent is None:
            return self._html("signed-out.html", {}, status=401)
        return self._html("console.html", {"agent": agent.name})

    async def _to_shell(self, _request: web.Request) -> web.StreamResponse:
        return secured(web.Response(status=308, headers={"Location": "/console"}))

    async def sign_in_form(self, request: web.Request) -> web.StreamResponse:
        """Ask for the name. Looking at a link (a chat's preview does) does not use it up."""
        token = request.query.get("token", "")[:200]
        now = self._means.now()
        name = await self._means.read(lambda c: access.find_link(c, token, now))
        return self._used() if name is None else self._form(token, name, fixed=bool(name))

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        """Use up the link and start a session."""
        if not _our_form(request, self._means):
            raise Refusal(403, "wrong_origin", "This form does not come from the console's own page.")
        fields = parse_qs((await read_body(request, 8192)).decode("utf-8", "replace"), keep_blank_values=True)
        token, name = fields.get("token", [""])[0][:200], clean_name(fields.get("name", [""])[0])
        now = self._means.now()
        bound = await self._means.read(lambda c: access.find_link(c, token, now))
        if bound is None:
            return self._used()
        if not bound and not 1 <= len(name) <= LONGEST_NAME:
            return self._form(token, name[:LONGEST_NAME], problem="Please write your name, in up to 60 letters.")
        session, agent = self._means.entropy.token(), Agent(id=f"a{self._means.entropy.token()[:16]}", name=name)
        age = self._means.settings.session_hours * 3600
        begun = access.NewSession(secret=session, agent=agent, expires=now + age)
        who = await self._means.write(lambda c: access.sign_in(c, token, begun, now))
        if who is None:
            return self._used()
        response = secured(web.Response(status=303, headers={"Location": "/console"}))
        # The browser's own word, which counts behind a proxy that ends TLS too; it was checked above.
        secure = request.headers.get("Origin", "").startswith("https:")
        response.set_cookie(
            COOKIE, session, path="/console", max_age=age, httponly=True, samesite="Strict", secure=secure
        )
        return response

    async def static(self, request: web.Request) -> web.StreamResponse:
        """A style, a script or a picture."""
        name = request.match_info["name"]
        found = self._files.get(name)
        if found is None or name.endswith(".html"):
            raise Refusal(404, "unknown", "There is no such file.")
        body, tag = found
        if request.headers.get("If-None-Match") == tag:
            response = web.Response(status=304)
        else:
            response = web.Response(body=body, content_type=_TYPES[Path(name).suffix], charset="utf-8")
        response.headers["ETag"] = tag
        return secured(response, cache="no-cache")

    def _form(self, token: str, name: str, *, fixed: bool = False, problem: str = "") -> web.Response:
        values = {"token": token, "name": name, "readonly": "readonly" if fixed else "", "problem": problem}
        return self._html("sign-in.html", values, status=400 if problem else 200)

    def _used(self) -> web.Response:
        return self._html("link-used.html", {}, status=410)

    def _html(self, name: str, values: Mapping[str, str], status: int = 200) -> web.Response:
        page = Template(self._files[name][0].decode())
        text = page.substitute({key: escape(value, quote=True) for key, value in values.items()})
        return secured(web.Response(text=text, status=status, content_type="text/html"))


def _our_form(request: web.Request, means: Means) -> bool:
    """Whether this is the sign-in form, sent by our own page."""
    return request.content_type == "application/x-www-form-urlencoded" and same_origin(request, means.settings)


def _read_files() -> Mapping[str, tuple[bytes, str]]:
    found: dict[str, tuple[bytes, str]] = {}
    for path in _FOLDER.iterdir():
        if path.suffix in _TYPES:
            body = path.read_bytes()
            found[path.name] = (body, f'"{sha256(body).hexdigest()[:20]}"')
    return found

"""How the command line asks a bot that is already running: a socket file in its home folder. Knows no command.

Only who may write in the home folder can use it; nothing of it is on the network. Of several processes with one home
the first has the socket, until its end. A lock says so and not the socket: one that nobody here listens on may be alive
on another machine.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import structlog
from aiohttp import ClientError, ClientSession, ClientTimeout, UnixConnector, web

from bot.errors import FrontdeskError

LONGEST = 100  # bytes in a socket's path that every system takes
ASK_SECONDS = 30.0

# Gets the one argument of a command and gives the text to print.
Command = Callable[[str], Awaitable[str]]

log = structlog.get_logger()


class Control:
    """Answers commands by name, while the bot runs."""

    def __init__(self, home: Path, commands: Mapping[str, Command]) -> None:
        self._path = socket_path(home)
        self._commands = dict(commands)
        self._runner: web.AppRunner | None = None
        self._lock = -1

    async def start(self) -> None:
        """Listen, unless another process with this home does."""
        app = web.Application()
        app.router.add_post("/{command}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        try:
            self._lock = _locked(self._path)
            self._path.unlink(missing_ok=True)  # left over from one that was killed
            await web.UnixSite(self._runner, str(self._path)).start()
            self._path.chmod(0o600)
        except BlockingIOError:
            log.info("control_off", say="commands go to another process that uses this home")
        except OSError as error:
            # Some file systems have no sockets. The bot serves all the same.
            log.warning("control_off", say="commands can't reach this bot while it runs", error=str(error))

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is None:
            return
        await self._runner.cleanup()
        self._runner = None
        if self._lock >= 0:  # else the socket that is there is another process's
            self._path.unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = -1

    async def _answer(self, request: web.Request) -> web.Response:
        command = self._commands.get(request.match_info["command"])
        if command is None:
            return web.Response(
                status=404, text="The running bot does not know this command; is it older than this one?"
            )
        try:
            return web.Response(text=await command(await request.text()))
        except FrontdeskError as error:
            return web.Response(status=400, text=str(error))


async def ask_running(home: Path, command: str, argument: str = "") -> str | None:
    """What the bot that runs in `home` answers; None when none runs there. Raises FrontdeskError when it refuses."""
    path = socket_path(home)
    if not path.exists():
        return None
    try:
        async with (
            ClientSession(connector=UnixConnector(str(path)), timeout=ClientTimeout(ASK_SECONDS)) as session,
            session.post(f"http://bot/{command}", data=argument.encode()) as answer,
        ):
            text = await answer.text()
    except (ClientError, OSError):
        return None  # left over from a bot that was killed
    if answer.status >= 400:
        raise FrontdeskError(text)
    return text


def socket_path(home: Path) -> Path:
    """The socket of the bot whose home this is; elsewhere when the path would be too long for a socket."""
    path = home.resolve() / "control.sock"
    if len(str(path).encode()) <= LONGEST:
        return path
    mark = hashlib.blake2b(str(path).encode(), digest_size=8).hexdigest()
    return Path(tempfile.gettempdir()) / f"frontdesk-{mark}.sock"


def _locked(path: Path) -> int:
    """A handle that holds FILE.lock until it is closed or the process ends; BlockingIOError when another one has it."""
    handle = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(handle)
        raise
    return handle

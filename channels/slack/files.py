"""Files: what people sent, and what the bot sends that Slack can't fetch by itself. Knows no blocks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from bot import Download, Fetcher, Media, Rejected
from channels.slack.calls import Calls
from channels.slack.settings import SlackAccount
from channels.slack.words import mapping, text_of
from channels.slack.workspaces import Workspaces


def origin_of(url: str) -> str:
    """The origin of a URL: scheme, host and port; empty for what has none. User names in it don't count."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != usual else "")


class SlackFiles:
    """Slack's files of one account. The token goes to Slack's servers, as the settings name them, and nowhere else."""

    def __init__(self, settings: SlackAccount, calls: Calls, workspaces: Workspaces, public_url: str) -> None:
        self._calls, self._workspaces = calls, workspaces
        self._theirs = frozenset({origin_of(settings.api_url), origin_of(settings.files_url)})
        self._in = Fetcher(trusted=self._theirs, largest=settings.largest_file)
        ours = origin_of(public_url)
        self._out = Fetcher(trusted=(ours,) if ours else (), largest=settings.largest_file)

    @asynccontextmanager
    async def open(self, team: str, id: str) -> AsyncIterator[Download]:
        """A file that somebody sent. Raises Rejected where it is gone, NotSent for a time."""
        token = (await self._workspaces.find(team)).token
        file = mapping((await self._calls.get("files.info", token, {"file": id})).get("file"))
        url = text_of(file.get("url_private_download")) or text_of(file.get("url_private"))
        if origin_of(url) not in self._theirs:
            raise Rejected("the file is not on Slack's servers")
        async with self._in.open(url, headers={"Authorization": f"Bearer {token}"}) as download:
            download.name = text_of(file.get("name")) or download.name
            download.type = text_of(file.get("mimetype")) or download.type
            yield download

    async def upload(self, token: str, media: Media) -> str:
        """Bring a file to Slack, where nobody sees it yet; its id. Raises SendError: nothing was sent."""
        data = bytearray()
        async with self._out.open(media.url) as download:
            async for chunk in download.chunks:
                data += chunk
        if not data:
            raise Rejected("the file is empty")
        asked: dict[str, str | int] = {"filename": (media.name or media.alt or "file")[:255], "length": len(data)}
        place = await self._calls.get("files.getUploadURLExternal", token, asked)
        url = text_of(place.get("upload_url"))
        if origin_of(url) not in self._theirs:
            raise Rejected("Slack names another server for uploads than the settings do")
        await self._calls.upload(url, bytes(data))
        return text_of(place.get("file_id"))

    async def share(self, token: str, files: dict[str, str], chat: str, thread: str) -> None:
        """Show uploaded files (id -> title) in a chat. Raises SendError."""
        body: dict[str, object] = {
            "files": [{"id": id, "title": title} for id, title in files.items()],
            "channel_id": chat,
        }
        await self._calls.post("files.completeUploadExternal", token, body | ({"thread_ts": thread} if thread else {}))

    async def close(self) -> None:
        """Hang up."""
        for fetcher in (self._in, self._out):
            await fetcher.close()

"""Gets files from addresses that other people's servers give us: public addresses only, and only so much.

Knows no platform. Addresses of files can be secrets (some platforms put a token into them), so no error names one.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
import zlib
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

import aiohttp
from yarl import URL

from bot.channel import Download
from bot.errors import NotSent, Rejected, SendError
from bot.web.resolving import Resolver

LARGEST = 25 * 1024 * 1024
"""Bytes of one file."""

CHUNK = 64 * 1024
MOST_REDIRECTS = 3
_REFUSED = "the address is not a public one"
_MOVED = frozenset({301, 302, 303, 307, 308})
_LATER = frozenset({408, 425, 429})
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_UNROUTED = (
    # Global by the registry, but they lead back into the machine or the site they are used in: IPv4-compatible
    # addresses, site-local ones, NAT64 with a local prefix, and the host of a large cloud's virtual machines.
    ipaddress.ip_network("::/96"),
    ipaddress.ip_network("fec0::/10"),
    ipaddress.ip_network("64:ff9b:1::/48"),
    ipaddress.ip_network("168.63.129.16/32"),
)


def public(address: str) -> bool:
    """Whether an IP address is one of the open internet, and so is an IPv4 address that it carries inside."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.teredo is not None or ip.ipv4_mapped is not None:
            return False
        if ip in _NAT64:
            return public(str(ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)))
        if ip.sixtofour is not None:
            return public(str(ip.sixtofour))
    # Multicast and reserved addresses are "global" by the registry.
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or any(ip in network for network in _UNROUTED))


class Fetcher:
    """A client that can't be sent where it must not go.

    `trusted` are origins ("https://files.slack.com") that the operator named: they may be private, and only they get
    the `headers` of a call. No more than `largest` bytes are read, for no longer than `timeout` seconds, the reader's
    own time included.
    """

    def __init__(self, *, trusted: Iterable[str] = (), largest: int = LARGEST, timeout: float = 15.0) -> None:
        self._trusted = frozenset(URL(origin).origin() for origin in trusted)
        self._largest, self._timeout = largest, timeout
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._resolver: Resolver | None = None

    @asynccontextmanager
    async def open(self, url: str, *, headers: Mapping[str, str] | None = None) -> AsyncIterator[Download]:
        """Begin to read. Raises Rejected where it may not or can not be had, NotSent where it may later.

        Reading the chunks raises the same. A redirect is followed three times, and checked like the first address.
        """
        deadline = asyncio.get_running_loop().time() + self._timeout
        with _wrapping():
            response = await self._follow(_target(url), headers or {}, deadline)
        try:
            yield self._download(response)
        finally:
            # Not release(): it would read on what nobody wants.
            response.close()

    async def post(self, url: str, body: bytes, *, headers: Mapping[str, str]) -> int:
        """Send a body to an address that somebody gave us; the status of the answer, of which nothing is read.

        Redirects are not followed. Raises Rejected for an address that may not be asked, NotSent where nobody answered.
        """
        with _wrapping():
            target = _target(url)
            session = self._session(target.origin() in self._trusted)
            timeout = aiohttp.ClientTimeout(total=self._timeout)
            async with session.post(
                target, data=body, headers=headers, allow_redirects=False, timeout=timeout
            ) as response:
                return response.status

    async def close(self) -> None:
        """Hang up."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()
        if self._resolver is not None:
            await self._resolver.close()
            self._resolver = None

    async def _follow(self, url: URL, headers: Mapping[str, str], deadline: float) -> aiohttp.ClientResponse:
        known = True
        for _ in range(MOST_REDIRECTS + 1):
            trusted = url.origin() in self._trusted
            # Once it led elsewhere, it may lead back to an address that somebody else has chosen.
            known = known and trusted
            left = max(0.001, deadline - asyncio.get_running_loop().time())
            response = await self._session(trusted).get(
                url,
                headers={"Accept-Encoding": "identity", **(headers if known else {})},
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=left),
            )
            if response.status not in _MOVED:
                return _accepted(response)
            response.close()
            url = _target(response.headers.get("Location", ""), url)
        raise Rejected("it was redirected too often")

    def _session(self, trusted: bool) -> aiohttp.ClientSession:
        session = self._sessions.get(trusted)
        if session is None:
            self._resolver = self._resolver or Resolver()
            # The guard stands where sockets are made: a resolver is not asked about addresses that are numbers, and
            # what a name was checked with need not be what it is connected with.
            connector = aiohttp.TCPConnector(
                resolver=self._resolver,
                use_dns_cache=False,
                socket_factory=None if trusted else _guarded,
                force_close=True,
            )
            session = self._sessions[trusted] = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, auto_decompress=False
            )
        return session

    def _download(self, response: aiohttp.ClientResponse) -> Download:
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        size = response.content_length or 0
        if size > self._largest:
            raise Rejected(f"it has more than {self._largest} bytes")
        disposition = response.content_disposition
        return Download(
            chunks=self._chunks(response, encoding),
            type=response.content_type,
            name=(disposition.filename if disposition else None) or "",
            size=size if encoding == "identity" else 0,
        )

    async def _chunks(self, response: aiohttp.ClientResponse, encoding: str) -> AsyncIterator[bytes]:
        count = 0
        with _wrapping():
            async for chunk in _decoded(response.content, encoding):
                count += len(chunk)
                if count > self._largest:
                    raise Rejected(f"it has more than {self._largest} bytes")
                yield chunk


def _guarded(info: aiohttp.AddrInfoType) -> socket.socket:
    family, kind, protocol, _, where = info
    if not public(str(where[0])):
        raise PermissionError(errno.EACCES, _REFUSED)
    return socket.socket(family, kind, protocol)


def _target(location: str, base: URL | None = None) -> URL:
    """An address that may be asked. Raises Rejected."""
    try:
        url = base.join(URL(location)) if base else URL(location)
        wrong = url.scheme not in ("http", "https") or not url.host or url.user is not None
    except ValueError:
        raise Rejected("the address can't be read") from None  # the cause would name it
    if wrong:
        raise Rejected("the address is none of http or https, or has a password in it")
    return url


def _accepted(response: aiohttp.ClientResponse) -> aiohttp.ClientResponse:
    status = response.status
    if status in (200, 203):
        return response
    response.close()
    if status >= 500 or status in _LATER:
        raise NotSent(f"the other server answered {status}")
    raise Rejected(f"the other server answered {status}")


async def _decoded(content: aiohttp.StreamReader, encoding: str) -> AsyncIterator[bytes]:
    """The body, unpacked in pieces of bounded size: a small one can be gigabytes unpacked."""
    if encoding in ("identity", ""):
        async for chunk in content.iter_chunked(CHUNK):
            yield chunk
        return
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise Rejected("it is packed in a way that was not asked for")
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 32)
    async for packed in content.iter_chunked(CHUNK):
        rest = packed
        while rest:
            chunk = unpack.decompress(rest, CHUNK)
            rest = unpack.unconsumed_tail
            if chunk:
                yield chunk
    if last := unpack.flush():
        yield last
    if not unpack.eof:
        raise NotSent("it broke off")


class _wrapping:  # noqa: N801 - reads as a word of the language
    """Makes our errors of the client's, once; a refusal of ours passes."""

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: object, error: BaseException | None, where: object) -> None:
        """Raise what it means."""
        match error:
            case None | SendError():
                return
            case aiohttp.InvalidURL():
                raise Rejected("the address can't be read") from None
            case aiohttp.ClientConnectorCertificateError():
                raise Rejected("the other server's certificate is wrong") from error
            case OSError() if _REFUSED in f"{error} {getattr(error, 'os_error', '')}":
                raise Rejected(_REFUSED) from error
            case zlib.error():
                raise Rejected("it can't be unpacked") from error
            case TimeoutError():
                raise NotSent("it took too long") from error
            case aiohttp.ClientError() | OSError() | ValueError():
                raise NotSent(f"the other server was not reached: {type(error).__name__}") from error

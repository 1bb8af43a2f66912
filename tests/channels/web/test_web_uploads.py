"""Files: what may come in, and how it goes out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot import Rejected, safe_name, sniff
from bot.filelinks import ref_of
from tests.channels.web.fakes import Client, served

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 60
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


async def send(
    client: Client, body: bytes, name: str = "a.png", kind: str = "image/png", conversation: str | None = "ab" * 16
) -> tuple[int, dict[str, Any]]:
    """Upload one file as a form does."""
    form = aiohttp.FormData(quote_fields=False)
    if conversation is not None:
        form.add_field("conversation", conversation)
    form.add_field("file", body, filename=name, content_type=kind)
    async with client.http.post(client.site.api + "/uploads", data=form) as response:
        return response.status, await response.json()


async def test_a_picture_goes_up_into_a_message_and_comes_back(tmp_path: Path) -> None:
    async with served(tmp_path) as client:
        status, up = await send(client, PNG, "broken lamp.png")
        assert (status, up["type"], up["name"], up["size"]) == (201, "image/png", "broken lamp.png", len(PNG))
        said = {"text": "look", "upload": [up["id"]], "conversation": "ab" * 16}
        assert (await client.post(said))[0] == 202
        (media,) = client.site.gateway.received[0].media
        assert (media.name, media.type, media.size) == ("broken lamp.png", "image/png", len(PNG))
        assert (await client.poll("ab" * 16))[0]["media"][0]["url"] == media.url
        async with client.http.get(client.site.url + media.url) as response:
            assert await response.read() == PNG
            assert response.headers["Content-Type"] == "image/png"
            assert response.headers["Content-Disposition"].startswith("inline;")
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert "sandbox" in response.headers["Content-Security-Policy"]
        ref = ref_of(media.url, "web", "main")
        assert ref is not None
        async with client.site.channel.open_file(ref) as download:
            assert (download.name, download.type, download.size) == (media.name, media.type, len(PNG))
            assert b"".join([chunk async for chunk in download.chunks]) == PNG


@pytest.mark.parametrize("ref", ["", "ab" * 16, "../web.secret", "%2e%2e"])
async def test_what_is_no_upload_can_not_be_read(ref: str, tmp_path: Path) -> None:
    async with served(tmp_path) as client:
        with pytest.raises(Rejected):
            async with client.site.channel.open_file(ref):
                pass


async def test_a_first_file_opens_a_conversation(tmp_path: Path) -> None:
    async with served(tmp_path) as client:
        status, up = await send(client, PNG, conversation=None)
        assert (status, len(up["conversation"])) == (201, 32)
        said = {"upload": [up["id"]], "conversation": up["conversation"]}
        assert (await client.post(said))[0] == 202


async def test_a_file_belongs_to_its_conversation(tmp_path: Path) -> None:
    async with served(tmp_path) as client:
        _, up = await send(client, PNG)
        assert (await client.post({"upload": [up["id"]], "conversation": "cd" * 16}))[0] == 400


async def test_everything_but_pictures_is_a_download(tmp_path: Path) -> None:
    async with served(tmp_path) as client:
        for body, kind in ((b"%PDF-1.7 ...", "application/pdf"), (b"just words, caf\xc3\xa9", "text/plain")):
            status, up = await send(client, body, "x .html", "text/html")
            assert (status, up["type"]) == (201, kind)
            async with client.http.get(client.site.url + up["url"]) as response:
                assert response.headers["Content-Disposition"] == "attachment; filename*=UTF-8''x%20.html"
                assert response.headers["Content-Type"].startswith(kind)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (SVG, 415),
        (b"<svg onload=alert(1)>", 415),
        (b"  <!DOCTYPE html><script>alert(1)</script>", 415),
        (b"\xef\xbb\xbf<html>", 415),
        (b"<b>x", 415),
        (b"MZ\x90\x00\x03", 415),
        (b"\x7fELF\x02\x01", 415),
        (b"PK\x03\x04", 415),
        (b"\xff\xfe<\x00s\x00", 415),
        (b"", 400),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 2000, 413),
    ],
)
async def test_what_the_bytes_say_decides_not_the_header(tmp_path: Path, body: bytes, status: int) -> None:
    async with served(tmp_path, max_upload_bytes=1000) as client:
        got, answer = await send(client, body, "innocent.png", "image/png")
        assert (got, list(answer)) == (status, ["error"])
        assert list((tmp_path / "uploads").iterdir()) == []


async def test_broken_forms_get_4xx(tmp_path: Path) -> None:
    async with served(tmp_path) as client:
        url, kind = client.site.api + "/uploads", "multipart/form-data; boundary=b"
        bodies = [
            b"",
            b"--b",
            b"--b\r\n\r\n",
            b"--b\r\nContent-Disposition: form-data; name=file\r\n\r\n",
            b"\xff" * 500,
        ]
        nested = b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\n--c--\r\n--b--"
        for body in [*bodies, nested]:
            async with client.http.post(url, data=body, headers={"Content-Type": kind}) as response:
                assert 400 <= response.status < 500, body
        async with client.http.post(url, data=b"x", headers={"Content-Type": "multipart/form-data"}) as response:
            assert 400 <= response.status < 500
        async with client.http.post(url, json={}) as response:
            assert response.status == 415
        assert (await send(client, PNG, conversation="x" * 1000))[0] == 400
        assert (await send(client, PNG, conversation="nope"))[0] == 404


async def test_there_is_an_end_to_the_space(tmp_path: Path) -> None:
    async with served(tmp_path, max_uploads_total=1000) as client:
        results = [(await send(client, PNG + b"\0" * 300))[0] for _ in range(3)]
        assert results == [201, 201, 429]


def test_a_name_is_only_a_name() -> None:
    assert safe_name("../../etc/passwd") == "passwd"
    assert safe_name("C:\\temp\\a.png") == "a.png"
    assert safe_name("\u202egnp.exe\r\nX: y") == "gnp.exeX: y"
    assert safe_name("\x00") == "file"
    assert len(safe_name("x" * 500 + ".png")) == 120


def test_sniffing_a_text_that_is_cut_inside_a_character() -> None:
    text = "é".encode() * 3000
    assert sniff(text[:4095] + b"") == ""
    assert sniff(b"a" + text[:4095]) == "text/plain"
    assert sniff(b"RIFF\0\0\0\0WEBP") == "image/webp"
    assert sniff(b"\0\0\0\x20ftypM4A ") == "audio/mp4"
    assert sniff(b"\0\0\0\x20ftypisom") == "video/mp4"

"""The static files: small, safe, cached, and what they claim to be."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from channels.web.assets import STATIC, Assets, squeeze
from channels.web.settings import WebSettings, origin_of
from tests.channels.web.fakes import served

LAUNCHER_LIMIT = 6_000
WIDGET_LIMIT = 25_000
WIDGET = sorted(path.name for path in STATIC.iterdir() if path.suffix in (".js", ".css"))


LOADED = ("widget.js", "panel.js", "panel.css")  # all that a visitor's browser ever asks for


def test_the_widget_keeps_its_weight() -> None:
    assets = Assets(WebSettings(title="T" * 60, greeting="G" * 500))
    sizes = {name: len(asset.zipped) for name in LOADED if (asset := assets.find(name))}
    assert set(sizes) == set(LOADED)
    assert sizes["widget.js"] <= LAUNCHER_LIMIT
    assert sum(sizes.values()) <= WIDGET_LIMIT, sizes


def test_the_panel_is_one_module_with_everything_in_it_once() -> None:
    panel = Assets(WebSettings()).find("panel.js")
    assert panel is not None
    source = panel.body.decode()
    assert not re.search(r"^import\b", source, re.MULTILINE)
    assert re.findall(r"^export .*", source, re.MULTILINE) == ["export async function mount(host) {"]
    modules = [(STATIC / name).read_text() for name in WIDGET if name.endswith(".js") and name != "widget.js"]
    top = re.compile(r"^(?:export )?(?:async )?(?:class|function|const) (\w+)", re.MULTILINE)
    names = [name for module in modules for name in top.findall(module)]
    assert len(names) == len(set(names)), "they share one scope"
    assert all(name in source for name in names)


def test_squeezing_takes_only_indentation_and_comment_lines() -> None:
    source = "/* what\n   this is */\nconst a = 'x /* y */'; // z\n    // gone\n\n  a();\n  /* gone */\n"
    assert squeeze(source) == "const a = 'x /* y */'; // z\na();\n"


@pytest.mark.parametrize("name", WIDGET)
def test_no_file_of_the_widget_uses_what_a_strict_policy_forbids(name: str) -> None:
    source = (STATIC / name).read_text()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\(|new Function|cssText", source)
    assert not re.search(r"setAttribute\('style'|createElement\('style'", source)


async def test_files_have_types_lengths_and_tags(tmp_path: Path) -> None:
    async with served(tmp_path, title="Näh & Söhne </script>") as client:
        build = client.site.channel._assets.build
        for path, kind, cache in (
            ("/", "text/html", "must-revalidate"),
            ("/widget.js", "text/javascript", "must-revalidate"),
            ("/channels/web/panel.js", "text/javascript", "must-revalidate"),
            (f"/channels/web/static/{build}/panel.css", "text/css", "immutable"),
            ("/channels/web/static/old/panel.js", "text/javascript", "must-revalidate"),
            ("/demo/lamp.svg", "image/svg+xml", "must-revalidate"),
        ):
            async with client.http.get(client.site.url + path, auto_decompress=False) as response:
                body = await response.read()
                assert response.status == 200, path
                assert response.headers["Content-Type"].startswith(kind)
                assert cache in response.headers["Cache-Control"]
                assert int(response.headers["Content-Length"]) == len(body)
                assert response.headers["Content-Encoding"] == "gzip"
                tag = response.headers["ETag"]
            async with client.http.get(client.site.url + path, headers={"If-None-Match": tag}) as response:
                assert (response.status, await response.read()) == (304, b"")
            async with client.http.head(client.site.url + path, headers={"Accept-Encoding": "identity"}) as response:
                assert response.status == 200
                assert int(response.headers["Content-Length"]) >= len(gzip.decompress(body))
            async with client.http.get(client.site.url + path, headers={"Accept-Encoding": "identity"}) as response:
                assert await response.read() == gzip.decompress(body)


async def test_the_demo_page_has_a_strict_policy_and_nothing_inline(tmp_path: Path) -> None:
    async with served(tmp_path) as client, client.http.get(client.site.url + "/") as response:
        policy, page = response.headers["Content-Security-Policy"], await response.text()
        assert "require-trusted-types-for 'script'" in policy
        assert "unsafe" not in policy
        assert '<script src="widget.js" async></script>' in page
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]* src=)", page)


async def test_the_demo_page_can_be_left_out(tmp_path: Path) -> None:
    async with served(tmp_path, demo=False) as client:
        for path, status in (("/", 404), ("/demo/demo.js", 404), ("/widget.js", 200)):
            async with client.http.get(client.site.url + path) as response:
                assert response.status == status


async def test_modules_load_only_into_listed_pages(tmp_path: Path) -> None:
    async with served(tmp_path, origins=["https://shop.example"]) as client:
        url = client.site.api + "/panel.js"
        async with client.http.get(url, headers={"Origin": "https://shop.example"}) as response:
            assert response.headers["Access-Control-Allow-Origin"] == "https://shop.example"
            assert "Origin" in response.headers["Vary"]
        async with client.http.get(url, headers={"Origin": "https://evil.example"}) as response:
            assert response.status == 403


def test_origins_are_spelled_as_browsers_spell_them() -> None:
    assert origin_of("HTTPS://Shop.Example:443/path") == "https://shop.example"
    assert origin_of("http://[::1]:8080") == "http://[::1]:8080"
    settings = WebSettings(origins=["https://Shop.example/"], public_url="https://bot.example/chat/", port=80)
    assert settings.allowed_origins() == {
        "https://shop.example", "https://bot.example", "http://localhost", "http://127.0.0.1",
    }  # fmt: skip


@pytest.mark.parametrize(
    "origin", ["*", "null", "shop.example", "https://shop.example/page", "ftp://x", "https://", ""]
)
def test_an_origin_that_is_none_is_refused_at_start(origin: str) -> None:
    with pytest.raises(ValueError, match="origins"):
        WebSettings(origins=[origin])

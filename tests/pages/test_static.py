"""How static files are answered: compressed where the client takes that, and for good under the present version."""

import gzip
import re
from pathlib import Path

import httpx
import pytest

from traindeck.api.site import Static
from traindeck.pages.frontend import static_folder, static_url, static_version

FOR_GOOD = "public, max-age=31536000, immutable"


async def get(address: str, method: str = "GET", **headers: str) -> httpx.Response:
    from starlette.applications import Starlette
    from starlette.routing import Mount

    app = Starlette(routes=[Mount("/static", Static(directory=static_folder()))])
    sent = {"Accept-Encoding": "identity", **{name.replace("_", "-"): value for name, value in headers.items()}}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://deck") as client:
        return await client.request(method, address, headers=sent)


@pytest.mark.anyio
@pytest.mark.parametrize("accepted", ["gzip", "br, GZIP;q=0.5", "*", "deflate, gzip;q=1.0, *;q=0"])
async def test_who_takes_gzip_gets_what_was_compressed_when_it_was_built(accepted: str) -> None:
    answer = await get(static_url("pages/run.js"), Accept_Encoding=accepted)

    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert int(answer.headers["content-length"]) == (static_folder() / "pages/run.js.gz").stat().st_size
    assert answer.content == (static_folder() / "pages/run.js").read_bytes()


@pytest.mark.anyio
@pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0", "gzip; q=0.000, *", "*;q=0"])
async def test_all_others_get_the_file_as_it_is(accepted: str) -> None:
    answer = await get(static_url("pages/run.js"), Accept_Encoding=accepted)

    assert "content-encoding" not in answer.headers
    assert int(answer.headers["content-length"]) == (static_folder() / "pages/run.js").stat().st_size


@pytest.mark.anyio
async def test_a_cache_keeps_both_apart_and_for_good() -> None:
    plain = await get(static_url("pages/run.css"))
    packed = await get(static_url("pages/run.css"), Accept_Encoding="gzip")

    for answer in (plain, packed):
        assert answer.headers["vary"] == "Accept-Encoding"
        assert answer.headers["cache-control"] == FOR_GOOD
    assert plain.headers["etag"] != packed.headers["etag"]


@pytest.mark.anyio
async def test_what_is_not_compressed_does_not_vary() -> None:
    answer = await get(static_url("vendor/inter/latin.woff2"), Accept_Encoding="gzip")

    assert "vary" not in answer.headers
    assert answer.headers["cache-control"] == FOR_GOOD
    assert answer.headers["content-type"] == "font/woff2"


@pytest.mark.anyio
async def test_what_a_cache_has_is_not_sent_again() -> None:
    known = (await get(static_url("pages/run.css"), Accept_Encoding="gzip")).headers["etag"]
    again = await get(static_url("pages/run.css"), Accept_Encoding="gzip", If_None_Match=known)
    other = await get(static_url("pages/run.css"), If_None_Match=known)

    assert (again.status_code, again.content) == (304, b"")
    assert (again.headers["cache-control"], again.headers["vary"]) == (FOR_GOOD, "Accept-Encoding")
    assert other.status_code == 200


@pytest.mark.anyio
async def test_a_page_of_an_earlier_version_gets_what_is_there_but_not_for_good() -> None:
    answer = await get("/static/0123456789ab/pages/run.css")

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.anyio
@pytest.mark.parametrize("address", ["pages/none.js", "pages", "", "../build.py", "%2e%2e/build.py", "pages/run.js/x"])
async def test_nothing_else_is_answered(address: str) -> None:
    assert (await get(f"/static/{static_version()}/{address}")).status_code == 404


@pytest.mark.anyio
async def test_head_says_what_get_would() -> None:
    answer = await get(static_url("pages/run.css"), "HEAD", Accept_Encoding="gzip")

    assert answer.headers["content-encoding"] == "gzip"
    assert answer.content == b""


def test_everything_that_is_compressed_is_what_it_was_made_of() -> None:
    packed = sorted(static_folder().rglob("*.gz"))
    assert {path.parent.name for path in packed} == {"pages", "vendor"}
    for path in packed:
        assert gzip.decompress(path.read_bytes()) == Path(str(path).removesuffix(".gz")).read_bytes()


def test_each_file_of_a_font_is_a_family_of_its_own() -> None:
    """Chromium looks up a system font for each weight, before the first paint, if a family has a file not loaded."""
    tokens = (static_folder() / "css/tokens.css").read_text()
    families = re.findall(r'@font-face \{\s*font-family: "([^"]+)"', tokens)
    stack = re.search(r"--sans: ([^;]+);", tokens)

    assert stack is not None
    assert [name for name in re.findall(r'"([^"]+)"', stack[1]) if name in families] == families
    assert len(set(families)) == len(families) == tokens.count("@font-face") > 1

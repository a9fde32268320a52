"""The console's files: every address of its own gives the page, nothing else is given away."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from parlons.api import console


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Parlons</title>")
    (folder / "assets" / "index-1a2b.js").write_text("export {};")
    (tmp_path / "secret").write_text("not for you")
    return folder


@pytest.fixture
def client(built: Path) -> httpx.AsyncClient:
    app = FastAPI(openapi_url=None)

    @app.get("/v1/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    console.serve(app, built)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://parlons")


@pytest.mark.parametrize("path", ["/", "/agents", "/agents/accueil/path", "/calls/1234?tab=timeline"])
async def test_its_addresses_are_the_page(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "Parlons" in answer.text
    assert answer.headers["cache-control"] == "no-cache"
    assert "script-src 'self'" in answer.headers["content-security-policy"]


async def test_assets_are_kept_for_ever_and_missing_ones_are_missing(client: httpx.AsyncClient) -> None:
    answer = await client.get("/assets/index-1a2b.js")
    assert (answer.status_code, "immutable" in answer.headers["cache-control"]) == (200, True)
    assert (await client.get("/assets/gone.js")).status_code == 404


async def test_the_api_goes_first_and_its_unknown_paths_are_no_pages(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/health")).json() == {"status": "ok"}
    assert (await client.get("/v1/nothing")).status_code == 404


@pytest.mark.parametrize("path", ["/../secret", "/%2e%2e/secret", "/assets/..%2f..%2fsecret", "//secret"])
async def test_nothing_outside_is_served(client: httpx.AsyncClient, path: str) -> None:
    assert "not for you" not in (await client.get(path)).text


async def test_only_reading(client: httpx.AsyncClient) -> None:
    assert (await client.post("/agents")).status_code == 405


def test_found_where_it_was_built(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "BUILT", built)
    assert console.find() == built
    monkeypatch.setattr(console, "BUILT", tmp_path / "nowhere")
    assert console.find() is None

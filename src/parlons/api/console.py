"""The console: files made by its build, served beside the API. Every page is one file; its addresses are the browser's.

They lie in the package, where the build puts them. Without them there is the API alone.
"""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
"""Content-Security-Policy: no script but the build's own. Styles inline: the path editor places steps with them."""

BUILT = Path(__file__).parents[1] / "console"


def find() -> Path | None:
    """Where the built console is; None when it was not built."""
    return BUILT if (BUILT / "index.html").is_file() else None


def serve(app: FastAPI, folder: Path) -> None:
    """Serve it at ``/``. To be called after every other route."""
    app.mount("/", _Console(directory=folder), name="console")


class _Console(StaticFiles):
    """Files, and for every address that is no file the page itself; unknown API paths stay unknown."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        name = path.lstrip("/")
        asset = name.startswith("assets/")
        full, found = self.lookup_path(name) if name not in ("", ".") else ("", None)
        if found is None and not asset and not name.startswith("v1/") and scope["method"] in ("GET", "HEAD"):
            full = str(Path(str(self.directory)) / "index.html")
            response: Response = FileResponse(full)
        else:
            response = await super().get_response(path, scope)
        cached = "public, max-age=31536000, immutable" if asset else "no-cache"  # assets are named by their content
        response.headers["Cache-Control"] = cached
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        return response

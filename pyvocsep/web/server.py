"""The page's server: Streamlit's, with one route of ours that hands samples to the player."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pyvocsep.web import player, service, settings

PAGE = Path(__file__).with_name("page.py")
SAMPLES_ROUTE = "/pyvocsep/samples/{token}"

LARGEST_REQUEST_S = 30.0
"""The player asks for less; nobody gets a whole song as one answer."""


def run(address: str, port: int, open_browser: bool) -> None:
    """Serve the page until interrupted."""
    app = streamlit.App(str(PAGE), routes=[Route(SAMPLES_ROUTE, _samples)])
    try:
        app.run(config=options(address, port, open_browser))
    finally:
        service.close()


def options(address: str, port: int, open_browser: bool) -> dict[str, Any]:
    """Return Streamlit's options: nothing is sent anywhere, nothing is offered that is for developers."""
    return {
        "server.address": address,  # also keeps Streamlit from asking a server outside for the own address
        "server.port": port,
        "server.headless": not open_browser,
        "server.maxUploadSize": settings.current().max_upload_mb,
        "server.fileWatcherType": "none",
        "server.showEmailPrompt": False,
        "browser.gatherUsageStats": False,
        "client.toolbarMode": "viewer",
        "client.showErrorDetails": "none",
        "theme.base": "light",
        **{f"theme.{mode}.{name}": value for mode, colours in THEME.items() for name, value in colours.items()},
    }


THEME = {
    "light": {"primaryColor": "#c2410c", "backgroundColor": "#ffffff", "secondaryBackgroundColor": "#f5f3f0"},
    "dark": {"primaryColor": "#de5308", "backgroundColor": "#14161a", "secondaryBackgroundColor": "#20242b"},
}


def _samples(request: Request) -> Response:
    song = service.service().song_by_token(request.path_params["token"])
    if song is None:
        return PlainTextResponse("This song had to make room for others.", 404)
    try:
        begin, count = int(request.query_params["begin"]), int(request.query_params["count"])
    except (KeyError, ValueError):
        return PlainTextResponse("begin and count must be whole numbers of samples.", 400)
    if begin < 0 or not 0 < count <= LARGEST_REQUEST_S * song.stems.sample_rate:
        return PlainTextResponse("begin or count is out of range.", 400)
    return Response(
        player.samples(song, begin, count),
        media_type="application/octet-stream",
        headers={"Cache-Control": "private, no-store"},
    )

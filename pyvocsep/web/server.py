"""The page's server: Streamlit's, with two routes of ours: samples for the player, and files to take home."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import streamlit
import streamlit.net_util
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pyvocsep.arrays import STEMS
from pyvocsep.web import desk, downloads, player, service, settings

PAGE = Path(__file__).with_name("page.py")
LARGEST_REQUEST_S = 30.0
"""The player asks for less; nobody gets a whole song as one answer."""


def run(address: str, port: int, open_browser: bool) -> None:
    """Serve the page until interrupted."""
    # Streamlit asks a server outside for this machine's address: for what it prints at its start, and for
    # each request that names another origin, as those behind a reverse proxy do.
    streamlit.net_util.get_external_ip = lambda: None
    app = streamlit.App(str(PAGE), routes=ROUTES)
    try:
        app.run(config=options(address, port, open_browser))
    except KeyboardInterrupt:  # the usual way to end it
        pass
    finally:
        service.close()


def options(address: str, port: int, open_browser: bool) -> dict[str, Any]:
    """Return Streamlit's options: nothing is sent anywhere, nothing is offered that is for developers."""
    return {
        "server.address": address,
        "server.port": port,
        "server.headless": not open_browser,
        "server.maxUploadSize": settings.current().max_upload_mb,
        "server.fileWatcherType": "none",
        "server.showEmailPrompt": False,
        "browser.gatherUsageStats": False,
        "client.toolbarMode": "viewer",
        "client.showErrorDetails": "none",
        "theme.base": "light",
        **{
            f"theme.{mode}.{name}": value
            for mode, colours in THEME.items()
            for name, value in colours.items()
        },
    }


THEME = {
    "light": {"primaryColor": "#c2410c", "backgroundColor": "#ffffff", "secondaryBackgroundColor": "#f5f3f0"},
    "dark": {"primaryColor": "#de5308", "backgroundColor": "#14161a", "secondaryBackgroundColor": "#20242b"},
}


def samples(request: Request) -> Response:
    """Answer the player: `count` samples from `begin` on."""
    song = service.service().song_by_token(request.path_params["token"])
    if song is None:
        return _gone()
    try:
        begin, count = int(request.query_params["begin"]), int(request.query_params["count"])
    except (KeyError, ValueError):
        return PlainTextResponse("begin and count must be whole numbers of samples.", 400)
    if begin < 0 or not 0 < count <= LARGEST_REQUEST_S * song.stems.sample_rate:
        return PlainTextResponse("begin or count is out of range.", 400)
    return Response(
        player.samples(song, begin, count), media_type="application/octet-stream", headers=_UNSTORED
    )


def files(request: Request) -> Response:
    """Answer with a stem, or the mix at the levels asked for, as a file."""
    song = service.service().song_by_token(request.path_params["token"])
    if song is None:
        return _gone()
    part, suffix = request.path_params["part"], request.path_params["suffix"]
    types = [downloads.FILE_TYPES[name] for name in downloads.offered(song.stems.sample_rate)]
    file_type = next((each for each in types if each.suffix == suffix), None)
    if file_type is None or part not in (*STEMS, "mix"):
        return PlainTextResponse(f"There is no {part}.{suffix} of this song.", 404)
    try:
        audio = (
            desk.mix(song.stems, *(float(request.query_params[stem]) for stem in STEMS))
            if part == "mix"
            else getattr(song.stems, part)
        )
    except (KeyError, ValueError) as error:
        return PlainTextResponse(f"The levels of the mix: {error}", 400)
    name = quote(downloads.file_name(song.name, part, file_type))
    return Response(
        downloads.encoded(audio, song.stems.sample_rate, file_type),
        media_type=file_type.mime,
        headers={**_UNSTORED, "Content-Disposition": f"attachment; filename*=UTF-8''{name}"},
    )


ROUTES = [Route(player.SAMPLES_ROUTE, samples), Route(player.FILES_ROUTE, files)]

_UNSTORED = {"Cache-Control": "private, no-store"}


def _gone() -> Response:
    return PlainTextResponse("This song had to make room for others.", 404)

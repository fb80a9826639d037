"""The server: what it listens to, what its routes answer, and what the command says."""

from __future__ import annotations

import io
import urllib.request
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
import soundfile
from starlette.requests import Request as WebRequest
from starlette.responses import Response

import pyvocsep
from pyvocsep.web import __main__ as command
from pyvocsep.web import desk, player, server, service, settings
from pyvocsep.web.songs import Song

from .running import page_server


@pytest.fixture
def kept(song: Song) -> Song:
    """A song that the service keeps."""
    service.service()._songs.put("key", song)
    return song


def ask(route: object, query: str = "", **path: str) -> Response:
    scope = {"type": "http", "path_params": path, "query_string": query.encode(), "headers": []}
    return route(WebRequest(scope))  # type: ignore[operator]


def test_samples_for_the_player(kept: Song) -> None:
    answer = ask(server.samples, "begin=1000&count=500", token=kept.token)
    assert answer.status_code == 200
    integers = np.frombuffer(answer.body, "<i2").reshape(500, 4)
    both = np.concatenate([kept.stems.vocals, kept.stems.accompaniment])[:, 1000:1500].T
    np.testing.assert_allclose(integers / 32767 * player.scale(kept), both, rtol=0, atol=1 / 32767)
    assert "no-store" in answer.headers["cache-control"]


def test_a_loud_song_does_not_wrap_around(song: Song) -> None:
    loud = Song("x", pyvocsep.Stems(song.stems.vocals * 50, song.stems.accompaniment * 50, 44_100))
    integers = np.frombuffer(player.samples(loud, 0, loud.samples), "<i2")
    assert player.scale(loud) == loud.peak > 1
    assert abs(int(np.abs(integers.astype(int)).max()) - 32767) <= 1


@pytest.mark.parametrize(
    "query",
    ["", "begin=0", "begin=x&count=1", "begin=-1&count=1", "begin=0&count=0", "begin=0&count=99999999"],
)
def test_wrong_requests_of_samples(kept: Song, query: str) -> None:
    assert ask(server.samples, query, token=kept.token).status_code == 400


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3"])
@pytest.mark.parametrize("part", ["vocals", "accompaniment", "mix"])
def test_files(kept: Song, part: str, suffix: str) -> None:
    answer = ask(server.files, "vocals=-6&accompaniment=-60", token=kept.token, part=part, suffix=suffix)
    assert answer.status_code == 200
    _, name = answer.headers["content-disposition"].split("UTF-8''")
    assert unquote(name) == f"my song.{part}.{suffix}"
    samples, rate = soundfile.read(io.BytesIO(answer.body), dtype="float32")
    assert rate == 44_100
    expected = desk.mix(kept.stems, -6, -60) if part == "mix" else getattr(kept.stems, part)
    assert samples.T.shape == expected.shape
    if suffix != "mp3":
        np.testing.assert_allclose(samples.T, expected, rtol=0, atol=0 if suffix == "wav" else 2**-23)


@pytest.mark.parametrize(
    ("part", "suffix", "query", "status"),
    [
        ("drums", "wav", "", 404),
        ("vocals", "exe", "", 404),
        ("mix", "wav", "", 400),
        ("mix", "wav", "vocals=loud&accompaniment=0", 400),
        ("mix", "wav", "vocals=99&accompaniment=0", 400),
        ("mix", "wav", "vocals=nan&accompaniment=0", 400),
    ],
)
def test_wrong_requests_of_files(kept: Song, part: str, suffix: str, query: str, status: int) -> None:
    assert ask(server.files, query, token=kept.token, part=part, suffix=suffix).status_code == status


def test_only_who_knows_the_token_gets_anything(kept: Song) -> None:
    assert ask(server.samples, "begin=0&count=1", token="guess").status_code == 404
    assert ask(server.files, token="guess", part="vocals", suffix="wav").status_code == 404
    assert len(kept.token) >= 20


def test_nothing_is_sent_to_anyone() -> None:
    options = server.options("127.0.0.1", 8501, open_browser=False)
    assert options["browser.gatherUsageStats"] is False
    assert options["server.address"] == "127.0.0.1"
    assert options["client.showErrorDetails"] == "none"


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_it_listens_where_it_should_and_connects_to_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """A process whose sockets are watched: Python tells of every connection it attempts.

    A datagram socket's connection sends nothing; with it Streamlit learns its address in the local network.
    """
    log = tmp_path / "log"
    (tmp_path / "sitecustomize.py").write_text(
        f"""
import sys
def hook(event, arguments):
    if event == "socket.connect" and arguments[0].type == 2:  # SOCK_DGRAM
        return
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.bind"):
        address = arguments[:2] if event == "socket.getaddrinfo" else arguments[1:]
        with open({str(log)!r}, "a") as file:
            print(event, address, file=file)
sys.addaudithook(hook)
"""
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with page_server("--host", host) as (url, _):
        request = urllib.request.Request(url, headers={"Origin": "https://vocals.example.org"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert b"<title>" in answer.read()
        health = urllib.request.Request(f"{url}/_stcore/health", headers=request.headers)
        urllib.request.urlopen(health, timeout=30).close()
    events = log.read_text().splitlines()
    assert any(event.startswith("socket.bind") and host in event for event in events)
    for event in events:
        assert "127.0.0.1" in event or host in event or "'/" in event, event


def test_the_command_needs_its_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command.importlib.util, "find_spec", lambda name: None)
    assert command.main([]) == 2
    assert 'pip install "pyvocsep[web]"' in capsys.readouterr().err


def test_the_command_sets_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = []
    monkeypatch.setattr(server, "run", lambda *given: runs.append(given))
    options = (
        "--host 0.0.0.0 --port 99 --no-browser --max-minutes 7 --jobs 3 --queue 0 --cache 55 --max-upload 9"
    )
    assert command.main(options.split()) == 0
    assert runs == [("0.0.0.0", 99, False)]
    assert settings.current() == settings.Settings(7, 9, 3, 0, 55)


@pytest.mark.parametrize("option", ["--max-minutes=0", "--jobs=0", "--cache=x", "--queue=-1"])
def test_limits_that_make_no_sense(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main([option])
    assert option.split("=")[0] in capsys.readouterr().err


def test_an_interrupt_ends_it_at_once() -> None:
    with page_server() as (_, process):
        pass
    assert process.returncode in (0, 130, -2)

"""The page in a real browser: what only a browser can show."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from conftest import Mixture

pytest.importorskip("playwright", reason='a browser test needs pip install ".[test]"')

import pyvocsep
from pyvocsep.models import DEFAULT_FOR_FILES

from .running import CHROMIUM, chromium, downloaded, page_server

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium, or PYVOCSEP_CHROMIUM=path"),
]

RATE = 44_100
PATIENCE_MS = 120_000
EXAMPLE = Path(__file__).parents[2] / "examples" / "lithium" / "lithium.opus"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with page_server("--max-minutes", "65", "--jobs", "1") as (url, _):
        yield url


@pytest.fixture
def visit(browser: Any, server: str) -> Iterator[Any]:
    """Open the page as a new visitor. No script may fail, and nothing may be asked from elsewhere."""
    contexts, problems, asked = [], [], set()

    def open_page(**options: Any) -> Any:
        context = browser.new_context(accept_downloads=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: asked.add(request.url))
        page.on("websocket", lambda websocket: asked.add(websocket.url.replace("ws://", "http://")))
        page.goto(server)
        page.get_by_role("button", name="Separate").wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not problems
    assert {url for url in asked if not url.startswith((server, "data:", "blob:"))} == set()


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory, mixture: Mixture) -> Path:
    path = tmp_path_factory.mktemp("song") / "my song.wav"
    soundfile.write(path, mixture(30 * RATE, seed=7).T, RATE)
    return path


def upload(page: Any, path: Path) -> None:
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_text(path.name).wait_for()


def separate(page: Any, name: str) -> None:
    button = page.get_by_role("button", name="Separate")
    page.wait_for_function(
        "![...document.querySelectorAll('button')].find(b => b.innerText.includes('Separate')).disabled"
    )
    button.click()
    page.get_by_role("heading", name=name, exact=True).wait_for()
    page.locator(".player canvas").wait_for()


def state(page: Any, name: str) -> str:
    return str(page.locator(".player").get_attribute(f"data-{name}"))


def wait_for_sound(page: Any, louder_than_db: float = -60.0) -> None:
    page.wait_for_function(
        """limit => {
            const all = [...document.querySelectorAll('*')];
            const host = all.find(e => e.shadowRoot?.querySelector('.player'));
            const player = (host ? host.shadowRoot : document).querySelector('.player');
            return player.dataset.state === 'playing' && Number(player.dataset.levelDb) > limit;
        }""",
        arg=louder_than_db,
    )


def test_upload_separate_see_hear_and_take_home(visit: Any, song: Path, tmp_path: Path) -> None:
    page = visit()
    upload(page, song)
    separate(page, "my song")
    page.locator(".heatmaplayer image").nth(2).wait_for()
    assert page.locator(".heatmaplayer image").count() == 3
    page.get_by_role("button", name="Play").click()
    wait_for_sound(page)
    first = float(state(page, "position"))
    time.sleep(0.5)
    assert float(state(page, "position")) > first
    page.get_by_role("button", name="Pause").click()
    expected = pyvocsep.process(song)
    for label, stem in (("Vocals", expected.vocals), ("Accompaniment", expected.accompaniment)):
        path = downloaded(page, label, tmp_path)
        assert path.name == f"my song.{label.lower()}.wav"
        samples, rate = soundfile.read(path, dtype="float32")
        assert rate == RATE
        np.testing.assert_array_equal(samples.T, stem)


def test_switching_keeps_the_place(visit: Any, song: Path) -> None:
    page = visit()
    upload(page, song)
    separate(page, "my song")
    page.get_by_role("button", name="Play").click()
    wait_for_sound(page)
    for name in ("Vocals", "Accompaniment", "My mix", "Song"):
        began, before = time.monotonic(), float(state(page, "position"))
        page.get_by_role("radio", name=name, exact=True).click()
        after = float(state(page, "position"))
        assert state(page, "state") == "playing"
        assert before <= after < before + (time.monotonic() - began) + 1  # however busy the machine is
    page.locator(".player .seek").focus()
    page.keyboard.press("2")
    assert state(page, "source") == "vocals"
    page.keyboard.press(" ")
    assert state(page, "state") == "paused"
    place = float(state(page, "position"))
    page.keyboard.press("ArrowRight")
    assert float(state(page, "position")) == pytest.approx(place + 5, abs=0.01)


def test_the_sliders_change_what_is_downloaded(visit: Any, tmp_path: Path) -> None:
    page = visit()
    page.get_by_text("Try the example").click()
    separate(page, "lithium")
    page.get_by_label("Vocals level in dB").focus()
    for _ in range(12):
        page.keyboard.press("ArrowLeft")
    page.get_by_label("Accompaniment level in dB").focus()
    page.keyboard.press("Home")
    page.get_by_label("Format").select_option("FLAC")
    page.get_by_text("24 bits").wait_for()
    path = downloaded(page, "My mix", tmp_path)
    assert path.name == "lithium.mix.flac"
    mixed = soundfile.read(path, dtype="float32")[0].T
    audio, rate = soundfile.read(EXAMPLE, dtype="float32")
    expected = pyvocsep.StemMixer(-6.0, -np.inf, model=DEFAULT_FOR_FILES)(np.ascontiguousarray(audio.T), rate)
    np.testing.assert_allclose(mixed, expected, rtol=0, atol=2**-23)
    assert np.abs(expected).max() > 0.01


def levels_heard(page: Any, begin_s: float, end_s: float) -> list[float]:
    """Play this part, again where the machine had no time for it, and return at least 30 levels in dB."""
    heard: list[float] = []
    while len(heard) < 30:
        page.locator(".player .seek").evaluate(
            "(e, begin) => { e.value = begin; e.dispatchEvent(new Event('input')) }", begin_s
        )
        if state(page, "state") == "paused":
            page.get_by_role("button", name="Play").click()
        wait_for_sound(page)
        while state(page, "state") == "playing" and float(state(page, "position")) < end_s:
            level = float(state(page, "level-db"))
            if level > -100:  # else a gap, which is no level of the song
                heard.append(level)
            time.sleep(0.05)
    return heard


def test_the_player_plays_what_it_should(visit: Any) -> None:
    """The levels of what the browser itself plays, of each source, against the stems'."""
    page = visit()
    page.get_by_text("Try the example").click()
    separate(page, "lithium")
    stems = pyvocsep.process(EXAMPLE)
    begin, end = (round(seconds * stems.sample_rate) for seconds in (22, 26))
    for name, stem in (("Vocals", stems.vocals), ("Accompaniment", stems.accompaniment)):
        page.get_by_role("radio", name=name, exact=True).click()
        heard = np.array(levels_heard(page, 22, 26))
        square = np.mean(stem[:, begin:end] ** 2)  # the meter hears both channels' mean
        assert 10 * np.log10(np.mean(10 ** (heard / 10))) == pytest.approx(10 * np.log10(square), abs=4)


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [("notes.txt", b"no music", "Not an audio file"), ("empty.wav", b"", "The file is empty")],
)
def test_an_error_is_a_sentence(visit: Any, tmp_path: Path, name: str, data: bytes, sentence: str) -> None:
    page = visit()
    (tmp_path / name).write_bytes(data)
    upload(page, tmp_path / name)
    page.get_by_role("button", name="Separate").click()
    page.get_by_role("alert").filter(has_text=sentence).wait_for()


def test_two_visitors_at_once(visit: Any, mixture: Mixture, tmp_path: Path) -> None:
    pages = [visit(), visit()]
    names = ["anna", "ben"]
    for page, name in zip(pages, names, strict=True):
        path = tmp_path / f"{name}.flac"
        soundfile.write(path, mixture(20 * RATE, seed=len(name)).T, RATE)
        upload(page, path)
    for page in pages:
        page.get_by_role("button", name="Separate").click()
    for page, name in zip(pages, names, strict=True):
        page.get_by_role("heading", name=name, exact=True).wait_for()
        path = downloaded(page, "Vocals", tmp_path)
        samples = soundfile.read(path, dtype="float32")[0].T
        np.testing.assert_array_equal(samples, pyvocsep.process(tmp_path / f"{name}.flac").vocals)


def test_a_cancelled_job(visit: Any, mixture: Mixture, tmp_path: Path) -> None:
    path = tmp_path / "an hour.flac"
    with soundfile.SoundFile(path, "w", 16_000, 1) as file:
        minute = mixture(60 * 16_000, 1, rate=16_000).T
        for _ in range(60):
            file.write(minute)
    page = visit()
    upload(page, path)
    page.get_by_role("button", name="Separate").click()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Cancelled. Nothing was kept.").wait_for()
    assert page.get_by_role("heading", name="an hour").count() == 0


def test_the_microphone(visit: Any) -> None:
    page = visit(permissions=["microphone"])
    page.get_by_text("Record", exact=True).click()
    page.get_by_role("button", name=re.compile("^Record")).last.click()
    time.sleep(2.5)
    page.get_by_role("button", name="Stop recording").click()
    separate(page, "recording")


def test_a_phone_scrolls_in_one_direction_only(visit: Any, song: Path) -> None:
    page = visit(viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)
    upload(page, song)
    separate(page, "my song")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_everything_is_reached_and_used_by_keyboard(visit: Any, song: Path) -> None:
    page = visit()
    upload(page, song)
    separate(page, "my song")
    page.get_by_role("radio", name="Song", exact=True).focus()
    seen = []
    for _ in range(12):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate(
                """() => { let e = document.activeElement;
                while (e.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
                return e.getAttribute('aria-label') || e.innerText || e.tagName }"""
            )
        )
    for label in ("My mix", "Play", "Position", "Vocals level in dB", "Accompaniment level in dB"):
        assert label in seen, seen

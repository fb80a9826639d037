"""The page as Streamlit runs it, without a browser: what it says and offers."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Mixture
from streamlit.testing.v1 import AppTest

import pyvocsep
from pyvocsep.web import catalogue, service, settings

from .conftest import RATE, Encode

PAGE = Path(pyvocsep.__file__).parent / "web" / "page.py"


def visit() -> AppTest:
    page = AppTest.from_file(str(PAGE), default_timeout=120).run()
    assert not page.exception
    return page


def separate(page: AppTest) -> AppTest:
    button(page, "Separate").click().run()
    deadline = time.monotonic() + 120
    while (job := page.session_state["job"]).is_active:
        assert time.monotonic() < deadline, f"the job is still {job.state}"
        time.sleep(0.05)
    page.run()
    assert not page.exception
    return page


def upload(page: AppTest, name: str, data: bytes) -> AppTest:
    page.file_uploader[0].set_value((name, data, "application/octet-stream")).run()
    return page


def button(page: AppTest, label: str) -> Any:
    return next(button for button in page.button if button.label == label)


def captions(page: AppTest) -> str:
    return "\n".join(caption.value for caption in page.caption)


def test_an_uploaded_song(mixture: Mixture, encode: Encode) -> None:
    page = visit()
    assert button(page, "Separate").disabled
    upload(page, "my_song.flac", encode(mixture(2 * RATE), format="FLAC"))
    assert not button(page, "Separate").disabled
    separate(page)
    assert page.header[0].value == r"my\_song"
    assert [subheader.value for subheader in page.subheader] == ["Listen, mix, take home", "Look"]
    assert re.search(r"0:02, 44\.1 kHz, stereo, separated at \d+ x real time", captions(page))
    assert not page.error
    assert not page.warning


def test_the_example() -> None:
    page = visit()
    page.segmented_control(key="way").set_value("Try the example").run()
    assert "CC0" in captions(page)
    separate(page)
    assert page.header[0].value == "lithium"


def test_errors_are_sentences(encode: Encode) -> None:
    page = upload(visit(), "notes.txt", b"no music")
    separate(page)
    assert page.error[0].value.startswith("notes.txt: Not an audio file")
    upload(page, "surround.wav", encode(np.ones((6, RATE), np.float32)))
    separate(page)
    assert "6 channels" in page.error[0].value
    assert not page.header


def test_too_long_names_the_limit_and_the_flag(mixture: Mixture, encode: Encode) -> None:
    settings.use(settings.Settings(max_minutes=0.02))
    page = separate(upload(visit(), "long.wav", encode(mixture(2 * RATE))))
    assert "up to 0.02" in page.error[0].value
    assert "--max-minutes" in page.error[0].value
    assert "up to 0.02 minutes" in page.file_uploader[0].label


def test_a_full_queue_says_so(mixture: Mixture, encode: Encode, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.use(settings.Settings(queue=0))
    page = upload(visit(), "song.wav", encode(mixture(RATE)))
    jobs = service.service().jobs
    monkeypatch.setattr(jobs, "_workers", 0)
    button(page, "Separate").click().run()
    assert "0 songs are waiting, and no more can" in page.error[0].value


def test_cancel(mixture: Mixture, encode: Encode, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(request: Any, max_minutes: float, report: Any) -> None:
        while True:
            report(1.0, 4.0)
            time.sleep(0.005)

    monkeypatch.setattr(service, "separate", slow)
    page = upload(visit(), "song.wav", encode(mixture(RATE)))
    button(page, "Separate").click().run()
    job = page.session_state["job"]
    while job.done_s == 0:
        time.sleep(0.01)
    page.run()
    assert button(page, "Separate").disabled, "a second click cannot start a second job"
    (bar,) = page.get("progress")
    assert re.fullmatch(r"0:01 of 0:04 · \d+ x real time", bar.proto.text)
    assert bar.proto.value == 25
    button(page, "Cancel").click().run()
    assert "Cancelled" in page.info[0].value
    deadline = time.monotonic() + 30
    while job.is_active:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert not button(page, "Separate").disabled


def test_a_song_that_had_to_make_room(mixture: Mixture, encode: Encode) -> None:
    settings.use(settings.Settings(cache_mb=1))
    page = separate(upload(visit(), "first.wav", encode(mixture(2 * RATE, seed=1))))
    assert page.header
    other = separate(upload(visit(), "second.wav", encode(mixture(2 * RATE, seed=2))))
    assert other.header
    page.run()
    assert "had to make room" in page.info[0].value
    separate(page)
    assert page.header


def test_two_visitors_share_the_result_and_the_model(
    mixture: Mixture, encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = []
    separated = service.separate
    monkeypatch.setattr(service, "separate", lambda *given: (runs.append(given), separated(*given))[1])
    data = encode(mixture(2 * RATE))
    pages = [separate(upload(visit(), "song.wav", data)) for _ in range(2)]
    assert all(page.header for page in pages)
    assert len(runs) == 1


@pytest.mark.parametrize("name", catalogue.entries())
def test_each_model_has_one_line_with_latency_and_speed(name: str) -> None:
    page = visit()
    page.selectbox(key="model").set_value(name).run()
    assert not page.exception
    (line,) = [caption.value for caption in page.caption if "x real time here" in caption.value]
    assert re.search(r"Live latency \d+ ms|Whole recordings only", line)
    assert "\n" not in line


def test_only_precisions_of_this_machine_are_offered() -> None:
    for name in catalogue.entries():
        for precision in catalogue.precisions(name):
            pyvocsep.Separator(RATE, 2, name, precision=precision)
        assert "float32" in catalogue.precisions(name)


def test_notes_on_the_samples_are_shown(mixture: Mixture, encode: Encode) -> None:
    audio = mixture(RATE)
    audio[0, 5] = np.inf
    page = separate(upload(visit(), "song.wav", encode(audio, subtype="FLOAT")))
    assert "silence" in page.warning[0].value


def test_names_are_shown_as_they_are(mixture: Mixture, encode: Encode) -> None:
    page = separate(upload(visit(), "<b>**a**_[x](y).wav", encode(mixture(RATE))))
    assert page.header[0].value == r"\<b\>\*\*a\*\*\_\[x\]\(y\)"

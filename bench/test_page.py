"""The page as a server: songs a minute through its queue, and the memory that eight visitors take."""

from __future__ import annotations

import io
import sys
from typing import Any

import numpy as np
import pytest
import soundfile
from children import PRINT_PEAK, peak_mb, run
from numpy.typing import NDArray

from pyvocsep.web.service import Service
from pyvocsep.web.settings import Settings
from pyvocsep.web.songs import Request

RATE = 44_100
SONG_MINUTES = 3
VISITORS = 8

EIGHT_VISITORS = f"""
import io, sys, time
import numpy as np, soundfile
from streamlit.testing.v1 import AppTest
from pyvocsep.web import service, settings
from pathlib import Path
import pyvocsep.web

settings.use(settings.Settings(workers=2))
noise = np.random.default_rng(0).standard_normal(({RATE} * 60, 2), np.float32) / 8
visits = []
for visitor in range({VISITORS}):
    memory = io.BytesIO()
    with soundfile.SoundFile(memory, "w", {RATE}, 2, "PCM_16", format="FLAC") as file:
        for minute in range({SONG_MINUTES}):
            file.write(np.roll(noise, visitor * 1000 + minute, 0))
    page = AppTest.from_file(str(Path(pyvocsep.web.__file__).with_name("page.py")), default_timeout=600).run()
    page.file_uploader[0].set_value((f"{{visitor}}.flac", memory.getvalue(), "audio/flac")).run()
    next(button for button in page.button if button.label == "Separate").click().run()
    visits.append(page)
for page in visits:
    while page.session_state["job"].is_active:
        time.sleep(0.05)
    page.run()
    assert page.header, page.error
service.close()
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_songs_a_minute(benchmark: Any, workers: int, audio: NDArray[np.float32]) -> None:
    """Songs of three minutes, as FLAC, all submitted at once."""
    songs = []
    for number in range(VISITORS):
        memory = io.BytesIO()
        with soundfile.SoundFile(memory, "w", RATE, 2, "PCM_16", format="FLAC") as file:
            for minute in range(SONG_MINUTES):
                file.write(np.roll(audio.T, 1000 * number + minute, 0) / 8)
        songs.append(memory.getvalue())
    service = Service(Settings(workers=workers, queue=VISITORS))

    def separate_all() -> None:
        jobs = [
            service.submit(Request(f"{n}.flac", data, "band-gru", "float32"), n)
            for n, data in enumerate(songs)
        ]
        service.jobs.join()
        assert all(job.state.value == "done" for job in jobs), [job.error for job in jobs]

    benchmark.group = "the page: eight songs of three minutes through the queue, by workers"
    benchmark.pedantic(separate_all, rounds=1)
    benchmark.extra_info["songs_a_minute"] = 60 * VISITORS / benchmark.stats.stats.mean
    service.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/self/status")
def test_memory_of_eight_visitors(benchmark: Any) -> None:
    """Eight visits of the page in one process, with a song of three minutes each, all finished and shown."""
    benchmark.group = "the page: peak memory of eight visitors"
    child = EIGHT_VISITORS + PRINT_PEAK
    benchmark.extra_info["peak_mb"] = peak_mb(benchmark.pedantic(lambda: run(child), rounds=1))

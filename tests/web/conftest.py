"""Songs for the page's tests, and whole visits of it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import soundfile
from conftest import Mixture

pytest.importorskip("streamlit", reason='the page needs pip install ".[web]"')

import pyvocsep
from pyvocsep.web import service, settings
from pyvocsep.web.songs import Song

Encode = Callable[..., bytes]
RATE = 44_100


@pytest.fixture(scope="session")
def encode() -> Encode:
    """Make a file in memory of (channels, samples)."""

    def make(audio: np.ndarray, rate: int = RATE, format: str = "WAV", subtype: str | None = None) -> bytes:
        memory = io.BytesIO()
        soundfile.write(memory, audio.T, rate, subtype, format=format)
        return memory.getvalue()

    return make


@pytest.fixture(scope="session")
def song(mixture: Mixture) -> Song:
    """Three seconds, stereo, separated."""
    return Song("my song", pyvocsep.process(mixture(3 * RATE), RATE))


@pytest.fixture(autouse=True)
def _page_of_its_own() -> Iterator[None]:
    """Each test has a service and settings of its own."""
    before = settings.current()
    yield
    service.close()
    settings.use(before)

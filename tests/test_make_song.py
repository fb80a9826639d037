"""The example that makes a song: whole, the same every time, and the sum of its stems."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

SCRIPT = Path(__file__).parent.parent / "examples" / "make_song.py"


def make(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=False)


def test_a_song_is_the_sum_of_its_stems_and_always_the_same(tmp_path) -> None:
    for name in ("one.wav", "two.wav"):
        assert make(tmp_path / name, "--seconds", "2.5", "--stems").returncode == 0
    assert (tmp_path / "one.wav").read_bytes() == (tmp_path / "two.wav").read_bytes()
    song, rate = soundfile.read(tmp_path / "one.wav")
    assert (rate, song.shape) == (44_100, (110_250, 2))
    assert np.abs(song).max() == pytest.approx(0.9, abs=1e-3)
    vocals, _ = soundfile.read(tmp_path / "one.true_vocals.wav")
    accompaniment, _ = soundfile.read(tmp_path / "one.true_accompaniment.wav")
    np.testing.assert_allclose(vocals + accompaniment, song, rtol=0, atol=2**-14)
    assert 0.2 < np.linalg.norm(vocals) / np.linalg.norm(accompaniment) < 5


def test_what_it_cannot_make(tmp_path) -> None:
    for arguments, reason in [
        (["song.xyz"], "suffix"),
        (["song.wav", "--seconds", "0"], "a second at least"),
    ]:
        result = make(tmp_path / arguments[0], *arguments[1:])
        assert result.returncode == 2
        assert reason in result.stderr
        assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []

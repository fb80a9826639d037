"""The live command on a simulated card, on ALSA's devices without hardware, and without what it needs."""

from __future__ import annotations

import builtins
import ctypes.util
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from conftest import Mixture

import pyvocsep
from pyvocsep.live import devices
from pyvocsep.live.__main__ import main
from pyvocsep.live.errors import LiveError
from pyvocsep.models import DEFAULT

from .fake_portaudio import FakePortAudio

RATE = 44_100
SYSTEM_ALSA = Path("/usr/share/alsa/alsa.conf")


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> FakePortAudio:
    made = FakePortAudio(blocks=10_000)
    monkeypatch.setattr(devices, "load_portaudio", lambda: made)
    return made


def test_a_file(card: FakePortAudio, mixture: Mixture, capsys: pytest.CaptureFixture[str]) -> None:
    audio = mixture(RATE)
    soundfile.write("song.wav", audio.T, RATE, "FLOAT")
    assert main(["--input", "song.wav", "--vocals", "off", "--accompaniment", "-6", "--block", "256"]) == 0
    printed = capsys.readouterr().out
    assert "latency 56 ms = 10 driver + 46 frame + 0 look-ahead" in printed
    played = re.search(r"([\d.]+) s played, 0 xruns", printed)
    assert played
    assert float(played[1]) >= 1.0  # the card goes on until the session notices that the file has ended
    expected = pyvocsep.StemMixer(-math.inf, -6)(audio, RATE)
    heard = np.concatenate(card.heard).T
    np.testing.assert_array_equal(heard[:, 2048 : 2048 + RATE], expected)


def test_stopping_after_some_seconds(card: FakePortAudio) -> None:
    assert main(["--seconds", "0.05"]) == 0
    assert card.opened[0]["channels"] == (2, 2)


def test_the_list(card: FakePortAudio, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    assert re.search(r"><\s+0\s+2\s+2\s+44100\s+card", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--input", "kitchen"], "no input device 'kitchen'"),
        (["--output", "kitchen"], "no output device 'kitchen'"),
        (["--model", "cnn"], "cnn"),
        (["--model", "nonsense"], "unknown model 'nonsense'"),
        (["--rate", "1000"], "1000"),
    ],
)
def test_errors_are_one_line(
    card: FakePortAudio, arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--seconds", "0.01"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("pyvocsep.live: ")
    assert sentence in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        (ImportError("no"), r'pip install "pyvocsep\[live\]"'),
        (OSError("PortAudio library not found"), "libportaudio2"),
    ],
)
def test_what_is_missing_is_said(problem: Exception, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    imported = builtins.__import__

    def failing(name: str, *more: Any) -> Any:
        if name == "sounddevice":
            raise problem
        return imported(name, *more)

    monkeypatch.setattr(builtins, "__import__", failing)
    with pytest.raises(LiveError, match=sentence):
        devices.load_portaudio()


# Real streams, through PortAudio and ALSA, to devices that are files


@pytest.fixture
def alsa(tmp_path: Path) -> dict[str, str]:
    """ALSA with three devices: `tape` reads in.raw, `recorder` writes out.raw, `nowhere` is silence."""
    pytest.importorskip("sounddevice", reason='needs pip install ".[live]"')
    if ctypes.util.find_library("portaudio") is None or not SYSTEM_ALSA.exists():
        pytest.skip("needs libportaudio2 and libasound2-data")
    configuration = tmp_path / "asoundrc"
    configuration.write_text(
        f"""<{SYSTEM_ALSA}>
        pcm.tape {{
            type file
            slave.pcm nowhere
            file "/dev/null"
            infile "{tmp_path}/in.raw"
            format raw
        }}
        pcm.recorder {{
            type file
            slave.pcm nowhere
            file "{tmp_path}/out.raw"
            format raw
        }}
        pcm.nowhere {{ type null }}
        """
    )
    return {**os.environ, "ALSA_CONFIG_PATH": str(configuration)}


def live(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "pyvocsep.live", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def position_of(part: np.ndarray, within: np.ndarray) -> int:
    """Return where an array of samples (frames, channels) stands in a longer one, bit for bit."""
    starts = np.flatnonzero((within[: len(within) - len(part) + 1] == part[0]).all(1))
    for start in starts:
        if np.array_equal(within[start : start + len(part)], part):
            return int(start)
    raise AssertionError("it is not there")


def test_alsa_lists_its_devices(alsa: dict[str, str]) -> None:
    printed = live(alsa, "--list")
    for device in ("tape", "recorder", "nowhere"):
        assert device in printed


def test_a_file_through_portaudio_and_alsa(alsa: dict[str, str], mixture: Mixture, tmp_path: Path) -> None:
    soundfile.write("song.wav", mixture(2 * RATE).T, RATE, "FLOAT")
    printed = live(alsa, "--input", "song.wav", "--output", "recorder", "--accompaniment", "off")
    assert "0 xruns" in printed
    assert "+ 46 frame + 0 look-ahead" in printed
    heard = np.fromfile(tmp_path / "out.raw", np.float32).reshape(-1, 2)
    vocals = np.ascontiguousarray(pyvocsep.process("song.wav", model=DEFAULT).vocals.T)
    position_of(vocals[:RATE], heard)


def test_input_to_output_through_portaudio_and_alsa(
    alsa: dict[str, str], mixture: Mixture, tmp_path: Path
) -> None:
    audio = mixture(20 * RATE)
    np.ascontiguousarray(audio.T).tofile(tmp_path / "in.raw")
    printed = live(alsa, "--input", "tape", "--output", "recorder", "--vocals", "off", "--seconds", "2")
    assert "0 xruns" in printed
    played = float(re.search(r"([\d.]+) s played", printed)[1])
    assert played > 0.5
    heard = np.fromfile(tmp_path / "out.raw", np.float32).reshape(-1, 2)
    expected = pyvocsep.process(audio, RATE, model=DEFAULT).accompaniment.T
    position_of(np.ascontiguousarray(expected[: RATE // 4]), heard)

"""docs/command.md: its commands and its Python run as they stand."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import pyvocsep

PAGE = Path(__file__).parent.parent / "docs" / "command.md"
RATE = 44_100


def examples(language: str) -> list[str]:
    found = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found


@pytest.fixture
def songs(tmp_path: Path, mixture) -> Path:
    """All files that the page mentions, in the working directory."""
    audio = mixture(8_000).T
    (tmp_path / "album/cd1").mkdir(parents=True)
    for name in ("song.mp3", "song.flac", "a.flac", "b.flac", "album/one.flac", "album/cd1/two.wav"):
        soundfile.write(name, audio, RATE)
    soundfile.write("surround.wav", mixture(8_000, 6).T, RATE)
    Path("songs.txt").write_text("a.flac\nalbum/cd1/two.wav\n")
    return tmp_path


def made(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


EXPECTED = [
    {
        "song.vocals.wav",
        "song.accompaniment.wav",
        "out/a.vocals.wav",
        "out/b.accompaniment.wav",
        "song.vocals.flac",
    }
    | {"out/song/vocals.wav"},
    {"out/one.vocals.wav", "out/cd1/two.vocals.wav", "flat/one.vocals.wav", "found/two.vocals.wav"}
    | {"listed/a.vocals.wav", "listed/two.vocals.wav"},
    {"report.jsonl", "out/cd1/two.vocals.wav"},
    {"vocals.mp3", "out/stdin.vocals.wav", "vocals.flac", "out/vocals.wav", "vocals.f32"},
    {"out/song.vocals.mp3", "out/song.small.vocals.mp3", "out/song.vocals.ogg"},
    {"song.mix.wav", "practice/song.mix.wav", "karaoke.mp3"},
    {"front/surround.vocals.wav", "pairs/surround.vocals.wav", "downmix/surround.vocals.wav"},
    {"out/song.vocals.wav", "out/clip.vocals.wav"},
]


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash")
@pytest.mark.parametrize("number", range(len(EXPECTED)))
def test_the_commands_run(number: int, songs: Path, model: Path) -> None:
    block = examples("sh")
    assert len(block) == len(EXPECTED)
    script = block[number].replace('pip install "pyvocsep[av]"\n', "")
    if "song.m4a" in script or "ffmpeg" in script:
        if shutil.which("ffmpeg") is None:
            pytest.skip("needs ffmpeg")
        convert = ["ffmpeg", "-v", "error", "-i", "song.flac"]
        subprocess.run([*convert, "song.m4a"], check=True)
        subprocess.run([*convert, "clip.mp4"], check=True)
    if "clip.mp4" in script:
        pytest.importorskip("av")
    prelude = (
        f"set -e -o pipefail\npyvocsep() {{ '{sys.executable}' -m pyvocsep --model '{model}' \"$@\"; }}\n"
    )
    result = subprocess.run(
        ["bash", "-c", prelude + script],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert result.returncode == 0, result.stderr
    assert EXPECTED[number] <= made(songs)
    if "report" in script:
        assert "exit status 1" in result.stdout
        assert "['missing.wav']" in result.stdout


def test_every_option_is_on_the_page() -> None:
    from pyvocsep.cli.options import parser

    page = PAGE.read_text(encoding="utf-8")
    options = {
        text for action in parser()._actions for text in action.option_strings if text.startswith("--")
    }
    # What is said by --help as well, or in the README.
    elsewhere = {"--help", "--version", "--quiet", "--model", "--precision", "--threads", "--output"}
    assert [option for option in sorted(options - elsewhere) if option not in page] == []


def test_the_python_does_what_it_says(songs: Path, mixture) -> None:
    names = {
        "pyvocsep": pyvocsep,
        "audio": mixture(8_000),
    }
    for example in examples("python"):
        exec(example, names)
    assert Path("out/song.vocals.flac").exists()
    for stem, file in names["files"].items():
        found = soundfile.read(io.BytesIO(file.getvalue()))[0].T
        np.testing.assert_allclose(found, getattr(names["stems"], stem), rtol=0, atol=2**-14)
    assert names["filled"].shape[1] == 4_096 - names["effect"].latency_samples

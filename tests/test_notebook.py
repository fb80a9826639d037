"""What Jupyter shows of stems, the bar, and saving."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import Mixture

import pyvocsep
from pyvocsep import notebook


def players(html: str) -> list[tuple[str, np.ndarray, int]]:
    found = []
    for kind, data in re.findall(r"src='data:audio/(\w+);base64,([^']+)'", html):
        samples, rate = soundfile.read(io.BytesIO(base64.b64decode(data)), dtype="float32", always_2d=True)
        found.append((kind, samples.T, rate))
    return found


@pytest.mark.parametrize(("rate", "kind"), [(44_100, "mpeg"), (96_000, "flac")])
def test_stems_show_a_picture_and_a_player_each(rate: int, kind: str) -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(2 * rate) / rate).astype(np.float32) / 2
    stems = pyvocsep.Stems(np.stack([tone, tone / 2]), np.stack([tone / 3, tone]), rate)
    html = stems._repr_html_()
    assert html.count("<svg") == html.count("<audio") == 2
    assert "http" not in html
    for (found, samples, at), stem in zip(players(html), (stems.vocals, stems.accompaniment), strict=True):
        assert (found, at) == (kind, rate)
        assert samples.shape == stem.shape
        error = np.sqrt(np.mean((samples - stem) ** 2) / np.mean(stem**2))
        assert error < (0.05 if kind == "mpeg" else 1e-3)


def test_mono_silent_and_empty() -> None:
    for samples in (0, 8000):
        silent = np.zeros(samples, np.float32)
        assert "<polygon" in pyvocsep.Stems(silent, silent, 8000)._repr_html_()


def test_long_recordings_are_played_in_part(monkeypatch: pytest.MonkeyPatch, mixture: Mixture) -> None:
    monkeypatch.setattr(notebook, "LONGEST_S", 1.0)
    audio = mixture(3 * 8000, rate=8000)
    html = pyvocsep.Stems(audio, audio, 8000)._repr_html_()
    assert "the first" in html
    assert all(abs(samples.shape[1] - 8000) < 2500 for _, samples, _ in players(html))


def test_the_bar_is_the_notebooks_in_a_notebook(mixture: Mixture, monkeypatch: pytest.MonkeyPatch) -> None:
    import tqdm.auto

    bars = []

    class Bar(tqdm.auto.tqdm):  # type: ignore[misc]
        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(*arguments, **options)
            bars.append(self)

    monkeypatch.setattr(tqdm.auto, "tqdm", Bar)
    pyvocsep.process(mixture(44_100), 44_100, progress=True)
    (bar,) = bars
    assert bar.n == bar.total == 1.0


def test_save_writes_what_process_writes(mixture: Mixture, tmp_path: Path) -> None:
    soundfile.write("a.song.wav", mixture(44_100).T, 44_100, "FLOAT")
    stems = pyvocsep.process("a.song.wav")
    for format in (None, "flac", "mp3"):
        expected = pyvocsep.process("a.song.wav", output_dir="theirs", format=format)
        saved = stems.save("ours/deep", "a.song", format)
        assert {stem: path.name for stem, path in saved.items()} == {s: p.name for s, p in expected.items()}
        for stem, path in saved.items():
            np.testing.assert_array_equal(soundfile.read(path)[0], soundfile.read(expected[stem])[0])


def test_save_of_mono_and_of_peaks(tmp_path: Path) -> None:
    loud = np.array([0.5, 1.5, -0.5], np.float32)
    stems = pyvocsep.Stems(loud, loud / 2, 8000)
    paths = stems.save(tmp_path)
    np.testing.assert_array_equal(soundfile.read(paths["vocals"], dtype="float32")[0], loud)
    with pytest.warns(pyvocsep.AudioWarning, match=r"1\.500"):
        stems.save(tmp_path, format="flac")
    with pytest.raises(ValueError, match="unknown format"):
        stems.save(tmp_path, format="xyz")

"""The README's Python runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import Mixture

import pyvocsep

README = Path(__file__).parent.parent / "README.md"


def test_the_examples_run(mixture: Mixture, tmp_path: Path) -> None:
    pytest.importorskip("pedalboard")
    try:
        pyvocsep.vst3_path()
    except FileNotFoundError as error:
        pytest.skip(f"no plugin: {error.strerror}")
    audio = mixture(30_000)
    soundfile.write("song.mp3", audio.T, 44_100)
    names = {"audio": audio, "blocks": np.split(audio, [512, 5_000, 5_001], axis=1)}
    examples = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert examples
    for example in examples:
        exec(example, names)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "song.accompaniment.wav",
        "song.vocals.wav",
    ]
    assert np.isfinite(names["y"]).all()
    assert np.abs(names["y"]).max() > 0

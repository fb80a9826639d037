"""The README's Python runs as it stands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from conftest import Mixture
from pages import run_examples

README = Path(__file__).parent.parent / "README.md"


def test_the_examples_run(mixture: Mixture, tmp_path: Path) -> None:
    names = run_examples(README, mixture)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "song.accompaniment.wav",
        "song.vocals.wav",
    ]
    assert np.isfinite(names["y"]).all()
    assert np.abs(names["y"]).max() > 0

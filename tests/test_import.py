"""Importing the package brings nothing heavy with it."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {
    "torch",
    "onnxruntime",
    "onnx",
    "scipy",
    "soundfile",
    "tqdm",
    "soxr",
    "mir_eval",
    "matplotlib",
    "numba",
    "pedalboard",
    "pedalboard_native",
}


def test_importing_the_package_stays_light() -> None:
    command = "import sys, pyvocsep; print(*{name.partition('.')[0] for name in sys.modules})"
    output = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=True
    ).stdout
    loaded = set(output.split())
    assert "numpy" in loaded
    assert not loaded & HEAVY


def test_public_names() -> None:
    import pyvocsep

    for name in pyvocsep.__all__:
        assert getattr(pyvocsep, name)
    assert isinstance(pyvocsep.__version__, str)
    assert not hasattr(pyvocsep, "nonsense")

"""Examples in the README and in the pages of the documentation, and how tests run them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from conftest import Mixture

import pyvocsep

_BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```", re.DOTALL | re.MULTILINE)


def blocks(page: Path, language: str) -> list[str]:
    """The page's code in a language, without the indentation of a tab around it."""
    found = _BLOCK.findall(page.read_text(encoding="utf-8"))
    return [
        "".join(line.removeprefix(indent) for line in code.splitlines(keepends=True))
        for indent, name, code in found
        if name == language
    ]


def run_examples(page: Path, mixture: Mixture, **given: Any) -> dict[str, Any]:
    """Run the page's Python from top to bottom on a song of its own; return the names it leaves.

    `given` are names that it may use beside `audio` and `blocks`. Skips without pedalboard or the VST3.
    """
    pytest.importorskip("pedalboard")
    try:
        pyvocsep.vst3_path()
    except FileNotFoundError as error:
        pytest.skip(f"no plugin: {error.strerror}")
    audio = mixture(30_000)
    soundfile.write("song.mp3", audio.T, 44_100)
    names = {"audio": audio, "blocks": np.split(audio, [512, 5_000, 5_001], axis=1), **given}
    examples = blocks(page, "python")
    assert examples
    for example in examples:
        exec(example, names)
    return names

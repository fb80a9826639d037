"""Vocals and accompaniment, separated in real time on a CPU.

`process` separates a file or an array, `Separator` a stream. `StemMixer` is an effect, `Board` a chain of
effects. The command line is `pyvocsep`.
"""

from __future__ import annotations

from pyvocsep import _compiled  # noqa: F401  (first: it explains a missing core)
from pyvocsep.effects.board import Board
from pyvocsep.effects.stem_mixer import StemMixer
from pyvocsep.effects.vst3 import load_vst3, vst3_path
from pyvocsep.errors import AudioFileError, AudioWarning, IncompleteWarning
from pyvocsep.separate import Stems, process
from pyvocsep.stream import Separator

__all__ = [
    "AudioFileError",
    "AudioWarning",
    "Board",
    "IncompleteWarning",
    "Separator",
    "StemMixer",
    "Stems",
    "__version__",
    "load_vst3",
    "process",
    "vst3_path",
]

__version__: str


def __getattr__(name: str) -> str:
    if name == "__version__":  # only when asked for: importing importlib.metadata costs as much as all of us
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("pyvocsep")
        except PackageNotFoundError:  # run from the source tree
            return "0+unknown"
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

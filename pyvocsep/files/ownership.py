"""Which files this package wrote: no others are replaced unasked."""

from __future__ import annotations

import errno
from pathlib import Path

from pyvocsep.files.formats import soundfile

SOFTWARE = "pyvocsep"
"""What every file that is written here has as its software tag."""


def is_ours(path: Path) -> bool:
    """Tell whether a file has this package's mark; an editor that saves over it may keep that."""
    try:
        with soundfile().SoundFile(path) as sound:
            return str(sound.software).startswith(SOFTWARE)
    except (OSError, RuntimeError, TypeError):  # TypeError: what soundfile makes of the suffix .raw
        return False


def check_replaceable(target: Path) -> None:
    """Raise FileExistsError if a target holds what this package did not write."""
    if target.exists() and target.stat().st_size > 0 and not is_ours(target):
        raise FileExistsError(
            errno.EEXIST,
            "exists, and is not replaced since pyvocsep did not write it; move it, or choose another name",
            str(target),
        )

"""Which files this package wrote, and which files may be replaced: unasked, no others."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Literal, get_args

from pyvocsep.files.formats import soundfile

SOFTWARE = "pyvocsep"
"""What every file that is written here has as its software tag."""

Existing = Literal["ours", "skip", "replace", "error"]
"""What becomes of a file that is there already: replaced if this package wrote it, else refused; left, if all
files of a recording are there, else as "ours"; replaced whoever wrote it; refused."""

EXISTING: tuple[Existing, ...] = get_args(Existing)


def is_ours(path: Path) -> bool:
    """Tell whether a file has this package's mark; an editor that saves over it may keep that."""
    try:
        with soundfile().SoundFile(path) as sound:
            return str(sound.software).startswith(SOFTWARE)
    except (OSError, RuntimeError, TypeError):  # TypeError: what soundfile makes of the suffix .raw
        return False


def is_there(target: Path) -> bool:
    """Tell whether a file exists and is not empty: mktemp or touch may have kept a place."""
    return target.exists() and target.stat().st_size > 0


def check_replaceable(target: Path, existing: Existing = "ours") -> None:
    """Raise FileExistsError if a target holds what is not to be replaced."""
    if existing == "replace" or not is_there(target):
        return
    if existing == "error":
        raise FileExistsError(errno.EEXIST, "exists, and is not to be replaced", str(target))
    if not is_ours(target):
        raise FileExistsError(
            errno.EEXIST,
            "exists, and is not replaced since pyvocsep did not write it; move it, or choose another name",
            str(target),
        )

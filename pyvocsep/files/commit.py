"""Finished files get their names: all of them or none, and so that a power cut cannot empty them."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

_NOT_SUPPORTED = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)


def hidden_name(target: Path, suffix: str) -> Path:
    """Return a new name beside a target for a file that is not to be seen yet, or no longer."""
    return target.parent / f".pyvocsep-{secrets.token_hex(6)}.{suffix}"


def sync_file(descriptor: int) -> None:
    """Wait until the data of an open file is on the disk.

    Else a rename may reach the disk first: after a power cut the name would stand for an empty file.
    """
    _sync(descriptor)


def rename_all(renames: Iterable[tuple[Path, Path]]) -> None:
    """Rename each (temporary, target), replacing what has the target's name.

    If one of them fails, for whatever reason, all targets are again what they were. Raises OSError about the
    target that could not be named.
    """
    # A stack runs all its steps, even if one is interrupted; the inner one first.
    with ExitStack() as forgetting, ExitStack() as undoing:
        folders = set()
        for temporary, target in renames:
            try:
                renamed = _Renamed(target, _kept(target))
                undoing.callback(renamed.undo)
                os.replace(temporary, target)
            except OSError as error:
                raise OSError(error.errno, error.strerror, str(target)) from None
            forgetting.callback(renamed.forget)
            folders.add(target.parent)
        for folder in folders:
            _sync_folder(folder)
        undoing.pop_all()


@dataclass
class _Renamed:
    """A target, and under what name the file is kept that had its name before."""

    target: Path
    before: Path | None

    def undo(self) -> None:
        with suppress(OSError):  # the error that led here is the one to tell
            if self.before is None:
                self.target.unlink()
            else:
                os.replace(self.before, self.target)
                self.forget()  # a rename between two names of one file leaves both

    def forget(self) -> None:
        if self.before is not None:
            with suppress(OSError):
                self.before.unlink()


def _kept(target: Path) -> Path | None:
    """Give the file at `target`, if there is one, a second name, by which it can be put back."""
    if not os.path.lexists(target):
        return None
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "cannot be written, it is a folder", str(target))
    before = hidden_name(target, "old")
    try:
        os.link(target, before, follow_symlinks=False)
    except FileNotFoundError:
        return None
    except (OSError, NotImplementedError):  # a file system without links
        os.rename(target, before)
    return before


def _sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where the system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return  # not this system's, or a folder that may be written but not read
    try:
        _sync(descriptor)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(folder)) from None
    finally:
        os.close(descriptor)


def _sync(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NOT_SUPPORTED:
            raise

"""Audio files that appear only when they are whole, in formats and with tags that follow the input."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from pyvocsep.arrays import Samples
from pyvocsep.files.commit import hidden_name, rename_all, sync_file
from pyvocsep.files.covers import Cover
from pyvocsep.files.encoder import Encoder
from pyvocsep.files.ownership import Existing, check_replaceable
from pyvocsep.files.raw_file import RawFile


class AudioWriter:
    """An audio file in the making; a context manager.

    The samples go to a hidden temporary file in the target's folder. `finish` completes that file and
    `commit` gives it the target's name; leaving the context without a commit, for whatever reason, removes
    it. So the target is never a part of a file, and what it was before stays until there is a whole one.

    Args:
        path: the target, replaced at the commit if `existing` allows it.
        existing: what becomes of a file that is there already, as `check_replaceable` takes it.
        sample_rate, channels, format, subtype, frames, tags, options, cover: as `Encoder` takes them.

    Raises:
        OSError: the target cannot be made, or exists and is not to be replaced.
        AudioFileError: the format cannot hold this rate or this much.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        sample_rate: int,
        channels: int,
        *,
        format: str,
        subtype: str,
        frames: int | None,
        tags: Mapping[str, str],
        existing: Existing = "ours",
        options: Mapping[str, Any] | None = None,
        cover: Cover | None = None,
    ) -> None:
        self.path = Path(path)
        self.existing: Existing = existing
        _check_is_no_folder(self.path)
        check_replaceable(self.path, existing)
        self.temporary = hidden_name(self.path, "part")
        self._file = _create(self.temporary)
        with ExitStack() as undoing:
            undoing.callback(_remove, self.temporary, self._file)
            self._encoder = Encoder(
                self._file,
                self.path,
                sample_rate,
                channels,
                format=format,
                subtype=subtype,
                frames=frames,
                tags=tags,
                options=options or {},
                cover=cover,
            )
            undoing.callback(self._encoder.discard)
            self._undoing = undoing.pop_all()

    def write(self, block: Samples) -> None:
        """Append a block (channels, samples); errors as of `Encoder.write`."""
        self._encoder.write(block)

    def clipping(self) -> str | None:
        """Return a sentence that names the peak, if the subtype could not hold it."""
        return self._encoder.clipping()

    def finish(self) -> None:
        """Complete the temporary file; OSError as for `write`."""
        self._encoder.finish()
        try:
            sync_file(self._file.fileno())
            self._file.close()
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.path)) from error

    def commit(self) -> None:
        """Give the finished file its name."""
        commit([self])

    def discard(self) -> None:
        """Remove the temporary file, if there still is one."""
        self._undoing.close()

    def __enter__(self) -> AudioWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()


def commit(writers: Sequence[AudioWriter]) -> None:
    """Give the finished files of several writers their names, all or none.

    Raises OSError if one cannot be named; then all targets are what they were.
    """
    for writer in writers:
        check_replaceable(writer.path, writer.existing)  # again: somebody may have been here meanwhile
    rename_all([(writer.temporary, writer.path) for writer in writers])


def _remove(temporary: Path, file: RawFile) -> None:
    with suppress(OSError):
        file.close()
    with suppress(OSError):
        temporary.unlink()


def _create(temporary: Path) -> RawFile:
    try:
        return RawFile(temporary)
    except OSError as error:  # the name of the temporary file would puzzle: the folder is what refuses
        raise OSError(
            error.errno, f"cannot write in this folder ({error.strerror})", str(temporary.parent)
        ) from None


def _check_is_no_folder(target: Path) -> None:
    with suppress(FileNotFoundError):
        os.stat(target)  # also refuses, before any work, a name that is too long
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "cannot be written, it is a folder", str(target))

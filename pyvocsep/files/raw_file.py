"""The file objects that libsndfile writes to, and what they do with errors."""

from __future__ import annotations

import io
import os
from typing import Any


class KeepsErrors:
    """A file object that keeps the first exception of its calls instead of raising it.

    An exception cannot travel through libsndfile's C code: it would be printed and forgotten, and a full disk
    would pass for a success. So the calls report a failure as C expects, and whoever called libsndfile asks
    `raise_kept` afterwards.
    """

    _kept: BaseException | None = None

    def raise_kept(self, path: str | os.PathLike[str]) -> None:
        """Raise the exception that was kept, if any; an OSError about `path`."""
        error = self._kept
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, os.fspath(path)) from error
        if error is not None:
            raise error

    def _keep(self, error: BaseException) -> int:
        self._kept = self._kept or error
        return 0


class RawFile(KeepsErrors, io.FileIO):
    """An unbuffered file on the disk.

    Args:
        file: path of a file to be made, or the descriptor of an open one, which stays the caller's.
    """

    def __init__(self, file: str | os.PathLike[str] | int) -> None:
        if isinstance(file, int):
            super().__init__(file, "r+", closefd=False)
        else:
            super().__init__(file, "x+")
        self._origin = 0

    def start_here(self) -> None:
        """Make what was written so far a prefix that positions do not count."""
        self._origin = super().tell()

    def write(self, data: Any) -> int:
        try:
            rest = memoryview(data)
            while rest:  # a nearly full disk takes a part first and refuses after that
                rest = rest[super().write(rest) :]
        except BaseException as error:
            return self._keep(error)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = self._origin if whence == os.SEEK_SET else 0
        try:
            return super().seek(offset + origin, whence) - self._origin
        except BaseException as error:
            return self._keep(error)

    def tell(self) -> int:
        try:
            return super().tell() - self._origin
        except BaseException as error:
            return self._keep(error)

"""Folders on any file system: local ones and, through fsspec, s3://, gs://, sftp:// and others."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pyvocsep.corpus.errors import CorpusError
from pyvocsep.files.commit import rename_all
from pyvocsep.files.outputs import make_folder
from pyvocsep.files.ownership import check_replaceable, is_ours

HOUSEKEEPING = ".pyvocsep-corpus"
"""The folder in a destination for what is not finished; it vanishes at the end of a run."""

_PARTS = f"{HOUSEKEEPING}/parts"
_OBJECT_STORES = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oci", "oss", "r2", "tos"}
"""Where an upload appears whole by itself, and a rename would be a second upload."""
_HEAD = 1 << 16
"""Bytes at the start of a stem that hold its software tag."""


@dataclass(frozen=True)
class Entry:
    """A file in a place.

    Attributes:
        path: relative to the place, with "/".
        size: in bytes.
        version: text that differs when the file was changed.
    """

    path: str
    size: int
    version: str


@dataclass(frozen=True)
class Place:
    """A folder by its URL or path; it can be pickled, and opens its file system where it is used.

    Raises CorpusError, at first use, for a URL whose protocol is unknown or needs a package that is missing.
    """

    url: str

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        from fsspec.core import url_to_fs  # type: ignore[import-untyped]

        try:
            fs, root = url_to_fs(self.url)
        except (ImportError, ValueError) as error:
            raise CorpusError(f"{self.url}: {error}") from None
        return fs, root.rstrip("/") or "/"

    def __getstate__(self) -> dict[str, str]:
        return {"url": self.url}

    @property
    def fs(self) -> Any:
        """The fsspec file system."""
        return self._opened[0]

    @property
    def root(self) -> str:
        """The folder's path in its file system, absolute for a local one."""
        return self._opened[1]

    @property
    def protocol(self) -> str:
        """The file system's name, as "s3"."""
        protocol = self.fs.protocol
        return str(protocol if isinstance(protocol, str) else protocol[0])

    @property
    def is_local(self) -> bool:
        """Whether paths in it are paths of this machine."""
        return self.protocol in ("file", "local")

    def absolute(self) -> Place:
        """Return the place by a URL that means the same in another process."""
        return Place(self.root) if self.is_local else self

    def full(self, path: str) -> str:
        """Return a relative path as the file system's own."""
        return f"{self.root.rstrip('/')}/{path}"

    def contains(self, other: Place) -> bool:
        """Tell whether `other` is this folder or lies in it."""
        mine, its = ((p.protocol, *self._parts(p)) for p in (self, other))
        return its[: len(mine)] == mine

    @staticmethod
    def _parts(place: Place) -> tuple[str, ...]:
        root = os.path.realpath(place.root) if place.is_local else place.root
        return tuple(part for part in root.split("/") if part)

    def find(self) -> Iterator[Entry]:
        """Yield all files below the folder, hidden ones and those in hidden folders left out.

        Raises FileNotFoundError if there is no such folder (an object store knows no empty ones: no files).
        """
        self.fs.invalidate_cache()
        if self.protocol not in _OBJECT_STORES and not self.fs.isdir(self.root):
            raise FileNotFoundError(errno.ENOENT, "no such folder", self.url)
        start = len(self.full(""))
        for name, info in self.fs.find(self.root, detail=True).items():
            path = name[start:]
            if info["type"] != "file" or any(part.startswith(".") for part in path.split("/")):
                continue
            changed = next(
                (info[key] for key in ("ETag", "etag", "mtime", "LastModified", "updated") if key in info), ""
            )
            yield Entry(path, int(info["size"] or 0), f"{info['size']} {changed}")

    def read(self, path: str) -> bytes:
        """Return a file's content; FileNotFoundError if it is not there."""
        data: bytes = self.fs.cat_file(self.full(path))
        return data

    def names(self, folder: str) -> list[str]:
        """Return the names of the files in a folder, in order; none if there is no such folder."""
        self.fs.invalidate_cache()
        try:
            return sorted(
                name.rstrip("/").rpartition("/")[2] for name in self.fs.ls(self.full(folder), detail=False)
            )
        except FileNotFoundError:
            return []

    def write(self, path: str, data: bytes) -> None:
        """Write or replace a small file; it is seen whole or as it was before."""
        with tempfile.TemporaryDirectory(prefix="pyvocsep-") as scratch:
            if self.is_local:
                with self.parts_folder() as scratch_in_place:
                    _write_durably(scratch_in_place / "data", data)
                    self._rename({scratch_in_place / "data": path})
            else:
                file = Path(scratch, "data")
                file.write_bytes(data)
                self._upload({file: path})

    def remove(self, path: str) -> None:
        """Remove a file or a folder, if it is there."""
        with suppress(FileNotFoundError):
            self.fs.rm(self.full(path), recursive=True)

    def sweep(self) -> None:
        """Remove what killed workers left half done."""
        self.remove(_PARTS)
        if self.is_local:
            with suppress(OSError):
                os.rmdir(self.full(HOUSEKEEPING))

    @contextmanager
    def fetched(self, path: str) -> Iterator[Path]:
        """Provide a file as one on this machine: itself, or a copy under the same name while it is needed."""
        if self.is_local:
            yield Path(self.full(path))
            return
        with tempfile.TemporaryDirectory(prefix="pyvocsep-") as scratch:
            copy = Path(scratch, path.rpartition("/")[2])
            self.fs.get_file(self.full(path), str(copy))
            yield copy

    @contextmanager
    def parts_folder(self) -> Iterator[Path]:
        """Provide a folder on this machine for files in the making; it is removed in the end.

        Of a local place it is on the same disk, so that renaming is all that publishing needs.
        """
        if not self.is_local:
            with tempfile.TemporaryDirectory(prefix="pyvocsep-") as scratch:
                yield Path(scratch)
            return
        folder = Path(self.full(_PARTS), secrets.token_hex(8))
        make_folder(folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def check_replaceable(self, path: str) -> None:
        """Raise FileExistsError if there is a file that pyvocsep did not write."""
        if self.is_local:
            check_replaceable(Path(self.full(path)))
            return
        try:
            head = self.fs.cat_file(self.full(path), start=0, end=_HEAD)
        except FileNotFoundError:
            return
        with tempfile.TemporaryDirectory(prefix="pyvocsep-") as scratch:
            file = Path(scratch, path.rpartition("/")[2])
            file.write_bytes(head)
            if head and not is_ours(file):
                raise FileExistsError(
                    errno.EEXIST,
                    "exists, and is not replaced since pyvocsep did not write it; "
                    "move it, or choose another name",
                    self.full(path),
                )

    def publish(self, files: Mapping[Path, str]) -> None:
        """Give finished files from `parts_folder` their places; each is seen whole or not at all.

        In a local place all of them appear or, after an error, none.
        """
        if self.is_local:
            self._rename(files)
        else:
            self._upload(files)

    def _rename(self, files: Mapping[Path, str]) -> None:
        targets = {file: Path(self.full(path)) for file, path in files.items()}
        for target in targets.values():
            make_folder(target.parent)
        rename_all(targets.items())

    def _upload(self, files: Mapping[Path, str]) -> None:
        if self.protocol in _OBJECT_STORES:
            for file, path in files.items():
                self.fs.put_file(str(file), self.full(path))
            return
        renames = {}
        for file, path in files.items():
            part = self.full(f"{_PARTS}/{secrets.token_hex(8)}")
            for name in (part, self.full(path)):
                self.fs.makedirs(name.rpartition("/")[0], exist_ok=True)
            self.fs.put_file(str(file), part)
            renames[part] = self.full(path)
        for part, target in renames.items():
            self.fs.mv(part, target)


def _write_durably(file: Path, data: bytes) -> None:
    with file.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())

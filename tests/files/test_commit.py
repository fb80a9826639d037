"""Renames that all happen or none, whichever system call fails."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pyvocsep.files import commit
from pyvocsep.files.commit import rename_all, sync_file

CALLS = ("link", "rename", "replace", "unlink", "open", "fsync", "close")


class Failing:
    """Counts the calls of functions of `os`, and lets one of them fail."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, error: BaseException, fails: int | None = None
    ) -> None:
        self.count = 0
        self.names: list[str] = []
        self._error, self._fails = error, fails
        for name in CALLS:
            monkeypatch.setattr(os, name, self._wrapped(name, getattr(os, name)))

    def _wrapped(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **options: Any) -> Any:
            self.count += 1
            self.names.append(name)
            if self.count == self._fails:
                raise self._error
            return call(*arguments, **options)

        return wrapped


def prepare(folder: Path, old: tuple[str, ...]) -> list[tuple[Path, Path]]:
    renames = []
    for name in ("vocals", "accompaniment", "third"):
        temporary = folder / f"{name}.part"
        temporary.write_text(f"new {name}")
        if name in old:
            (folder / name).write_text(f"old {name}")
        renames.append((temporary, folder / name))
    return renames


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if not path.name.endswith(".part")}


OLD = [(), ("vocals",), ("accompaniment",), ("vocals", "accompaniment", "third")]


@pytest.mark.parametrize("old", OLD)
def test_all_are_renamed(old, tmp_path) -> None:
    rename_all(prepare(tmp_path, old))
    assert contents(tmp_path) == {name: f"new {name}" for name in ("vocals", "accompaniment", "third")}
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize(
    "error", [OSError(errno.EIO, "Input/output error"), KeyboardInterrupt()], ids=["error", "interrupt"]
)
@pytest.mark.parametrize("old", OLD)
def test_whichever_call_fails(old, error, links, tmp_path) -> None:
    """Old or new, but never some of both, and no other file is left."""
    fails = 0
    while True:
        fails += 1
        folder = tmp_path / str(fails)
        folder.mkdir()
        renames = prepare(folder, old)
        before = contents(folder)
        raised: BaseException | None = None
        with pytest.MonkeyPatch.context() as patch:
            if not links:
                patch.setattr(os, "link", no_links)
            calling = Failing(patch, error, fails)
            try:
                rename_all(renames)
            except (OSError, KeyboardInterrupt) as caught:
                raised = caught
        if calling.count < fails:
            break  # all have had their turn
        after, call = contents(folder), calling.names[fails - 1]
        left = [name for name in after if name.startswith(".")]
        assert len(left) <= (call == "unlink")  # what could not be removed
        for name in left:
            del after[name]
        whole = {name: f"new {name}" for name in ("vocals", "accompaniment", "third")}
        is_late = call == "unlink"  # all targets are named by then
        assert after == (whole if raised is None or is_late else before), calling.names
        assert raised is None or type(raised) is type(error)
        if call == "replace":
            assert raised is not None
            assert error is raised or str(folder) in str(raised)
    assert fails > 6


def no_links(*_: object, **__: object) -> None:
    raise OSError(errno.EPERM, "Operation not permitted")


def test_a_folder_in_the_way(tmp_path) -> None:
    renames = prepare(tmp_path, ("vocals",))
    (tmp_path / "third").mkdir()
    with pytest.raises(IsADirectoryError, match="third"):
        rename_all(renames)
    assert (tmp_path / "vocals").read_text() == "old vocals"
    assert not (tmp_path / "accompaniment").exists()


def test_the_folder_is_synced_after_the_renames(tmp_path, monkeypatch) -> None:
    calling = Failing(monkeypatch, OSError())
    rename_all(prepare(tmp_path, ()))
    assert calling.names == ["replace", "replace", "replace", "open", "fsync", "close"]


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOTSUP])
def test_a_file_system_that_cannot_sync(code, monkeypatch) -> None:
    monkeypatch.setattr(commit.os, "fsync", lambda _: (_ for _ in ()).throw(OSError(code, "no")))
    sync_file(0)


def test_a_disk_that_fails_to_sync(monkeypatch) -> None:
    monkeypatch.setattr(commit.os, "fsync", lambda _: (_ for _ in ()).throw(OSError(errno.EIO, "broken")))
    with pytest.raises(OSError, match="broken"):
        sync_file(0)

"""The system refuses, at every call in turn: all stems or none, and the error says where."""

from __future__ import annotations

import errno
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import pyvocsep
from pyvocsep.files.raw_file import RawFile
from pyvocsep.files.source import Source

CALLS: list[tuple[Any, str]] = [
    *((os, name) for name in ("mkdir", "stat", "open", "fsync", "close")),
    *((os, name) for name in ("link", "rename", "replace", "unlink")),
    (RawFile, "__init__"),
    (Source, "read"),
]
WRITES = "pyvocsep.files.raw_file.memoryview"  # what RawFile.write does first, inside its guard


@contextmanager
def watched(happens: Callable[[int, str, tuple[Any, ...]], None]) -> Iterator[None]:
    """Call `happens(number, name, arguments)` before each call that changes or reads files."""
    count = 0

    def before(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            happens(count, name, arguments)
            return call(*arguments, **options)

        return wrapped

    with pytest.MonkeyPatch.context() as patch:
        for owner, name in CALLS:
            patch.setattr(owner, name, before(name, getattr(owner, name)))
        patch.setattr(WRITES, before("write", memoryview), raising=False)
        yield


@pytest.fixture
def songs(tmp_path: Path, mixture) -> tuple[Path, Path]:
    """A song, and another one of the same name."""
    for seed in (0, 1):
        (tmp_path / str(seed)).mkdir()
        soundfile.write(tmp_path / str(seed) / "song.wav", mixture(5000, seed=seed).T, 44_100)
    return tmp_path / "0/song.wav", tmp_path / "1/song.wav"


def contents(folder: Path) -> dict[str, bytes]:
    """The samples of the files in a folder; a header may hold the time."""
    paths = folder.iterdir() if folder.exists() else ()
    return {path.name: samples(path) for path in paths}


def samples(path: Path) -> bytes:
    try:
        return bytes(soundfile.read(path)[0].data)
    except soundfile.LibsndfileError:
        return b"not whole: " + path.read_bytes()


@pytest.mark.parametrize("format", ["wav", "flac", "mp3"])
@pytest.mark.parametrize("has_old", [False, True])
def test_every_call_fails_in_turn(has_old, format, songs, tmp_path, model) -> None:
    first, second = songs

    def separate(song: Path, folder: Path) -> None:
        pyvocsep.process(song, model=model, output_dir=folder, format=format)

    separate(second, tmp_path / "new")
    separate(first, tmp_path / "old")
    new = contents(tmp_path / "new")
    names: list[str] = []
    for turn in range(1, 10_000):
        folder = tmp_path / f"turn-{turn}"
        if has_old:
            shutil.copytree(tmp_path / "old", folder)
        old, names, raised = contents(folder), [], None

        def fail(
            number: int,
            name: str,
            arguments: tuple[Any, ...],
            turn: int = turn,
            names: list[str] = names,
        ) -> None:
            names.append(name)
            if number == turn:  # the system names the file, where it is given a name
                path = arguments[0] if isinstance(arguments[0], str | os.PathLike) else None
                raise OSError(errno.EIO, "Input/output error", path and os.fspath(path))

        try:
            with watched(fail):
                separate(second, folder)
        except OSError as error:
            raised = error
        if len(names) < turn:
            break  # all have had their turn
        call, found = names[turn - 1], contents(folder)
        if call == "unlink":  # what cannot be removed stays, hidden
            found = {name: data for name, data in found.items() if not name.startswith(".")}
        assert found == (new if raised is None else old), (turn, call, raised)
        if raised is not None and call != "close":
            assert raised.filename is not None, (turn, call)
    assert {"fsync", "replace", "write", "read", "__init__"} <= set(names)
    assert ("link" in names) is has_old


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="POSIX processes")
@pytest.mark.parametrize("has_old", [False, True])
def test_killed_before_every_call(has_old, songs, tmp_path, model) -> None:
    """A name stands for a whole file, before or after; none is lost, and the next run is not disturbed."""
    first, second = songs

    def separate(song: Path, folder: Path) -> None:
        pyvocsep.process(song, model=model, output_dir=folder)

    separate(second, tmp_path / "new")
    separate(first, tmp_path / "old")
    new = contents(tmp_path / "new")
    for turn in range(1, 10_000):
        folder = tmp_path / f"turn-{turn}"
        if has_old:
            shutil.copytree(tmp_path / "old", folder)
        old = contents(folder)

        def kill(number: int, name: str, arguments: tuple[Any, ...], turn: int = turn) -> None:
            if number == turn:
                os.kill(os.getpid(), signal.SIGKILL)

        child = os.fork()
        if child == 0:
            with watched(kill):
                separate(second, folder)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        visible = {name: data for name, data in contents(folder).items() if not name.startswith(".")}
        assert set(old) <= set(visible)
        assert all(data in (old.get(name), new[name]) for name, data in visible.items())
        if status == 0:
            break
        separate(second, folder)
        assert contents(folder).items() >= new.items()
    assert turn > 20


def test_a_song_that_shrinks_while_it_is_read(tmp_path, model, mixture) -> None:
    song = tmp_path / "song.wav"
    soundfile.write(song, mixture(44_100 * 5).T, 44_100)

    def cut(done: float, total: float) -> None:
        if done > 0:
            os.truncate(song, 100_000)

    with pytest.warns(pyvocsep.IncompleteWarning, match=r"song\.wav: cut short or damaged: only "):
        stems = pyvocsep.process(song, model=model, progress=cut)
    assert 0 < stems.vocals.shape[1] < 44_100 * 5


def test_a_song_that_is_deleted_while_it_is_read(tmp_path, model, mixture) -> None:
    song = tmp_path / "song.wav"
    soundfile.write(song, mixture(44_100 * 3).T, 44_100)
    stems = pyvocsep.process(song, model=model, progress=lambda done, _: song.unlink(missing_ok=True))
    assert stems.vocals.shape == (2, 44_100 * 3)


def test_a_folder_that_is_deleted_meanwhile(tmp_path, model, mixture) -> None:
    song, out = tmp_path / "song.wav", tmp_path / "out"
    soundfile.write(song, mixture(44_100 * 2).T, 44_100)

    def remove(done: float, total: float) -> None:
        for path in out.glob(".*"):
            path.unlink()
        if out.exists():
            out.rmdir()

    with pytest.raises(FileNotFoundError, match=r"song\.vocals\.wav"):
        pyvocsep.process(song, model=model, output_dir=out, progress=remove)


def test_somebody_else_is_quicker(tmp_path, model, mixture) -> None:
    song = tmp_path / "song.wav"
    soundfile.write(song, mixture(44_100 * 2).T, 44_100)

    def write(done: float, total: float) -> None:
        (tmp_path / "song.accompaniment.wav").write_text("mine")

    with pytest.raises(FileExistsError, match=r"song\.accompaniment\.wav"):
        pyvocsep.process(song, model=model, output_dir=tmp_path, progress=write)
    assert (tmp_path / "song.accompaniment.wav").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["song.accompaniment.wav", "song.wav"]


def test_files_of_devices(model) -> None:
    for path in ("/dev/null", "/dev/zero"):
        if os.path.exists(path):
            with pytest.raises(pyvocsep.AudioFileError, match="the file is empty"):
                pyvocsep.process(path, model=model)


def test_old_stems_keep_their_samples(songs, tmp_path, model) -> None:
    """What a rename replaces is replaced as a whole: a player that has it open plays on."""
    first, second = songs
    pyvocsep.process(first, model=model, output_dir=tmp_path / "out")
    with soundfile.SoundFile(tmp_path / "out/song.vocals.wav") as playing:
        pyvocsep.process(second, model=model, output_dir=tmp_path / "out")
        np.testing.assert_array_equal(
            playing.read(dtype="float32").T, pyvocsep.process(first, model=model).vocals
        )

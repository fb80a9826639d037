"""Folders on several file systems behave as one kind."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import soundfile

import pyvocsep
from pyvocsep.corpus.errors import CorpusError
from pyvocsep.corpus.places import Place


@pytest.fixture(params=["local", "memory"])
def place(request: Any, tmp_path: Path) -> Any:
    """A folder, local or in fsspec's memory, which stands for every remote one that can rename."""
    if request.param == "local":
        yield Place(str(tmp_path / "place"))
        return
    place = Place("memory://place")
    yield place
    place.remove("")


def test_what_is_written_is_found(place: Place) -> None:
    place.write("a/b/one.txt", b"1")
    place.write("two.txt", b"22")
    place.write(".hidden/three.txt", b"3")
    place.write("two.txt", b"222")
    assert place.read("two.txt") == b"222"
    assert {(entry.path, entry.size) for entry in place.find()} == {("a/b/one.txt", 1), ("two.txt", 3)}
    assert place.names(".hidden") == ["three.txt"]
    assert place.names("nowhere") == []
    place.sweep()
    assert not [name for name in place.fs.find(place.root) if "pyvocsep" in name]
    place.remove("a")
    place.remove("a")
    assert [entry.path for entry in place.find()] == ["two.txt"]
    with pytest.raises(FileNotFoundError):
        place.read("a/b/one.txt")


def test_a_changed_file_has_another_version(place: Place) -> None:
    place.write("song.wav", b"1")
    (before,) = place.find()
    place.write("song.wav", b"22")
    (after,) = place.find()
    assert before.version != after.version


def test_files_are_fetched_and_published(place: Place) -> None:
    place.write("a/song.wav", b"sound")
    with place.fetched("a/song.wav") as file, place.parts_folder() as folder:
        assert file.name == "song.wav"
        assert file.read_bytes() == b"sound"
        part = folder / "vocals.wav"
        part.write_bytes(b"voice")
        assert not place.fs.exists(place.full("out/song.vocals.wav"))
        place.publish({part: "out/song.vocals.wav"})
    assert place.read("out/song.vocals.wav") == b"voice"
    assert not folder.exists()
    assert sorted(entry.path for entry in place.find()) == ["a/song.wav", "out/song.vocals.wav"]


def test_only_files_of_pyvocsep_are_replaced(place: Place, tmp_path: Path, model: Path, mixture: Any) -> None:
    soundfile.write("song.wav", mixture(300_000).T, 44_100)
    for format in ("wav", "flac", "ogg", "mp3", "aiff"):
        stems = pyvocsep.process("song.wav", model=model, output_dir="stems", format=format)
        place.write(f"ours.{format}", stems["vocals"].read_bytes())
        place.check_replaceable(f"ours.{format}")
    place.write("theirs.wav", Path("song.wav").read_bytes())
    place.check_replaceable("nothing.wav")
    with pytest.raises(FileExistsError, match="pyvocsep did not write it"):
        place.check_replaceable("theirs.wav")


def test_a_place_means_the_same_in_another_process(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "sub").mkdir()
    place = Place("sub").absolute()
    monkeypatch.chdir("/")
    again = pickle.loads(pickle.dumps(place))
    assert again.is_local
    assert Path(again.root) == tmp_path / "sub"
    assert Place("memory://x").absolute() == Place("memory://x")


@pytest.mark.parametrize(
    ("outer", "inner", "contains"),
    [
        ("music", "music", True),
        ("music", "music/a", True),
        ("music/a", "music", False),
        ("music", "music2", False),
        ("music", "./x/../music/a", True),
        ("memory://music", "memory://music/a", True),
        ("memory://music", "music/a", False),
    ],
)
def test_one_place_in_another(outer: str, inner: str, contains: bool) -> None:
    assert Place(outer).contains(Place(inner)) is contains


def test_a_link_is_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "music/a").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "music")
    assert Place("music").contains(Place("link/a"))


def test_a_folder_that_is_not_there() -> None:
    with pytest.raises(FileNotFoundError, match="no such folder"):
        list(Place("nowhere").find())


def test_an_unknown_protocol_is_named() -> None:
    with pytest.raises(CorpusError, match=r"nonsense://x: .*nonsense"):
        Place("nonsense://x").root  # noqa: B018

"""What a worker does with one recording is `process`, from any place to any place."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import soundfile

import pyvocsep
from corpus.conftest import contents, samples, small_disk
from pyvocsep.corpus.outcome import Status
from pyvocsep.corpus.places import Place
from pyvocsep.corpus.recordings import list_recordings
from pyvocsep.corpus.settings import Settings
from pyvocsep.corpus.work import Task, separate

FORMATS = [(None, None), ("flac", "PCM_16"), ("mp3", None)]


def outcomes(source: Place, target: Place, settings: Settings) -> dict[str, Any]:
    listing = list_recordings(source, target, settings)
    task = Task(source, target, settings)
    return {each.source: separate(each, task, settings.model) for each in listing.recordings}


def copy(folder: Path, place: Place) -> None:
    for name, data in contents(folder).items():
        place.write(name, data)


@pytest.fixture
def memory() -> Iterator[Place]:
    place = Place("memory://corpus")
    yield place
    place.remove("")


@pytest.mark.parametrize(("format", "subtype"), FORMATS)
def test_the_stems_are_those_of_process(
    songs: Path, settings: Settings, model: Path, format: str | None, subtype: str | None
) -> None:
    made = outcomes(Place("songs"), Place("stems"), replace(settings, format=format, subtype=subtype))
    assert made.pop("not.mp3").status is Status.FAILED
    assert made["cut.wav"].is_incomplete
    for name, outcome in made.items():
        assert outcome.status is Status.DONE
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            folder = Path("expected", name).parent
            stems = pyvocsep.process(
                songs / name, model=model, output_dir=folder, format=format, subtype=subtype
            )
        assert len(outcome.notes) == len(caught)
        assert outcome.sizes == {stem: path.stat().st_size for stem, path in stems.items()}
    assert samples(Path("stems")) == samples(Path("expected"))


def test_any_file_system_will_do(songs: Path, settings: Settings, memory: Place) -> None:
    outcomes(Place("songs"), Place("stems"), settings)
    copy(songs, memory)
    source, target = Place("memory://corpus/a"), Place("memory://corpus/out")
    assert {each.status for each in outcomes(source, target, settings).values()} == {Status.DONE}
    for entry in target.find():
        Place("back").write(entry.path, target.read(entry.path))
    assert samples(Path("back")) == samples(Path("stems/a"))
    assert not [name for name in target.fs.find(target.root) if "pyvocsep" in name]


def test_reasons_and_notes_name_no_temporary_file(songs: Path, settings: Settings, memory: Place) -> None:
    copy(songs, memory)
    made = outcomes(memory, Place("stems"), settings)
    texts = [made["not.mp3"].reason, *made["cut.wav"].notes]
    assert len(texts) == 2
    assert "not an audio file" in texts[0]
    assert "cut short" in texts[1]
    assert not [text for text in texts if "/pyvocsep-" in text or ".pyvocsep-corpus" in text]


def test_what_others_wrote_stays(songs: Path, settings: Settings) -> None:
    Path("stems").mkdir()
    soundfile.write("stems/one.vocals.wav", [0.1], 44_100)
    before = contents(Path("stems"))
    made = outcomes(Place("songs"), Place("stems"), settings)["one.wav"]
    assert made.status is Status.FAILED
    assert "pyvocsep did not write it" in made.reason
    assert before.items() <= contents(Path("stems")).items()
    assert "one.accompaniment.wav" not in contents(Path("stems"))


@pytest.mark.parametrize("size", ["40k", "100k"])
def test_a_full_disk_leaves_nothing(songs: Path, settings: Settings, tmp_path: Path, size: str) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk, size):
        made = outcomes(Place("songs/a/b"), Place(str(disk)), settings)
        assert made["five.aiff"].status is Status.FULL
        assert made["five.aiff"].reason.endswith("no space left on device")
        assert contents(disk) == {}

"""The manifest keeps what it was told, through crashes, and refuses what is not one."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from corpus.conftest import recording
from pyvocsep.corpus.errors import CorpusError
from pyvocsep.corpus.manifest import Manifest, Record
from pyvocsep.corpus.outcome import Outcome, Status
from pyvocsep.corpus.places import Place
from pyvocsep.corpus.settings import Settings

SIZES = {"vocals": 10, "accompaniment": 20}


def done(settings: Settings, source: str = "song.wav", version: str = "1", audio_s: float = 1.0) -> Record:
    outcome = Outcome(Status.DONE, sizes=SIZES, audio_s=audio_s)
    return Record.of(recording(source, version), settings.fingerprint, outcome, 1)


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from(["a.wav", "b.wav", "ü\udcff.wav"]), st.floats(0, 1e6)),
        st.tuples(st.sampled_from(["keep", "finish", "crash"])),
    ),
    max_size=12,
)


@settings_of_hypothesis(max_examples=30)
@given(events=EVENTS)
def test_after_any_crash_it_knows_what_was_kept(events, settings) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder)
        manifest, kept = Manifest(place, settings), {}
        for event in events:
            if event[0] == "add":
                manifest.add(done(settings, event[1], audio_s=event[2]))
            elif event[0] == "crash":
                manifest = Manifest(place, settings)
                assert manifest.records == kept
            else:
                manifest.keep(at_once=True) if event[0] == "keep" else manifest.finish()
                assert manifest.unwritten == 0
                kept = dict(manifest.records)
        assert Manifest(place, settings).records == kept


def test_many_records_become_one_file(settings: Settings, tmp_path: Path) -> None:
    manifest = Manifest(Place(str(tmp_path)), settings)
    for number in range(2500):
        manifest.add(done(settings, f"{number:04}.wav"))
        if number % 400 == 0:
            manifest.keep(at_once=True)
    segments = list(tmp_path.glob(".pyvocsep-corpus/manifest/*"))
    assert 1 < len(segments) < 5
    manifest.finish()
    Place(str(tmp_path)).sweep()
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.jsonl"]
    lines = [json.loads(line) for line in (tmp_path / "manifest.jsonl").read_text().splitlines()]
    assert lines[0]["model_digest"] == settings.model_digest
    assert [line["source"] for line in lines[1:]] == [f"{number:04}.wav" for number in range(2500)]


def test_writing_takes_a_small_share_of_the_time(settings: Settings, tmp_path: Path) -> None:
    manifest = Manifest(Place(str(tmp_path)), settings)
    manifest.add(done(settings))
    manifest.keep()
    assert manifest.unwritten == 0
    manifest._writing_took = 1e6  # of a very slow place
    manifest.add(done(settings, "other.wav"))
    manifest.keep()
    assert manifest.unwritten == 1
    manifest.keep(at_once=True)
    assert manifest.unwritten == 0


def test_finishing_twice_changes_nothing(settings: Settings, tmp_path: Path) -> None:
    manifest = Manifest(Place(str(tmp_path)), settings)
    manifest.add(done(settings))
    manifest.finish()
    before = (tmp_path / "manifest.jsonl").read_bytes()
    Manifest(Place(str(tmp_path)), settings).finish()
    assert (tmp_path / "manifest.jsonl").read_bytes() == before


def test_what_counts_as_done(settings: Settings) -> None:
    record, mark = done(settings), settings.fingerprint
    there = {"song.vocals.wav": 10, "song.accompaniment.wav": 20, "else.wav": 1}
    assert record.is_done(recording(), mark, there)
    assert not record.is_done(recording(version="2"), mark, there)
    assert not record.is_done(recording(), "other", there)
    assert not record.is_done(recording(), mark, {**there, "song.vocals.wav": 9})
    assert not record.is_done(recording(), mark, {"song.vocals.wav": 10})
    assert not record.is_done(replace(recording(), outputs={"vocals": "song.vocals.wav"}), mark, there)
    failed = Record.of(recording(), mark, Outcome(Status.FAILED, "no audio"), 1)
    assert not failed.is_done(recording(), mark, there)


@pytest.mark.parametrize(
    "text", ["hello\n", "{}\n", "[1]\n", '{"source": "x", "nonsense": 1}\n', '{"settings": ']
)
def test_another_file_of_this_name_is_left_alone(text: str, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "manifest.jsonl").write_text(text)
    with pytest.raises(CorpusError, match=r"manifest\.jsonl: line 1 is not of a manifest"):
        Manifest(Place(str(tmp_path)), settings)
    assert (tmp_path / "manifest.jsonl").read_text() == text

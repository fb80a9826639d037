"""What is listed, in which order, and what it becomes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pyvocsep.corpus.errors import CorpusError
from pyvocsep.corpus.places import Place
from pyvocsep.corpus.recordings import list_recordings
from pyvocsep.corpus.settings import Settings


def make(*names: str, size: int = 1) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"x" * size)


def test_the_longest_come_first(settings: Settings) -> None:
    make("src/short.wav", size=100)
    make("src/long.mp3", size=90)  # a byte of MP3 lasts longer than one of WAV
    make("src/longest.MP3", size=91)
    listing = list_recordings(Place("src"), Place("dst"), settings)
    assert [each.source for each in listing.recordings] == ["longest.MP3", "long.mp3", "short.wav"]


def test_the_tree_is_kept(settings: Settings) -> None:
    make("src/a/b/song.flac", "src/a/notes.txt", "src/README", "src/.git/x.wav")
    listing = list_recordings(Place("src"), Place("dst"), settings)
    (song,) = listing.recordings
    assert song.outputs == {
        "vocals": "a/b/song.vocals.wav",
        "accompaniment": "a/b/song.accompaniment.wav",
    }
    assert listing.ignored == {"txt": 1, "": 1}
    by_stem = replace(settings, name_pattern="{stem}/{name}", format="flac", stems=("vocals",))
    (song,) = list_recordings(Place("src"), Place("dst"), by_stem).recordings
    assert song.outputs == {"vocals": "a/b/vocals/song.flac"}


def test_recordings_that_would_share_a_stem_are_refused(settings: Settings) -> None:
    make("src/song.wav", "src/song.mp3", "src/other.wav", "src/a/song.wav")
    listing = list_recordings(Place("src"), Place("dst"), settings)
    assert {each.source for each in listing.recordings} == {"other.wav", "a/song.wav"}
    assert {each.source for each, _ in listing.refused} == {"song.wav", "song.mp3"}
    assert all("song.mp3 and song.wav would both become" in reason for _, reason in listing.refused)


def test_stems_inside_the_source_are_no_recordings(settings: Settings) -> None:
    make("src/song.wav", "src/stems/song.vocals.wav", "src/stems2/x.wav")
    listing = list_recordings(Place("src"), Place("src/stems"), settings)
    assert {each.source for each in listing.recordings} == {"song.wav", "stems2/x.wav"}


@pytest.mark.parametrize("target", ["src", "./src", "."])
def test_stems_around_the_source_are_refused(settings: Settings, target: str) -> None:
    make("src/song.wav")
    with pytest.raises(CorpusError, match="choose another"):
        list_recordings(Place("src"), Place(target), settings)


@pytest.mark.parametrize("pattern", ["../{stem}", "/{stem}", "a/../../{stem}"])
def test_a_pattern_that_leads_out_is_refused(settings: Settings, pattern: str) -> None:
    make("src/song.wav")
    with pytest.raises(ValueError, match="leads out"):
        list_recordings(Place("src"), Place("dst"), replace(settings, name_pattern=pattern))


def test_a_fingerprint_is_of_what_decides_the_samples(settings: Settings, model: Path) -> None:
    elsewhere = Path("copy.safetensors")
    elsewhere.write_bytes(model.read_bytes())
    assert Settings.of(str(elsewhere)).fingerprint == settings.fingerprint
    others = [
        replace(settings, precision="bfloat16"),
        replace(settings, stems=("vocals",)),
        replace(settings, format="flac"),
        replace(settings, model_digest="0"),
        replace(settings, strict=True),
    ]
    assert len({each.fingerprint for each in [settings, *others]}) == 6

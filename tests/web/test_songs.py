"""A song is what `process` makes of it; what cannot be separated is a sentence."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import Mixture

import pyvocsep
from pyvocsep.web import memory_file
from pyvocsep.web.jobs import Refusal
from pyvocsep.web.songs import Request, Song, separate

from .conftest import RATE, Encode


def ignore(done_s: float, total_s: float) -> None:
    pass


def separated(name: str, data: bytes, max_minutes: float = 1.0) -> Song:
    return separate(Request(name, data, "band-gru", "float32"), max_minutes, ignore)


@pytest.mark.parametrize("format", ["WAV", "FLAC", "MP3", "OGG", "AIFF"])
def test_every_format_is_separated_as_process_does(
    format: str, mixture: Mixture, encode: Encode, tmp_path: Path
) -> None:
    data = encode(mixture(RATE), format=format)
    path = tmp_path / "song"
    path.write_bytes(data)
    song, expected = separated(f"a.song.{format.lower()}", data), pyvocsep.process(path, model="band-gru")
    assert song.name == "a.song"
    np.testing.assert_array_equal(song.stems.vocals, expected.vocals)
    np.testing.assert_array_equal(song.stems.accompaniment, expected.accompaniment)
    assert song.nbytes == 2 * expected.vocals.nbytes
    assert song.seconds == pytest.approx(expected.vocals.shape[1] / RATE)
    assert song.peak == max(np.abs(expected.vocals).max(), np.abs(expected.accompaniment).max())


def test_refusals_are_sentences(mixture: Mixture, encode: Encode) -> None:
    cases = {
        "text.mp3": (b"this is no music " * 100, "(?i)not an audio file"),
        "empty.wav": (b"", "(?i)empty"),
        "surround.wav": (encode(np.zeros((6, RATE), np.float32)), "6 channels"),
        "silent.flac": (encode(np.zeros((2, RATE), np.float32), format="FLAC"), "silent"),
        "slow.wav": (encode(mixture(4_000), rate=4_000), "4000 Hz"),
        "long.wav": (encode(mixture(3 * RATE)), r"lasts 0\.1 minutes; this page takes up to 0\.01"),
    }
    for name, (data, reason) in cases.items():
        with pytest.raises(Refusal, match=reason) as refusal:
            separated(name, data, max_minutes=0.01 if name == "long.wav" else 1.0)
        sentence = str(refusal.value)
        assert sentence.startswith(name), sentence
        assert sentence.endswith("."), sentence
        assert "/proc" not in sentence
    assert "--max-minutes" in sentence


def test_a_damaged_song_says_so(mixture: Mixture, encode: Encode) -> None:
    song = separated("cut.flac", encode(mixture(2 * RATE), format="FLAC")[:60_000])
    assert song.stems.vocals.any()
    assert len(song.notes) == 1
    assert song.notes[0].startswith("cut.flac")
    assert "/proc" not in song.notes[0]


def test_too_long_is_refused_before_the_work(mixture: Mixture, encode: Encode) -> None:
    reports: list[float] = []
    request = Request("long.wav", encode(mixture(3 * RATE)), "band-gru", "float32")
    with pytest.raises(Refusal):
        separate(request, 0.01, lambda done_s, total_s: reports.append(done_s))
    assert reports == []


def test_warnings_become_notes_of_their_own_song(mixture: Mixture, encode: Encode) -> None:
    bad = mixture(RATE)
    bad[0, 100] = np.nan
    data = {"good.wav": encode(mixture(RATE), subtype="FLOAT"), "bad.wav": encode(bad, subtype="FLOAT")}
    songs: dict[str, Song] = {}
    threads = [
        threading.Thread(target=lambda name=name: songs.update({name: separated(name, data[name])}))
        for name in data
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert songs["good.wav"].notes == ()
    (note,) = songs["bad.wav"].notes
    assert note.startswith("bad.wav")
    assert "1 samples" in note or "1 sample" in note


def test_requests_are_told_apart_by_content_and_settings() -> None:
    key = Request("a.wav", b"x", "gru", "float32").key
    assert Request("a.wav", b"x", "gru", "float32").key == key
    assert Request("a.wav", b"y", "gru", "float32").key != key
    assert Request("a.wav", b"x", "cnn", "float32").key != key
    assert Request("a.wav", b"x", "gru", "int8").key != key


@pytest.mark.parametrize(
    ("name", "title"),
    [("C:\\music\\a b.mp3", "a b"), ("../../etc/x.wav", "x"), (".wav", ".wav"), ("", "recording")],
)
def test_titles(name: str, title: str) -> None:
    assert Request(name, b"", "gru", "float32").title == title


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_an_uploaded_file_leaves_nothing_behind(
    platform: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mixture: Mixture, encode: Encode
) -> None:
    if platform == "linux" and not hasattr(os, "memfd_create"):
        pytest.skip("Linux only")
    monkeypatch.setattr(memory_file.sys, "platform", platform)
    monkeypatch.setattr(memory_file.tempfile, "tempdir", str(tmp_path))
    data = encode(mixture(1000))
    with memory_file.memory_file(data) as path:
        assert path.read_bytes() == data
        assert soundfile.info(path).frames == 1000
        assert (tmp_path in path.parents) == (platform == "darwin")
    assert not path.exists()
    assert list(tmp_path.iterdir()) == []


def test_every_token_may_be_part_of_a_component_key() -> None:
    stems = pyvocsep.Stems(np.zeros((1, 1), np.float32), np.zeros((1, 1), np.float32), RATE)
    tokens = {Song("a", stems).token for _ in range(5000)}
    assert len(tokens) == 5000
    assert all(re.fullmatch("[0-9a-f]{32}", token) for token in tokens)

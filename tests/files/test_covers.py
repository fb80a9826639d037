"""Cover art and album artist go along, read again by this package and by FFmpeg."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from specimens import encoded

import pyvocsep
from pyvocsep.files.covers import Cover
from pyvocsep.files.reader import AudioReader

RATE = 44_100
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 300 + b"\xff\x00\xff\xe0"
COVER = Cover("image/png", PICTURE)
ARTIST = "Björk & 友達"


def synchsafe(size: int) -> bytes:
    return bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))


def id3(version: int, encoding: int, *, unsynchronised: bool = False) -> bytes:
    """A tag with both, of a version of ID3v2, its texts in one of the four encodings."""
    text = ARTIST.encode(("latin-1", "utf-16", "utf-16-be", "utf-8")[encoding], "replace")
    end = b"\0\0" if encoding in (1, 2) else b"\0"
    mark = bytes([encoding])
    picture = mark + (b"PNG" if version == 2 else b"image/png\0") + b"\x03" + b"" + end + PICTURE
    back = mark + (b"JPG" if version == 2 else b"image/jpeg\0") + b"\x04" + end + b"the back"
    body = b""
    for name, data in ((b"TPE2", mark + text), (b"APIC", picture), (b"APIC", back)):
        if version == 2:
            body += {b"TPE2": b"TP2", b"APIC": b"PIC"}[name] + len(data).to_bytes(3, "big") + data
        else:
            size = synchsafe(len(data)) if version == 4 else len(data).to_bytes(4, "big")
            body += name + size + b"\0\0" + data
    if unsynchronised:
        body = body.replace(b"\xff", b"\xff\0")
    return (
        b"ID3" + bytes([version, 0, 0x80 if unsynchronised else 0]) + synchsafe(len(body)) + body + bytes(0)
    )


@pytest.fixture
def audio(mixture) -> np.ndarray:
    return mixture(30_000)


@pytest.mark.parametrize("version", [2, 3, 4])
@pytest.mark.parametrize("encoding", [0, 1, 2, 3])
def test_every_version_of_id3_is_read(version, encoding, audio) -> None:
    data = encoded(audio, "MP3")
    data = data[data.index(b"\xff\xfb") :]
    with AudioReader(io.BytesIO(id3(version, encoding) + data)) as reader:
        assert reader.cover == COVER
        assert reader.tags["albumartist"] == (
            ARTIST if encoding else ARTIST.encode("latin-1", "replace").decode("latin-1")
        )
    with AudioReader(io.BytesIO(data)) as reader:
        assert reader.cover is None
        assert "albumartist" not in reader.tags


def test_an_unsynchronised_tag(audio) -> None:
    data = encoded(audio, "MP3")
    with AudioReader(io.BytesIO(id3(3, 3, unsynchronised=True) + data[data.index(b"\xff\xfb") :])) as reader:
        assert reader.cover == COVER


def of_ffmpeg(path: Path) -> tuple[bytes | None, str | None]:
    """Picture and album artist of a file, as FFmpeg reads them."""
    av = pytest.importorskip("av", reason="needs PyAV: pip install '.[av]'")
    with av.open(str(path)) as container:
        tags = {key.lower(): text for key, text in container.metadata.items()}
        pictures = [bytes(packet) for packet in container.demux(video=0)] if container.streams.video else []
        return (pictures[0] if pictures else None), tags.get("album_artist")


@pytest.mark.parametrize("source", ["mp3", "flac"])
@pytest.mark.parametrize("format", ["mp3", "flac", "wav", "aiff"])
def test_both_go_along(source, format, audio, model) -> None:
    data = encoded(audio, "MP3")
    Path("song.mp3").write_bytes(id3(4, 3) + data[data.index(b"\xff\xfb") :])
    if source == "flac":  # made by this package, and then read
        pyvocsep.process(
            "song.mp3", model=model, output_dir=".", stems=["vocals"], format="flac", name_pattern="song"
        )
    written = pyvocsep.process(f"song.{source}", model=model, output_dir="out", format=format)
    for path in written.values():
        assert of_ffmpeg(path) == (PICTURE, ARTIST)
        with soundfile.SoundFile(path) as sound:
            assert sound.software.startswith("pyvocsep")
        with AudioReader(path) as reader:
            assert reader.frames == soundfile.info(f"song.{source}").frames
            assert reader.faults == ()
    stems = pyvocsep.process(f"song.{source}", model=model)
    if format in ("flac", "wav", "aiff"):
        found = soundfile.read(written["vocals"], dtype="float32")[0].T
        np.testing.assert_allclose(found, stems.vocals, rtol=0, atol=2**-15)


def test_open_files_get_them_too(audio, model) -> None:
    data = encoded(audio, "MP3")
    memory = io.BytesIO()
    source = io.BytesIO(id3(4, 3) + data[data.index(b"\xff\xfb") :])
    pyvocsep.process(source, model=model, outputs={"vocals": memory}, format="flac")
    Path("vocals.flac").write_bytes(memory.getvalue())
    assert of_ffmpeg(Path("vocals.flac")) == (PICTURE, ARTIST)

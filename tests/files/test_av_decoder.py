"""What FFmpeg decodes: M4A, WMA, WebM, video; and what is said where PyAV is not installed."""

from __future__ import annotations

import io
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import pyvocsep
from pyvocsep.files.reader import AudioReader

RATE = 48_000
FRAMES = 100_000


def encoded(
    audio: np.ndarray,
    container: str,
    codec: str,
    format: str,
    tags: dict[str, str] | None = None,
    video: bool = False,
) -> bytes:
    """A file of stereo sound, as PyAV encodes it."""
    av = pytest.importorskip("av", reason="needs PyAV: pip install '.[av]'")
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        output.metadata.update(tags or {})
        if video:
            pictures = output.add_stream("mpeg4", rate=25)
            pictures.width = pictures.height = 64
            pictures.pix_fmt = "yuv420p"
        stream = output.add_stream(codec, rate=RATE, layout="stereo", format=format)
        stream.bit_rate = 256_000
        if video:
            for _ in range(50):
                picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
                output.mux(pictures.encode(picture))
            output.mux(pictures.encode(None))
        resampler = av.AudioResampler(format=format, layout="stereo", rate=RATE)
        frame = av.AudioFrame.from_ndarray(audio, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = RATE, 0
        fifo, position = av.AudioFifo(), 0
        for part in resampler.resample(frame):
            fifo.write(part)
        while part := fifo.read(stream.codec_context.frame_size or 1024, partial=True):
            part.pts, part.time_base = position, Fraction(1, RATE)
            position += part.samples
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return file.getvalue()


@pytest.fixture
def tones(mixture) -> np.ndarray:
    time = np.arange(FRAMES) / RATE
    return 0.3 * np.stack([np.sin(2 * np.pi * 440 * time**1.2), np.sin(2 * np.pi * 300 * time**1.3)]).astype(
        np.float32
    )


def read(data: Any, length: int = 10_000) -> np.ndarray:
    with AudioReader(data) as reader:
        assert (reader.sample_rate, reader.channels) == (RATE, 2)
        blocks = list(reader.blocks(length))
        assert {block.shape[1] for block in blocks[:-1]} <= {length}
        assert reader.faults == ()
    return np.concatenate(blocks, axis=1)


@pytest.mark.parametrize(
    ("container", "codec", "format", "step"),
    [
        ("ipod", "alac", "s16p", 2**-15),
        ("matroska", "flac", "s16", 2**-15),
        ("mov", "pcm_s16le", "s16", 2**-15),
    ],
)
def test_lossless_formats_keep_the_samples(container, codec, format, step, tones) -> None:
    found = read(io.BytesIO(encoded(tones, container, codec, format)))
    assert found.shape == tones.shape
    np.testing.assert_allclose(found, tones, rtol=0, atol=step)


@pytest.mark.parametrize(
    ("container", "codec", "video"),
    [
        ("ipod", "aac", False),
        ("mp4", "aac", True),
        ("matroska", "aac", True),
        ("adts", "aac", False),
        ("asf", "wmav2", False),
        ("webm", "libopus", False),
    ],
)
def test_lossy_formats_keep_the_sound_and_its_place(container, codec, video, tones) -> None:
    data = encoded(tones, container, codec, "fltp" if codec != "libopus" else "flt", video=video)
    found = read(io.BytesIO(data))
    assert abs(found.shape[1] - FRAMES) <= 3 * 2048
    if container == "asf":  # late by what FFmpeg's own encoder does not say
        assert np.sum(found**2) == pytest.approx(np.sum(tones**2), rel=0.1)
        return
    # Encoders start late; where the container says by how much, the decoder leaves that out.
    late = range(0, 4_097, 1_024) if container == "adts" else range(1)
    common = min(found.shape[1] - 4_096, FRAMES - 4_096)
    expected = tones[:, :common]
    best = max(float(np.vdot(found[:, shift : shift + common], expected)) for shift in late)
    assert best > 0.95 * float(np.vdot(expected, expected))


def test_the_whole_way(tones, model) -> None:
    """From M4A with its tags to stems: by path, open file and pipe."""
    data = encoded(tones, "ipod", "alac", "s16p", {"title": "Tea", "artist": "Two", "album": "For"})
    Path("song.m4a").write_bytes(data)
    expected = pyvocsep.process("song.m4a", model=model)
    assert expected.vocals.shape == (2, FRAMES)
    np.testing.assert_allclose(expected.vocals + expected.accompaniment, tones, rtol=0, atol=2**-14)
    written = pyvocsep.process("song.m4a", model=model, output_dir="out", format="flac")
    with AudioReader(written["vocals"]) as reader:
        assert (reader.frames, reader.sample_rate, reader.channels) == (FRAMES, RATE, 2)
        assert {key: reader.tags[key] for key in ("title", "artist", "album")} == {
            "title": "Tea",
            "artist": "Two",
            "album": "For",
        }

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    np.testing.assert_array_equal(pyvocsep.process(Pipe(data), model=model).vocals, expected.vocals)


def test_files_that_are_cut_short_or_silent_pictures(tones, model) -> None:
    data = encoded(tones, "matroska", "flac", "s16")
    with AudioReader(io.BytesIO(data[: len(data) // 2])) as reader:
        found = np.concatenate(list(reader.blocks(RATE)), axis=1)
        assert 0 < found.shape[1] < FRAMES * 0.6
        assert reader.faults
    np.testing.assert_allclose(found, tones[:, : found.shape[1]], rtol=0, atol=2**-15)
    with pytest.raises(pyvocsep.AudioFileError, match=r"Matroska.*in which FFmpeg finds no sound"):
        pyvocsep.process(io.BytesIO(data[:20]), model=model)
    av = pytest.importorskip("av")
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as output:
        pictures = output.add_stream("mpeg4", rate=25)
        pictures.width = pictures.height = 64
        pictures.pix_fmt = "yuv420p"
        output.mux(
            pictures.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24"))
        )
        output.mux(pictures.encode(None))
    with pytest.raises(pyvocsep.AudioFileError, match=r"Matroska.*without a sound track"):
        pyvocsep.process(file, model=model)


def test_an_error_of_the_system_is_told(tones) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 20_000:
                raise OSError(5, "Input/output error")
            return super().read(size)

    data = encoded(tones, "matroska", "flac", "s16")
    with pytest.raises(OSError, match="Input/output error"), AudioReader(Failing(data)) as reader:
        list(reader.blocks(RATE))


def test_without_the_library_the_error_names_it_and_the_command(monkeypatch, model) -> None:
    monkeypatch.setattr("pyvocsep.files.decoding.can_use_ffmpeg", lambda: False)
    Path("my song.m4a").write_bytes(b"\0\0\0\x18ftypM4A " + bytes(1000))
    with pytest.raises(pyvocsep.AudioFileError) as caught:
        pyvocsep.process("my song.m4a", model=model)
    assert "pip install 'pyvocsep[av]'" in caught.value.reason
    assert "ffmpeg -i 'my song.m4a' 'my song.wav'" in caught.value.reason


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg, to make the file")
def test_the_cover_and_the_album_artist_of_m4a(tones) -> None:
    soundfile.write("song.wav", tones.T, RATE)
    picture = ["-f", "lavfi", "-i", "color=red:s=32x32:d=0.04", "-frames:v", "1"]
    subprocess.run(["ffmpeg", "-v", "error", *picture, "cover.png"], check=True)
    maps = ["-map", "0", "-map", "1", "-c:a", "alac", "-c:v", "copy", "-disposition:v", "attached_pic"]
    command = ["ffmpeg", "-v", "error", "-i", "song.wav", "-i", "cover.png", *maps]
    subprocess.run([*command, "-metadata", "album_artist=We", "song.m4a"], check=True)
    with AudioReader("song.m4a") as reader:
        assert reader.tags["albumartist"] == "We"
        assert reader.cover is not None
        assert (reader.cover.mime, reader.cover.data) == ("image/png", Path("cover.png").read_bytes())
        found = np.concatenate(list(reader.blocks(RATE)), axis=1)
    np.testing.assert_allclose(found, tones, rtol=0, atol=2**-15)

"""Audio files: what is read, what is written, and what is said about those that cannot be."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

import pyvocsep
from pyvocsep.files.formats import SUBTYPES, output_format
from pyvocsep.files.reader import AudioReader
from pyvocsep.files.writer import AudioWriter

LOSSLESS_STEP = {"PCM_S8": 2**-7, "PCM_U8": 2**-7, "PCM_16": 2**-15, "PCM_24": 2**-23, "PCM_32": 2**-23}
MP3_RATES = {8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000}
OPUS_RATES = {8_000, 12_000, 16_000, 24_000, 48_000}


def write(
    path: Path, audio: np.ndarray, rate: int = 44_100, format: str = "wav", subtype: str = "FLOAT", **tags
):
    channels, frames = audio.shape
    with AudioWriter(
        path, rate, channels, format=format, subtype=subtype, frames=frames, tags=tags
    ) as writer:
        for part in np.array_split(audio, 3, axis=1):
            writer.write(part)
        writer.finish()
        writer.commit()
    return path


def read(path: Path, length: int = 10_000) -> np.ndarray:
    with AudioReader(path) as reader:
        return np.concatenate([np.zeros((reader.channels, 0), np.float32), *reader.blocks(length)], axis=1)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000])
@pytest.mark.parametrize(
    ("format", "subtype"), [(format, subtype) for format in SUBTYPES for subtype in SUBTYPES[format]]
)
def test_every_format_keeps_rate_channels_and_length(
    format, subtype, rate, channels, tmp_path, mixture
) -> None:
    path = tmp_path / f"audio.{format}"
    for frames in (1, 1000, 50_021):
        audio = mixture(frames, channels, rate)
        allowed = {"MPEG_LAYER_III": MP3_RATES, "OPUS": OPUS_RATES}.get(subtype)
        if allowed is not None and rate not in allowed:
            with pytest.raises(pyvocsep.AudioFileError, match=rf"audio\.{format}: .*cannot hold {rate} Hz"):
                write(path, audio, rate, format, subtype)
            assert list(tmp_path.iterdir()) == []
            continue
        write(path, audio, rate, format, subtype)
        with AudioReader(path) as reader:
            assert (reader.sample_rate, reader.channels, reader.frames) == (rate, channels, frames)
            assert (reader.format.lower(), reader.subtype) == (format, subtype)
        found = read(path)
        assert found.dtype == np.float32
        assert found.shape == audio.shape
        if subtype in ("FLOAT", "DOUBLE"):
            np.testing.assert_array_equal(found, audio)
        elif subtype in LOSSLESS_STEP:
            np.testing.assert_allclose(found, audio, rtol=0, atol=LOSSLESS_STEP[subtype])
        elif frames > 1000:  # a lossy codec: not the samples, but their energy and their place
            assert np.vdot(found, audio) > 0.5 * np.vdot(audio, audio)


@pytest.mark.parametrize("format", list(SUBTYPES))
@pytest.mark.parametrize(("rate", "channels"), [(48_000, 1), (44_100, 2)])
def test_every_format_goes_through(format, rate, channels, tmp_path, model, mixture) -> None:
    source = write(
        tmp_path / f"song.{format}", mixture(70_003, channels, rate), rate, format, SUBTYPES[format][0]
    )
    written = pyvocsep.process(source, model=model, output_dir=tmp_path / "out", format=format)
    expected = pyvocsep.process(source, model=model)
    assert expected.vocals.shape == (channels, 70_003)
    for stem, path in written.items():
        with AudioReader(path) as reader:
            assert (reader.sample_rate, reader.channels, reader.frames) == (rate, channels, 70_003)
        stereo_or_mono = getattr(expected, stem)
        assert np.vdot(read(path), stereo_or_mono) > 0.5 * np.vdot(stereo_or_mono, stereo_or_mono)


def test_block_size_does_not_matter(tmp_path, mixture) -> None:
    for format, subtypes in SUBTYPES.items():
        path = write(tmp_path / f"audio.{format}", mixture(60_000), 44_100, format, subtypes[0])
        np.testing.assert_array_equal(read(path, 777), read(path, 100_000))


@pytest.mark.parametrize(
    ("asked", "source", "expected"),
    [
        ((None, None), "PCM_16", ("wav", "FLOAT")),
        ((None, None), "VORBIS", ("wav", "FLOAT")),
        ((None, "pcm_24"), "PCM_16", ("wav", "PCM_24")),
        (("wav", None), "PCM_16", ("wav", "PCM_16")),
        (("wav", None), "MPEG_LAYER_III", ("wav", "FLOAT")),
        (("wav", None), "IMA_ADPCM", ("wav", "FLOAT")),
        (("FLAC", None), "PCM_16", ("flac", "PCM_16")),
        (("flac", None), "FLOAT", ("flac", "PCM_24")),
        (("aiff", None), "PCM_U8", ("aiff", "FLOAT")),
        (("ogg", None), "OPUS", ("ogg", "OPUS")),
        (("ogg", None), "PCM_16", ("ogg", "VORBIS")),
        (("mp3", None), "VORBIS", ("mp3", "MPEG_LAYER_III")),
        (("flac", "PCM_S8"), "PCM_24", ("flac", "PCM_S8")),
    ],
)
def test_output_format_follows_the_input(asked, source, expected) -> None:
    assert output_format(*asked, source) == expected


# Tags

TAGS = {
    "title": "Ångström - 歌",
    "artist": "Sigur Rós",
    "album": "A rather long album title, longer than the thirty characters of ID3v1",
    "date": "2021-05-03",
    "tracknumber": "7",
    "genre": "Post-rock",
    "comment": "two\nlines",
}
HELD = {"aiff": {"title", "artist", "comment"}}  # what libsndfile keeps in each; all, unless said


@pytest.mark.parametrize("target", list(SUBTYPES))
@pytest.mark.parametrize("source", list(SUBTYPES))
def test_tags_are_carried_over(source, target, tmp_path, model, mixture) -> None:
    song = write(tmp_path / f"song.{source}", mixture(5000), 44_100, source, SUBTYPES[source][0], **TAGS)
    path = pyvocsep.process(song, model=model, output_dir=tmp_path, format=target)["vocals"]
    with AudioReader(path) as reader:
        kept = HELD.get(source, set(TAGS)) & HELD.get(target, set(TAGS))
        assert reader.tags == {tag: TAGS[tag] for tag in kept}


def test_a_file_over_4_gb_gets_a_header_that_counts_so_far(tmp_path) -> None:
    path = tmp_path / "long.wav"
    with AudioWriter(path, 44_100, 2, format="wav", subtype="FLOAT", frames=2**29, tags=TAGS) as writer:
        writer.write(np.ones((2, 100), np.float32))
        writer.finish()
        writer.commit()
    with AudioReader(path) as reader:
        assert (reader.format, reader.frames) == ("RF64", 100)
        assert reader.tags["title"] == TAGS["title"]
    AudioWriter(
        tmp_path / "a.flac", 44_100, 2, format="flac", subtype="PCM_24", frames=2**40, tags={}
    ).discard()
    with pytest.raises(pyvocsep.AudioFileError, match=r"a\.aiff: .*4 GB"):
        AudioWriter(tmp_path / "a.aiff", 44_100, 2, format="aiff", subtype="FLOAT", frames=2**29, tags={})
    assert list(tmp_path.iterdir()) == [path]


# Clipping


@pytest.mark.parametrize(
    ("format", "subtype"), [("wav", "PCM_16"), ("flac", "PCM_24"), ("aiff", "PCM_32"), ("wav", "PCM_U8")]
)
def test_what_clips_saturates_and_is_told(format, subtype, tmp_path, model, mixture) -> None:
    song = write(tmp_path / "song.wav", mixture(50_000, peak=5))
    expected = pyvocsep.process(song, model=model)
    with pytest.warns(pyvocsep.AudioWarning) as caught:
        written = pyvocsep.process(song, model=model, output_dir=tmp_path, format=format, subtype=subtype)
    assert len(caught) == 2
    for warning, (stem, path) in zip(caught, written.items(), strict=True):
        audio = getattr(expected, stem)
        peak = np.abs(audio).max()
        assert peak > 1
        assert str(warning.message).startswith(f"{path}: the peak is {peak:.3f}, {subtype} clips at 1")
        assert warning.filename == __file__
        np.testing.assert_allclose(read(path), audio.clip(-1, 1), rtol=0, atol=LOSSLESS_STEP[subtype])


@pytest.mark.parametrize("format", ["ogg", "mp3"])
def test_lossy_formats_tell_too(format, tmp_path, model, mixture) -> None:
    song = write(tmp_path / "song.wav", mixture(50_000, peak=5))
    with pytest.warns(pyvocsep.AudioWarning, match="the peak is"):
        pyvocsep.process(song, model=model, output_dir=tmp_path, format=format)


@pytest.mark.filterwarnings("error")
def test_float_keeps_any_peak_in_silence(tmp_path, model, mixture) -> None:
    song = write(tmp_path / "song.wav", mixture(50_000, peak=5))
    written = pyvocsep.process(song, model=model, output_dir=tmp_path)
    total = sum(read(path).astype(np.float64) for path in written.values())
    np.testing.assert_allclose(total, read(song), rtol=0, atol=np.spacing(np.float32(5)))
    write(song, mixture(50_000, peak=0.4))
    pyvocsep.process(song, model=model, output_dir=tmp_path, format="flac")  # does not clip: nothing to tell


# Files that cannot be read


def test_what_is_no_audio_file(tmp_path) -> None:
    (tmp_path / "text.mp3").write_text("Dear diary, " * 1000)
    (tmp_path / "empty.wav").write_bytes(b"")
    cases = {
        "missing.wav": (FileNotFoundError, "no such file"),
        ".": (IsADirectoryError, "[Ii]s a directory"),
        "empty.wav": (pyvocsep.AudioFileError, "the file is empty"),
        "text.mp3": (pyvocsep.AudioFileError, "not an audio file"),
    }
    for name, (error, message) in cases.items():
        with pytest.raises(error, match=message) as caught:
            AudioReader(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)


def test_a_file_that_may_not_be_read(tmp_path, mixture) -> None:
    path = write(tmp_path / "song.wav", mixture(100))
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(PermissionError, match=r"song\.wav"):
        AudioReader(path)


@pytest.mark.parametrize("format", ["wav", "aiff"])
def test_no_samples_is_an_error(format, tmp_path) -> None:
    path = tmp_path / f"none.{format}"
    soundfile.write(path, np.zeros((0, 2)), 44_100, SUBTYPES[format][1], format=format)
    with pytest.raises(pyvocsep.AudioFileError, match="contains no audio"):
        read(path)


@pytest.mark.parametrize(
    ("channels", "rate"), [(3, 44_100), (6, 48_000), (2, 7_999), (1, 192_001), (2, 4_000)]
)
def test_channels_and_rates_that_cannot_be_separated(channels, rate, tmp_path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros((100, channels)), rate)
    number = f"{channels} channels" if channels > 2 else f"{rate} Hz"
    with pytest.raises(pyvocsep.AudioFileError, match=number):
        AudioReader(tmp_path / "a.wav")


CUT = ["wav", "aiff", "flac", "ogg", "mp3", "w64", "rf64"]


@pytest.mark.parametrize("kept", [0.95, 0.5, 0.2])
@pytest.mark.parametrize("format", CUT)
def test_what_is_left_of_a_file_is_separated(format, kept, tmp_path, model, mixture) -> None:
    path = tmp_path / f"song.{format}"
    soundfile.write(path, mixture(200_000).T, 44_100, format=format)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.warns(pyvocsep.IncompleteWarning, match=r"song\.\w+: cut short") as caught:
        written = pyvocsep.process(path, model=model, output_dir=tmp_path / "out")
    assert caught[0].filename == __file__
    if format != "ogg":  # its pages do not tell how many were to come
        assert re.search(r"only \d\.\d\d s of 4\.5\d s", str(caught[0].message))
    for stem in written.values():
        assert read(stem).shape[1] > (kept - 0.15) * 200_000
    kept_stems = {stem: stem.read_bytes() for stem in written.values()}
    with pytest.raises(pyvocsep.AudioFileError, match=r"song\.\w+: cut short"):
        pyvocsep.process(path, model=model, output_dir=tmp_path / "out", strict=True)
    assert {stem: stem.read_bytes() for stem in (tmp_path / "out").iterdir()} == kept_stems


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFFFFF, 0xFFFFFFFF - 36, 0x7FFFF000])
def test_the_header_of_a_stream_promises_nothing(size, tmp_path, mixture) -> None:
    path = write(tmp_path / "piped.wav", mixture(3000), subtype="PCM_16")
    data = bytearray(path.read_bytes())
    start = data.index(b"data") + 4
    data[start : start + 4] = size.to_bytes(4, "little")
    path.write_bytes(data)
    assert read(path).shape == (2, 3000)


def test_a_flac_stream_that_does_not_tell_its_length(tmp_path, model, mixture) -> None:
    path = write(tmp_path / "piped.flac", mixture(100_000), 44_100, "flac", "PCM_16")
    expected = read(path)
    data = bytearray(path.read_bytes())
    data[21] &= 0xF0  # the 36 bits of STREAMINFO that count the samples; 0 means unknown (RFC 9639, 8.2)
    data[22:26] = bytes(4)
    path.write_bytes(data)
    with AudioReader(path) as reader:
        assert reader.frames == 100_000
    np.testing.assert_array_equal(read(path), expected)
    assert pyvocsep.process(path, model=model).vocals.shape == (2, 100_000)


def test_raw_samples_are_no_audio_file(tmp_path, mixture) -> None:
    (tmp_path / "song.raw").write_bytes(mixture(1000).tobytes())
    with pytest.raises(pyvocsep.AudioFileError, match=r"song\.raw: raw samples"):
        AudioReader(tmp_path / "song.raw")


def test_what_follows_the_samples_is_no_matter(tmp_path, mixture) -> None:
    for format in ("wav", "flac", "mp3"):
        path = write(tmp_path / f"tail.{format}", mixture(3000), 44_100, format, SUBTYPES[format][0])
        path.write_bytes(path.read_bytes() + b"TAG" + bytes(125))
        assert read(path).shape == (2, 3000)


def without_length(path: Path) -> None:
    """Remove the first frame of an MP3 file, the one that tells its length."""
    data = path.read_bytes()
    mark = max(data.find(b"Xing"), data.find(b"Info"))
    path.write_bytes(data[data.index(data[data.rindex(b"\xff\xfb", 0, mark) :][:2], mark) :])


def test_an_mp3_without_its_length(tmp_path, mixture) -> None:
    path = tmp_path / "song.mp3"
    loud_at_first = mixture(44_100 * 20) * np.linspace(1, 0, 44_100 * 20, dtype=np.float32) ** 6
    mode = {"format": "MP3", "bitrate_mode": "VARIABLE", "compression_level": 0.5}
    with soundfile.SoundFile(path, "w", 44_100, 2, **mode) as file:
        file.write(loud_at_first.T)
    assert read(path).shape == loud_at_first.shape
    without_length(path)
    assert abs(read(path).shape[1] - loud_at_first.shape[1]) < 4 * 1152
    with soundfile.SoundFile(path, "w", 44_100, 2, **mode | {"bitrate_mode": "CONSTANT"}) as file:
        file.write(loud_at_first.T)
    without_length(path)
    assert abs(read(path).shape[1] - loud_at_first.shape[1]) < 4 * 1152


# Files that cannot be written


@contextmanager
def disk_of(size: int) -> Iterator[None]:
    """Let the system refuse to make any file larger than `size` bytes, as a full disk does."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("format", list(SUBTYPES))
def test_a_full_disk_leaves_nothing(format, tmp_path, model, mixture) -> None:
    song = write(tmp_path / "song.wav", mixture(100_000))
    out = tmp_path / "out"
    whole = pyvocsep.process(song, model=model, output_dir=out, format=format)
    kept = {path: path.read_bytes() for path in whole.values()}
    largest = max(map(len, kept.values()))
    for size in (0, 10, 1000, largest // 2, largest - 1):
        with disk_of(size), pytest.raises(OSError, match="File too large") as caught:
            pyvocsep.process(song, model=model, output_dir=out, format=format)
        assert caught.value.filename in map(str, kept)
        assert {path: path.read_bytes() for path in out.iterdir()} == kept
    with disk_of(largest):
        pyvocsep.process(song, model=model, output_dir=out, format=format)


def test_an_interrupt_while_writing_is_not_lost(tmp_path, mixture, monkeypatch) -> None:
    def interrupted(data: object) -> None:
        raise KeyboardInterrupt

    # It strikes while libsndfile calls back for the bytes, and no exception can pass through C.
    monkeypatch.setattr("pyvocsep.files.raw_file.memoryview", interrupted, raising=False)
    with (
        pytest.raises(KeyboardInterrupt),
        AudioWriter(
            tmp_path / "a.wav", 44_100, 2, format="wav", subtype="FLOAT", frames=10, tags={}
        ) as writer,
    ):
        writer.write(mixture(10))
    assert list(tmp_path.iterdir()) == []


def test_leaving_without_a_commit_leaves_nothing(tmp_path, mixture) -> None:
    write(tmp_path / "a.wav", np.zeros((2, 10), np.float32))
    before = (tmp_path / "a.wav").read_bytes()
    with AudioWriter(
        tmp_path / "a.wav", 44_100, 2, format="wav", subtype="FLOAT", frames=10, tags={}
    ) as writer:
        writer.write(mixture(10))
        writer.finish()
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]
    assert (tmp_path / "a.wav").read_bytes() == before


def test_a_folder_that_cannot_be_written_in(tmp_path) -> None:
    folder = tmp_path / "missing"
    with pytest.raises(FileNotFoundError, match="cannot write in this folder") as caught:
        AudioWriter(folder / "a.wav", 44_100, 2, format="wav", subtype="FLOAT", frames=10, tags={})
    assert caught.value.filename == str(folder)


def test_an_error_survives_pickling() -> None:
    import pickle

    error = pickle.loads(pickle.dumps(pyvocsep.AudioFileError("song.wav", "contains no audio")))
    assert str(error) == "song.wav: contains no audio"

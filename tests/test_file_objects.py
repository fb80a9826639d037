"""`process` with open files: in memory, on the disk, and pipes; read and written."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

import pyvocsep
from pyvocsep.files.reader import AudioReader

RATE = 44_100


class Pipe(io.RawIOBase):
    """A file that can only be read from the front, a few bytes at a time, or written to."""

    def __init__(self, data: bytes = b"", at_once: int = 7_001) -> None:
        self.left, self.at_once, self.written = data, at_once, b""

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        assert size >= 0
        data, self.left = self.left[: min(size, self.at_once)], self.left[min(size, self.at_once) :]
        return data

    def write(self, data: object) -> int:
        part = bytes(data)[: self.at_once]  # type: ignore[call-overload]
        self.written += part
        return len(part)


@pytest.fixture
def audio(mixture) -> np.ndarray:
    return mixture(60_001)


def encoded(audio: np.ndarray, format: str = "WAV", subtype: str | None = None, **how: object) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, audio.T, RATE, subtype, format=format, **how)
    return file.getvalue()


def decoded(data: bytes) -> np.ndarray:
    with AudioReader(io.BytesIO(data)) as reader:
        assert reader.sample_rate == RATE
        return np.concatenate(list(reader.blocks(RATE)), axis=1)


def assert_same(found: pyvocsep.Stems, expected: pyvocsep.Stems) -> None:
    assert found.sample_rate == expected.sample_rate
    np.testing.assert_array_equal(found.vocals, expected.vocals)
    np.testing.assert_array_equal(found.accompaniment, expected.accompaniment)


@pytest.mark.parametrize("format", ["WAV", "FLAC", "OGG", "MP3", "AIFF"])
def test_an_open_file_is_read_as_its_path_is(format, audio, model) -> None:
    Path("song").write_bytes(encoded(audio, format))
    expected = pyvocsep.process("song", model=model)
    memory = io.BytesIO(encoded(audio, format))
    memory.seek(1000)  # wherever it stands
    assert_same(pyvocsep.process(memory, model=model), expected)
    assert not memory.closed
    for buffering in (0, -1):
        with open("song", "rb", buffering) as file:
            assert_same(pyvocsep.process(file, model=model), expected)
            assert not file.closed


STREAMED = [
    ("WAV", subtype) for subtype in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW")
]
STREAMED += [("RF64", "PCM_16"), ("W64", "PCM_24"), ("WAVEX", "FLOAT")]
SPOOLED = [
    ("FLAC", None),
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
    ("MP3", None),
    ("AIFF", None),
    ("CAF", None),
    ("AU", None),
]
SPOOLED += [("WAV", "IMA_ADPCM")]


@pytest.mark.parametrize(("format", "subtype"), STREAMED + SPOOLED)
def test_a_pipe_is_read_as_a_file_is(format, subtype, audio, model) -> None:
    rate = 48_000 if subtype == "OPUS" else RATE
    file = io.BytesIO()
    soundfile.write(file, audio.T, rate, subtype, format=format)
    expected = pyvocsep.process(file, model=model)
    for at_once in (7, 1 << 20):
        found = pyvocsep.process(Pipe(file.getvalue(), at_once), model=model)
        assert_same(found, expected)


def test_wav_and_raw_samples_are_not_copied_first(audio, monkeypatch, model) -> None:
    def copied(*_: object) -> None:
        raise AssertionError("copied")

    monkeypatch.setattr("pyvocsep.files.forward.ForwardFile.spooled", copied)
    pyvocsep.process(Pipe(encoded(audio)), model=model)
    pyvocsep.process(Pipe(audio.T.tobytes()), model=model, raw=(RATE, 2))
    with pytest.raises(AssertionError, match="copied"):
        pyvocsep.process(Pipe(encoded(audio, "FLAC")), model=model)


@pytest.mark.parametrize("sizes", [b"\xff\xff\xff\xff", b"\0\0\0\0", (0x7FFFF000).to_bytes(4, "little")])
def test_a_header_that_leaves_the_length_open(sizes, audio, model) -> None:
    """Of ffmpeg, of a recorder that does not know either, of sox."""
    data = encoded(audio, subtype="FLOAT")
    begin = data.index(b"data") + 4
    end = begin + 4 + audio.size * 4
    streamed = data[:4] + sizes + data[8:begin] + sizes + data[begin + 4 : end]
    stems = pyvocsep.process(Pipe(streamed), model=model)
    assert_same(stems, pyvocsep.process(audio, RATE, model=model))


def test_a_header_with_a_picture_before_the_samples(audio, model) -> None:
    data = encoded(audio, subtype="FLOAT")
    picture = b"id3 " + (200_000).to_bytes(4, "little") + bytes(200_000)
    begin = data.index(b"data")
    found = pyvocsep.process(Pipe(data[:begin] + picture + data[begin:]), model=model)
    assert_same(found, pyvocsep.process(audio, RATE, model=model))


def test_what_follows_the_samples_is_read_and_is_no_sound(audio, model) -> None:
    pipe = Pipe(encoded(audio, subtype="FLOAT") + b"LIST\x04\0\0\0INFO" * 5_000)
    assert_same(pyvocsep.process(pipe, model=model), pyvocsep.process(audio, RATE, model=model))
    assert pipe.left == b""  # who writes the pipe is not told that it is broken


def test_a_pipe_that_is_cut_short(audio, model) -> None:
    data = encoded(audio, subtype="PCM_16")[: 44 + 4 * 30_000 + 3]
    with pytest.warns(pyvocsep.IncompleteWarning, match=r"only 0\.68 s of 1\.36 s are there"):
        stems = pyvocsep.process(Pipe(data), model=model)
    assert stems.vocals.shape == (2, 30_000)
    with pytest.raises(pyvocsep.AudioFileError, match=r"0\.68 s of 1\.36 s"):
        pyvocsep.process(Pipe(data), model=model, strict=True)


def test_raw_samples(audio, model) -> None:
    expected = pyvocsep.process(audio, 32_000, model=model)
    for source in (Pipe(audio.T.tobytes()), io.BytesIO(audio.T.tobytes())):
        assert_same(pyvocsep.process(source, model=model, raw=(32_000, 2)), expected)
    Path("song.f32").write_bytes(audio.T.tobytes())
    assert_same(pyvocsep.process("song.f32", model=model, raw=(32_000, 2)), expected)
    mono = pyvocsep.process(Pipe(audio[0].tobytes()), model=model, raw=(32_000, 1))
    assert mono.vocals.shape == (1, 60_001)
    with pytest.raises(pyvocsep.AudioFileError, match="7000 Hz"):
        pyvocsep.process(Pipe(audio.tobytes()), model=model, raw=(7000, 2))
    with pytest.raises(TypeError, match="raw= is for files"):
        pyvocsep.process(audio, 32_000, model=model, raw=(32_000, 2))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the pipe is empty"),
        (b"RIFF\xff\xff\xff\xffWAVE", "a WAV file that ends, or is damaged, before its samples"),
        (b"RIFF\xff\xff\xff\xffWAVE" + b"xyz!\x10\0\0\0" * 1000, "a WAV file that ends, or is damaged"),
        (encoded(np.zeros((2, 0))), "contains no audio"),
        (b"hello " * 1000, "brings no audio that can be read; raw samples need --raw, in Python raw="),
        (b"PK\x03\x04" + bytes(1000), "no sound: it is a ZIP archive"),
        (b"fLaC" + bytes(1000), "not an audio file that can be read"),
        (b"ID3\x04\0\0\0\0\x7f\x7f" + bytes(300), "an audio file"),
    ],
)
def test_pipes_without_sound(data, reason, model) -> None:
    with pytest.raises(pyvocsep.AudioFileError, match=reason) as caught:
        pyvocsep.process(Pipe(data), model=model)
    assert str(caught.value).startswith("the open file (Pipe): ")
    if not data:
        with pytest.raises(pyvocsep.AudioFileError, match="the file is empty"):
            pyvocsep.process(io.BytesIO(), model=model)


def test_endless_noise_is_not_copied(model) -> None:
    class Noise(Pipe):
        count = 0

        def read(self, size: int = -1) -> bytes:
            self.count += size
            assert self.count < 1 << 20
            return np.random.default_rng(self.count).bytes(size)

    with pytest.raises(pyvocsep.AudioFileError, match="no audio"):
        pyvocsep.process(Noise(), model=model)


def test_a_file_open_as_text(audio, model) -> None:
    Path("song.wav").write_bytes(encoded(audio))
    with open("song.wav", encoding="latin-1") as text, pytest.raises(TypeError, match="binary mode"):
        pyvocsep.process(text, model=model)


def test_an_error_of_the_source_reaches_the_caller(audio, model) -> None:
    class Failing(Pipe):
        def read(self, size: int = -1) -> bytes:
            if len(self.left) < 100_000:
                raise OSError(5, "Input/output error")
            return super().read(size)

    with pytest.raises(OSError, match="Input/output error") as caught:
        pyvocsep.process(Failing(encoded(audio)), model=model)
    assert caught.value.filename == "the open file (Failing)"


# Written


@pytest.mark.parametrize("format", ["wav", "flac", "ogg", "mp3", "aiff"])
def test_an_open_file_gets_what_a_folder_gets(format, audio, model) -> None:
    source = io.BytesIO(encoded(audio))
    written = pyvocsep.process(source, model=model, output_dir="out", format=format)
    assert sorted(path.name for path in written.values()) == [
        f"song.accompaniment.{format}",
        f"song.vocals.{format}",
    ]
    for make in (io.BytesIO, Pipe):
        files = {"vocals": make(), "accompaniment": make()}
        files["vocals"].write(b"before") if make is io.BytesIO else None
        assert pyvocsep.process(source, model=model, outputs=files, format=format) == files
        for stem, file in files.items():
            assert not file.closed
            data = file.getvalue() if isinstance(file, io.BytesIO) else file.written
            data = data.removeprefix(b"before")
            np.testing.assert_array_equal(decoded(data), decoded(written[stem].read_bytes()))
            assert soundfile.SoundFile(io.BytesIO(data)).software.startswith("pyvocsep")


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_a_pipe_of_wav_has_the_samples_of_a_file(subtype, audio, model) -> None:
    source = io.BytesIO(encoded(audio))
    pipe, memory = Pipe(), io.BytesIO()
    pyvocsep.process(source, model=model, outputs={"vocals": pipe}, format="wav", subtype=subtype)
    pyvocsep.process(source, model=model, outputs={"vocals": memory}, format="wav", subtype=subtype)
    assert pipe.written[:8] == b"RIFF\xff\xff\xff\xff"
    np.testing.assert_array_equal(decoded(pipe.written), decoded(memory.getvalue()))
    assert memory.getvalue()[4:8] == (len(memory.getvalue()) - 8).to_bytes(4, "little")


def test_a_mix_and_raw_samples_for_open_files(audio, model) -> None:
    source, mix, raw = io.BytesIO(encoded(audio, subtype="FLOAT")), Pipe(), io.BytesIO()
    pyvocsep.process(source, model=model, outputs={"mix": mix}, mix_db=-12)
    np.testing.assert_array_equal(decoded(mix.written), pyvocsep.StemMixer(-12, 0, model)(audio, RATE))
    pyvocsep.process(source, model=model, outputs={"vocals": raw}, format="raw")
    expected = pyvocsep.process(audio, RATE, model=model).vocals
    np.testing.assert_array_equal(np.frombuffer(raw.getvalue(), "<f4").reshape(-1, 2).T, expected)


def test_a_failure_leaves_an_open_file_as_it_was(audio, model) -> None:
    def stop(done: float, total: float) -> None:
        if done:
            raise KeyboardInterrupt

    memory = io.BytesIO()
    with pytest.raises(KeyboardInterrupt):
        pyvocsep.process(io.BytesIO(encoded(audio)), model=model, outputs={"vocals": memory}, progress=stop)
    assert memory.getvalue() == b""


def test_an_output_that_fails(audio, model) -> None:
    class Full(Pipe):
        def write(self, data: object) -> int:
            raise OSError(28, "No space left on device")

    for format in ("wav", "raw", "flac"):
        with pytest.raises(OSError, match="No space left") as caught:
            pyvocsep.process(
                io.BytesIO(encoded(audio)), model=model, outputs={"vocals": Full()}, format=format
            )
        assert caught.value.filename == "the open file (Full)"


def test_progress_of_a_pipe_is_endless_until_its_end(audio, model) -> None:
    seen: list[tuple[float, float]] = []
    pyvocsep.process(
        Pipe(audio.T.tobytes()), model=model, raw=(RATE, 2), progress=lambda *now: seen.append(now)
    )
    assert seen[0] == (0, np.inf)
    assert seen[-1] == (60_001 / RATE, 60_001 / RATE)
    pyvocsep.process(Pipe(audio.T.tobytes()), model=model, raw=(RATE, 2), progress=True)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"outputs": {"drums": io.BytesIO()}}, ValueError, r"unknown stems \['drums'\]: choose from vocals"),
        ({"outputs": {"mix": io.BytesIO()}}, ValueError, r"unknown stems \['mix'\]"),
        ({"outputs": {"vocals": io.BytesIO()}, "mix_db": -6}, ValueError, "choose from mix"),
        ({"outputs": {"vocals": io.BytesIO()}, "output_dir": "out"}, TypeError, "give one of them"),
        (
            {"outputs": {"vocals": io.BytesIO()}, "format": "wma"},
            ValueError,
            "wav, flac, ogg, mp3, aiff, raw",
        ),
        ({"output_dir": "out", "format": "raw"}, ValueError, "unknown format 'raw'"),
        ({"mix_db": -6}, TypeError, "give output_dir or outputs"),
        ({"output_dir": "out", "mix_db": 61}, ValueError, "mix_db is 61"),
        ({"output_dir": "out", "stems": ["mix"]}, ValueError, "unknown stems"),
        ({"sample_rate": RATE}, TypeError, "a file tells its own"),
    ],
)
def test_arguments_that_do_not_go_together(arguments, error, message, audio, model) -> None:
    with pytest.raises(error, match=message):
        pyvocsep.process(io.BytesIO(encoded(audio)), model=model, **arguments)

"""Separation of a whole recording, a file or an array.

The module is not called `process`: the function of that name would hide it in the package.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from pyvocsep.arrays import STEMS, InvalidSamples, Samples, as_float32, check_dtype
from pyvocsep.engines.latency import LatencyTrim
from pyvocsep.engines.protocol import Engine, StemBlocks
from pyvocsep.engines.registry import PRECISIONS, open_engine
from pyvocsep.errors import AudioWarning, IncompleteWarning
from pyvocsep.files.formats import output_format
from pyvocsep.files.outputs import DEFAULT_NAME_PATTERN, output_paths, write_stems
from pyvocsep.files.reader import AudioReader
from pyvocsep.files.writer import AudioWriter
from pyvocsep.models import DEFAULT_FOR_FILES
from pyvocsep.notebook import progress_bar, stems_html

PathLike = str | os.PathLike[str]
Progress = Callable[[float, float], object]
"""Called with the seconds of audio done and in all."""


@dataclass(frozen=True, eq=False)
class Stems:
    """The two stems of a recording; they sum to it.

    Attributes:
        vocals, accompaniment: float32, (channels, samples), or (samples,) if the recording was an array so.
        sample_rate: in Hz, the recording's.
    """

    vocals: Samples
    accompaniment: Samples
    sample_rate: float

    def save(
        self,
        folder: PathLike,
        name: str = "song",
        format: str | None = None,
        subtype: str | None = None,
        name_pattern: str = DEFAULT_NAME_PATTERN,
    ) -> dict[str, Path]:
        """Write a file per stem, all or none, as `process` does with `output_dir`: folder/song.vocals.wav.

        Args:
            folder: made if need be.
            name: of the song.
            format: as `process` takes it.
            subtype: as `process` takes it.
            name_pattern: as `process` takes it; {name} stands for `name`.

        Returns the path of each stem, by its name; raises what `process` raises for its outputs.
        """
        format, subtype = output_format(format, subtype, None)
        paths = output_paths(f"{name}.stems", folder, STEMS, format, name_pattern)
        vocals, accompaniment = np.atleast_2d(self.vocals), np.atleast_2d(self.accompaniment)
        open_writer = partial(
            AudioWriter,
            sample_rate=int(self.sample_rate),
            channels=len(vocals),
            format=format,
            subtype=subtype,
            frames=vocals.shape[1],
            tags={},
        )
        for note in write_stems([(vocals, accompaniment)], paths, open_writer):
            warnings.warn(note, AudioWarning, stacklevel=2)
        return paths

    def _repr_html_(self) -> str:
        """Return what Jupyter shows: a waveform and a player for each stem."""
        return stems_html({stem: getattr(self, stem) for stem in STEMS}, self.sample_rate)


@overload
def process(
    source: PathLike,
    sample_rate: None = None,
    *,
    model: PathLike = DEFAULT_FOR_FILES,
    threads: int = 1,
    precision: str = PRECISIONS[0],
    output_dir: None = None,
    strict: bool = False,
    progress: Progress | bool | None = None,
) -> Stems: ...
@overload
def process(
    source: NDArray[Any],
    sample_rate: float,
    *,
    model: PathLike = DEFAULT_FOR_FILES,
    threads: int = 1,
    precision: str = PRECISIONS[0],
    output_dir: None = None,
    progress: Progress | bool | None = None,
) -> Stems: ...
@overload
def process(
    source: PathLike,
    sample_rate: None = None,
    *,
    model: PathLike = DEFAULT_FOR_FILES,
    threads: int = 1,
    precision: str = PRECISIONS[0],
    output_dir: PathLike,
    stems: Sequence[str] = STEMS,
    format: str | None = None,
    subtype: str | None = None,
    name_pattern: str = DEFAULT_NAME_PATTERN,
    strict: bool = False,
    progress: Progress | bool | None = None,
) -> dict[str, Path]: ...
def process(
    source: PathLike | NDArray[Any],
    sample_rate: float | None = None,
    *,
    model: PathLike = DEFAULT_FOR_FILES,
    threads: int = 1,
    precision: str = PRECISIONS[0],
    output_dir: PathLike | None = None,
    stems: Sequence[str] = STEMS,
    format: str | None = None,
    subtype: str | None = None,
    name_pattern: str = DEFAULT_NAME_PATTERN,
    strict: bool = False,
    progress: Progress | bool | None = None,
) -> Stems | dict[str, Path]:
    """Separate a recording into vocals and accompaniment.

    The stems have the recording's rate, channels and exact length, are aligned with it and never rescaled:
    they sum to it, to the last float32 rounding. Samples that are not finite, or beyond +-1e15, are
    processed as silence, with an AudioWarning.

    Args:
        source: the path of a WAV, FLAC, OGG, MP3 or AIFF file (or another that libsndfile reads), or an array
            of float32 or float64, (channels, samples), or (samples,) for mono.
        sample_rate: of an array, in Hz. A file tells its own.
        model: the name of a shipped model, as `band-gru`, `gru` or `cnn`, or the path of a model file.
        threads: how many to compute with; the result does not depend on it.
        precision: of the network's products: "float32"; or, faster, "bfloat16" where the processor has
            AVX512-BF16 and "int8" where it has VNNI, which change a song's vocals by some -50 and -40 dB.
        output_dir: the folder, made if need be, for a file per stem. The source, then a file too, is
            separated block by block in constant memory. All stems are there, or none: after an error, an
            interruption or a full disk there is what was there before. Only what pyvocsep wrote is replaced.
        stems: which to write, of "vocals" and "accompaniment".
        format: "wav", "flac", "ogg", "mp3" or "aiff"; None is 32-bit float WAV.
        subtype: the samples' type, by libsndfile's names, as PCM_16; None is FLOAT for `format=None`, else
            the source's own where the format can hold it, else the most precise one. What clips in it
            saturates, with an AudioWarning that names the peak.
        name_pattern: how the written files are named: {name} is the source's without its suffix, {stem} the
            stem's. The suffix of the format follows. A "/" makes sub-folders.
        strict: refuse a file that is damaged or cut short. Else what can be decoded of it is separated, with
            an IncompleteWarning that says what is missing.
        progress: called as progress(done, total), in seconds of audio, at the start and after about every
            second. An exception that it raises cancels the work and reaches the caller. True shows a bar.

    Returns:
        Stems, or with `output_dir` the path of each written stem, by its name.

    Raises:
        OSError: a file or folder cannot be read or written, or a file is in the way; it names which.
        AudioFileError: the file is empty, not audio, cannot be separated or written as asked, or, if
            strict, is damaged or cut short.
        ValueError: a rate outside 8000 to 192000 Hz, more than 2 channels, an unknown model, stem, format or
            subtype, a precision that is unknown or not this machine's.
        ImportError: the model needs onnxruntime, which is not installed.
        TypeError: samples that are not float32 or float64; arguments that do not go together.
    """
    how_to_write = (tuple(stems), format, subtype, name_pattern)
    if output_dir is None and how_to_write != (STEMS, None, None, DEFAULT_NAME_PATTERN):
        raise TypeError(
            "stems, format, subtype and name_pattern say how files are written: give output_dir too"
        )
    notes: list[str] = []
    faults: list[str] = []

    def separated(recording: _Recording) -> Iterator[StemBlocks]:
        engine = open_engine(model, recording.sample_rate, recording.channels, threads, precision)
        report = progress_bar() if progress is True else progress or _no_progress
        return _separated(recording, engine, report, notes)

    result: Stems | dict[str, Path]
    if isinstance(source, str | os.PathLike):
        if sample_rate is not None:
            raise TypeError("sample_rate is for an array; a file tells its own")
        with AudioReader(source, strict=strict) as reader:
            rate, blocks = reader.sample_rate, reader.blocks(reader.sample_rate)
            recording = _Recording(os.fspath(source), rate, reader.channels, reader.frames, blocks)
            if output_dir is None:
                result = Stems(*_collected(separated(recording), recording), rate)
            else:
                format, subtype = output_format(format, subtype, reader.subtype)
                paths = output_paths(source, output_dir, stems, format, name_pattern)
                open_writer = partial(
                    AudioWriter,
                    sample_rate=rate,
                    channels=reader.channels,
                    format=format,
                    subtype=subtype,
                    frames=reader.frames,
                    tags=reader.tags,
                )
                notes += write_stems(separated(recording), paths, open_writer)
                result = paths
        faults = [f"{recording.name}: {fault}" for fault in reader.faults]
    elif sample_rate is None or hasattr(source, "read"):
        raise TypeError(_advice(source))
    elif output_dir is not None:
        raise TypeError("output_dir needs a file as the source; write an array's stems with soundfile.write")
    else:
        audio = np.asarray(source)
        recording = _recording_of_array(audio, sample_rate)
        vocals, accompaniment = _collected(separated(recording), recording)
        result = Stems(vocals.reshape(audio.shape), accompaniment.reshape(audio.shape), sample_rate)
    for fault in faults:
        warnings.warn(fault, IncompleteWarning, stacklevel=2)
    for note in notes:
        warnings.warn(note, AudioWarning, stacklevel=2)
    return result


def _advice(source: object) -> str:
    """Say what to pass instead of a source that is no path and comes without a rate."""
    if hasattr(source, "read"):
        return (
            f"the source is an open file ({type(source).__name__}); pass its path, or its samples: "
            "audio, rate = soundfile.read(source, dtype='float32'), then process(audio.T, rate)"
        )
    if isinstance(source, bytes | bytearray | memoryview):
        return "the source is bytes; pass a path as text (see os.fsdecode), or an array and its sample_rate"
    if source is None or isinstance(source, int | float):
        return f"the source is {source!r}; pass the path of a file, or an array and its sample_rate"
    return "an array needs its sample_rate"


@dataclass(frozen=True)
class _Recording:
    """What is separated, from wherever it comes: blocks (channels, samples) of about a second."""

    name: str
    sample_rate: float
    channels: int
    frames: int
    blocks: Iterator[Samples]


def _recording_of_array(audio: NDArray[Any], sample_rate: float) -> _Recording:
    check_dtype(audio.dtype)
    planes = audio[np.newaxis] if audio.ndim == 1 else audio
    if planes.ndim != 2 or planes.shape[0] not in (1, 2):
        hint = "; it looks like (samples, channels): pass its .T" if planes.shape[1:] in ((1,), (2,)) else ""
        raise ValueError(
            f"the array has shape {audio.shape}; (channels, samples) with 1 or 2 channels, or (samples,), "
            f"can be separated{hint}"
        )
    channels, frames = planes.shape

    def blocks() -> Iterator[Samples]:
        length = round(sample_rate)
        for start in range(0, frames, length):
            yield as_float32(planes[:, start : start + length])

    return _Recording("the array", sample_rate, channels, frames, blocks())


def _separated(
    recording: _Recording, engine: Engine, report: Progress, notes: list[str]
) -> Iterator[StemBlocks]:
    """Yield the stems, part by part, aligned with the recording: the latency that precedes it is dropped.

    At the end, append to `notes` what the caller should know about the samples.
    """
    invalid, trim = InvalidSamples(), LatencyTrim(engine.latency_samples)

    def delayed() -> Iterator[StemBlocks]:
        for block in recording.blocks:
            invalid.count(block)
            yield engine.process(block)
        yield engine.flush()

    rate, total = recording.sample_rate, recording.frames / recording.sample_rate
    report(0.0, total)
    done = 0
    for part in delayed():
        vocals, accompaniment = trim(*part)
        done += vocals.shape[1]
        yield vocals, accompaniment
        report(done / rate, total)
    if invalid.total:
        notes.append(
            f"{recording.name}: {invalid.total} samples are NaN, infinite or beyond +-1e15 and were "
            f"processed as silence, the first at sample {invalid.first} ({invalid.first / rate:.3f} s)"
        )


def _collected(parts: Iterable[StemBlocks], recording: _Recording) -> StemBlocks:
    """Join the parts of both stems, (channels, frames), or shorter if the recording turns out to be."""
    vocals, accompaniment = (np.empty((recording.channels, recording.frames), np.float32) for _ in STEMS)
    done = 0
    for vocals_part, accompaniment_part in parts:
        here = slice(done, done + vocals_part.shape[1])
        vocals[:, here], accompaniment[:, here] = vocals_part, accompaniment_part
        done = here.stop
    return vocals[:, :done], accompaniment[:, :done]


def _no_progress(done: float, total: float) -> None:
    pass

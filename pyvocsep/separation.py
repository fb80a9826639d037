"""Separation of one recording: from a file or an array, block by block, to stems or files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from pyvocsep.arrays import STEMS, InvalidSamples, Samples, as_float32, check_dtype
from pyvocsep.engines.latency import LatencyTrim
from pyvocsep.engines.registry import PRECISIONS, open_engine, open_mixer
from pyvocsep.engines.surround import BlockEngine, Channels, Groups, groups_of, has_to_choose, stereo_of
from pyvocsep.errors import AudioFileError
from pyvocsep.files.outputs import MIX, Output
from pyvocsep.files.reader import AudioReader
from pyvocsep.models import DEFAULT_FOR_FILES

PathLike = str | os.PathLike[str]
Progress = Callable[[float, float], object]
"""Called with the seconds of audio done and in all; infinite in all while a pipe does not tell."""


@dataclass(frozen=True)
class Method:
    """How a recording is separated.

    Attributes:
        model, threads, precision: as `pyvocsep.process` takes them.
        mix_db: level of the vocals in dB, for one output: a mix; None separates.
        channels: what is done with more than two channels; None refuses them.
    """

    model: PathLike = DEFAULT_FOR_FILES
    threads: int = 1
    precision: str = PRECISIONS[0]
    mix_db: float | None = None
    channels: Channels | None = None

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of what an engine returns, in order."""
        return STEMS if self.mix_db is None else (MIX,)

    def open_engine(self, sample_rate: float, channels: int) -> BlockEngine:
        """Return an engine for one or two channels."""
        if self.mix_db is not None:
            return open_mixer(self.model, self.mix_db, sample_rate, channels, self.threads, self.precision)
        return open_engine(self.model, sample_rate, channels, self.threads, self.precision)


@dataclass(frozen=True)
class Recording:
    """What is separated, from wherever it comes: blocks (channels, samples) of about a second.

    Attributes:
        name: for messages.
        sample_rate: in Hz.
        channels: of the blocks.
        frames: samples in each channel, as far as is known; None if nobody knows.
        seconds: how long it seems to be.
    """

    name: str
    sample_rate: float
    channels: int
    frames: int | None
    seconds: float
    blocks: Iterator[Samples]


@dataclass
class Told:
    """What the caller should know, beside the result.

    Attributes:
        faults: what is missing from a damaged recording, each a sentence that names it.
        notes: what could not be kept, likewise.
        seconds: of audio that were separated.
    """

    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0


def separate_to_files(
    source: PathLike | IO[bytes],
    method: Method,
    output: Output,
    *,
    name: PathLike | None = None,
    strict: bool = False,
    raw: tuple[int, int] | None = None,
    progress: Progress | None = None,
) -> tuple[dict[str, Any], Told]:
    """Separate a file into files.

    Args:
        source: a path, or a binary file object.
        method: how to separate.
        output: where and how to write.
        name: what the written files are named after; None is the source's own name.
        strict, raw, progress: as `pyvocsep.process` takes them.

    Returns the path, or file object, of each output, and what there is to tell.
    Raises what `pyvocsep.process` raises.
    """
    if unknown := set(output.stems) - set(method.outputs):
        raise ValueError(f"unknown stems {sorted(unknown)}: choose from {', '.join(method.outputs)}")
    output.check()
    told = Told()
    named = name if name is not None else _name_of(source)
    if output.is_done(named):
        return dict(output.paths(named)), told
    with _opened(source, method, strict=strict, raw=raw) as (reader, recording):
        written, notes = output.write(
            separated(recording, method, told, progress),
            method.outputs,
            named,
            sample_rate=int(recording.sample_rate),
            channels=recording.channels,
            subtype=reader.subtype,
            frames=recording.frames,
            tags=reader.tags,
            cover=reader.cover,
        )
        told.notes += notes
        told.faults += [f"{recording.name}: {fault}" for fault in reader.faults]
    return written, told


def separate_to_arrays(
    source: PathLike | IO[bytes],
    method: Method,
    *,
    strict: bool = False,
    raw: tuple[int, int] | None = None,
    progress: Progress | None = None,
) -> tuple[tuple[Samples, ...], float, Told]:
    """Separate a file; return its outputs (channels, samples), their rate and what there is to tell."""
    told = Told()
    with _opened(source, method, strict=strict, raw=raw) as (reader, recording):
        outputs = collected(separated(recording, method, told, progress), recording, len(method.outputs))
        told.faults += [f"{recording.name}: {fault}" for fault in reader.faults]
    return outputs, recording.sample_rate, told


def recording_of_array(audio: NDArray[Any], sample_rate: float, choice: Channels | None = None) -> Recording:
    """Return the recording that an array (channels, samples) or (samples,) holds.

    Raises TypeError or ValueError for samples, or a shape, that cannot be separated.
    """
    check_dtype(audio.dtype)
    planes = audio[np.newaxis] if audio.ndim == 1 else audio
    refusal = has_to_choose(len(planes), choice) if planes.ndim == 2 else "has no axis of channels"
    if planes.ndim != 2 or len(planes) == 0 or (refusal and choice is None):
        hint = "; it looks like (samples, channels): pass its .T" if planes.shape[1:] in ((1,), (2,)) else ""
        raise ValueError(
            f"the array has shape {audio.shape}; (channels, samples) with 1 or 2 channels, or (samples,), "
            f'can be separated, and more channels with channels="front", "pairs" or "downmix"{hint}'
        )
    if refusal:
        raise ValueError(f"the array {refusal}")
    channels, frames = planes.shape

    def blocks() -> Iterator[Samples]:
        length = round(sample_rate)
        for start in range(0, frames, length):
            yield as_float32(planes[:, start : start + length])

    whole = Recording("the array", sample_rate, channels, frames, frames / sample_rate, blocks())
    return _with_channels(whole, choice)


def separated(
    recording: Recording, method: Method, told: Told, progress: Progress | None = None
) -> Iterator[tuple[Samples, ...]]:
    """Yield the outputs, part by part, aligned with the recording: the latency that precedes it is dropped.

    At the end, `told` has what the caller should know about the samples.
    """
    report = progress or _no_progress
    open_one = partial(method.open_engine, recording.sample_rate)
    engine: BlockEngine
    if recording.channels > 2:
        engine = Groups(groups_of(recording.channels), open_one)
    else:
        engine = open_one(recording.channels)
    invalid, trim = InvalidSamples(), LatencyTrim(engine.latency_samples)

    def delayed() -> Iterator[tuple[Samples, ...]]:
        for block in recording.blocks:
            invalid.count(block)
            yield engine.process(block)
        yield engine.flush()

    rate, total = recording.sample_rate, recording.seconds
    report(0.0, total)
    done = 0
    for part in delayed():
        aligned = trim(*part)
        done += aligned[0].shape[1]
        told.seconds = done / rate
        yield aligned
        report(told.seconds, max(total, told.seconds))
    if total != told.seconds and recording.frames is None:
        report(told.seconds, told.seconds)
    if invalid.total:
        told.notes.append(
            f"{recording.name}: {invalid.total} samples are NaN, infinite or beyond +-1e15 and were "
            f"processed as silence, the first at sample {invalid.first} ({invalid.first / rate:.3f} s)"
        )


def collected(parts: Iterable[tuple[Samples, ...]], recording: Recording, count: int) -> tuple[Samples, ...]:
    """Join the parts of `count` outputs, (channels, samples)."""
    if recording.frames is None:
        return tuple(np.concatenate(blocks, axis=1) for blocks in zip(*parts, strict=True))
    outputs = tuple(np.empty((recording.channels, recording.frames), np.float32) for _ in range(count))
    done = 0
    for part in parts:
        here = slice(done, done + part[0].shape[1])
        for output, block in zip(outputs, part, strict=True):
            output[:, here] = block
        done = here.stop
    return tuple(output[:, :done] for output in outputs)


@contextmanager
def _opened(
    source: PathLike | IO[bytes], method: Method, *, strict: bool, raw: tuple[int, int] | None
) -> Iterator[tuple[AudioReader, Recording]]:
    with AudioReader(source, strict=strict, raw=raw, any_channels=True) as reader:
        if refusal := has_to_choose(reader.channels, method.channels):
            raise AudioFileError(reader.path, refusal)
        rate = reader.sample_rate
        whole = Recording(
            os.fspath(reader.path), rate, reader.channels, reader.frames, reader.seconds, reader.blocks(rate)
        )
        yield reader, _with_channels(whole, method.channels)


def _with_channels(recording: Recording, choice: Channels | None) -> Recording:
    """Return a recording with the channels that are separated."""
    if recording.channels <= 2 or choice is None or choice == "pairs":
        return recording
    blocks = (stereo_of(block, choice) for block in recording.blocks)
    fields = (recording.name, recording.sample_rate, 2, recording.frames, recording.seconds)
    return Recording(*fields, blocks)


def _name_of(source: PathLike | IO[bytes]) -> PathLike:
    """Return what the files of a source are named after."""
    if isinstance(source, str | os.PathLike):
        return source
    name = getattr(source, "name", None)
    return name if isinstance(name, str | os.PathLike) else "song"


def _no_progress(done: float, total: float) -> None:
    pass

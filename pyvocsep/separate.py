"""Separation of a whole recording, a file or an array."""

from __future__ import annotations

import errno
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from pyvocsep.audio import AudioReader, AudioWriter, output_format
from pyvocsep.errors import AudioWarning
from pyvocsep.models import DEFAULT
from pyvocsep.separator import Samples, Separator, as_float32

STEMS = ("vocals", "accompaniment")
DEFAULT_NAME_PATTERN = "{name}.{stem}"

PathLike = str | os.PathLike[str]
Progress = Callable[[float, float], object]
"""Called with the seconds of audio done and in all."""

_LOUDEST = 1e15
"""Beyond it the core takes a sample as silence: its square no longer fits."""


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


@overload
def process(
    source: PathLike,
    sample_rate: None = None,
    *,
    model: PathLike = DEFAULT,
    threads: int = 1,
    output_dir: None = None,
    progress: Progress | None = None,
) -> Stems: ...
@overload
def process(
    source: NDArray[Any],
    sample_rate: float,
    *,
    model: PathLike = DEFAULT,
    threads: int = 1,
    output_dir: None = None,
    progress: Progress | None = None,
) -> Stems: ...
@overload
def process(
    source: PathLike,
    sample_rate: None = None,
    *,
    model: PathLike = DEFAULT,
    threads: int = 1,
    output_dir: PathLike,
    stems: Sequence[str] = STEMS,
    format: str | None = None,
    subtype: str | None = None,
    name_pattern: str = DEFAULT_NAME_PATTERN,
    progress: Progress | None = None,
) -> dict[str, Path]: ...
def process(
    source: PathLike | NDArray[Any],
    sample_rate: float | None = None,
    *,
    model: PathLike = DEFAULT,
    threads: int = 1,
    output_dir: PathLike | None = None,
    stems: Sequence[str] = STEMS,
    format: str | None = None,
    subtype: str | None = None,
    name_pattern: str = DEFAULT_NAME_PATTERN,
    progress: Progress | None = None,
) -> Stems | dict[str, Path]:
    """Separate a recording into vocals and accompaniment.

    The stems have the recording's rate, channels and exact length, are aligned with it and never rescaled:
    they sum to it, to the last float32 rounding. Samples that are not finite, or beyond 1e15, are taken as
    silence, with an AudioWarning.

    Args:
        source: the path of a WAV, FLAC, OGG, MP3 or AIFF file (or another that libsndfile reads), or an array
            of float32 or float64, (channels, samples), or (samples,) for mono.
        sample_rate: of an array, in Hz. A file tells its own.
        model: a shipped model, `band-gru` or `gru`, or the path of a .safetensors file.
        threads: how many to compute with; the result does not depend on it.
        output_dir: the folder, made if need be, for a file per stem. The source, then a file too, is
            separated block by block in constant memory. A stem is there only when it is whole: after an
            error, an interruption or a full disk there is none, or the one that was there before.
        stems: which to write, of "vocals" and "accompaniment".
        format: "wav", "flac", "ogg", "mp3" or "aiff"; None is 32-bit float WAV.
        subtype: the samples' type, by libsndfile's names, as PCM_16; None is FLOAT for `format=None`, else
            the source's own where the format can hold it, else the most precise one. What clips in it
            saturates, with an AudioWarning that names the peak.
        name_pattern: how the written files are named: {name} is the source's without its suffix, {stem} the
            stem's. The suffix of the format follows. A "/" makes sub-folders.
        progress: called as progress(done, total), in seconds of audio, at the start and after about every
            second. An exception that it raises cancels the work and reaches the caller.

    Returns:
        Stems, or with `output_dir` the path of each written stem, by its name.

    Raises:
        OSError: a file or folder cannot be read or written; it names which.
        AudioFileError: the file is empty, cut short, not audio, or cannot be separated or written as asked.
        ValueError: a rate outside 8000 to 192000 Hz, more than 2 channels, an unknown model, stem, format or
            subtype.
        TypeError: samples that are not float32 or float64; arguments that do not go together.
    """
    how_to_write = (tuple(stems), format, subtype, name_pattern)
    if output_dir is None and how_to_write != (STEMS, None, None, DEFAULT_NAME_PATTERN):
        raise TypeError(
            "stems, format, subtype and name_pattern say how files are written: give output_dir too"
        )
    report = progress or _no_progress
    result: Stems | dict[str, Path]
    if isinstance(source, str | os.PathLike):
        if sample_rate is not None:
            raise TypeError("sample_rate is for an array; a file tells its own")
        if output_dir is None:
            result, notes = _file_to_arrays(source, model, threads, report)
        else:
            result, notes = _file_to_files(source, Path(output_dir), *how_to_write, model, threads, report)
    else:
        if sample_rate is None:
            raise TypeError("an array needs its sample_rate")
        if output_dir is not None:
            raise TypeError(
                "output_dir needs a file as the source; write an array's stems with soundfile.write"
            )
        result, notes = _array_to_arrays(np.asarray(source), sample_rate, model, threads, report)
    for note in notes:
        warnings.warn(note, AudioWarning, stacklevel=2)
    return result


def output_paths(
    source: PathLike, output_dir: PathLike, stems: Sequence[str], format: str, name_pattern: str
) -> dict[str, Path]:
    """Return the file of each stem that `process` writes for a source.

    Raises ValueError for an unknown stem, or a pattern that does not tell the stems apart or replaces the
    source.
    """
    if not stems or not set(stems) <= set(STEMS):
        raise ValueError(f"unknown stems {list(stems)}: choose from {', '.join(STEMS)}")
    name = Path(source).stem
    try:
        names = [name_pattern.format(name=name, stem=stem) for stem in stems]
    except (LookupError, ValueError, AttributeError):
        raise ValueError(
            f"the name pattern {name_pattern!r} can hold {{name}} and {{stem}} in braces"
        ) from None
    if len(set(names)) < len(set(stems)):
        raise ValueError(f"the name pattern {name_pattern!r} gives both stems one name; put {{stem}} in it")
    paths = {stem: Path(output_dir, f"{name}.{format}") for stem, name in zip(stems, names, strict=True)}
    for path in paths.values():
        if path.resolve() == Path(source).resolve():
            raise ValueError(f"{path}: the stem would replace its source; choose another name or folder")
    return paths


def _file_to_arrays(
    path: PathLike, model: PathLike, threads: int, report: Progress
) -> tuple[Stems, list[str]]:
    with AudioReader(path) as reader:
        separator = Separator(reader.sample_rate, reader.channels, model, threads)
        invalid = _InvalidSamples(str(path), reader.sample_rate)
        blocks = invalid.watch(reader.blocks(reader.sample_rate))
        vocals, accompaniment = _collected(
            _separated(blocks, separator, reader.frames, report), reader.channels, reader.frames
        )
    return Stems(vocals, accompaniment, reader.sample_rate), invalid.notes()


def _array_to_arrays(
    audio: NDArray[Any], sample_rate: float, model: PathLike, threads: int, report: Progress
) -> tuple[Stems, list[str]]:
    as_float32(audio[..., :0])  # before its shape: of what a list makes, the type says more
    planes = audio[np.newaxis] if audio.ndim == 1 else audio
    if planes.ndim != 2 or planes.shape[0] not in (1, 2):
        hint = "; it looks like (samples, channels): pass its .T" if planes.shape[1:] in ((1,), (2,)) else ""
        raise ValueError(
            f"the array has shape {audio.shape}; (channels, samples) with 1 or 2 channels, or (samples,), "
            f"can be separated{hint}"
        )
    channels, frames = planes.shape
    separator = Separator(sample_rate, channels, model, threads)
    length = round(sample_rate)
    cuts = (as_float32(planes[:, start : start + length]) for start in range(0, frames, length))
    invalid = _InvalidSamples("the array", sample_rate)
    stems = _collected(_separated(invalid.watch(cuts), separator, frames, report), channels, frames)
    vocals, accompaniment = (stem.reshape(audio.shape) for stem in stems)
    return Stems(vocals, accompaniment, sample_rate), invalid.notes()


def _file_to_files(
    path: PathLike,
    output_dir: Path,
    stems: Sequence[str],
    format: str | None,
    subtype: str | None,
    name_pattern: str,
    model: PathLike,
    threads: int,
    report: Progress,
) -> tuple[dict[str, Path], list[str]]:
    with ExitStack() as stack:
        reader = stack.enter_context(AudioReader(path))
        chosen_format, chosen_subtype = output_format(format, subtype, reader.subtype)
        targets = output_paths(path, output_dir, stems, chosen_format, name_pattern)
        separator = Separator(reader.sample_rate, reader.channels, model, threads)
        writers = {}
        for stem, target in targets.items():
            make_folder(target.parent)
            writers[stem] = stack.enter_context(
                AudioWriter(
                    target,
                    reader.sample_rate,
                    reader.channels,
                    format=chosen_format,
                    subtype=chosen_subtype,
                    frames=reader.frames,
                    tags=reader.tags,
                )
            )
        invalid = _InvalidSamples(str(path), reader.sample_rate)
        blocks = invalid.watch(reader.blocks(reader.sample_rate))
        for parts in _separated(blocks, separator, reader.frames, report):
            for stem, part in zip(STEMS, parts, strict=True):
                if stem in writers:
                    writers[stem].write(part)
        for writer in writers.values():  # all must be whole before the first one gets its name
            writer.finish()
        for writer in writers.values():
            writer.commit()
    clipped = [note for writer in writers.values() if (note := writer.clipping())]
    return targets, invalid.notes() + clipped


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, where they are missing; OSError if that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(errno.ENOTDIR, "not a folder", str(folder)) from None


def _separated(
    blocks: Iterable[Samples], separator: Separator, frames: int, report: Progress
) -> Iterator[tuple[Samples, Samples]]:
    """Yield both stems of the blocks, aligned with them: what precedes the recording is dropped."""

    def delayed() -> Iterator[tuple[Samples, Samples]]:
        for block in blocks:
            yield separator.process(block)
        yield separator.flush()

    rate = separator.sample_rate
    report(0.0, frames / rate)
    early, done = separator.latency_samples, 0
    for vocals, accompaniment in delayed():
        drop = min(early, vocals.shape[1])
        early -= drop
        done += vocals.shape[1] - drop
        yield vocals[:, drop:], accompaniment[:, drop:]
        report(done / rate, frames / rate)


def _collected(
    parts: Iterable[tuple[Samples, Samples]], channels: int, frames: int
) -> tuple[Samples, Samples]:
    """Join the parts of both stems, each in an array (channels, frames), or shorter if less comes."""
    vocals, accompaniment = (np.empty((channels, frames), np.float32) for _ in STEMS)
    done = 0
    for vocals_part, accompaniment_part in parts:
        here = slice(done, done + vocals_part.shape[1])
        vocals[:, here], accompaniment[:, here] = vocals_part, accompaniment_part
        done = here.stop
    return vocals[:, :done], accompaniment[:, :done]


class _InvalidSamples:
    """Counts the samples that the core takes as silence."""

    def __init__(self, source: str, sample_rate: float) -> None:
        self._source, self._sample_rate = source, sample_rate
        self._count = self._position = self._first = 0

    def watch(self, blocks: Iterable[Samples]) -> Iterator[Samples]:
        for block in blocks:
            invalid = ~(np.abs(block) <= _LOUDEST)
            if invalid.any():
                if self._count == 0:
                    self._first = self._position + int(invalid.any(axis=0).argmax())
                self._count += int(invalid.sum())
            self._position += block.shape[1]
            yield block

    def notes(self) -> list[str]:
        if self._count == 0:
            return []
        return [
            f"{self._source}: {self._count} samples are NaN, infinite or absurdly loud and were taken as "
            f"silence, the first at sample {self._first} ({self._first / self._sample_rate:.3f} s)"
        ]


def _no_progress(done: float, total: float) -> None:
    pass

"""Separation of a whole recording, a file or an array.

The module is not called `process`: the function of that name would hide it in the package.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, overload

import numpy as np
from numpy.typing import NDArray

from pyvocsep.arrays import STEMS, Samples
from pyvocsep.engines.registry import PRECISIONS
from pyvocsep.engines.surround import Channels
from pyvocsep.errors import AudioWarning, IncompleteWarning
from pyvocsep.files.outputs import DEFAULT_NAME_PATTERN, MIX, Output
from pyvocsep.files.ownership import Existing
from pyvocsep.models import DEFAULT_FOR_FILES
from pyvocsep.notebook import progress_bar, stems_html
from pyvocsep.separation import (
    Method,
    PathLike,
    Progress,
    Told,
    collected,
    recording_of_array,
    separate_to_arrays,
    separate_to_files,
    separated,
)


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
        quality: float | None = None,
        bitrate: float | None = None,
        existing: Existing = "ours",
    ) -> dict[str, Path]:
        """Write a file per stem, all or none, as `process` does with `output_dir`: folder/song.vocals.wav.

        Args:
            folder: made if need be.
            name: of the song.
            format: as `process` takes it.
            subtype: as `process` takes it.
            name_pattern: as `process` takes it; {name} stands for `name`.
            quality: as `process` takes it.
            bitrate: as `process` takes it.
            existing: as `process` takes it.

        Returns the path of each stem, by its name; raises what `process` raises for its outputs.
        """
        output = Output(
            Path(folder),
            format=format,
            subtype=subtype,
            quality=quality,
            bitrate=bitrate,
            name_pattern=name_pattern,
            existing=existing,
        )
        output.check()
        if output.is_done(f"{name}.stems"):
            return output.paths(f"{name}.stems")
        vocals, accompaniment = np.atleast_2d(self.vocals), np.atleast_2d(self.accompaniment)
        paths, notes = output.write(
            [(vocals, accompaniment)],
            STEMS,
            f"{name}.stems",
            sample_rate=int(self.sample_rate),
            channels=len(vocals),
            subtype=None,
            frames=vocals.shape[1],
            tags={},
        )
        for note in notes:
            warnings.warn(note, AudioWarning, stacklevel=2)
        return paths

    def _repr_html_(self) -> str:
        """Return what Jupyter shows: a waveform and a player for each stem."""
        return stems_html({stem: getattr(self, stem) for stem in STEMS}, self.sample_rate)


@overload
def process(
    source: PathLike | IO[bytes],
    sample_rate: None = None,
    *,
    model: PathLike = DEFAULT_FOR_FILES,
    threads: int = 1,
    precision: str = PRECISIONS[0],
    channels: Channels | None = None,
    raw: tuple[int, int] | None = None,
    output_dir: None = None,
    outputs: None = None,
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
    channels: Channels | None = None,
    output_dir: None = None,
    outputs: None = None,
    progress: Progress | bool | None = None,
) -> Stems: ...
@overload
def process(
    source: PathLike | IO[bytes],
    sample_rate: None = None,
    *,
    model: PathLike = DEFAULT_FOR_FILES,
    threads: int = 1,
    precision: str = PRECISIONS[0],
    channels: Channels | None = None,
    raw: tuple[int, int] | None = None,
    output_dir: PathLike,
    outputs: None = None,
    stems: Sequence[str] = STEMS,
    mix_db: float | None = None,
    format: str | None = None,
    subtype: str | None = None,
    quality: float | None = None,
    bitrate: float | None = None,
    name_pattern: str = DEFAULT_NAME_PATTERN,
    existing: Existing = "ours",
    strict: bool = False,
    progress: Progress | bool | None = None,
) -> dict[str, Path]: ...
@overload
def process(
    source: PathLike | IO[bytes],
    sample_rate: None = None,
    *,
    model: PathLike = DEFAULT_FOR_FILES,
    threads: int = 1,
    precision: str = PRECISIONS[0],
    channels: Channels | None = None,
    raw: tuple[int, int] | None = None,
    output_dir: None = None,
    outputs: Mapping[str, IO[bytes]],
    mix_db: float | None = None,
    format: str | None = None,
    subtype: str | None = None,
    quality: float | None = None,
    bitrate: float | None = None,
    strict: bool = False,
    progress: Progress | bool | None = None,
) -> dict[str, IO[bytes]]: ...
def process(
    source: PathLike | IO[bytes] | NDArray[Any],
    sample_rate: float | None = None,
    *,
    model: PathLike = DEFAULT_FOR_FILES,
    threads: int = 1,
    precision: str = PRECISIONS[0],
    channels: Channels | None = None,
    raw: tuple[int, int] | None = None,
    output_dir: PathLike | None = None,
    outputs: Mapping[str, IO[bytes]] | None = None,
    stems: Sequence[str] = STEMS,
    mix_db: float | None = None,
    format: str | None = None,
    subtype: str | None = None,
    quality: float | None = None,
    bitrate: float | None = None,
    name_pattern: str = DEFAULT_NAME_PATTERN,
    existing: Existing = "ours",
    strict: bool = False,
    progress: Progress | bool | None = None,
) -> Stems | dict[str, Path] | dict[str, IO[bytes]]:
    """Separate a recording into vocals and accompaniment.

    The stems have the recording's rate, channels and exact length, are aligned with it and never rescaled:
    they sum to it, to the last float32 rounding. Samples that are not finite, or beyond +-1e15, are
    processed as silence, with an AudioWarning.

    Args:
        source: a WAV, FLAC, OGG, MP3 or AIFF file (or another that libsndfile reads), or an array of float32
            or float64, (channels, samples), or (samples,) for mono. The file is a path, of a pipe too, or a
            binary file object: from its beginning if it can seek, else from where it is. It stays open.
        sample_rate: of an array, in Hz. A file tells its own.
        model: the name of a shipped model, as `band-gru`, `gru` or `cnn`, or the path of a model file.
        threads: how many to compute with; the result does not depend on it.
        precision: of the network's products: "float32"; or, faster, "bfloat16" where the processor has
            AVX512-BF16 or Arm's BF16, and "int8" where it has VNNI or Arm's dot products. They change a
            song's vocals by some -50 and -40 dB.
        channels: of recordings with more than two: "front" separates the first two and leaves the others
            out; "pairs" separates all, left with right and the others by themselves; "downmix" mixes stereo
            of them (ITU-R BS.775) and separates that. None refuses them.
        raw: (rate, channels) of a file that holds nothing but 32-bit float samples, little-endian and
            interleaved.
        output_dir: the folder, made if need be, for a file per stem. The source, then a file too, is
            separated block by block in constant memory. All stems are there, or none: after an error, an
            interruption or a full disk there is what was there before.
        outputs: in place of `output_dir`, a binary file object for each stem that is wanted, by its name,
            {"vocals": file}; with `mix_db` the name is "mix". A file gets its stem when all are whole, but
            raw samples, and WAV where the file cannot seek, as they come. It stays open.
        stems: which to write in `output_dir`, of "vocals" and "accompaniment".
        mix_db: in place of the stems, write one file, "mix": the recording with its vocals turned by so many
            dB. -60 is karaoke, minus infinity without a trace; to arrays, `StemMixer` does this.
        format: "wav", "flac", "ogg", "mp3" or "aiff", for `outputs` also "raw"; None is 32-bit float WAV.
        subtype: the samples' type, by libsndfile's names, as PCM_16; None is FLOAT for `format=None`, else
            the source's own where the format can hold it, else the most precise one. What clips in it
            saturates, with an AudioWarning that names the peak.
        quality: of MP3 and OGG, 0 to 10, the best; None is about 245 kb/s in MP3, 205 in Vorbis,
            215 in Opus.
        bitrate: of MP3 and Opus, in kb/s, in place of a quality.
        name_pattern: how the written files are named: {name} is the source's without its suffix, {ext} the
            suffix, {stem} the stem's. The suffix of the format follows. A "/" makes sub-folders.
        existing: what becomes of a file that is there already. "ours" replaces what pyvocsep wrote and
            refuses the rest; "skip" does nothing if all stems are there, and else what "ours" does;
            "replace" replaces any, "error" refuses any.
        strict: refuse a file that is damaged or cut short. Else what can be decoded of it is separated, with
            an IncompleteWarning that says what is missing.
        progress: called as progress(done, total), in seconds of audio, at the start and after about every
            second; the total is infinite while a pipe does not tell it. An exception that it raises cancels
            the work and reaches the caller. True shows a bar.

    Returns:
        Stems, or with `output_dir` or `outputs` the path or file of each written stem, by its name.

    Raises:
        OSError: a file or folder cannot be read or written, or a file is in the way; it names which.
        AudioFileError: the file is empty, not audio, cannot be separated or written as asked, or, if
            strict, is damaged or cut short.
        ValueError: a rate outside 8000 to 192000 Hz, more than 2 channels, an unknown model, stem, format or
            subtype, a quality that there is not, a precision that is unknown or not this machine's.
        ImportError: the model needs onnxruntime, which is not installed.
        TypeError: samples that are not float32 or float64; arguments that do not go together.
    """
    file: Any = source if isinstance(source, str | os.PathLike) or hasattr(source, "read") else None
    is_file = file is not None
    writing = (tuple(stems), mix_db, format, subtype, quality, bitrate, name_pattern, existing)
    if output_dir is None and outputs is None and writing != _WRITING_DEFAULTS:
        raise TypeError(
            "stems, mix_db, format, subtype, quality, bitrate, name_pattern and existing say how files are "
            "written: give output_dir or outputs too"
        )
    if output_dir is not None and outputs is not None:
        raise TypeError("output_dir and outputs say both where the stems go; give one of them")
    if not is_file and (sample_rate is None or raw is not None):
        raise TypeError(_advice(source))
    if not is_file and not (output_dir is None and outputs is None):
        raise TypeError(
            "output_dir, as outputs, needs a file as the source; write an array's stems with Stems.save"
        )
    if is_file and sample_rate is not None:
        raise TypeError("sample_rate is for an array; a file tells its own, and raw=(rate, channels) for one")
    method = Method(model, threads, precision, mix_db, channels)
    report = progress_bar() if progress is True else progress or None
    result: Stems | dict[str, Any]
    if not is_file:
        told = Told()
        audio = np.asarray(source)
        recording = recording_of_array(audio, sample_rate or 0, channels)
        both = collected(separated(recording, method, told, report), recording, len(STEMS))
        shape = audio.shape if audio.ndim == 1 else both[0].shape
        vocals, accompaniment = (stem.reshape(shape) for stem in both)
        result = Stems(vocals, accompaniment, sample_rate or 0)
    elif output_dir is None and outputs is None:
        (vocals, accompaniment), rate, told = separate_to_arrays(
            file, method, strict=strict, raw=raw, progress=report
        )
        result = Stems(vocals, accompaniment, rate)
    else:
        chosen = (MIX,) if mix_db is not None else tuple(stems)
        output = Output(
            None if output_dir is None else Path(output_dir),
            outputs,
            chosen if outputs is None else tuple(outputs),
            format,
            subtype,
            quality,
            bitrate,
            name_pattern,
            existing,
        )
        result, told = separate_to_files(file, method, output, strict=strict, raw=raw, progress=report)
    for fault in told.faults:
        warnings.warn(fault, IncompleteWarning, stacklevel=2)
    for note in told.notes:
        warnings.warn(note, AudioWarning, stacklevel=2)
    return result


_WRITING_DEFAULTS = (STEMS, None, None, None, None, None, DEFAULT_NAME_PATTERN, "ours")


def _advice(source: object) -> str:
    """Say what to pass instead of a source that is neither a file nor an array with a rate."""
    if isinstance(source, bytes | bytearray | memoryview):
        return (
            "the source is bytes; pass a path as text (see os.fsdecode), a file object (io.BytesIO), or an "
            "array and its sample_rate"
        )
    if source is None or isinstance(source, int | float):
        return f"the source is {source!r}; pass the path of a file, or an array and its sample_rate"
    return "an array needs its sample_rate, and raw= is for files"

"""The registry: the only place that knows which engine runs which kind of model file."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from pyvocsep import _core
from pyvocsep.arrays import check_channels, check_sample_rate, check_threads
from pyvocsep.engines.core import CoreEngine
from pyvocsep.engines.mixing import CoreMixer, StemsMixer, gain_of_level
from pyvocsep.engines.patch_model import PatchModel
from pyvocsep.engines.patches import PatchEngine
from pyvocsep.engines.protocol import Engine, Stream
from pyvocsep.engines.whole_recording import WholeRecording
from pyvocsep.models import DEFAULT, PATCH_SUFFIX, model_path

ModelName = str | os.PathLike[str]
"""The name of a shipped model or the path of a model file."""

PRECISIONS = tuple(_core.Precision.__members__)
"""Names of the number formats of the networks' products, the default first."""


def open_engine(
    model: ModelName, sample_rate: float, channels: int, threads: int = 1, precision: str = PRECISIONS[0]
) -> Engine:
    """Return an engine for one recording.

    Raises:
        ValueError: rate, channels or threads out of range, an unknown model name, a file that is not a model,
            a precision that is unknown or that the model or this machine lacks.
        FileNotFoundError: no model file at the path.
        ImportError: the model needs onnxruntime, which is not installed.
    """
    check_sample_rate(sample_rate)
    check_channels(channels)
    check_threads(threads)
    if is_streaming(model):
        return CoreEngine(load_streaming_model(model, precision), sample_rate, channels, threads)
    return PatchEngine(_load_patch_model(model, precision, threads), sample_rate, channels)


def open_mixer(
    model: ModelName,
    vocals_db: float,
    sample_rate: float,
    channels: int,
    threads: int = 1,
    precision: str = PRECISIONS[0],
) -> CoreMixer | StemsMixer:
    """Return what mixes one recording anew, its vocals at a level in dB; errors as `open_engine`."""
    gain = gain_of_level("mix_db", vocals_db)
    if not is_streaming(model):
        return StemsMixer(open_engine(model, sample_rate, channels, threads, precision), gain)
    check_sample_rate(sample_rate)
    check_channels(channels)
    check_threads(threads)
    return CoreMixer(load_streaming_model(model, precision), gain, sample_rate, channels, threads)


def open_stream(
    model: ModelName, sample_rate: float, channels: int, threads: int = 1, precision: str = PRECISIONS[0]
) -> Stream:
    """Return an engine that gives back as many samples as it takes; errors as `open_engine`.

    Of a model that cannot stream it takes a whole recording per call.
    """
    engine = open_engine(model, sample_rate, channels, threads, precision)
    if isinstance(engine, CoreEngine):
        return engine
    return WholeRecording(engine, lambda: _cannot_stream(model_path(model)))


def is_streaming(model: ModelName) -> bool:
    """Tell whether a model serves streams; one that segments patches of a recording does not.

    Raises what `model_path` raises.
    """
    return model_path(model).suffix != PATCH_SUFFIX


def check_model(model: ModelName, precision: str = PRECISIONS[0]) -> None:
    """Read a model as its first use would, and raise what that would raise."""
    if is_streaming(model):
        load_streaming_model(model, precision)
    else:
        _load_patch_model(model, precision)


def model_metadata(model: ModelName) -> dict[str, str]:
    """Return what a model file says of itself: name, architecture, rate, score, licence and so on."""
    if is_streaming(model):
        return load_streaming_model(model).metadata
    return _load_patch_model(model).metadata


def load_streaming_model(model: ModelName, precision: str = PRECISIONS[0]) -> _core.Model:
    """Read a model for the C++ core, or return the copy in memory while its file is unchanged.

    Raises what `model_path` raises, and ValueError for a model that cannot stream, for a file that is not a
    model, naming what is wrong in it, and for a precision that is unknown or not this machine's.
    """
    _check_precision(precision)
    path = model_path(model)
    if not is_streaming(path):
        raise _cannot_stream(path)
    status = path.stat()
    return _load(str(path.resolve()), status.st_mtime_ns, status.st_size, precision)


def _load_patch_model(model: ModelName, precision: str = PRECISIONS[0], threads: int = 1) -> PatchModel:
    _check_precision(precision)
    path = model_path(model)
    if precision != PRECISIONS[0]:
        raise ValueError(f"precision is {precision!r}; the model {path.stem!r} runs in {PRECISIONS[0]} alone")
    return PatchModel(path, threads)


def _cannot_stream(path: Path) -> ValueError:
    return ValueError(
        f"the model {path.stem!r} looks ahead, patch by patch, and cannot stream: separate a whole "
        f"recording, with pyvocsep.process or in one call of Separator.process, or take a model that "
        f"streams, as {DEFAULT!r}"
    )


def _check_precision(precision: str) -> None:
    if precision not in PRECISIONS:
        raise ValueError(f"precision is {precision!r}; it must be one of {', '.join(PRECISIONS)}")


@lru_cache(maxsize=8)  # a server's visitors change between models
def _load(path: str, modified_ns: int, size: int, precision: str) -> _core.Model:
    return _core.Model(path, getattr(_core.Precision, precision))

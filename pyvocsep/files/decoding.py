"""Which decoder a file gets: one that looks twice, or one for what can be read only once."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pyvocsep.files.av_decoder import AvDecoder, can_use_ffmpeg
from pyvocsep.files.decoder import Decoder
from pyvocsep.files.forward import ForwardFile
from pyvocsep.files.raw_stream import RawStream
from pyvocsep.files.recognise import is_recognised
from pyvocsep.files.source import Source
from pyvocsep.files.structure import ForeignError, UnreadableError
from pyvocsep.files.wav_stream import WavStream, is_wav_stream

_HEAD_SIZE = 40
_LARGEST_LEAD_IN = 1 << 17
"""Bytes at the start of a pipe in which audio must be recognised, before all of it is copied."""


class Decoded(Protocol):
    """The samples of a file, decoded block by block.

    Attributes:
        sample_rate: in Hz.
        channels: at least 1.
        frames: how many samples each channel has, as far as the file tells; None if it does not.
        seconds: how long it seems to be, for a progress bar; infinite if nothing tells.
        format, subtype: libsndfile's names for the container and its samples.
        tags: text such as title and artist, by libsndfile's names.
        faults: what is missing or damaged, each a phrase; complete after the last block.
    """

    sample_rate: int
    channels: int
    format: str
    subtype: str
    tags: dict[str, str]

    @property
    def frames(self) -> int | None: ...
    @property
    def seconds(self) -> float: ...
    @property
    def faults(self) -> Sequence[str]: ...
    def blocks(self, length: int) -> Iterator[NDArray[np.float32]]:
        """Yield float32 arrays (channels, at most `length`), from the first sample to the last."""


def is_seekable(file: Any) -> bool:
    """Tell whether an open file can be read, or written, anywhere."""
    seekable = getattr(file, "seekable", None)
    return seekable() if seekable is not None else hasattr(file, "seek") and hasattr(file, "tell")


def open_decoder(file: Any, name: str, raw: tuple[int, int] | None, stack: ExitStack) -> Decoded:
    """Return the decoder of an open binary file, which stays the caller's to close.

    A pipe of WAV or raw samples is decoded as it comes in. What other formats need to have read more than
    once is copied to a temporary file first, which `stack` closes.

    Args:
        file: binary.
        name: for messages.
        raw: rate and channels of raw samples, which tell neither; None for all else.

    Raises UnreadableError and OSError, as `Decoder` does.
    """
    if isinstance(file, io.TextIOBase):
        raise TypeError(f"{name} is open as text; open it in binary mode ('rb')")
    if raw is not None:
        if is_seekable(file):
            file.seek(0)
        return RawStream(ForwardFile(file), *raw)
    if is_seekable(file):
        return _decoder(file, name, stack)
    pipe = ForwardFile(file)
    head = pipe.peek(_HEAD_SIZE)
    if not head:
        raise UnreadableError("the pipe is empty")
    if is_wav_stream(head):
        stream = WavStream(pipe)
        if stream.can_stream:
            return stream
    elif not _is_recognised(pipe.peek(_LARGEST_LEAD_IN), name):
        raise UnreadableError(
            "the pipe brings no audio that can be read; raw samples need --raw, in Python raw="
        )
    return _decoder(stack.enter_context(pipe.spooled()), name, stack)


def _decoder(file: Any, name: str, stack: ExitStack) -> Decoded:
    """Return libsndfile's decoder of a seekable file, or FFmpeg's, where there is one, of what needs it."""
    try:
        return Decoder(file, name)
    except ForeignError as error:
        if not can_use_ffmpeg():
            raise
        what = error.what
    return AvDecoder(file, what, stack)


def _is_recognised(head: bytes, name: str) -> bool:
    try:
        return is_recognised(Source(io.BytesIO(head)), name)
    except ForeignError:
        if not can_use_ffmpeg():
            raise
        return True

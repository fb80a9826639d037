"""What libsndfile does not decode, by FFmpeg: the optional library PyAV (BSD licence) brings it along."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyvocsep.files.covers import ALBUM_ARTIST, Cover
from pyvocsep.files.structure import UnreadableError, clock

_TAGS = {
    "title": "title", "artist": "artist", "album": "album", "date": "date", "track": "tracknumber",
    "genre": "genre", "album_artist": ALBUM_ARTIST, "comment": "comment", "copyright": "copyright",
    "license": "license",
}  # fmt: skip
"""FFmpeg's names of tags, and libsndfile's."""

_TOLERANCE_S = 1.0
"""By which a container's duration may exceed its sound: a video's is that of its pictures."""

_MOST_FAULTS = 8


def can_use_ffmpeg() -> bool:
    """Tell whether PyAV is installed."""
    return importlib.util.find_spec("av") is not None


class AvDecoder:
    """Decodes the sound of a file block by block; see `Decoded`. The samples are those of `ffmpeg -i`.

    Args:
        file: binary, seekable; stays the caller's to close.
        what: the kind of file, for messages.
        stack: frees the decoder.

    Raises UnreadableError if there is no sound in it that FFmpeg can decode.
    """

    frames = None

    def __init__(self, file: Any, what: str, stack: ExitStack) -> None:
        av = _library()

        self._errors: Any = av.error.FFmpegError
        self._resampler: Any = av.AudioResampler
        av.logging.set_level(None)  # its remarks would go to stderr
        self.cover = _cover(av, file)
        self._file = _KeepsErrorss(file)
        try:
            self._container: Any = stack.enter_context(av.open(self._file, metadata_errors="ignore"))
        except self._errors as error:
            self._file.raise_kept()
            raise UnreadableError(f"{what}, in which FFmpeg finds no sound ({_reason(error)})") from None
        stream = self._container.streams.best("audio")
        if stream is None or not stream.codec_context or not stream.codec_context.sample_rate:
            raise UnreadableError(f"{what}, without a sound track that can be decoded")
        self._stream: Any = stream
        self.sample_rate = int(stream.codec_context.sample_rate)
        self.channels = int(stream.codec_context.layout.nb_channels)
        self.seconds = self._duration()
        self.format = str(self._container.format.name).split(",")[0].upper()
        self.subtype = str(stream.codec_context.name).upper()
        self.tags = _tags(self._container.metadata) or _tags(stream.metadata)
        self.faults: list[str] = []

    def blocks(self, length: int) -> Iterator[NDArray[np.float32]]:
        """Yield the samples in float32 arrays (channels, at most `length`), from the first to the last.

        Raises OSError if the system refuses to read the file.
        """
        done = 0
        waiting: list[NDArray[np.float32]] = []
        for part in self._decoded():
            done += part.shape[1]
            waiting.append(part)
            if sum(block.shape[1] for block in waiting) >= length:
                joined = np.concatenate(waiting, axis=1)
                whole = joined.shape[1] - joined.shape[1] % length
                for start in range(0, whole, length):
                    yield np.ascontiguousarray(joined[:, start : start + length])
                waiting = [joined[:, whole:]]
        if any(block.shape[1] for block in waiting):
            yield np.ascontiguousarray(np.concatenate(waiting, axis=1))
        there = done / self.sample_rate
        if np.isfinite(self.seconds) and there < self.seconds - _TOLERANCE_S and not self.faults:
            self._note(f"cut short or damaged: only {clock(there, 1)} of {clock(self.seconds, 1)} are there")

    def _decoded(self) -> Iterator[NDArray[np.float32]]:
        """Yield (channels, samples) as the packets come, and leave out those that are damaged."""
        layout = self._stream.codec_context.layout
        resampler = self._resampler(format="fltp", layout=layout, rate=self.sample_rate)
        done = 0
        for packet in self._packets():
            try:
                frames = [part for frame in packet.decode() for part in resampler.resample(frame)]
            except self._errors as error:
                self._note(f"damaged at {clock(done, self.sample_rate)} ({_reason(error)})")
                continue
            for frame in frames:
                samples: NDArray[np.float32] = frame.to_ndarray()
                done += samples.shape[1]
                yield samples

    def _packets(self) -> Iterator[Any]:
        try:
            for packet in self._container.demux(self._stream):
                self._file.raise_kept()
                yield packet
            self._file.raise_kept()
        except self._errors as error:
            self._file.raise_kept()
            self._note(f"damaged or cut short ({_reason(error)})")

    def _duration(self) -> float:
        stream, container = self._stream, self._container
        if stream.duration is not None and stream.time_base is not None:
            return float(stream.duration * stream.time_base)
        return container.duration / 1e6 if container.duration else float("inf")

    def _note(self, fault: str) -> None:
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(fault)


class _KeepsErrorss:
    """A file for FFmpeg, which would take an error for the end: the first one is kept, and told later."""

    def __init__(self, file: Any) -> None:
        file.seek(0)
        self._file = file
        self._kept: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            data: bytes = self._file.read(size)
            return data
        except BaseException as error:
            self._kept = self._kept or error
            return b""

    def seek(self, offset: int, whence: int = 0) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def raise_kept(self) -> None:
        if self._kept is not None:
            raise self._kept


def _cover(av: Any, file: Any) -> Cover | None:
    """Return the picture that a file holds as its cover: FFmpeg's name for it is an attached picture."""
    try:
        with av.open(_KeepsErrorss(file), metadata_errors="ignore") as container:
            for stream in container.streams.video:
                if stream.disposition & av.stream.Disposition.attached_pic:
                    picture = bytes(next(container.demux(stream)))
                    mime = {"png": "image/png", "mjpeg": "image/jpeg"}.get(stream.codec_context.name)
                    return Cover(mime, picture) if mime and picture else None
    except (av.error.FFmpegError, StopIteration):
        pass  # the sound is what counts: if it cannot be read either, that is told
    return None


def _library() -> Any:
    import av  # type: ignore[import-not-found,unused-ignore]
    import av.logging  # type: ignore[import-not-found,unused-ignore]

    return av


def _reason(error: Any) -> str:
    return str(getattr(error, "strerror", None) or error).lower()


def _tags(metadata: Mapping[str, str]) -> dict[str, str]:
    known = {_TAGS[key.lower()]: text for key, text in metadata.items() if key.lower() in _TAGS}
    return {tag: text for tag, text in known.items() if text}

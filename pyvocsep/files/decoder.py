"""The samples of a file, decoded part after part."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pyvocsep.files.covers import ALBUM_ARTIST, cover_and_album_artist
from pyvocsep.files.flac_frames import flac_frames, is_flac_stream, restarted
from pyvocsep.files.recognise import structure_of
from pyvocsep.files.signatures import conversion
from pyvocsep.files.sound import Described, Sound
from pyvocsep.files.source import Seekable, Source
from pyvocsep.files.structure import Part, UnreadableError, clock

_UNKNOWN = 2**62
"""More samples than any file has: libsndfile's count for a stream whose header does not tell it."""

_RAW = (".raw", ".pcm")

_MOST_FAULTS = 8


class Decoder:
    """Decodes an audio file block by block; what can be decoded comes, what cannot is named in `faults`.

    Args:
        file: binary, seekable; stays the caller's to close.
        path: for messages.

    Attributes:
        sample_rate: in Hz.
        channels: of the part that has the most.
        frames: how many samples each channel has, as far as can be told without decoding.
        format, subtype: libsndfile's names for the container and its samples.
        tags: text such as title and artist, by libsndfile's names, and "albumartist".
        cover: the picture of the front cover, None if there is none.
        faults: what is missing or damaged, each a phrase; grows while `blocks` finds more.

    Raises:
        UnreadableError: it is empty, or nothing in it can be decoded.
        OSError: the system refuses to read it.
    """

    def __init__(self, file: Seekable, path: str) -> None:
        self._source = Source(file)
        if self._source.size == 0:
            raise UnreadableError("the file is empty")
        structure = structure_of(self._source, path)
        self.faults = list(structure.faults)
        self._parts = self._matching(
            [self._described(part, path, structure.parts) for part in structure.parts]
        )
        first = self._parts[0]
        self.sample_rate = first.rate
        self.channels = max(part.channels for part in self._parts)
        self.frames = sum(part.frames for part in self._parts)
        self.format, self.subtype, self.tags = first.format, first.subtype, first.tags
        self.cover, artist = cover_and_album_artist(self._source)
        if artist:
            self.tags[ALBUM_ARTIST] = artist

    @property
    def seconds(self) -> float:
        """How long it is, as far as can be told without decoding."""
        return self.frames / self.sample_rate

    def blocks(self, length: int) -> Iterator[NDArray[np.float32]]:
        """Yield the samples in float32 arrays (channels, at most `length`), from the first to the last.

        Raises OSError if the system refuses to read the file.
        """
        done = 0
        for part in self._parts:
            before = done
            for block in self._decoded(part.part, part.frames, length, before):
                done += len(block)
                planes = np.ascontiguousarray(block.T)
                yield planes if len(planes) == self.channels else np.repeat(planes, self.channels, axis=0)
        if done < self.frames and not self.faults:
            there, whole = clock(done, self.sample_rate), clock(self.frames, self.sample_rate)
            self._note(f"cut short or damaged: only {there} of {whole} are there")

    def _decoded(self, part: Part, frames: int, length: int, before: int) -> Iterator[NDArray[np.float32]]:
        """Yield (samples, channels) of a part, as much of it as can be decoded."""
        done = 0
        try:
            for block in self._undamaged(part, frames, length):
                done += len(block)
                yield block
        except UnreadableError as error:
            if is_flac_stream(part, self._source):
                yield from self._past_damage(part, frames, length, done, before)
            else:
                self._note(f"damaged after {clock(before + done, self.sample_rate)} ({error})")

    def _past_damage(
        self, part: Part, frames: int, length: int, done: int, before: int
    ) -> Iterator[NDArray[np.float32]]:
        """Yield a FLAC part from sample `done` on, silence where its frames cannot be decoded."""
        channels = next(known.channels for known in self._parts if known.part is part)
        for frame in flac_frames(part, self._source):
            skipped = max(0, done - frame.first)
            if skipped >= frame.length or frame.first >= frames:
                continue  # decoded already, or not of this stream
            try:
                rest = restarted(part, self._source, frame)
                for block in self._undamaged(rest, frames - frame.first, frame.length):
                    if frame.first > done:
                        where = clock(before + done, self.sample_rate)
                        lost = clock(frame.first - done, self.sample_rate)
                        self._note(f"damaged at {where}: {lost} became silence")
                        yield from _silence(frame.first - done, channels, length)
                        done = frame.first
                    kept = block[skipped:]
                    skipped = max(0, skipped - len(block))
                    done += len(kept)
                    if len(kept):
                        yield kept
                return
            except UnreadableError:
                pass  # the next frame that lies behind what is decoded

    def _undamaged(self, part: Part, frames: int, length: int) -> Iterator[NDArray[np.float32]]:
        done = 0
        with Sound(self._source, part) as sound:
            while done < frames and len(block := sound.read(min(length, frames - done))):
                done += len(block)
                yield block

    def _described(self, part: Part, path: str, parts: tuple[Part, ...]) -> Described | None:
        try:
            with Sound(self._source, part) as sound:
                described = sound.described()
        except UnreadableError as error:
            if path.lower().endswith(_RAW):
                raise UnreadableError(
                    "raw samples, which do not tell their rate; make it a WAV file first"
                ) from None
            if len(parts) == 1:
                known = f"not an audio file that can be read ({error})"
                raise UnreadableError(f"{known}; if a player knows it, {conversion(path)}") from None
            self._note(f"one of its {len(parts)} joined parts cannot be decoded ({error})")
            return None
        if described.frames >= _UNKNOWN:
            described.frames = self._counted(part, described.rate)
        return described

    def _counted(self, part: Part, rate: int) -> int:
        """Find the length of a stream that does not tell it (FLAC from a pipe), by decoding it once."""
        done = 0
        with Sound(self._source, part) as sound:
            try:
                while block := len(sound.read(rate)):
                    done += block
            except UnreadableError:
                pass  # found again, and reported, when it is decoded for its samples
        return done

    def _matching(self, found: list[Described | None]) -> list[Described]:
        """Return the parts that have the rate which lasts longest, and note what is left out."""
        parts = [part for part in found if part is not None]
        if not parts:
            raise UnreadableError("none of its parts can be decoded")
        durations: defaultdict[int, float] = defaultdict(float)
        for part in parts:
            durations[part.rate] += part.frames / part.rate
        rate = max(durations, key=lambda rate: durations[rate])
        for other, duration in durations.items():
            if other != rate:
                self._note(
                    f"{clock(duration, 1)} of it have a rate of {other} Hz, not {rate}, and were left out"
                )
        return [part for part in parts if part.rate == rate]

    def _note(self, fault: str) -> None:
        if len(self.faults) < _MOST_FAULTS and fault not in self.faults:
            self.faults.append(fault)


def _silence(frames: int, channels: int, length: int) -> Iterator[NDArray[np.float32]]:
    for start in range(0, frames, length):
        yield np.zeros((min(length, frames - start), channels), np.float32)

"""libsndfile over a part of a file, its errors as exceptions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyvocsep.files.formats import error_text, soundfile
from pyvocsep.files.splice import ByteSource, SplicedFile
from pyvocsep.files.structure import Part, UnreadableError

_TAGS = ("title", "artist", "album", "date", "tracknumber", "genre", "comment", "copyright", "license")


@dataclass
class Described:
    """What libsndfile says of a part before its samples are decoded."""

    part: Part
    rate: int
    channels: int
    frames: int
    format: str
    subtype: str
    tags: dict[str, str]


class Sound:
    """A part, open for decoding: libsndfile over the spliced file, its errors as exceptions."""

    def __init__(self, source: ByteSource, part: Part) -> None:
        self._part = part
        self._file = SplicedFile(source, part.pieces)
        self._sound = self._checked(soundfile().SoundFile, self._file)
        # Else it seeks to where it is after each read, which fails where the length is unknown.
        self._sound.seekable = lambda: False

    def described(self) -> Described:
        sound, part = self._sound, self._part
        frames = sound.frames if part.frames is None else part.frames
        tags = {tag: text for tag in _TAGS if (text := getattr(sound, tag))}
        return Described(
            part, sound.samplerate, sound.channels, max(0, frames), sound.format, sound.subtype, tags
        )

    def read(self, length: int) -> NDArray[np.float32]:
        """Return (samples, channels), none at the end."""
        block: NDArray[np.float32] = self._checked(self._sound.read, length, dtype="float32", always_2d=True)
        return block

    def __enter__(self) -> Sound:
        return self

    def __exit__(self, *_: object) -> None:
        self._sound.close()

    def _checked(self, call: Any, *arguments: Any, **options: Any) -> Any:
        try:
            result = call(*arguments, **options)
        except soundfile().LibsndfileError as error:
            self._file.raise_kept()
            raise UnreadableError(error_text(error)) from None
        self._file.raise_kept()
        return result

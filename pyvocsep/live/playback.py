"""A file as the input of a stream: a thread decodes it, the audio thread takes what is ready."""

from __future__ import annotations

import os
import threading

import numpy as np
from numpy.typing import NDArray

from pyvocsep.files.reader import AudioReader
from pyvocsep.live.ring import Ring

_BUFFER_S = 4.0
_BLOCK_S = 0.25
_PAUSE_S = 0.02


class Playback:
    """Decodes a file ahead of the audio thread; a context manager.

    Attributes:
        sample_rate, channels: the file's.
        error: what ended the decoding early, if anything did.

    Raises what `pyvocsep.process` raises for a file that cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._reader = AudioReader(path)
        self.sample_rate = self._reader.sample_rate
        self.channels = self._reader.channels
        self.error: Exception | None = None
        self._ring = Ring(self.channels, round(_BUFFER_S * self.sample_rate))
        self._ended = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._decode, name="decoder", daemon=True)
        self.starved = 0

    def __enter__(self) -> Playback:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._reader.close()

    def wait_until_ready(self) -> None:
        """Wait until a stream can begin: the ring is half full, or the file is shorter."""
        while not self._ended and self._ring.room > self._ring.available:
            self._stop.wait(_PAUSE_S)

    @property
    def has_ended(self) -> bool:
        """Whether all of the file has been taken."""
        return self._ended and self._ring.available == 0

    def read_into(self, block: NDArray[np.float32]) -> None:
        """Fill (frames, channels), without waiting: the audio thread calls it.

        What is missing is silence; before the end of the file it counts as `starved`.
        """
        if self._ring.read_into(block) < len(block) and not self._ended:
            self.starved += 1

    def _decode(self) -> None:
        try:
            for block in self._reader.blocks(round(_BLOCK_S * self.sample_rate)):
                frames, done = block.T, 0
                while done < len(frames):
                    done += self._ring.write(frames[done:])
                    if done < len(frames) and self._stop.wait(_PAUSE_S):
                        return
                if self._stop.is_set():
                    return
        except Exception as error:
            self.error = error
        finally:
            self._ended = True

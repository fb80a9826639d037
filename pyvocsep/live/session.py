"""A live stream from its start to its end, across devices that vanish and come back."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyvocsep.live import devices
from pyvocsep.live.errors import LiveError
from pyvocsep.live.mixer import LARGEST_BLOCK, LiveMixer
from pyvocsep.live.playback import Playback

_SWITCH_INTERVAL_S = 0.0005
"""How long another Python thread may keep the audio thread waiting for the interpreter."""


@dataclass(frozen=True)
class Timing:
    """How a session watches its stream.

    Attributes:
        look_s: between looks at it.
        stall_s: without a block for so long, the device has vanished.
        retry_s: between attempts to open it again.
    """

    look_s: float = 0.1
    stall_s: float = 1.5
    retry_s: float = 1.0


@dataclass(frozen=True)
class Route:
    """From where to where.

    Attributes:
        input_device, output_device: a number or part of a name; None is the default. The input does not
            count while a file plays.
        sample_rate: in Hz; None is the file's or the output device's usual one.
        block: frames in a callback; 0 lets the driver choose.
    """

    input_device: str | None = None
    output_device: str | None = None
    sample_rate: float | None = None
    block: int = 512


class Session:
    """Keeps a stream running until it is told to stop, or the file has been played.

    Args:
        portaudio: the module `sounddevice`, or what behaves like it.
        route: the devices.
        make_mixer: makes a mixer for a sample rate and a number of channels.
        playback: a file that plays in place of an input device.
        timing: see there.
    """

    def __init__(
        self,
        portaudio: Any,
        route: Route,
        make_mixer: Callable[[float, int], LiveMixer],
        playback: Playback | None = None,
        timing: Timing | None = None,
    ) -> None:
        self._portaudio = portaudio
        self._route = route
        self._make_mixer = make_mixer
        self._playback = playback
        self._timing = timing or Timing()
        self._from_file = np.zeros((LARGEST_BLOCK, 2), np.float32)
        self._tail_left = 0
        self.mixer: LiveMixer | None = None
        self.xruns = 0
        self.reconnections = 0
        self.driver_latency_s = 0.0
        self.is_connected = False

    def run(self, each_look: Callable[[Session], bool]) -> None:
        """Play. `each_look` is called every tenth of a second or so; when it returns False, or the file has
        been played, the session ends.

        Raises LiveError where the stream cannot be opened in the first place.
        """
        with _undisturbed_audio_thread():
            stream = self._open()
            while self._watch(stream, each_look):
                self.is_connected = False
                reopened = self._reopen(each_look)
                if reopened is None:
                    return
                stream = reopened
                self.reconnections += 1

    # The stream

    def _open(self) -> Any:
        """Return a stream that runs; LiveError where that cannot be."""
        output = devices.find(self._portaudio, self._route.output_device, "output")
        out_channels = min(2, output["max_output_channels"])
        rate = self._route.sample_rate
        if self._playback is not None:
            in_channels = self._playback.channels
            out_channels = max(out_channels, in_channels)
            rate = rate or self._playback.sample_rate
            if rate != self._playback.sample_rate:
                raise LiveError(
                    f"a file plays at its own rate, {self._playback.sample_rate} Hz: leave out --rate"
                )
        else:
            source = devices.find(self._portaudio, self._route.input_device, "input")
            in_channels = min(out_channels, source["max_input_channels"])
            rate = rate or output["default_samplerate"]
        if self.mixer is None:
            self.mixer = self._make_mixer(float(rate), in_channels)
            self._tail_left = self.mixer.latency_samples
        else:
            self.mixer.reset()
        try:
            stream = self._stream(float(rate), out_channels)
            stream.start()
        except (self._portaudio.PortAudioError, ValueError) as error:
            raise LiveError(f"{output['name']!r} does not play at {rate:g} Hz: {error}") from None
        latency = stream.latency
        self.driver_latency_s = float(sum(latency) if isinstance(latency, tuple) else latency)
        self.is_connected = True
        return stream

    def _stream(self, rate: float, out_channels: int) -> Any:
        assert self.mixer is not None
        common = {"samplerate": rate, "blocksize": self._route.block, "dtype": "float32", "latency": "low"}
        number = self._number(self._route.output_device)
        if self._playback is not None:
            return self._portaudio.OutputStream(
                device=number, channels=out_channels, callback=self._from_playback, **common
            )
        return self._portaudio.Stream(
            device=(self._number(self._route.input_device), number),
            channels=(self.mixer.channels, out_channels),
            callback=self._from_input,
            **common,
        )

    @staticmethod
    def _number(device: str | None) -> int | str | None:
        return int(device) if device is not None and device.isdecimal() else device

    def _reopen(self, each_look: Callable[[Session], bool]) -> Any:
        """Return a new stream as soon as there can be one, or None if the session is to end before."""
        while True:
            due = time.monotonic() + self._timing.retry_s
            while time.monotonic() < due:
                if not each_look(self):
                    return None
                time.sleep(self._timing.look_s)
            try:
                self._portaudio._terminate()  # PortAudio looks for devices only when it starts
                self._portaudio._initialize()
                return self._open()
            except (LiveError, self._portaudio.PortAudioError):
                continue

    def _watch(self, stream: Any, each_look: Callable[[Session], bool]) -> bool:
        """Return True when the device has vanished, False when the session is to end."""
        assert self.mixer is not None
        blocks, moved = self.mixer.blocks, time.monotonic()
        try:
            while True:
                if not each_look(self):
                    return False
                if self._playback is not None and self._tail_left <= 0:
                    return False
                if self.mixer.blocks != blocks:
                    blocks, moved = self.mixer.blocks, time.monotonic()
                if not stream.active or time.monotonic() - moved > self._timing.stall_s:
                    return True
                time.sleep(self._timing.look_s)
        finally:
            try:
                stream.abort()
                stream.close()
            except self._portaudio.PortAudioError:
                pass  # it is gone already

    # Called by the audio thread

    def _from_input(
        self, indata: NDArray[np.float32], outdata: NDArray[np.float32], frames: int, times: Any, status: Any
    ) -> None:
        self._count(status)
        self.mixer.process(indata, outdata)  # type: ignore[union-attr]

    def _from_playback(self, outdata: NDArray[np.float32], frames: int, times: Any, status: Any) -> None:
        self._count(status)
        mixer, playback = self.mixer, self._playback
        for start in range(0, frames, LARGEST_BLOCK):
            count = min(LARGEST_BLOCK, frames - start)
            block = self._from_file[:count, : mixer.channels]  # type: ignore[union-attr]
            if playback.has_ended:  # type: ignore[union-attr]
                self._tail_left -= count
            playback.read_into(block)  # type: ignore[union-attr]
            mixer.process(block, outdata[start : start + count])  # type: ignore[union-attr]

    def _count(self, status: Any) -> None:
        if status and (
            status.input_overflow
            or status.input_underflow
            or status.output_underflow
            or status.output_overflow
        ):
            self.xruns += 1


@contextmanager
def _undisturbed_audio_thread() -> Iterator[None]:
    """Keep Python's own pauses short: the collector skips what exists by now, threads yield soon."""
    interval = sys.getswitchinterval()
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        gc.unfreeze()

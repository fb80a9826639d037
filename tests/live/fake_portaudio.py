"""A sound card in software, with the part of sounddevice's interface that a session uses."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

NO_STATUS = SimpleNamespace(
    input_overflow=False, input_underflow=False, output_overflow=False, output_underflow=False
)


class PortAudioError(Exception):
    """What sounddevice raises."""


class Status(SimpleNamespace):
    """Flags that are true as a whole, as sounddevice's are."""

    def __bool__(self) -> bool:
        return any(vars(self).values())


@dataclass
class FakePortAudio:
    """Streams that call back as fast as they can, for `blocks` blocks, then do what `ending` says.

    Attributes:
        source: makes the input of a block, from its number and shape.
        blocks: of each stream.
        ending: "stall": no more callbacks; "inactive": the stream says that it has stopped.
        openings: errors of the next attempts to open a stream; None is success.
        heard: outputs, where `keeps` is set.
    """

    source: Callable[[int, tuple[int, int]], np.ndarray] = lambda number, shape: np.zeros(shape, np.float32)
    blocks: int = 10
    ending: str = "stall"
    openings: list[Exception | None] = field(default_factory=list)
    keeps: bool = True
    overflow_at: int | None = None
    output_channels: int = 2
    heard: list[np.ndarray] = field(default_factory=list)
    opened: list[dict[str, Any]] = field(default_factory=list)
    restarts: int = 0
    PortAudioError = PortAudioError

    def __post_init__(self) -> None:
        self.default = SimpleNamespace(device=(0, 0))

    def query_devices(self, device: Any = None, kind: str | None = None) -> Any:
        card = {
            "name": "card",
            "max_input_channels": 2,
            "max_output_channels": self.output_channels,
            "default_samplerate": 44_100.0,
        }
        if kind is None:
            return [card]
        if device not in (None, 0, "card"):
            raise ValueError(f"No {kind} device matching {device!r}")
        return card

    def Stream(self, **options: Any) -> FakeStream:  # noqa: N802  (sounddevice's name)
        return self._open(options, has_input=True)

    def OutputStream(self, **options: Any) -> FakeStream:  # noqa: N802
        return self._open(options, has_input=False)

    def _terminate(self) -> None:
        self.restarts += 1

    def _initialize(self) -> None:
        pass

    def _open(self, options: dict[str, Any], has_input: bool) -> FakeStream:
        if self.openings and (error := self.openings.pop(0)) is not None:
            raise error
        self.opened.append(options)
        return FakeStream(self, options, has_input)


class FakeStream:
    """One stream; its callback runs on a thread of its own."""

    latency = (0.004, 0.006)

    def __init__(self, card: FakePortAudio, options: dict[str, Any], has_input: bool) -> None:
        self._card, self._options, self._has_input = card, options, has_input
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run_and_tell, daemon=True)
        self._error: BaseException | None = None
        self.active = False

    def start(self) -> None:
        self.active = True
        self._thread.start()

    def abort(self) -> None:
        self._stop.set()
        self._thread.join()
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        pass

    def _run_and_tell(self) -> None:
        try:
            self._run()
        except BaseException as error:
            self._error = error
            self.active = False

    def _run(self) -> None:
        frames = self._options["blocksize"]
        channels = self._options["channels"]
        in_channels, out_channels = channels if isinstance(channels, tuple) else (0, channels)
        for number in range(self._card.blocks):
            if self._stop.is_set():
                return
            out = np.full((frames, out_channels), np.nan, np.float32)
            status = Status(**vars(NO_STATUS))
            status.output_underflow = number == self._card.overflow_at
            arguments = [out, frames, None, status]
            if self._has_input:
                arguments.insert(0, self._card.source(number, (frames, in_channels)))
            self._options["callback"](*arguments)
            if self._card.keeps:
                self._card.heard.append(out)
        if self._card.ending == "inactive":
            self.active = False

"""The stages of a Board: an effect of this package, or neighbouring plugins of pedalboard."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np

from pyvocsep.arrays import Samples
from pyvocsep.effects.effect import Effect

STREAM_BLOCK = 512
"""The most samples that a plugin of pedalboard gets at once in a stream."""

_MAX_LATENCY_S = 10
"""No plugin holds back more; `flush` waits no longer."""


class Stage(Protocol):
    """Neighbouring elements that are run together; only after `begin`, on (channels, samples)."""

    elements: tuple[Any, ...]
    has_begun: bool

    def begin(self, sample_rate: float, channels: int) -> None:
        """Start a stream."""

    def process(self, planes: Samples, sample_rate: float, buffer_size: int, reset: bool) -> Samples:
        """Do what `Effect.process` does."""

    def flush(self) -> Samples:
        """Return what the stream still holds; the stage must begin anew then."""


class EffectStage(Stage):
    """One effect of this package."""

    def __init__(self, elements: tuple[Effect]) -> None:
        self.elements = elements
        self.has_begun = False
        self._effect = elements[0]

    def begin(self, sample_rate: float, channels: int) -> None:
        with self._effect._exclusive:
            self._effect._reset()

    def process(self, planes: Samples, sample_rate: float, buffer_size: int, reset: bool) -> Samples:
        with self._effect._exclusive:
            return self._effect._process(planes, sample_rate, buffer_size, reset)

    def flush(self) -> Samples:
        with self._effect._exclusive:
            tail = self._effect._flush()
            self._effect._reset()
            return tail


class NativeStage(Stage):
    """Plugins of pedalboard, run in one native call."""

    def __init__(self, elements: tuple[Any, ...]) -> None:
        import pedalboard

        self.elements = elements
        self.has_begun = False
        self._plugins = pedalboard.Chain(list(elements))
        self._caller = pedalboard.Chain([])
        self._stream = (0.0, 1)
        self._pending = 0  # samples that have come in but not out

    def begin(self, sample_rate: float, channels: int) -> None:
        import pedalboard

        # A plugin prepares, and so loses its state, whenever a block is the longest so far. The longest block
        # that a stream will pass it comes first, here. (Some plugins crash if the first block is empty.) A
        # Chain stays prepared when it is reset; a plugin by itself does not.
        longest = np.zeros((channels, STREAM_BLOCK), np.float32)
        self._plugins.process(longest, sample_rate, STREAM_BLOCK, reset=True)
        self._plugins.reset()
        # A Chain that has seen (2, 512) since its last reset takes (2, 1) for one stereo sample and (2, 2)
        # for two; another would guess the layout.
        self._caller = pedalboard.Chain([])
        self._caller.process(longest, sample_rate, STREAM_BLOCK, reset=False)
        self._caller.append(self._plugins)
        self._stream = (sample_rate, channels)
        self._pending = 0

    def process(self, planes: Samples, sample_rate: float, buffer_size: int, reset: bool) -> Samples:
        output: Samples = self._caller.process(planes, sample_rate, buffer_size, reset=reset)
        self._pending = 0 if reset else self._pending + planes.shape[1] - output.shape[1]
        return output

    def flush(self) -> Samples:
        sample_rate, channels = self._stream
        held = missing = self._pending
        silence = np.zeros((channels, STREAM_BLOCK), np.float32)
        parts = [silence[:, :0]]
        for _ in range(round(_MAX_LATENCY_S * sample_rate) // STREAM_BLOCK):
            if missing <= 0:
                break
            parts.append(self.process(silence, sample_rate, STREAM_BLOCK, reset=False))
            missing -= parts[-1].shape[1]
        return np.concatenate(parts, axis=1)[:, :held]


def flush_in_series(stages: Iterable[Stage], sample_rate: float, channels: int) -> Samples:
    """Return what stages one after the other still hold: the tail of each goes through those after it."""
    tail: Samples = np.empty((channels, 0), np.float32)
    for stage in stages:
        output = stage.process(tail, sample_rate, STREAM_BLOCK, reset=False)
        tail = np.concatenate([output, stage.flush()], axis=1)
    return tail

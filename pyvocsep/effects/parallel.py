"""Parallel branches of a Board: pedalboard's `Mix`, aligned in a stream too.

pedalboard's own Mix (0.9.26) aligns branches of different latencies in a whole recording. In a stream each of
them comes as late as it is: a dry branch is heard before the one beside it. Here the branches are run one by
one; each leaves out its own silence at the start, and what is added are samples of the same time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from pyvocsep.arrays import Samples
from pyvocsep.effects.effect import Effect
from pyvocsep.effects.stages import EffectStage, NativeStage, Stage, flush_in_series


class SerialStage(Stage):
    """Stages one after the other, as the elements of a `Chain` or of a branch are."""

    def __init__(self, elements: tuple[Any, ...], stages: Sequence[Stage]) -> None:
        self.elements = elements
        self.has_begun = False
        self._stages = stages
        self._stream = (0.0, 1)

    def begin(self, sample_rate: float, channels: int) -> None:
        self._stream = (sample_rate, channels)
        for stage in self._stages:
            stage.begin(sample_rate, channels)

    def process(self, planes: Samples, sample_rate: float, buffer_size: int, reset: bool) -> Samples:
        for stage in self._stages:
            planes = stage.process(planes, sample_rate, buffer_size, reset)
        return planes

    def flush(self) -> Samples:
        return flush_in_series(self._stages, *self._stream)


class ParallelStage(Stage):
    """Branches that all get the input, and whose outputs are added."""

    def __init__(self, elements: tuple[Any, ...], branches: Sequence[Stage]) -> None:
        self.elements = elements
        self.has_begun = False
        self._branches = branches
        self._waiting: list[Samples] = []  # of each branch, what the latest one has not reached
        self._nothing: Samples = np.empty((1, 0), np.float32)

    def begin(self, sample_rate: float, channels: int) -> None:
        self._nothing = np.empty((channels, 0), np.float32)
        self._waiting = [self._nothing for _ in self._branches]
        for branch in self._branches:
            branch.begin(sample_rate, channels)

    def process(self, planes: Samples, sample_rate: float, buffer_size: int, reset: bool) -> Samples:
        if not self._branches:
            return np.zeros_like(planes)
        outputs = [branch.process(planes, sample_rate, buffer_size, reset) for branch in self._branches]
        if reset:
            self._waiting = [self._nothing for _ in self._branches]
        return self._add(outputs)

    def flush(self) -> Samples:
        if not self._branches:
            return self._nothing
        return self._add([branch.flush() for branch in self._branches])

    def _add(self, outputs: Iterable[Samples]) -> Samples:
        """Return the sum as far as every branch has come, and keep the rest."""
        joined = [
            np.concatenate([waiting, output], axis=1)
            for waiting, output in zip(self._waiting, outputs, strict=True)
        ]
        ready = min(output.shape[1] for output in joined)
        self._waiting = [output[:, ready:] for output in joined]
        total: Samples = joined[0][:, :ready].copy()
        for output in joined[1:]:
            total += output[:, :ready]
        return total


class ContainerStage(Stage):
    """A container of pedalboard that is, or holds, a `Mix`. An altered one begins anew."""

    def __init__(self, elements: tuple[Any]) -> None:
        self.elements = elements
        self.has_begun = False
        self._content = _content(elements[0])
        self._stage = _stage(elements[0])
        self._stream = (0.0, 1)

    def begin(self, sample_rate: float, channels: int) -> None:
        self._stream = (sample_rate, channels)
        self._content = _content(self.elements[0])
        self._stage = _stage(self.elements[0])
        self._stage.begin(sample_rate, channels)

    def process(self, planes: Samples, sample_rate: float, buffer_size: int, reset: bool) -> Samples:
        if not _is_same(_content(self.elements[0]), self._content):
            self.begin(*self._stream)
        return self._stage.process(planes, sample_rate, buffer_size, reset)

    def flush(self) -> Samples:
        return self._stage.flush()


def stage_of(elements: tuple[Any, ...]) -> Stage:
    """Return what runs neighbouring elements together: one effect of ours, one with a `Mix`, or plugins."""
    if isinstance(elements[0], Effect):
        return EffectStage(elements)
    return ContainerStage(elements) if holds_mix(elements[0]) else NativeStage(elements)


def holds_mix(element: Any) -> bool:
    """Tell whether a plugin of pedalboard is a `Mix` or a container with one in it."""
    import pedalboard

    if isinstance(element, pedalboard.Mix):
        return True
    return isinstance(element, Iterable) and any(holds_mix(part) for part in element if part is not None)


def _stage(element: Any) -> Stage:
    """What runs one element: natively, unless there is a `Mix` in it."""
    import pedalboard

    if not holds_mix(element):
        return NativeStage((element,))
    parts = tuple(part for part in element if part is not None)
    stages = [_stage(part) for part in parts]
    return ParallelStage(parts, stages) if isinstance(element, pedalboard.Mix) else SerialStage(parts, stages)


def _content(element: Any, depth: int = 0) -> list[tuple[int, Any]]:
    """An element and all that is in it, each with its depth.

    To hold them keeps their identities: pedalboard makes new objects of those that nobody holds.
    """
    parts = element if isinstance(element, Iterable) else ()
    inside = (_content(part, depth + 1) for part in parts if part is not None)
    return [(depth, element), *(entry for entries in inside for entry in entries)]


def _is_same(one: list[tuple[int, Any]], other: list[tuple[int, Any]]) -> bool:
    return len(one) == len(other) and all(
        a[0] == b[0] and a[1] is b[1] for a, b in zip(one, other, strict=True)
    )

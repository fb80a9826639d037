"""A chain of effects: ours, and pedalboard's plugins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableSequence
from itertools import groupby
from typing import Any, overload

from pyvocsep.arrays import Samples
from pyvocsep.effects.effect import Effect
from pyvocsep.effects.parallel import holds_mix, stage_of
from pyvocsep.effects.stages import STREAM_BLOCK, Stage, flush_in_series


class Board(Effect, MutableSequence[Any]):
    """A chain of effects, in which pyvocsep's and pedalboard's can follow each other in any order.

        board = pyvocsep.Board([pyvocsep.StemMixer.vocals(), pedalboard.Reverb()])
        y = board(audio, sample_rate)

    It is called like an effect, see `process`, and altered like a list, whose slices are Boards. Elements are
    `StemMixer`s, Boards, pedalboard's plugins, its `Chain`, `Mix` and `Pedalboard`, and None, which does
    nothing. The results are those of the elements called one after the other by hand.

    In a stream each element with a latency leaves out its own silence at the start, so less than the latency
    of all of them goes in without coming out; `flush` returns it. pedalboard's plugins get at most 512
    samples at once then and are prepared for as many beforehand: those of 0.9.26 forget their past whenever a
    block is the longest so far. An altered board goes on with the stream, but plugins of pedalboard begin
    anew if their neighbours have changed, and new elements begin with silence.

    The branches of a `Mix` are aligned with each other, also in a stream, where pedalboard's own are not.

    A board of our effects alone can be pickled and copied: as their configurations, without the stream.

    Needs pedalboard for plugins of pedalboard only: `pip install 'pyvocsep[pedalboard]'` (its licence is the
    GPL).

    Raises:
        TypeError: an element that is no effect.
        ValueError: the same instance twice, be it inside a container; an instrument.
    """

    def __init__(self, elements: Iterable[Any] = ()) -> None:
        super().__init__()
        self._elements: list[Any] = []
        self._stages: list[Stage] = []
        self._stream = (0.0, 1)  # sample rate and channels
        self._replace(list(elements))

    # The list

    def __len__(self) -> int:
        return len(self._elements)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Board: ...
    def __getitem__(self, index: int | slice) -> Any:
        return Board(self._elements[index]) if isinstance(index, slice) else self._elements[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        elements = self._elements.copy()
        elements[index] = value
        self._replace(elements)

    def __delitem__(self, index: int | slice) -> None:
        elements = self._elements.copy()
        del elements[index]
        self._replace(elements)

    def insert(self, index: int, value: Any) -> None:
        """Put an element before the one at `index`."""
        elements = self._elements.copy()
        elements.insert(index, value)
        self._replace(elements)

    def reverse(self) -> None:
        """Turn the order round."""
        self._replace(self._elements[::-1])  # one by one, as is inherited, an element would be there twice

    def clear(self) -> None:
        """Remove all elements."""
        self._replace([])

    def __reduce__(self) -> tuple[type[Board], tuple[list[Any]]]:
        for element in self._elements:
            if not (element is None or isinstance(element, Effect)):
                raise TypeError(
                    f"the board holds {element!r}, of pedalboard, which cannot be pickled or copied: "
                    "make the board anew where it is needed, from the plugins' settings"
                )
        return type(self), (self._elements,)  # without the stream

    def __repr__(self) -> str:
        return f"Board({self._elements!r})"

    def _replace(self, elements: list[Any]) -> None:
        """Take these elements, or raise and leave all as it is."""
        _check(elements, self)
        with self._exclusive:
            known = {stage.elements: stage for stage in self._stages}
            self._stages = [known.get(run) or stage_of(run) for run in _runs(elements)]
            self._elements = elements

    # The effect

    def _process(
        self,
        planes: Samples,
        sample_rate: float,
        buffer_size: int,
        reset: bool,
        room: Samples | None = None,
    ) -> Samples:
        stream = (sample_rate, planes.shape[0])
        if stream != self._stream:
            self._reset()
            self._stream = stream
        if not reset:
            buffer_size = min(buffer_size, STREAM_BLOCK)
        output = planes
        for stage in self._stages:
            if not stage.has_begun:
                stage.begin(*stream)
                stage.has_begun = True
            output = stage.process(output, sample_rate, buffer_size, reset)
        return output.copy() if output is planes else output  # an array of its own, even if nothing is done

    def _flush(self) -> Samples:
        return flush_in_series((stage for stage in self._stages if stage.has_begun), *self._stream)

    def _reset(self) -> None:
        for stage in self._stages:
            stage.has_begun = False


def _runs(elements: list[Any]) -> Iterator[tuple[Any, ...]]:
    """Yield what makes a stage: an effect of ours or a `Mix`, or neighbouring plugins of pedalboard."""
    present = (element for element in elements if element is not None)
    for _, run in groupby(present, lambda element: id(element) if _is_by_itself(element) else None):
        yield tuple(run)


def _is_by_itself(element: Any) -> bool:
    return isinstance(element, Effect) or holds_mix(element)


def _check(elements: list[Any], board: Board) -> None:
    """Raise unless these can be the elements of the board."""
    for element in elements:
        if not (element is None or isinstance(element, Effect) or _is_plugin(element)):
            raise TypeError(
                f"{element!r} is no effect: a Board takes pyvocsep's effects and, where pedalboard is "
                "installed (pip install 'pyvocsep[pedalboard]'), its plugins"
            )
        if element is not None and not element.is_effect:
            raise ValueError(f"{element!r} is an instrument; a Board takes effects")
    seen: dict[int, Any] = {id(board): board}  # holds them: what has gone leaves its id to another
    for element in _flat(elements):
        if id(element) in seen:
            raise ValueError(f"{element!r} would be in the board twice, and mix up its past; use another one")
        seen[id(element)] = element


def _is_plugin(element: Any) -> bool:
    try:
        from pedalboard import Plugin
    except ImportError:
        return False
    return isinstance(element, Plugin)


def _flat(elements: Iterable[Any]) -> Iterator[Any]:
    """Yield the elements that are not None, and those inside of them."""
    for element in elements:
        if element is not None:
            yield element
            if isinstance(element, Iterable):
                yield from _flat(element)

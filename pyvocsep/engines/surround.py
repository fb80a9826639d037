"""Recordings of more than two channels, by engines that take one or two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol, get_args

import numpy as np

from pyvocsep._core import limits
from pyvocsep.arrays import Samples

Channels = Literal["front", "pairs", "downmix"]
"""What is done with more than two channels: the first two are separated and the others left out; all are
separated, left with right and the others by themselves; stereo is mixed of all, and separated."""

CHANNELS: tuple[Channels, ...] = get_args(Channels)

_CENTRE = _SURROUND = 0.5**0.5
_FL, _FR, _FC, _LFE, _BL, _BR, _BC, _SL, _SR = range(9)
_LAYOUTS: dict[int, tuple[int, ...]] = {
    3: (_FL, _FR, _FC),
    4: (_FL, _FR, _BL, _BR),
    5: (_FL, _FR, _FC, _BL, _BR),
    6: (_FL, _FR, _FC, _LFE, _BL, _BR),
    7: (_FL, _FR, _FC, _LFE, _BC, _SL, _SR),
    8: (_FL, _FR, _FC, _LFE, _BL, _BR, _SL, _SR),
}
"""Which loudspeaker each channel is for, by their number, in the order of WAV and FLAC files: front left and
right, front centre, low frequencies, back left and right, back centre, side left and right."""

_LEFT_AND_RIGHT = ((_FL, _FR), (_BL, _BR), (_SL, _SR))
_DOWNMIX = {
    _FL: (1.0, 0.0), _FR: (0.0, 1.0), _FC: (_CENTRE, _CENTRE), _LFE: (0.0, 0.0),
    _BL: (_SURROUND, 0.0), _BR: (0.0, _SURROUND), _BC: (_SURROUND * _CENTRE, _SURROUND * _CENTRE),
    _SL: (_SURROUND, 0.0), _SR: (0.0, _SURROUND),
}  # fmt: skip
"""Gains to left and right (ITU-R BS.775, downward mixing equations); low frequencies are left out there."""


class BlockEngine(Protocol):
    """An `Engine` as far as whole recordings need one, with any number of outputs."""

    @property
    def latency_samples(self) -> int: ...
    def process(self, block: Samples, /) -> tuple[Samples, ...]: ...
    def flush(self) -> tuple[Samples, ...]: ...


class Groups:
    """Separates groups of channels, each by an engine of its own, and puts the outputs together again.

    Args:
        groups: which channels each engine gets, one or two.
        open_engine: makes an engine for so many channels.
    """

    def __init__(self, groups: Sequence[list[int]], open_engine: Callable[[int], BlockEngine]) -> None:
        self._groups = groups
        self._engines = [open_engine(len(group)) for group in groups]
        self._order = np.argsort([channel for group in groups for channel in group])

    @property
    def latency_samples(self) -> int:
        """The same for all groups."""
        return self._engines[0].latency_samples

    def process(self, block: Samples) -> tuple[Samples, ...]:
        """Take the next (channels, samples) and return the outputs that are ready, of all channels."""
        pairs = zip(self._engines, self._groups, strict=True)
        return self._joined([engine.process(block[group]) for engine, group in pairs])

    def flush(self) -> tuple[Samples, ...]:
        """Return the rest of the outputs."""
        return self._joined([engine.flush() for engine in self._engines])

    def _joined(self, outputs: list[tuple[Samples, ...]]) -> tuple[Samples, ...]:
        return tuple(np.concatenate(group, axis=0)[self._order] for group in zip(*outputs, strict=True))


def has_to_choose(channels: int, choice: Channels | None) -> str | None:
    """Return why a recording cannot be separated, a phrase that names the choices; None if it can.

    Raises ValueError for a choice that is none.
    """
    if choice is not None and choice not in CHANNELS:
        raise ValueError(f"channels is {choice!r}; choose from {', '.join(CHANNELS)}")
    if channels <= limits.MAX_CHANNELS:
        return None
    if choice == "downmix" and channels not in _LAYOUTS:
        return f"has {channels} channels, of which nobody knows how to mix stereo; choose front or pairs"
    if choice is None:
        return (
            f"has {channels} channels; 1 (mono) and 2 (stereo) can be separated. Choose with --channels, in "
            "Python channels=: front takes the first two, pairs separates all of them, downmix mixes stereo"
        )
    return None


def stereo_of(block: Samples, choice: Channels) -> Samples:
    """Return the two channels that `front` or `downmix` make of more, (2, samples)."""
    if choice == "front":
        return np.ascontiguousarray(block[:2])
    gains = np.array([_DOWNMIX[speaker] for speaker in _LAYOUTS[len(block)]], np.float32).T
    stereo: Samples = gains @ block
    return stereo


def groups_of(channels: int) -> list[list[int]]:
    """Return which channels are separated together: left and right of a pair of loudspeakers.

    Of more channels than a layout is known for, neighbours are.
    """
    if channels not in _LAYOUTS:
        return [list(range(first, min(first + 2, channels))) for first in range(0, channels, 2)]
    speakers = _LAYOUTS[channels]
    groups: list[list[int]] = []
    for channel, speaker in enumerate(speakers):
        pair = next((pair for pair in _LEFT_AND_RIGHT if speaker in pair), None)
        if pair is None:
            groups.append([channel])
        elif speaker == pair[0]:
            groups.append([channel, speakers.index(pair[1])])
    return groups

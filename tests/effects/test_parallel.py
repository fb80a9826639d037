"""Parallel branches in a Board: aligned in streams, whatever the latencies and the blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyvocsep import Board, StemMixer, load_vst3

RATE = 44_100
pedalboard = pytest.importorskip("pedalboard", reason="a Mix is pedalboard's")


def latency(samples: int) -> Any:
    """A plugin of pedalboard that does nothing but come late."""
    import pedalboard_native

    return pedalboard_native._internal.AddLatency(samples)


CHAINS: list[Callable[[], list[Any]]] = [
    lambda: [pedalboard.Mix([latency(400), pedalboard.Gain(0)])],
    lambda: [pedalboard.Mix([pedalboard.Gain(-6), latency(2048), latency(7)])],
    lambda: [pedalboard.Gain(3), pedalboard.Mix([latency(400), pedalboard.Reverb()]), pedalboard.Delay(0.01)],
    lambda: [pedalboard.Mix([pedalboard.Chain([latency(300), latency(5)]), pedalboard.Gain(0)]), latency(64)],
    lambda: [pedalboard.Chain([pedalboard.Gain(0), pedalboard.Mix([latency(100), pedalboard.Gain(0)])])],
    lambda: [pedalboard.Pedalboard([pedalboard.Mix([pedalboard.Mix([latency(9), latency(500)]), latency(50)])])],
    lambda: [pedalboard.Mix([pedalboard.Gain(1)])],
    lambda: [pedalboard.Mix([])],
]


def stream(board: Board, audio: np.ndarray, sizes: list[int]) -> np.ndarray:
    blocks = np.split(audio, np.cumsum([3, *sizes]), axis=1)  # three samples tell the layout
    parts = [board.process(block, RATE, reset=False) for block in blocks]
    return np.concatenate([*parts, board.flush()], axis=1)


@pytest.mark.parametrize("number", range(len(CHAINS)))
@settings(max_examples=10, deadline=None)
@given(sizes=st.lists(st.one_of(st.integers(0, 9), st.integers(0, 3_000)), max_size=8))
def test_a_stream_is_the_offline_result(number: int, mixture, sizes: list[int]) -> None:
    audio = mixture(12_000)
    expected = pedalboard.Pedalboard(CHAINS[number]())(audio, RATE)
    board = Board(CHAINS[number]())
    np.testing.assert_array_equal(board(audio, RATE), expected)
    board.reset()
    for _ in range(2):  # the second stream knows nothing of the first
        np.testing.assert_array_equal(stream(board, audio, sizes), expected)


def test_the_dry_branch_beside_the_separator_is_not_early() -> None:
    """Vocals and accompaniment at full level are the input: beside a dry branch, twice the input."""
    rng = np.random.default_rng(2)
    audio = rng.standard_normal((2, 20_000)).astype(np.float32) * 0.1

    def both() -> Any:
        return pedalboard.Mix([pedalboard.Gain(0), load_vst3(vocals_db=0, accompaniment_db=0)])

    output = stream(Board([both()]), audio, [512] * 30)
    np.testing.assert_allclose(output, 2 * audio, rtol=0, atol=1e-5)


def test_beside_an_effect_of_ours(model, mixture) -> None:
    audio = mixture(12_000)
    expected = StemMixer(model=model)(audio, RATE)
    board = Board([StemMixer(model=model), pedalboard.Mix([latency(300), pedalboard.Gain(0)])])
    np.testing.assert_array_equal(stream(board, audio, [700, 1, 5_000]), expected + expected)


def test_an_altered_mix_begins_anew(mixture) -> None:
    audio = mixture(9_000)
    mix = pedalboard.Mix([latency(400), pedalboard.Gain(0)])
    board = Board([mix])
    board.process(audio, RATE, reset=False)
    mix.append(latency(900))
    second = board.process(audio, RATE, reset=False)
    np.testing.assert_array_equal(second, 3 * audio[:, : second.shape[1]])

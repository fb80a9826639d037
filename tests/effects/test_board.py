"""Board: a list of effects, and the results of the chain made by hand."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Mixture
from hypothesis import given, settings
from hypothesis import strategies as st

from pyvocsep import Board, StemMixer

RATE = 44_100
SIZES = st.lists(
    st.one_of(st.integers(0, 3), st.integers(1, 600), st.integers(1, 6_000)), min_size=1, max_size=10
)


@pytest.fixture(scope="module")
def pedalboard() -> Any:
    return pytest.importorskip("pedalboard", reason="a chain with pedalboard's plugins needs pedalboard")


@pytest.fixture(scope="module")
def latency(pedalboard: Any) -> Callable[[int], Any]:
    """A plugin of pedalboard that does nothing but come late."""
    import pedalboard_native

    return lambda samples: pedalboard_native._internal.AddLatency(samples)


@pytest.fixture(scope="module")
def chains(
    pedalboard: Any, latency: Callable[[int], Any], models: dict[str, Path]
) -> list[Callable[[], Any]]:
    """Lists of elements, made anew at each call; neighbouring plugins of pedalboard in lists of their own."""

    def mixer() -> StemMixer:
        return StemMixer(0.0, -20.0, models["band-gru"])

    def dynamics() -> list[Any]:
        return [pedalboard.HighpassFilter(120), pedalboard.Compressor(-20, 3), latency(400)]

    def space() -> list[Any]:
        return [pedalboard.Delay(0.011, 0.4, 0.5), pedalboard.Reverb()]

    def nested() -> list[Any]:
        dry_and_wet = pedalboard.Mix([pedalboard.Gain(-3), pedalboard.Chain([pedalboard.Reverb()])])
        return [dry_and_wet, pedalboard.Pedalboard([pedalboard.Chorus()])]

    return [
        lambda: [[]],
        lambda: [mixer()],
        lambda: [space()],
        lambda: [mixer(), space()],
        lambda: [dynamics(), mixer(), space()],
        lambda: [nested(), mixer(), StemMixer.vocals(models["gru"]), dynamics(), mixer()],
        lambda: [Board([mixer(), *space()]), dynamics()],
    ]


CHAINS = range(7)


def flat(chain: Iterable[Any]) -> list[Any]:
    return [element for part in chain for element in (part if isinstance(part, list) else [part])]


def by_hand(pedalboard: Any, chain: Iterable[Any], audio: np.ndarray, buffer_size: int = 8192) -> np.ndarray:
    for part in chain:
        effect = pedalboard.Pedalboard(part) if isinstance(part, list) else part
        audio = effect(audio, RATE, buffer_size)
    return audio


@pytest.mark.parametrize("number", CHAINS)
@pytest.mark.parametrize("channels", [1, 2])
def test_offline_it_is_the_chain_made_by_hand(chains, pedalboard, mixture, number, channels) -> None:
    board, chain = Board(flat(chains[number]())), chains[number]()
    for samples, buffer_size in [(20_000, 8192), (3, 8192), (9_000, 700), (300, 8192)]:
        audio = mixture(samples, channels)
        output = board(audio, RATE, buffer_size)
        np.testing.assert_array_equal(output, by_hand(pedalboard, chain, audio, buffer_size))
        assert not np.shares_memory(output, audio)


@pytest.mark.parametrize("number", CHAINS)
@settings(max_examples=15)
@given(sizes=SIZES, channels=st.integers(1, 2))
def test_a_stream_and_flush_are_the_offline_result(
    chains, pedalboard, mixture, number: int, sizes: list[int], channels: int
) -> None:
    audio = mixture(sum(sizes) + 3, channels)
    board = Board(flat(chains[number]()))
    for _ in range(2):  # the second stream knows nothing of the first
        blocks = np.split(audio, np.cumsum([3, *sizes])[:-1], axis=1)  # three samples tell the layout
        parts = [board.process(block, RATE, reset=False) for block in blocks] + [board.flush()]
        expected = by_hand(pedalboard, chains[number](), audio)
        np.testing.assert_array_equal(np.concatenate(parts, axis=1), expected)


@pytest.mark.parametrize("first", [1, 2])
def test_few_samples_are_not_taken_for_channels(chains, pedalboard, model, mixture, first: int) -> None:
    # What a plugin after a mixer gets first is what exceeds the mixer's latency.
    sizes = [StemMixer(model=model).latency_samples + first, 1, 2, 700]
    audio, board = mixture(sum(sizes)), Board(flat(chains[3]()))
    parts = [board.process(b, RATE, reset=False) for b in np.split(audio, np.cumsum(sizes)[:-1], axis=1)]
    assert [part.shape[1] for part in parts] == [first, 1, 2, 700]
    expected = by_hand(pedalboard, chains[3](), audio)
    np.testing.assert_array_equal(np.concatenate([*parts, board.flush()], axis=1), expected)


@pytest.mark.parametrize("number", [1, 2, 3, 6])
def test_a_stream_of_even_blocks_is_the_stream_made_by_hand(chains, pedalboard, mixture, number) -> None:
    # Even for every element: the mixer's latency is one block. By hand, plugins forget when a block grows.
    audio = mixture(20_000)
    board, chain = Board(flat(chains[number]())), []
    for part in chains[number]():
        chain.append(pedalboard.Pedalboard(part) if isinstance(part, list) else part)
    for block in np.split(audio, range(512, 20_000, 512), axis=1):
        expected = block
        for effect in chain:
            expected = effect.process(expected, RATE, reset=False)
        np.testing.assert_array_equal(board.process(block, RATE, reset=False), expected)


def test_reset_begins_a_new_stream(chains, mixture: Mixture) -> None:
    audio = mixture(9_000)
    board = Board(flat(chains[4]()))
    first = [board.process(block, RATE, reset=False) for block in (audio, audio)]
    board.reset()
    for one, expected in zip((audio, audio), first, strict=True):
        np.testing.assert_array_equal(board.process(one, RATE, reset=False), expected)
    board.reset()
    with pytest.raises(RuntimeError, match="square"):
        board(np.zeros((2, 2)), RATE)


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 2), (RATE, 1)])
def test_another_rate_or_number_of_channels_begins_a_stream(chains, mixture, rate, channels) -> None:
    board, fresh = Board(flat(chains[4]())), Board(flat(chains[4]()))
    board.process(mixture(5_000, seed=1), RATE, reset=False)
    audio = mixture(8_000, channels)
    for block in (audio, audio):
        expected = fresh.process(block, rate, reset=False)
        np.testing.assert_array_equal(board.process(block, rate, reset=False), expected)


def test_flush_without_a_stream_is_empty(chains, mixture: Mixture) -> None:
    board = Board(flat(chains[4]()))
    assert board.flush().shape == (0,)
    board(mixture(3_000), RATE)
    assert board.flush().shape == (2, 0)
    board.process(mixture(3_000), RATE, reset=False)
    board(mixture(3_000), RATE)
    assert board.flush().shape == (2, 0)


def test_empty_blocks_change_nothing(chains, pedalboard, mixture: Mixture) -> None:
    # pedalboard.Convolution by itself crashes if its first block is empty.
    def make() -> Board:
        echo = np.zeros((1, 300), np.float32)
        echo[0, [0, 299]] = 1.0, 0.5
        return Board([*flat(chains[4]()), pedalboard.Convolution(echo, 0.5, RATE)])

    blocks = np.split(mixture(9_000), [700, 3_000], axis=1)
    one, other = make(), make()
    for block in blocks:
        assert other.process(block[:, :0], RATE, reset=False).shape == (2, 0)
        expected = one.process(block, RATE, reset=False)
        np.testing.assert_array_equal(other.process(block, RATE, reset=False), expected)
    assert other(block[:, :0], RATE).shape == (2, 0)


def test_levels_may_change_in_a_stream(model: Path, mixture: Mixture) -> None:
    mixer, alone = StemMixer(model=model), StemMixer(model=model)
    board = Board([mixer])
    for level in (0.0, -20.0, -math.inf):
        mixer.vocals_db = alone.vocals_db = level
        expected = alone.process(mixture(3_000), RATE, reset=False)
        np.testing.assert_array_equal(board.process(mixture(3_000), RATE, reset=False), expected)


def test_an_altered_board_goes_on_with_the_stream(pedalboard, model: Path, mixture: Mixture) -> None:
    audio = mixture(12_000)
    mixer, reverb = StemMixer(model=model), pedalboard.Reverb()
    expected = StemMixer(model=model)(audio, RATE)
    board = Board([mixer])
    before = board.process(audio[:, :4_000], RATE, reset=False)
    board.append(reverb)
    with_reverb = board.process(audio[:, 4_000:9_000], RATE, reset=False)
    board.remove(reverb)
    after = board.process(audio[:, 9_000:], RATE, reset=False)
    ends = np.cumsum([before.shape[1], with_reverb.shape[1], after.shape[1]])
    np.testing.assert_array_equal(before, expected[:, : ends[0]])
    dry = expected[:, ends[0] : ends[1]]
    np.testing.assert_array_equal(with_reverb, pedalboard.Reverb()(dry, RATE))
    np.testing.assert_array_equal(after, expected[:, ends[1] : ends[2]])


def test_it_is_a_list(model: Path) -> None:
    a, b, c, d = (StemMixer(model=model) for _ in range(4))
    board = Board([a, None])
    board.append(c)
    board.insert(1, b)
    assert list(board) == [a, b, None, c]
    assert len(board) == 4
    assert b in board
    assert d not in board
    assert board[-1] is c
    assert list(board[:2]) == [a, b]
    assert isinstance(board[:2], Board)
    assert board.index(c) == 3
    board.remove(b)
    del board[1]
    board[1] = d
    board += [b]
    board.reverse()
    assert list(board) == [b, d, a]
    assert repr(Board([None, a])) == f"Board([None, {a!r}])"
    board[:] = [c]
    assert board.pop() is c
    board.extend([a, b])
    board.clear()
    assert not board
    for mistake in (lambda: board[0], lambda: board.pop(), lambda: board.__delitem__(5)):
        with pytest.raises(IndexError):
            mistake()


def test_the_same_instance_twice_is_refused(pedalboard, model: Path) -> None:
    mixer, gain = StemMixer(model=model), pedalboard.Gain()
    board = Board([mixer, gain])
    for twice in (
        lambda: Board([mixer, mixer]),
        lambda: board.append(gain),
        lambda: board.insert(0, mixer),
        lambda: board.append(pedalboard.Chain([pedalboard.Mix([gain])])),
        lambda: board.append(Board([mixer])),
        lambda: board.append(board),
        lambda: board.append(Board([board])),
        lambda: board.__setitem__(0, gain),
    ):
        with pytest.raises(ValueError, match="twice"):
            twice()
        assert list(board) == [mixer, gain]
    empty = Board()
    with pytest.raises(ValueError, match="twice"):
        empty.append(empty)
    board[0] = mixer  # in its own place it may stay


@pytest.mark.parametrize("element", [3, "reverb", print, [], np.zeros(3)])
def test_what_is_no_effect_is_refused(model: Path, element: Any) -> None:
    board = Board([StemMixer(model=model)])
    for attempt in (lambda: Board([element]), lambda: board.append(element)):
        with pytest.raises(TypeError, match=r"no effect.*pip install 'pyvocsep\[pedalboard\]'"):
            attempt()
    assert len(board) == 1


def test_an_effect_that_is_busy_says_so(model: Path, mixture: Mixture) -> None:
    mixer = StemMixer(model=model)
    board = Board([mixer])
    with mixer._exclusive, pytest.raises(RuntimeError, match="StemMixer is busy"):
        board(mixture(9), RATE)
    with board._exclusive:
        for call in (lambda: board(mixture(9), RATE), board.flush, board.reset, board.clear):
            with pytest.raises(RuntimeError, match="Board is busy"):
                call()
    assert board(mixture(9), RATE).shape == (2, 9)


def test_without_pedalboard_our_own_effects_chain(model: Path) -> None:
    script = f"""
import sys
sys.modules["pedalboard"] = None  # importing it fails
import numpy as np, pyvocsep
audio = np.ones((2, 3000), np.float32)
board = pyvocsep.Board([pyvocsep.StemMixer.karaoke({str(model)!r}), None])
assert board(audio, 44100).shape == (2, 3000)
board.reset()
assert board.process(audio, 44100, reset=False).shape == (2, 2488)
assert board.flush().shape == (2, 512)
try:
    board.append(object())
except TypeError as error:
    assert "pip install 'pyvocsep[pedalboard]'" in str(error)
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", script], check=True)

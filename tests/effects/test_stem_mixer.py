"""StemMixer beyond the common contract: levels, presets, streams that change, mistakes."""

from __future__ import annotations

import math
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Mixture
from hypothesis import given, settings
from hypothesis import strategies as st
from memory import peak_of

import pyvocsep
from pyvocsep import StemMixer

RATE = 44_100
HOP = 256
LATENCY = 512


def factor(level_db: float) -> np.float32:
    return np.float32(10 ** (level_db / 20))


def joined(effect: Any, blocks: list[np.ndarray], rate: float = RATE) -> np.ndarray:
    parts = [effect.process(block, rate, reset=False) for block in blocks] + [effect.flush()]
    return np.concatenate(parts, axis=-1)


@pytest.mark.parametrize("architecture", ["band-gru", "band-gru that looks ahead", "gru"])
@pytest.mark.parametrize("rate", [8_000, 44_100, 192_000])
@pytest.mark.parametrize("levels", [(0.0, -60.0), (-math.inf, 3.0), (-3.5, -math.inf), (6.0, -12.0)])
def test_it_mixes_the_stems(models, mixture: Mixture, architecture: str, rate: int, levels) -> None:
    audio = mixture(20_000, rate=rate)
    stems = pyvocsep.process(audio, rate, model=models[architecture])
    mixed = factor(levels[0]) * stems.vocals + factor(levels[1]) * stems.accompaniment
    np.testing.assert_array_equal(StemMixer(*levels, model=models[architecture])(audio, rate), mixed)


def test_presets(model: Path, mixture: Mixture) -> None:
    audio = mixture(20_000)
    stems = pyvocsep.process(audio, RATE, model=model)
    np.testing.assert_array_equal(StemMixer.vocals(model)(audio, RATE), stems.vocals)
    np.testing.assert_array_equal(StemMixer.karaoke(model, threads=2)(audio, RATE), stems.accompaniment)


def test_the_default_model() -> None:
    effect = StemMixer()
    assert (effect.vocals_db, effect.accompaniment_db) == (0.0, -60.0)
    assert (effect.model, effect.threads, effect.latency_samples) == ("band-gru", 1, 2048)
    assert repr(effect) == "StemMixer(vocals_db=0.0, accompaniment_db=-60.0, model='band-gru')"
    for name in ("model", "threads", "latency_samples"):
        with pytest.raises(AttributeError):
            setattr(effect, name, 1)


def test_latency_is_that_of_the_rate_in_use(model: Path) -> None:
    effect = StemMixer(model=model)
    for rate in (44_100, 48_000, 96_000):
        effect(np.zeros((2, 9)), rate)
        assert effect.latency_samples == pyvocsep.Separator(rate, 2, model).latency_samples


@settings(max_examples=30)
@given(
    sizes=st.lists(st.integers(0, 3_000), min_size=1, max_size=8),
    channels=st.integers(1, 2),
    threads=st.integers(1, 2),
)
def test_any_blocks_and_flush_give_the_offline_bits(models, mixture, sizes, channels, threads) -> None:
    effect = StemMixer(-3, -20, models["band-gru"], threads)
    effect.process(mixture(0, channels), RATE, reset=False)  # tells the layout
    audio = mixture(sum(sizes), channels)
    streamed = joined(effect, np.split(audio, np.cumsum(sizes)[:-1], axis=1))
    effect(mixture(0, channels), RATE)
    np.testing.assert_array_equal(streamed, effect(audio, RATE))


def test_flush_ends_the_stream(model: Path, mixture: Mixture) -> None:
    effect = StemMixer(model=model)
    assert effect.flush().shape == (0,)
    for shape, tail in [((2, 3_000), (2, 512)), ((3_000, 2), (512, 2)), ((3_000,), (512,)), ((2, 9), (2, 9))]:
        effect.process(np.zeros(shape), RATE, reset=False)
        assert effect.flush().shape == tail
        assert effect.flush().shape[-1] == 0
        with pytest.raises(RuntimeError, match=r"\(2, 2\).*reset\(\)"):
            effect(np.zeros((2, 2)), RATE)
    effect(mixture(3_000), RATE)
    assert effect.flush().shape == (2, 0)  # all of it has come out


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 2), (RATE, 1)])
def test_another_rate_or_number_of_channels_begins_a_stream(model, mixture, rate, channels) -> None:
    effect, fresh = StemMixer(model=model), StemMixer(model=model)
    effect.process(mixture(5_000, seed=1), RATE, reset=False)
    audio = mixture(8_000, channels)
    np.testing.assert_array_equal(joined(effect, [audio], rate), joined(fresh, [audio], rate))


@pytest.mark.parametrize("sizes", [[6_000], [1, 99, 1_000, 4_900]])
def test_a_change_of_level_is_a_ramp_over_one_hop(model: Path, mixture: Mixture, sizes: list[int]) -> None:
    audio = mixture(16_000)
    effect, loud, soft = (StemMixer(level, -math.inf, model) for level in (0.0, 0.0, -20.0))
    before = effect.process(audio[:, :10_000], RATE, reset=False)
    effect.vocals_db = -20
    blocks = np.split(audio[:, 10_000:], np.cumsum(sizes)[:-1], axis=1)
    after = np.concatenate([effect.process(block, RATE, reset=False) for block in blocks], axis=1)
    expected, soft = loud(audio, RATE), soft(audio, RATE)
    change = 10_000 - LATENCY
    np.testing.assert_array_equal(before, expected[:, :change])
    np.testing.assert_array_equal(after[:, HOP:], soft[:, change + HOP : -LATENCY])
    ramp = 1 + (0.1 - 1) * np.arange(1, HOP + 1) / HOP
    np.testing.assert_allclose(after[:, :HOP], ramp * expected[:, change : change + HOP], rtol=1e-4)


def test_levels_hold_at_once_where_a_stream_begins(model: Path, mixture: Mixture) -> None:
    audio = mixture(8_000)
    effect, expected = StemMixer(model=model), StemMixer(-6, -9, model)(audio, RATE)
    effect(mixture(100), RATE)
    effect.reset()
    effect.vocals_db, effect.accompaniment_db = -6, -9
    assert (effect.vocals_db, effect.accompaniment_db) == (-6.0, -9.0)
    np.testing.assert_array_equal(joined(effect, [audio]), expected)
    effect.accompaniment_db = 0.0
    effect.accompaniment_db = -9.0
    np.testing.assert_array_equal(effect(audio, RATE), expected)


@pytest.mark.parametrize("level", [math.nan, math.inf, 60.1])
def test_levels_that_make_no_sense(model: Path, level: float) -> None:
    with pytest.raises(ValueError, match=f"vocals_db is {level}"):
        StemMixer(level, model=model)
    effect = StemMixer(model=model)
    with pytest.raises(ValueError, match=f"accompaniment_db is {level}.*60 dB"):
        effect.accompaniment_db = level
    assert effect.accompaniment_db == -60.0


@pytest.mark.parametrize("rate", [7_999, 192_001, 0, -1, math.nan, math.inf])
def test_rates_out_of_range(model: Path, rate: float) -> None:
    effect = StemMixer(model=model)
    with pytest.raises(ValueError, match="8000 to 192000"):
        effect(np.zeros((2, 9)), rate)
    assert effect(np.zeros((2, 9)), 8_000).shape == (2, 9)


def test_other_mistakes(model: Path) -> None:
    effect = StemMixer(model=model)
    for shape in [(3, 100), (100, 3), (64, 100)]:
        with pytest.raises(ValueError, match=rf"\({shape[0]}, {shape[1]}\), so {min(shape)} channels"):
            effect(np.zeros(shape), RATE)
    with pytest.raises(ValueError, match="buffer_size is 0"):
        effect(np.zeros((2, 9)), RATE, 0)
    with pytest.raises(TypeError, match="integer"):
        effect(np.zeros((2, 9)), RATE, 2.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="numpy array"):
        effect([0.0], RATE)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"int16.*/ 32768"):
        effect(np.zeros((2, 9), np.int16), RATE)
    for threads in (0, 65):
        with pytest.raises(ValueError, match=f"threads is {threads}"):
            StemMixer(model=model, threads=threads)
    with pytest.raises(ValueError, match="unknown model 'nonsense'"):
        StemMixer(model="nonsense")


def test_two_threads_in_one_effect_is_an_error(model: Path) -> None:
    class SlowCore:
        latency_samples = 4

        def reset(self) -> None:
            pass

        def process(self, *arrays: np.ndarray) -> None:
            inside.set()
            assert leave.wait(60)

    inside, leave = threading.Event(), threading.Event()
    effect, block = StemMixer(model=model), np.zeros(8, np.float32)
    effect(block, RATE)
    effect._core = SlowCore()  # type: ignore[assignment]
    thread = threading.Thread(target=effect.process, args=(block, RATE))
    thread.start()
    try:
        assert inside.wait(60)
        for call in (lambda: effect(block, RATE), effect.flush, effect.reset):
            with pytest.raises(RuntimeError, match="StemMixer is busy in another thread"):
                call()
    finally:
        leave.set()
        thread.join()
    effect(block, RATE)  # and free again


def test_effects_in_threads_of_their_own_share_nothing(models, mixture: Mixture) -> None:
    audios = [mixture(60_000, seed=seed) for seed in range(4)]

    def separated(audio: np.ndarray) -> np.ndarray:
        return joined(StemMixer(model=models["band-gru"]), np.array_split(audio, 7, axis=1))

    with ThreadPoolExecutor(4) as pool:
        for one, other in zip(pool.map(separated, audios), map(separated, audios), strict=True):
            np.testing.assert_array_equal(one, other)


def test_the_core_takes_no_arrays_that_do_not_fit(model: Path) -> None:
    from pyvocsep import _core
    from pyvocsep.engines.registry import load_streaming_model

    core = _core.StemMixer(load_streaming_model(model), RATE, 2)
    good = np.zeros((2, 8), np.float32)
    for bad in (np.zeros((2, 9), np.float32), np.zeros((1, 8), np.float32), np.zeros(8, np.float32)):
        for arrays in ((good, bad), (bad, good)):
            with pytest.raises(ValueError, match=r"one shape, \(2, samples\)"):
                core.process(*arrays)
    read_only = good.copy()
    read_only.flags.writeable = False
    with pytest.raises(ValueError, match="writeable"):
        core.process(good, read_only)
    for strange in (np.zeros((2, 8)), np.zeros((8, 2), np.float32).T):
        with pytest.raises(TypeError):
            core.process(good, strange)


# Memory that the caller gives


@pytest.mark.parametrize("interleaved", [False, True])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("reset", [False, True])
def test_out_has_the_same_bits(reset, channels, interleaved, model: Path, mixture: Mixture) -> None:
    audio = mixture(20_000, channels)
    blocks = [audio] if reset else np.split(audio, [3, 300, 2_000, 9_000], axis=1)
    expected, found = StemMixer(-6, -20, model), StemMixer(-6, -20, model)
    for planes in blocks:
        block = np.ascontiguousarray(planes.T) if interleaved else np.ascontiguousarray(planes)
        if channels == 1 and not interleaved:
            block = block[0]
        out = np.full_like(block, np.nan)
        result = found.process(block, RATE, reset=reset, out=out)
        np.testing.assert_array_equal(result, expected.process(block, RATE, reset=reset))
        assert result.size == 0 or np.shares_memory(result, out)
        np.testing.assert_array_equal(result.reshape(-1) if block.ndim == 1 else result, _first(out, result))


def _first(out: np.ndarray, result: np.ndarray) -> np.ndarray:
    """As much of `out`, from its start, as the result has."""
    return out[tuple(slice(length) for length in result.shape)]


def test_with_out_a_stream_allocates_nothing(model: Path, mixture: Mixture) -> None:
    audio = mixture(60_000)
    out = np.empty_like(audio)
    effect = StemMixer(-6, -20, model)
    for _ in range(2):
        effect.process(audio, RATE, reset=False, out=out)
    assert peak_of(lambda: effect.process(audio, RATE, reset=False, out=out)) < 2_000
    assert peak_of(lambda: effect.process(audio, RATE, reset=False)) > audio.nbytes


def test_out_of_a_board(model: Path, mixture: Mixture) -> None:
    audio = mixture(9_000)
    out = np.empty_like(audio)
    board = pyvocsep.Board([StemMixer(model=model), None])
    assert board(audio, RATE, out=out) is out
    np.testing.assert_array_equal(out, StemMixer(model=model)(audio, RATE))
    with pytest.raises(ValueError, match="overlaps"):
        board(audio, RATE, out=audio)
    with pytest.raises(TypeError, match="float32"):
        board(audio, RATE, out=out.astype(np.float64))

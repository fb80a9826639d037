"""pedalboard's contract for effects, which pedalboard's plugins, ours and the VST3 keep alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Mixture
from hypothesis import example, given, settings
from hypothesis import strategies as st

import pyvocsep
from pyvocsep.models import DEFAULT

Audio = np.ndarray[Any, Any]

RATE = 44_100
STEREO = (2, 3_000)
SHAPES = [(3_000,), (1, 3_000), (3_000, 1), STEREO, (3_000, 2), (1,), (1, 2), (2, 1), (3, 2), (1, 1)]
SIZES = st.lists(
    st.one_of(st.integers(0, 3), st.integers(1, 600), st.integers(1, 6_000)), min_size=1, max_size=10
)


@dataclass(frozen=True)
class Case:
    """An effect under test: how to make one, what it should do to (channels, samples), how late it is."""

    make: Callable[[], Any]
    reference: Callable[[Audio], Audio]
    latency: int
    takes_growing_blocks: bool = True
    """False: forgets its past whenever a block is the longest so far, as pedalboard lets plugins do."""


def pedalboard_gain(models: dict[str, Path]) -> Case:
    pedalboard = pytest.importorskip("pedalboard")
    return Case(lambda: pedalboard.Gain(-6.0), lambda audio: audio * np.float32(10 ** (-6.0 / 20)), 0)


def pedalboard_latency(models: dict[str, Path]) -> Case:
    native = pytest.importorskip("pedalboard_native", reason="needs pedalboard")
    return Case(lambda: native._internal.AddLatency(700), np.copy, 700, takes_growing_blocks=False)


def stem_mixer(models: dict[str, Path]) -> Case:
    def reference(audio: Audio) -> Audio:
        stems = pyvocsep.process(audio, RATE, model=models["band-gru"])
        return np.float32(10 ** (-6.0 / 20)) * stems.vocals + np.float32(0.1) * stems.accompaniment

    return Case(lambda: pyvocsep.StemMixer(-6.0, -20.0, models["band-gru"]), reference, 512)


def board(models: dict[str, Path]) -> Case:
    mixer = stem_mixer(models)
    return Case(lambda: pyvocsep.Board([None, mixer.make()]), mixer.reference, mixer.latency)


def board_of_both(models: dict[str, Path]) -> Case:
    mixer, native = stem_mixer(models), pedalboard_latency(models)
    return Case(
        lambda: pyvocsep.Board([native.make(), mixer.make(), native.make()]),
        mixer.reference,
        mixer.latency + 2 * native.latency,
    )


def vst3(models: dict[str, Path]) -> Case:
    pytest.importorskip("pedalboard")
    if not hasattr(pyvocsep, "load_vst3"):
        pytest.skip("this pyvocsep has no load_vst3")
    try:
        pyvocsep.vst3_path()
    except FileNotFoundError as error:
        pytest.skip(error.strerror)

    def reference(audio: Audio) -> Audio:
        stems = pyvocsep.process(audio, RATE, model=DEFAULT)
        return np.float32(10 ** (-6.0 / 20)) * stems.vocals + np.float32(0.1) * stems.accompaniment

    def make() -> Any:
        return pyvocsep.load_vst3(vocals_db=-6.0, accompaniment_db=-20.0)

    return Case(make, reference, 2048, takes_growing_blocks=False)


def board_of_vst3(models: dict[str, Path]) -> Case:
    plugin = vst3(models)
    return Case(lambda: pyvocsep.Board([plugin.make()]), plugin.reference, plugin.latency)


CASES = [pedalboard_gain, pedalboard_latency, stem_mixer, board, board_of_both, vst3, board_of_vst3]


@pytest.fixture(scope="module", params=CASES, ids=lambda make: make.__name__)
def case(request: pytest.FixtureRequest, models: dict[str, Path]) -> Case:
    made: Case = request.param(models)
    return made


def laid_out(planes: Audio, shape: tuple[int, ...]) -> Audio:
    """(channels, samples) in the layout of a shape, whatever the samples."""
    if len(shape) == 1:
        return planes[0]
    return np.ascontiguousarray(planes.T) if shape[0] > shape[1] else planes


def audio_of(shape: tuple[int, ...], mixture: Mixture) -> Audio:
    channels, samples = (1, shape[0]) if len(shape) == 1 else sorted(shape)
    return laid_out(mixture(samples, channels), shape)


def stream(effect: Any, blocks: list[Audio]) -> list[Audio]:
    return [effect.process(block, RATE, reset=False) for block in blocks]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64", ">f4"])
def test_shape_and_type(case: Case, mixture: Mixture, shape: tuple[int, ...], dtype: str) -> None:
    audio = audio_of(shape, mixture).astype(dtype)
    before = audio.copy()
    effect = case.make()
    for output in (effect(audio, RATE), effect.process(audio, RATE, 8192, True)):
        assert type(output) is np.ndarray
        assert output.shape == shape
        assert output.dtype == np.float32
        assert output.flags.c_contiguous
        assert not np.shares_memory(output, audio)
    np.testing.assert_array_equal(audio, before)


def test_what_is_in_memory_how_does_not_matter(case: Case, mixture: Mixture) -> None:
    effect, audio = case.make(), audio_of(STEREO, mixture)
    expected = effect(audio, RATE)
    for array in (np.asfortranarray(audio), np.repeat(audio, 2, axis=1)[:, ::2]):
        np.testing.assert_array_equal(effect(array, RATE), expected)


@pytest.mark.parametrize(
    "dtype", ["int16", "int32", "uint8", "bool", "float16", "longdouble", "complex64", "object"]
)
def test_other_types_are_refused(case: Case, dtype: str) -> None:
    with pytest.raises(TypeError):
        case.make()(np.zeros(STEREO, dtype), RATE)


@pytest.mark.parametrize(
    "arguments",
    [
        ([0.0] * 8, RATE),
        (None, RATE),
        (np.zeros(STEREO), "44100"),
        (np.zeros(STEREO), None),
        (np.zeros(STEREO),),
    ],
    ids=["list", "None", "rate-text", "rate-None", "no-rate"],
)
def test_other_arguments_are_refused(case: Case, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        case.make()(*arguments)


@pytest.mark.parametrize("shape", [(), (2, 3, 4)])
def test_other_dimensions_are_refused(case: Case, shape: tuple[int, ...]) -> None:
    with pytest.raises(RuntimeError):
        case.make()(np.zeros(shape, np.float32), RATE)


def test_names_and_defaults(case: Case, mixture: Mixture) -> None:
    effect, audio = case.make(), audio_of(STEREO, mixture)
    named = effect.process(input_array=audio, sample_rate=float(RATE), buffer_size=8192, reset=True)
    np.testing.assert_array_equal(named, effect(audio, RATE))
    assert effect.is_effect is True
    assert effect.is_instrument is False
    for name in ("is_effect", "is_instrument"):
        with pytest.raises(AttributeError):
            setattr(effect, name, True)


@pytest.mark.parametrize("known", [STEREO, (3_000, 2)])
def test_a_square_array_is_laid_out_as_the_last(case: Case, mixture: Mixture, known: tuple[int, ...]) -> None:
    effect, planes = case.make(), mixture(2, 2)
    square = laid_out(planes, known)
    with pytest.raises(RuntimeError):
        effect(square, RATE)
    effect(audio_of(known, mixture), RATE)
    expected = laid_out(effect(np.pad(planes, ((0, 0), (0, 7))), RATE)[:, :2], known)
    effect(audio_of(known, mixture), RATE)
    np.testing.assert_array_equal(effect(square, RATE), expected)
    effect.reset()
    with pytest.raises(RuntimeError):
        effect(square, RATE)


@pytest.mark.parametrize("shape", [(0,), (1, 0), (0, 1), (2, 0), (0, 2)])
@pytest.mark.parametrize("reset", [True, False])
def test_empty_in_empty_out(case: Case, shape: tuple[int, ...], reset: bool) -> None:
    output = case.make().process(np.zeros(shape), RATE, reset=reset)
    assert output.shape == shape
    assert output.dtype == np.float32


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("samples", [1, 500, 30_000])
def test_offline_is_aligned(case: Case, mixture: Mixture, channels: int, samples: int) -> None:
    audio = mixture(samples, channels)
    layout = (channels, 3_000)
    effect = case.make()
    effect(audio_of(layout, mixture), RATE)  # it may not leave a trace, but for the layout
    np.testing.assert_array_equal(effect(audio, RATE), case.reference(audio))
    for buffer_size in (64, 1_000, 10**6):
        np.testing.assert_array_equal(effect(audio, RATE, buffer_size), case.reference(audio))


@settings(max_examples=25)
@given(sizes=SIZES, channels=st.integers(1, 2), interleaved=st.booleans())
@example([1, 1, 1, 2, 2, 3, 3_000, 5_000, 1, 6_000], 2, False)
@example([2, 1, 6_000, 2, 5_000, 1, 1], 2, True)
def test_a_stream_and_zeros_for_the_latency_are_the_offline_result(
    case: Case, mixture: Mixture, sizes: list[int], channels: int, interleaved: bool
) -> None:
    effect, total = case.make(), sum(sizes)
    effect.reset()  # pedalboard tries out a plugin of others when it loads it, and goes on from there
    shape = (3_000, channels) if interleaved else (channels, 3_000)
    audio = mixture(total, channels)
    first = mixture(3 if case.takes_growing_blocks else 6_000, channels, seed=1)  # it tells the layout
    blocks = [first, *np.split(audio, np.cumsum(sizes)[:-1], axis=1)]
    blocks.append(np.zeros((channels, case.latency), np.float32))
    expected = case.reference(np.concatenate(blocks[:-1], axis=1))
    outputs = stream(effect, [laid_out(block, shape) for block in blocks])
    come_in = come_out = 0
    for block, output in zip(blocks, outputs, strict=True):
        come_in, come_out = come_in + block.shape[1], come_out + output.shape[1 - interleaved]
        assert come_out == max(0, come_in - case.latency)
        assert output.flags.c_contiguous
    joined = np.concatenate(outputs, axis=0 if interleaved else 1)
    np.testing.assert_array_equal(joined, laid_out(expected, shape))


def test_reset_begins_a_new_stream(case: Case, mixture: Mixture) -> None:
    effect, audio = case.make(), mixture(9_000)
    effect.reset()
    first = stream(effect, [audio, audio[:, :5_000]])
    effect.reset()
    for one, other in zip(first, stream(effect, [audio, audio[:, :5_000]]), strict=True):
        np.testing.assert_array_equal(one, other)


# In a chain each element ends the recording with a silence of its own.
ONE_LATENCY = [make for make in CASES if make is not board_of_both]


@pytest.mark.parametrize("case", ONE_LATENCY, indirect=True, ids=lambda make: make.__name__)
def test_after_an_offline_call_the_stream_goes_on_behind_the_silence_that_ended_it(
    case: Case, mixture: Mixture
) -> None:
    effect, audio = case.make(), mixture(9_000)
    silence = np.zeros((2, case.latency), np.float32)
    parts = [effect(audio, RATE), *stream(effect, [audio[:, :4_000], audio[:, :5_000]])]
    assert [part.shape[1] for part in parts] == [9_000, 4_000, 5_000]
    whole = np.concatenate([audio, silence, audio[:, :4_000], audio[:, :5_000]], axis=1)
    expected = case.reference(whole)[:, :18_000]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), expected)

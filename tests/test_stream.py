"""The stream: exact for any blocks, the stems sum to the input, and what it says to mistakes."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory import peak_of
from model_files import patch_model

import pyvocsep

RATES = st.one_of(
    st.sampled_from([8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000]),
    st.integers(8_000, 192_000),
)
BLOCKS = st.lists(
    st.one_of(st.integers(0, 3), st.integers(1, 600), st.integers(1, 20_000), st.integers(1, 300_000)),
    min_size=1,
    max_size=8,
)
STREAMS = st.fixed_dictionaries(
    {
        "rate": RATES,
        "channels": st.integers(1, 2),
        "architecture": st.sampled_from(["band-gru", "band-gru that looks ahead", "gru"]),
        "threads": st.integers(1, 2),
    }
)


def delayed(separator: pyvocsep.Separator, blocks: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The whole output of a stream: the input's length and the latency."""
    parts = [separator.process(block) for block in blocks] + [separator.flush()]
    vocals, accompaniment = (np.concatenate(stem, axis=-1) for stem in zip(*parts, strict=True))
    return vocals, accompaniment


def cut(audio: np.ndarray, sizes: list[int]) -> list[np.ndarray]:
    return np.split(audio, np.cumsum(sizes)[:-1], axis=-1)


@settings(max_examples=60)
@given(stream=STREAMS, sizes=BLOCKS)
def test_any_blocks_give_the_bits_of_one_call(stream, sizes, models, mixture) -> None:
    audio = mixture(sum(sizes), stream["channels"], stream["rate"])
    arguments = (stream["rate"], stream["channels"], models[stream["architecture"]])
    whole = delayed(pyvocsep.Separator(*arguments), [audio])
    pieces = delayed(pyvocsep.Separator(*arguments, stream["threads"]), cut(audio, sizes))
    for one, other in zip(whole, pieces, strict=True):
        np.testing.assert_array_equal(one, other)


@settings(max_examples=30)
@given(
    stream=STREAMS, samples=st.integers(0, 100_000), peak=st.sampled_from([1e-30, 1e-4, 0.9, 1.0, 3.0, 1e9])
)
def test_stems_sum_to_the_delayed_input(stream, samples, peak, models, mixture) -> None:
    audio = mixture(samples, stream["channels"], stream["rate"], peak=peak)
    model = models[stream["architecture"]]
    separator = pyvocsep.Separator(stream["rate"], stream["channels"], model, stream["threads"])
    vocals, accompaniment = delayed(separator, [audio])
    latency = separator.latency_samples
    assert vocals.shape == accompaniment.shape == (stream["channels"], samples + latency)
    assert not vocals[:, :latency].any()
    assert not accompaniment[:, :latency].any()
    total = vocals[:, latency:].astype(np.float64) + accompaniment[:, latency:]
    ulp = np.spacing(np.abs(audio).max(initial=np.float32(0)))
    np.testing.assert_array_less(np.abs(total - audio), np.nextafter(float(ulp), np.inf))


def test_both_stems_hold_something(models, mixture) -> None:
    # Guards the tests above: a separator that leaves everything in one stem passes them.
    for model in models.values():
        for stem in delayed(pyvocsep.Separator(44_100, 2, model), [mixture(44_100)]):
            assert 0.01 < np.abs(stem).max() < 1


@settings(max_examples=30)
@given(stream=STREAMS, data=st.data())
def test_what_is_not_finite_is_silence(stream, data, models, mixture) -> None:
    audio = mixture(30_000, stream["channels"], stream["rate"])
    silenced = audio.copy()
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, 29_999))
        here = slice(start, start + data.draw(st.integers(1, 3000)))
        channel = data.draw(st.integers(0, stream["channels"] - 1))
        audio[channel, here] = data.draw(st.sampled_from([np.nan, np.inf, -np.inf, 2e15, -3e38]))
        silenced[channel, here] = 0
    arguments = (stream["rate"], stream["channels"], models[stream["architecture"]], stream["threads"])
    for one, other in zip(
        delayed(pyvocsep.Separator(*arguments), cut(audio, [10_000, 20_000])),
        delayed(pyvocsep.Separator(*arguments), [silenced]),
        strict=True,
    ):
        assert np.isfinite(one).all()
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("end", ["reset", "flush"])
def test_a_new_stream_remembers_nothing(end, model, mixture) -> None:
    audio = mixture(20_000)
    separator = pyvocsep.Separator(44_100, 2, model)
    separator.process(mixture(12_345, seed=1))
    getattr(separator, end)()
    fresh = delayed(pyvocsep.Separator(44_100, 2, model), [audio])
    for one, other in zip(delayed(separator, [audio]), fresh, strict=True):
        np.testing.assert_array_equal(one, other)


def test_shapes_come_back(model, mixture) -> None:
    mono = pyvocsep.Separator(48_000, 1, model)
    for shape in [(0,), (1,), (700,)]:
        assert [stem.shape for stem in mono.process(np.zeros(shape, np.float32))] == [shape, shape]
    assert [stem.shape for stem in mono.flush()] == [(mono.latency_samples,)] * 2
    assert [stem.shape for stem in mono.process(np.zeros((1, 5)))] == [(1, 5)] * 2
    assert [stem.shape for stem in mono.flush()] == [(1, mono.latency_samples)] * 2
    assert [stem.shape for stem in mono.flush()] == [(1, mono.latency_samples)] * 2
    stereo = pyvocsep.Separator(48_000, 2, model)
    assert [stem.shape for stem in stereo.process(np.zeros((2, 0)))] == [(2, 0)] * 2


def test_what_is_in_memory_how_does_not_matter(model, mixture) -> None:
    audio = mixture(9_000)
    layouts = [
        audio.astype(np.float64),
        np.asfortranarray(audio),
        np.repeat(audio, 2, axis=1)[:, ::2],
        audio.astype(">f4"),
    ]
    expected = delayed(pyvocsep.Separator(44_100, 2, model), [audio])
    for layout in layouts:
        before = layout.copy()
        found = delayed(pyvocsep.Separator(44_100, 2, model), [layout])
        for one, other in zip(expected, found, strict=True):
            np.testing.assert_array_equal(one, other)
            assert other.dtype == np.float32
        np.testing.assert_array_equal(before, layout)


def test_outputs_are_new_arrays(model, mixture) -> None:
    separator = pyvocsep.Separator(44_100, 2, model)
    audio = mixture(5_000)
    first = separator.process(audio)
    kept = [stem.copy() for stem in first]
    second = separator.process(audio)
    for stem, copy in zip(first, kept, strict=True):
        np.testing.assert_array_equal(stem, copy)
    arrays = [audio, *first, *second]
    assert not any(np.shares_memory(a, b) for i, a in enumerate(arrays) for b in arrays[:i])


def test_properties(model) -> None:
    separator = pyvocsep.Separator(48_000, 1, model)
    assert (separator.sample_rate, separator.channels, separator.model) == (48_000, 1, str(model))
    assert (
        separator.latency_samples == 560
    )  # the 7-smooth multiple of 2 nearest to 512 * 48000 / 44100 = 557.3
    assert "48000" in repr(separator)


@pytest.mark.parametrize(
    ("dtype", "advice"),
    [("int16", "/ 32768)"), ("uint8", "/ 128 - 1)"), ("float16", "astype"), ("complex64", "real")],
)
def test_other_types_are_told_how_to_convert(dtype, advice, model) -> None:
    separator = pyvocsep.Separator(44_100, 2, model)
    with pytest.raises(TypeError, match=dtype) as caught:
        separator.process(np.zeros((2, 8), dtype))
    assert advice in str(caught.value)


@pytest.mark.parametrize(
    ("channels", "shape", "message"),
    [
        (2, (1000, 2), r"\(1000, 2\).*\(2, samples\).*block\.T"),
        (2, (1000,), r"\(1000,\).*takes \(2, samples\)$"),
        (2, (3, 1000), r"\(3, 1000\)"),
        (1, (2, 1000), r"\(1, samples\) or \(samples,\)$"),
        (1, (1000, 1), r"block\.T"),
        (2, (2, 3, 4), r"\(2, 3, 4\)"),
        (1, (), r"\(\)"),
    ],
)
def test_wrong_shapes(channels, shape, message, model) -> None:
    with pytest.raises(ValueError, match=message):
        pyvocsep.Separator(44_100, channels, model).process(np.zeros(shape))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sample_rate": 7_999}, "7999 Hz.*8000 to 192000"),
        ({"sample_rate": 192_001}, "192001"),
        ({"sample_rate": float("nan")}, "nan"),
        ({"channels": 0}, "channels is 0"),
        ({"channels": 3}, "channels is 3"),
        ({"threads": 0}, "threads is 0"),
    ],
)
def test_values_out_of_range(arguments: dict[str, Any], message, model) -> None:
    with pytest.raises(ValueError, match=message):
        pyvocsep.Separator(**{"model": model} | arguments)


def test_unknown_models(tmp_path: Path) -> None:
    from pyvocsep.models import shipped_models

    with pytest.raises(ValueError, match="unknown model 'nonsense'") as caught:
        pyvocsep.Separator(model="nonsense")
    assert all(name in str(caught.value) for name in shipped_models())
    for path in [tmp_path / "none.safetensors", str(tmp_path / "none"), "none.safetensors"]:
        with pytest.raises(FileNotFoundError, match="no such model file"):
            pyvocsep.Separator(model=path)
    (tmp_path / "bad.safetensors").write_bytes(b"this is not a model" * 10)
    with pytest.raises(ValueError, match=r"bad\.safetensors"):
        pyvocsep.Separator(model=tmp_path / "bad.safetensors")


def test_a_model_is_loaded_once_and_again_when_it_changes(tmp_path: Path) -> None:
    from model_files import random_gru

    from pyvocsep.engines.registry import load_streaming_model

    path = random_gru(tmp_path / "gru.safetensors", hidden=8)
    first = load_streaming_model(path)
    assert load_streaming_model(str(path)) is first
    random_gru(path, hidden=12)
    assert load_streaming_model(path) is not first


def test_two_threads_in_one_separator_is_an_error(model) -> None:
    class SlowEngine:
        latency_samples = 4

        def process(self, block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            inside.set()
            assert leave.wait(60)
            return block, block

    inside, leave = threading.Event(), threading.Event()
    separator = pyvocsep.Separator(44_100, 1, model)
    separator._engine = SlowEngine()  # type: ignore[assignment]
    block = np.zeros(8, np.float32)
    thread = threading.Thread(target=separator.process, args=(block,))
    thread.start()
    try:
        assert inside.wait(60)
        for call in [lambda: separator.process(block), separator.flush, separator.reset]:
            with pytest.raises(RuntimeError, match="busy in another thread"):
                call()
    finally:
        leave.set()
        thread.join()
    separator.process(block)  # and free again


# Memory that the caller gives


@pytest.mark.parametrize("channels", [1, 2])
def test_out_has_the_same_bits_and_nothing_is_allocated(channels, model, mixture) -> None:
    audio = mixture(60_000, channels)
    expected = pyvocsep.Separator(44_100, channels, model).process(audio)
    separator = pyvocsep.Separator(44_100, channels, model)
    out = np.empty_like(audio), np.empty_like(audio)
    found = separator.process(audio, out=out)
    assert found[0] is out[0]
    assert found[1] is out[1]
    np.testing.assert_array_equal(found, expected)
    assert peak_of(lambda: separator.process(audio, out=out)) < 2_000
    assert peak_of(lambda: separator.process(audio)) > 2 * audio.nbytes


def test_out_for_mono_arrays_and_whole_recordings(model, mixture, tmp_path) -> None:
    audio = mixture(30_000, 1)[0]
    separator = pyvocsep.Separator(44_100, 1, model)
    out = np.empty_like(audio), np.empty_like(audio)
    separator.process(audio, out)
    np.testing.assert_array_equal(out, pyvocsep.Separator(44_100, 1, model).process(audio))
    pytest.importorskip("onnxruntime")
    cnn = patch_model(tmp_path / "patches.onnx")
    pyvocsep.Separator(44_100, 1, cnn).process(audio, out)
    np.testing.assert_array_equal(out, pyvocsep.Separator(44_100, 1, cnn).process(audio))


def test_out_that_does_not_fit(model, mixture) -> None:
    audio = mixture(100)
    separator = pyvocsep.Separator(44_100, 2, model)
    good = np.empty_like(audio)
    read_only = np.empty_like(audio)
    read_only.flags.writeable = False
    for bad, error, message in [
        (np.empty((2, 99), np.float32), ValueError, r"out has shape \(2, 99\).*\(2, 100\)"),
        (np.empty((2, 100)), TypeError, "float64; it must be an array of float32"),
        ([0.0], TypeError, "list; it must be an array"),
        (np.empty((100, 2), np.float32).T, ValueError, "C-contiguous"),
        (read_only, ValueError, "writeable"),
        (audio, ValueError, "out overlaps the block"),
        (good, ValueError, "the two arrays of out overlap"),
    ]:
        with pytest.raises(error, match=message):
            separator.process(audio, out=(good, bad))
    np.testing.assert_array_equal(
        separator.process(audio), pyvocsep.Separator(44_100, 2, model).process(audio)
    )

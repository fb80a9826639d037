"""Models that look ahead: whole recordings, patch by patch, through onnxruntime."""

from __future__ import annotations

import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from model_files import patch_model

import pyvocsep
from pyvocsep import cli
from pyvocsep.engines import patch_model as patch_models
from pyvocsep.engines.patches import PatchEngine, PatchModel


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return patch_model(tmp_path_factory.mktemp("patches") / "small.onnx")


def separate(model: Path, audio: np.ndarray, rate: float, blocks: list[int]) -> tuple[np.ndarray, np.ndarray]:
    separator = PatchEngine(PatchModel(model), rate, len(audio))
    parts, start = [], 0
    for size in [*blocks, audio.shape[1]]:
        parts.append(separator.process(audio[:, start : start + size]))
        start += size
    parts.append(separator.flush())
    vocals, accompaniment = (np.concatenate(stem, axis=1) for stem in zip(*parts, strict=True))
    return vocals, accompaniment


@settings(max_examples=30)
@given(
    rate=st.sampled_from([8_000, 11_025, 16_000, 44_100, 48_000, 192_000]),
    channels=st.integers(1, 2),
    samples=st.integers(0, 20_000),
    blocks=st.lists(st.integers(0, 5_000), max_size=12),
)
def test_blocks_do_not_matter_and_stems_sum(model, mixture, rate, channels, samples, blocks) -> None:
    audio = mixture(samples, channels, rate)
    vocals, accompaniment = separate(model, audio, rate, blocks)
    whole = pyvocsep.process(audio, rate, model=model)
    np.testing.assert_array_equal(vocals, whole.vocals)
    np.testing.assert_array_equal(accompaniment, whole.accompaniment)
    assert vocals.shape == accompaniment.shape == audio.shape
    np.testing.assert_allclose(vocals + accompaniment, audio, rtol=0, atol=6e-8)


def test_masks_are_those_of_the_patch_around_them(model, mixture) -> None:
    """Against a direct computation, numpy's FFT in double precision, every mask from its own patch."""
    audio = mixture(9_000, 2, 16_000).astype(np.float64)
    frame, hop, patch, kept = 256, 128, 16, 8
    count = -(-(audio.shape[1] + hop) // hop)
    window = np.sin(np.pi * np.arange(frame) / frame)
    padded = np.pad(audio, ((0, 0), (hop, (count + 1) * hop - audio.shape[1])))
    frames = np.stack([padded[:, t * hop : t * hop + frame] * window for t in range(count)], 1)
    spectra = np.fft.rfft(frames)
    magnitudes = np.zeros((count + 4 * patch, 129), np.float32)
    margin = (patch - kept) // 2
    magnitudes[margin : margin + count] = np.abs(spectra).mean(0) * 2 / frame
    network = PatchModel(model)
    masks = np.concatenate(
        [network.masks(magnitudes[p : p + patch])[margin : margin + kept] for p in range(0, count, kept)]
    )[:count]
    pieces = np.fft.irfft(spectra * masks) * window * (2 * hop / frame)
    vocals = np.zeros_like(padded)
    for t in range(count):
        vocals[:, t * hop : t * hop + frame] += pieces[:, t]
    stems = pyvocsep.process(audio, 16_000, model=model)
    np.testing.assert_allclose(stems.vocals, vocals[:, hop : hop + audio.shape[1]], rtol=0, atol=2e-6)


def test_memory_does_not_grow_with_the_recording(model) -> None:
    def peak(blocks: int) -> int:
        separator = PatchEngine(PatchModel(model), 16_000, 2)
        block = np.zeros((2, 16_000), np.float32)
        tracemalloc.start()
        for _ in range(blocks):
            separator.process(block)
        separator.flush()
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(2)
    assert peak(240) < 1.25 * peak(20)  # by nothing but what a block happens to leave over


@pytest.mark.parametrize("invalid", [np.nan, np.inf, -np.inf, 1e20])
def test_invalid_samples_are_silence(model, mixture, invalid) -> None:
    audio = mixture(12_000, 1, 16_000)
    silent = audio.copy()
    silent[:, 5_000:5_010] = 0
    audio[:, 5_000:5_010] = invalid
    expected = pyvocsep.process(silent, 16_000, model=model)
    with pytest.warns(pyvocsep.AudioWarning, match="10 samples"):
        stems = pyvocsep.process(audio, 16_000, model=model)
    np.testing.assert_array_equal(stems.vocals, expected.vocals)
    np.testing.assert_array_equal(stems.accompaniment, expected.accompaniment)


def test_a_separator_takes_one_whole_recording(model, mixture) -> None:
    audio = mixture(30_000)
    separator = pyvocsep.Separator(44_100, 2, model=model)
    assert separator.latency_samples == 0
    expected = pyvocsep.process(audio, 44_100, model=model)
    for _ in range(2):
        vocals, accompaniment = separator.process(audio)
        np.testing.assert_array_equal(vocals, expected.vocals)
        np.testing.assert_array_equal(accompaniment, expected.accompaniment)
        with pytest.raises(ValueError, match="cannot stream"):
            separator.process(audio)
        assert [stem.shape for stem in separator.flush()] == [(2, 0), (2, 0)]


def test_what_streams_says_that_the_model_cannot(model) -> None:
    with pytest.raises(ValueError, match=r"'small' looks ahead.*cannot stream.*'band-gru'"):
        pyvocsep.StemMixer(model=model)


@pytest.mark.parametrize("arguments", [(7_000, 1), (44_100, 0)])
def test_rate_and_threads_are_checked_as_for_others(model, arguments) -> None:
    rate, threads = arguments
    with pytest.raises(ValueError, match=r"sample_rate is 7000|threads is 0"):
        pyvocsep.process(np.zeros((1, 100), np.float32), rate, model=model, threads=threads)


def test_the_command_takes_it(model, mixture, tmp_path) -> None:
    soundfile.write(tmp_path / "song.wav", mixture(40_000).T, 44_100, subtype="FLOAT")
    assert cli.main([str(tmp_path / "song.wav"), "--model", str(model), "-q"]) == 0
    song, _ = soundfile.read(tmp_path / "song.wav")
    stems = [soundfile.read(tmp_path / f"song.{stem}.wav")[0] for stem in ("vocals", "accompaniment")]
    assert stems[0].any()
    np.testing.assert_allclose(stems[0] + stems[1], song, rtol=0, atol=6e-8)


def test_a_file_that_is_no_model(tmp_path) -> None:
    (tmp_path / "text.onnx").write_text("hello")
    with pytest.raises(ValueError, match=r"text\.onnx is not a model file"):
        pyvocsep.process(np.zeros(100, np.float32), 44_100, model=tmp_path / "text.onnx")
    foreign = patch_model(tmp_path / "foreign.onnx", format="other")
    with pytest.raises(ValueError, match="its format is 'other'"):
        PatchModel(foreign)
    bare = patch_model(tmp_path / "bare.onnx", hop="half")
    with pytest.raises(ValueError, match="half"):
        PatchModel(bare)


def test_without_onnxruntime_it_says_what_to_install(model, monkeypatch, capsys, tmp_path) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    patch_models._cache.clear()
    with pytest.raises(ImportError, match=r"pip install pyvocsep\[onnx\]"):
        pyvocsep.process(np.zeros(100, np.float32), 44_100, model=model)
    assert cli.main(["song.wav", "--model", str(model)]) == 2
    assert "pip install pyvocsep[onnx]" in capsys.readouterr().err


def test_its_products_are_float32_alone(model) -> None:
    with pytest.raises(ValueError, match="'small' runs in float32 alone"):
        pyvocsep.process(np.zeros(100, np.float32), 44_100, model=model, precision="bfloat16")

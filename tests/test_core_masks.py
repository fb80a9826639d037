"""The core's masks against PyTorch's and onnxruntime's, for every instruction set of this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from model_files import random_band_gru, random_gru
from numpy.typing import NDArray

import pyvocsep
from pyvocsep import _core
from pyvocsep.engines.registry import is_streaming
from pyvocsep.models import model_path, shipped_models

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
_testing = pytest.importorskip(
    "pyvocsep._testing", reason="built without it: -C cmake.define.PYVOCSEP_TEST_MODULE=ON"
)

from pyvocsep.training.export import load_model, save_onnx  # noqa: E402
from pyvocsep.training.loop import separate  # noqa: E402

FRAMES = 40
MASKS = """
import sys
import numpy as np
from pyvocsep import _core, _testing
model, rate, spectra, result = sys.argv[1:]
spectra = np.load(spectra)
estimator = _testing.MaskEstimator(_core.Model(model), float(rate), spectra.shape[0])
parts = spectra[:, :3].copy(), spectra[:, 3:].copy()
masks = np.concatenate([estimator.masks(part) for part in parts], axis=1)
np.save(result, masks)
print(_core.isa())
"""


@pytest.fixture(
    params=[
        "random-band-gru",
        "random-band-gru-with-level",
        "random-band-gru-that-looks-ahead",
        "random-band-gru-with-a-spatial-filter",
        "random-gru",
        *(name for name in shipped_models() if is_streaming(name)),
    ]
)
def model(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "random-band-gru":
        # The default's dimensions, so that every kernel runs whole panels and their remainders.
        return random_band_gru(tmp_path / "model.safetensors", n_fft=2048, bands=36, dim=64)
    if request.param == "random-band-gru-with-level":
        return random_band_gru(
            tmp_path / "model.safetensors", n_fft=2048, bands=36, dim=64, level_seconds="0.3"
        )
    if request.param == "random-band-gru-that-looks-ahead":
        return random_band_gru(
            tmp_path / "model.safetensors", n_fft=2048, bands=36, dim=64, blocks=3, ahead=[0, 2]
        )
    if request.param == "random-band-gru-with-a-spatial-filter":
        return random_band_gru(
            tmp_path / "model.safetensors", n_fft=2048, bands=36, dim=64, spatial_seconds="0.3"
        )
    if request.param == "random-gru":
        return random_gru(tmp_path / "model.safetensors", n_fft=1024, hidden=100, layers=3)
    return model_path(request.param)


TOLERANCE = 1e-4


def hum_of(samples: int, rate: float) -> NDArray[np.float64]:
    """A voice, as far as a few harmonics and a vibrato go."""
    time = np.arange(samples) / rate
    pitch = 220 * 2 ** (0.05 * np.sin(2 * np.pi * 5 * time))
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    return sum((np.sin(harmonic * phase) / harmonic for harmonic in range(1, 15)), np.zeros(samples))


def chords_of(samples: int, rate: float) -> NDArray[np.float64]:
    """A chord struck twice a second."""
    time = np.arange(samples) / rate
    tones = np.sin(2 * np.pi * 110 * np.outer([1, 5 / 4, 3 / 2], np.arange(1, 8))[..., None] * time)
    struck: NDArray[np.float64] = (tones / np.arange(1, 8)[:, None]).sum((0, 1)) * np.exp(-8 * (time % 0.5))
    return struck


def spectra_of(path: Path, channels: int) -> NDArray[np.complex64]:
    """Hum like a voice's over chords and noise, loud, soft, silent, and without it: (channels, frames, bins).

    As many silent frames follow as the model looks ahead.
    """
    model = _core.Model(str(path))
    rng = np.random.default_rng(1)
    hum = hum_of(FRAMES * model.n_fft, model.sample_rate)
    hum[26 * model.n_fft : 34 * model.n_fft] = 0
    x = 0.2 * hum + 0.3 * chords_of(len(hum), model.sample_rate)
    x = x + 0.02 * np.cumsum(rng.standard_normal((channels, len(hum))), axis=1) % 0.1
    frames = x.reshape(channels, FRAMES, model.n_fft)
    frames[:, 10:20] *= 1e-3
    frames[:, 20:25] = 0
    window = np.sin(np.pi * np.arange(model.n_fft) / model.n_fft)
    spectra = np.fft.rfft(frames * window).astype(np.complex64)
    late = _testing.MaskEstimator(model, model.sample_rate, channels).look_ahead
    return np.pad(spectra, ((0, 0), (0, late), (0, 0)))


def torch_masks(path: Path, spectra: NDArray[np.complex64]) -> NDArray[np.float32]:
    network, _ = load_model(path)
    stereo = spectra if spectra.shape[0] == 2 else np.repeat(spectra, 2, axis=0)
    with torch.no_grad():
        masks, _ = network(
            network.features(torch.from_numpy(stereo).permute(1, 2, 0)[None], network.grid.n_fft)
        )
    planes = masks[0].permute(2, 0, 1)[: spectra.shape[0]]  # of L = R, the mid's
    return planes.expand(*spectra.shape)[:, :FRAMES].numpy()


def core_masks(path: Path, spectra: NDArray[np.complex64], isa: str, folder: Path) -> NDArray[np.float32]:
    """In a process of its own: the instruction set is chosen once."""
    np.save(folder / "spectra.npy", spectra)
    arguments = [
        str(path),
        str(_core.Model(str(path)).sample_rate),
        str(folder / "spectra.npy"),
        str(folder / "masks.npy"),
    ]
    run = subprocess.run(
        [sys.executable, "-c", MASKS, *arguments],
        env={**os.environ, "PYVOCSEP_ISA": isa},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == isa
    masks: NDArray[np.float32] = np.load(folder / "masks.npy")
    return masks


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("isa", _core.available_isas())
def test_masks_equal_torch(model: Path, channels: int, isa: str, tmp_path: Path) -> None:
    spectra = spectra_of(model, channels)
    expected = torch_masks(model, spectra)
    masks = core_masks(model, spectra, isa, tmp_path)
    assert np.abs(masks - expected).max() < TOLERANCE
    assert expected.std() > 100 * TOLERANCE, "masks that hardly differ compare nothing"


@pytest.mark.parametrize("channels", [1, 2])
def test_stems_equal_torch(model: Path, channels: int) -> None:
    """Mid and side, and left and right, are not mistaken for one another on the way to the masks and back."""
    rng = np.random.default_rng(7)
    network, _ = load_model(model)
    rate = network.grid.sample_rate
    audio = np.cumsum(rng.standard_normal((channels, 30 * network.grid.n_fft)), axis=1) % 1 - 0.5
    audio = audio * np.array([[0.4], [0.1]])[:channels] + 0.2 * hum_of(audio.shape[1], rate)
    audio = audio.astype(np.float32)
    expected = separate(network, audio, rate)
    found = pyvocsep.process(audio, rate, model=model).vocals
    assert np.abs(expected).max() > 0.01
    assert np.abs(found - expected).max() < TOLERANCE


@pytest.mark.parametrize("isa", _core.available_isas())
def test_masks_equal_onnxruntime(model: Path, isa: str, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    spectra = spectra_of(model, 2)
    network, _ = load_model(model)
    save_onnx(network, tmp_path / "model.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        tmp_path / "model.onnx", options, providers=["CPUExecutionProvider"]
    )
    magnitudes = network.features(
        torch.from_numpy(spectra).permute(1, 2, 0)[None], network.grid.n_fft
    ).numpy()
    expected, _ = session.run(None, {"magnitudes": magnitudes, "state": network.initial_state().numpy()})
    masks = core_masks(model, spectra, isa, tmp_path)
    assert masks.shape[1] == FRAMES
    assert (
        np.abs(masks - np.broadcast_to(expected[0, :FRAMES].transpose(2, 0, 1), masks.shape)).max()
        < TOLERANCE
    )


def test_bins_above_the_network_take_its_top_bands_mask(tmp_path: Path) -> None:
    model = _core.Model(str(random_band_gru(tmp_path / "model.safetensors", n_fft=512)))
    top = int(model.metadata["extension_bins"])
    rate = 2 * model.sample_rate
    rng = np.random.default_rng(2)
    bins = model.n_fft + 1
    spectra = (rng.standard_normal((2, 5, bins)) + 1j * rng.standard_normal((2, 5, bins))).astype(
        np.complex64
    )
    masks = _testing.MaskEstimator(model, rate, 2).masks(spectra)
    known = model.n_fft // 2 + 1
    mean = masks[:, :, known - top : known].mean(axis=2, keepdims=True)
    assert np.abs(masks[:, :, known:] - mean).max() < 1e-6
    assert masks[:, :, :known].std() > 0.05


def test_bins_that_a_low_rate_lacks_are_silent_ones(tmp_path: Path) -> None:
    model = _core.Model(str(random_band_gru(tmp_path / "model.safetensors", n_fft=512)))
    rng = np.random.default_rng(3)
    low = (rng.standard_normal((2, 9, 129)) + 1j * rng.standard_normal((2, 9, 129))).astype(np.complex64)
    full = np.zeros((2, 9, 257), np.complex64)
    full[:, :, :129] = 2 * low  # half the frame has half the sum
    masks = _testing.MaskEstimator(model, model.sample_rate / 2, 2).masks(low)
    assert (
        np.abs(masks - _testing.MaskEstimator(model, model.sample_rate, 2).masks(full)[:, :, :129]).max()
        < 1e-5
    )


def test_an_instruction_set_the_machine_lacks_is_an_error() -> None:
    run = subprocess.run(
        [sys.executable, "-c", "from pyvocsep import _core; _core.isa()"],
        env={**os.environ, "PYVOCSEP_ISA": "avx1024"},
        capture_output=True,
        text=True,
    )
    assert run.returncode != 0
    assert "PYVOCSEP_ISA=avx1024 is not an instruction set of this machine; it has " in run.stderr

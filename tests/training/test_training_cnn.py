"""The convolutional network: shapes, patches, and the file that onnxruntime runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import pyvocsep  # noqa: E402
from pyvocsep.engines.patches import PatchModel  # noqa: E402
from pyvocsep.grid import Grid  # noqa: E402
from pyvocsep.training.cnn import CNN, KEPT, PATCH  # noqa: E402
from pyvocsep.training.export import load_model, round_weights, save_model  # noqa: E402
from pyvocsep.training.loop import separate  # noqa: E402


@pytest.fixture(scope="module")
def network() -> CNN:
    """With weights that make masks differ."""
    torch.manual_seed(3)
    model = CNN(Grid(16_000, 256, 128), widths=(8, 12, 16))
    with torch.no_grad():
        model.head.weight.mul_(20)
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.1 * torch.randn_like(parameter))  # as trained: no two layers alike
    return round_weights(model).eval()


@pytest.fixture(scope="module")
def file(network: CNN, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cnn") / "cnn.onnx"
    save_model(network, path, "cnn", trained_on="nothing")
    return path


@pytest.mark.parametrize("frames", [1, 40, 64, 65, 200])
def test_masks_of_any_number_of_frames(network: CNN, frames: int) -> None:
    magnitudes = torch.rand(2, frames, 129, 1)
    with torch.no_grad():
        masks, _ = network(magnitudes)
        trained, _ = network.train()(magnitudes)
        network.eval()
    assert masks.shape == trained.shape == magnitudes.shape
    assert 0 <= masks.min() < masks.max() <= 1


def test_a_mask_depends_on_its_own_patch_alone(network: CNN) -> None:
    magnitudes = torch.rand(1, 4 * KEPT, 129, 1)
    changed = magnitudes.clone()
    margin = (PATCH - KEPT) // 2
    changed[:, 2 * KEPT + margin :] *= 2  # beyond the patches of the first two groups
    with torch.no_grad():
        before, after = network(magnitudes)[0], network(changed)[0]
    torch.testing.assert_close(before[:, : 2 * KEPT], after[:, : 2 * KEPT], rtol=0, atol=1e-6)
    assert (before[:, 2 * KEPT :] - after[:, 2 * KEPT :]).abs().max() > 1e-3


def test_onnxruntime_gives_the_same_masks(network: CNN, file: Path) -> None:
    magnitudes = torch.rand(1, PATCH, 129, 1)
    with torch.no_grad():
        expected = network.masks(magnitudes)[0, :, :, 0].numpy()
    masks = PatchModel(file).masks(magnitudes[0, :, :, 0].numpy())
    np.testing.assert_allclose(masks, expected, rtol=0, atol=1e-5)
    assert masks.std() > 0.05, "masks that hardly differ prove nothing"


def test_the_file_comes_back_as_the_same_network(network: CNN, file: Path) -> None:
    again, metadata = load_model(file)
    assert metadata["trained_on"] == "nothing"
    assert metadata["architecture"] == "cnn"
    magnitudes = torch.rand(1, 70, 129, 1)
    with torch.no_grad():
        torch.testing.assert_close(again(magnitudes)[0], network(magnitudes)[0], rtol=0, atol=0)


@pytest.mark.parametrize(("rate", "channels"), [(16_000, 1), (44_100, 2), (8_000, 1)])
def test_process_equals_the_network(network: CNN, file: Path, mixture, rate: int, channels: int) -> None:
    audio = mixture(25_000, channels, rate)
    stems = pyvocsep.process(audio, rate, model=file)
    np.testing.assert_allclose(stems.vocals, separate(network, audio, rate), rtol=0, atol=2e-6)


def test_too_many_levels_are_refused() -> None:
    with pytest.raises(ValueError, match="9 levels cannot halve 128 bins"):
        CNN(Grid(16_000, 256, 128), widths=(4,) * 9)

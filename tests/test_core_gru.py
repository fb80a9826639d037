"""One GRU layer of the core, against PyTorch's, and the sizes that its kernels refuse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
safetensors_torch = pytest.importorskip("safetensors.torch")
_testing = pytest.importorskip("pyvocsep._testing")

LARGEST = 256  # inputs and units that one step of the kernels takes


def layer_of(folder: Path, inputs: int, units: int) -> tuple[torch.nn.GRU, str]:
    torch.manual_seed(inputs + units)
    gru = torch.nn.GRU(inputs, units)
    path = folder / "layer.safetensors"
    tensors = {f"gru.{name}": value.detach().contiguous() for name, value in gru.named_parameters()}
    safetensors_torch.save_file(tensors, path)
    return gru, str(path)


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 17), (64, 64), (65, 63), (LARGEST, LARGEST)])
@pytest.mark.parametrize("rows", [1, 5, 48])
def test_it_equals_pytorch(tmp_path: Path, inputs: int, units: int, rows: int) -> None:
    gru, path = layer_of(tmp_path, inputs, units)
    x = torch.randn(4, rows, inputs)
    with torch.inference_mode():
        expected = gru(x)[0].numpy()
    states = _testing.GruLayer(path, "gru.", inputs).run(x.numpy())
    np.testing.assert_allclose(states[:, :, :units], expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize(
    ("inputs", "units", "what"),
    [
        (LARGEST + 1, 4, f"{LARGEST + 1} inputs"),
        (4, LARGEST + 1, f"{LARGEST + 1} units"),
        (2000, 2000, "2000 inputs"),
    ],
)
def test_what_would_overflow_the_kernels_buffers(tmp_path: Path, inputs: int, units: int, what: str) -> None:
    _, path = layer_of(tmp_path, inputs, units)
    with pytest.raises(ValueError, match=f"{what}.*1 to {LARGEST}"):
        _testing.GruLayer(path, "gru.", inputs)


@pytest.mark.parametrize(
    ("inputs", "message"), [(5, "gru"), (0, "^0 inputs"), (2**31 - 1, "^2147483647 inputs")]
)
def test_inputs_that_the_weights_do_not_have(tmp_path: Path, inputs: int, message: str) -> None:
    _, path = layer_of(tmp_path, 4, 4)
    with pytest.raises(ValueError, match=message):
        _testing.GruLayer(path, "gru.", inputs)


def test_signals_of_another_width(tmp_path: Path) -> None:
    _, path = layer_of(tmp_path, 4, 4)
    layer = _testing.GruLayer(path, "gru.", 4)
    for shape in ((3, 2, 5), (3, 4), (3, 2, 3)):
        with pytest.raises(ValueError, match=r"\(steps, rows, 4\)"):
            layer.run(np.zeros(shape, np.float32))

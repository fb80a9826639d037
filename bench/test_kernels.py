"""The kernels alone, as shares of what one core can do: the limit is a loop of multiply-adds on registers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyvocsep import _core, _testing
from pyvocsep.engines.registry import PRECISIONS as ALL

PRECISIONS = [name for name in ALL if _core.has_precision(getattr(_core.Precision, name))]
STEPS, BANDS, DIM = 430, 48, 96  # ten seconds of the GRU along time of the model for streams
GRU_FLOPS = 2 * STEPS * BANDS * 3 * DIM * 2 * DIM
FRAMES, SIZE = 512, 2048


@pytest.mark.parametrize("precision", PRECISIONS)
def test_peak(benchmark: Any, precision: str) -> None:
    kind = getattr(_core.Precision, precision)
    benchmark.group = "multiply-adds on registers: the peak of one core"
    flops = _testing.multiply_adds(1_000_000, kind)
    benchmark.extra_info.update(flops=flops, precision=precision, roofline=True)
    benchmark.pedantic(lambda: _testing.multiply_adds(1_000_000, kind), rounds=15, warmup_rounds=2)


@pytest.mark.parametrize("library", ["core", "numpy", "scipy"])
def test_fft(benchmark: Any, library: str) -> None:
    x = np.random.default_rng(0).standard_normal((FRAMES, SIZE), np.float32)
    if library == "scipy":
        scipy_fft = pytest.importorskip("scipy.fft")
    run = {
        "core": lambda: _testing.rfft(x),
        "numpy": lambda: np.fft.rfft(x),
        "scipy": lambda: scipy_fft.rfft(x),
    }[library]
    benchmark.group = f"FFT of {FRAMES} real frames of {SIZE} samples, float32 (2.5 N log2 N operations)"
    benchmark.extra_info.update(flops=FRAMES * 2.5 * SIZE * np.log2(SIZE))
    benchmark.pedantic(run, rounds=25, warmup_rounds=3)


class Layer:
    """One GRU layer with the same weights in three engines; x is (steps, rows, features)."""

    def __init__(self, folder: Path) -> None:
        torch = pytest.importorskip("torch")
        onnxruntime = pytest.importorskip("onnxruntime")
        onnx = pytest.importorskip("onnx")
        safetensors = pytest.importorskip("safetensors.torch")
        torch.set_num_threads(1)
        torch.manual_seed(0)
        gru = torch.nn.GRU(DIM, DIM)
        x = torch.randn(STEPS, BANDS, DIM)
        tensors = {f"gru.{name}": value.detach().contiguous() for name, value in gru.named_parameters()}
        path = folder / "layer.safetensors"
        safetensors.save_file(tensors, path)
        self.engines: dict[str, Any] = {}
        for precision in PRECISIONS:
            layer = _testing.GruLayer(str(path), "gru.", DIM, getattr(_core.Precision, precision))
            self.engines[f"core {precision}"] = lambda layer=layer: layer.run(x.numpy())

        def in_torch() -> Any:
            with torch.inference_mode():
                return gru(x)[0].numpy()

        self.engines["torch"] = in_torch

        def gates(name: str) -> Any:  # ONNX has the gates in the order z, r, n
            r, z, n = tensors[f"gru.{name}_l0"].numpy().reshape(3, DIM, -1)
            return np.concatenate([z, r, n])

        weights = {
            "w": gates("weight_ih")[None],
            "r": gates("weight_hh")[None],
            "b": np.concatenate([gates("bias_ih"), gates("bias_hh")]).reshape(1, -1),
        }
        node = onnx.helper.make_node("GRU", ["x", *weights], ["y"], hidden_size=DIM, linear_before_reset=1)
        floats = onnx.TensorProto.FLOAT
        graph = onnx.helper.make_graph(
            [node],
            "layer",
            [onnx.helper.make_tensor_value_info("x", floats, x.shape)],
            [onnx.helper.make_tensor_value_info("y", floats, (STEPS, 1, BANDS, DIM))],
            [onnx.numpy_helper.from_array(value, name) for name, value in weights.items()],
        )
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        self.engines["onnxruntime"] = lambda: session.run(None, {"x": x.numpy()})[0][:, 0]


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Layer:
    return Layer(tmp_path_factory.mktemp("layer"))


@pytest.mark.parametrize(
    "engine", [*(f"core {precision}" for precision in PRECISIONS), "torch", "onnxruntime"]
)
def test_gru_layer(benchmark: Any, layer: Layer, engine: str) -> None:
    run = layer.engines[engine]
    precision = engine.removeprefix("core ") if engine.startswith("core ") else "float32"
    tolerance = {"float32": 1e-5, "bfloat16": 0.02, "int8": 0.05}[precision]
    np.testing.assert_allclose(run(), layer.engines["torch"](), atol=tolerance)
    benchmark.group = f"a GRU layer, {BANDS} rows, {DIM} inputs, {DIM} units, {STEPS} steps"
    benchmark.extra_info.update(flops=GRU_FLOPS, precision=precision)
    benchmark.pedantic(run, rounds=15, warmup_rounds=2)

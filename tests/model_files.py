"""Random model files for the tests, written with numpy and json alone: no torch, no safetensors package.

The weights mean nothing, but they have the spread of a freshly initialised network, so masks differ from bin
to bin and from frame to frame, and a test that mixes up two of anything sees it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Tensors = dict[str, Array]

_DTYPES = {"float32": "F32", "float16": "F16"}


def write_safetensors(path: str | Path, tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> Path:
    """Write float32 and float16 tensors and metadata as .safetensors: length, JSON header, raw data."""
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    chunks = []
    offset = 0
    for name, tensor in tensors.items():
        data = np.ascontiguousarray(tensor).tobytes()
        header[name] = {
            "dtype": _DTYPES[tensor.dtype.name],
            "shape": list(tensor.shape),
            "data_offsets": [offset, offset + len(data)],
        }
        chunks.append(data)
        offset += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # the data starts on an 8-byte boundary
    path = Path(path)
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(chunks))
    return path


def random_band_gru(
    path: str | Path,
    *,
    seed: int = 0,
    sample_rate: int = 44_100,
    n_fft: int = 512,
    hop: int | None = None,
    bands: int = 7,
    dim: int = 32,
    blocks: int = 2,
    ahead: Sequence[int] = (),
    chunk: int = 5,
    context: int = 3,
    **metadata: str,
) -> Path:
    """Write a random `band-gru`; keyword arguments left over replace or add metadata.

    The blocks in `ahead` look ahead, by chunks of `chunk` frames and `context` more.
    """
    bins = n_fft // 2 + 1
    zones = band_zones(bins, bands)
    draw = _Draw(seed)
    tensors: Tensors = {}
    for i, (_, width) in enumerate(zones):
        tensors[f"encoder.weights.{i}"] = draw.matrix(dim, 4 * width)
        tensors[f"decoder.weights.{i}"] = draw.matrix(2 * width, dim)
    tensors["encoder.bias"] = draw.vectors(sum(count for count, _ in zones), dim)
    tensors["decoder.bias"] = draw.vectors(bins, 2)
    for i in range(blocks):
        time, band = f"blocks.{i}.time", f"blocks.{i}.band"
        tensors[f"{time}_norm.weight"] = draw.gain(dim)
        tensors |= draw.gru(f"{time}_gru.", "_l0", dim, dim)
        tensors[f"{time}_scale"] = draw.gain(dim)
        tensors[f"{band}_norm.weight"] = draw.gain(dim)
        tensors |= draw.gru(f"{band}_gru.", "_l0", dim, dim // 2)
        tensors |= draw.gru(f"{band}_gru.", "_l0_reverse", dim, dim // 2)
        tensors[f"{band}_scale"] = draw.gain(dim)
        if i in ahead:
            tensors[f"blocks.{i}.ahead.norm.weight"] = draw.gain(dim)
            tensors |= draw.gru(f"blocks.{i}.ahead.gru.", "_l0", dim, dim)
            tensors[f"blocks.{i}.ahead.scale"] = draw.gain(dim)
    if ahead:
        metadata = {"look_ahead_chunk": str(chunk), "look_ahead_context": str(context)} | metadata
    tensors["norm.weight"] = draw.gain(dim)
    counts, widths = (",".join(map(str, numbers)) for numbers in zip(*zones, strict=True))
    common = _metadata("band-gru", sample_rate, n_fft, hop, extension_bins=min(8, bins))
    bands_of = {"band_counts": counts, "band_widths": widths}
    return write_safetensors(path, tensors, common | bands_of | metadata)


def random_gru(
    path: str | Path,
    *,
    seed: int = 0,
    sample_rate: int = 16_000,
    n_fft: int = 256,
    hop: int | None = None,
    hidden: int = 16,
    layers: int = 2,
    **metadata: str,
) -> Path:
    """Write a random `gru`; keyword arguments left over replace or add metadata."""
    bins = n_fft // 2 + 1
    draw = _Draw(seed)
    tensors: Tensors = {}
    for layer in range(layers):
        tensors |= draw.gru("gru.", f"_l{layer}", bins if layer == 0 else hidden, hidden)
    tensors |= draw.linear("vocals", hidden, bins)
    tensors |= draw.linear("accompaniment", hidden, bins)
    return write_safetensors(
        path, tensors, _metadata("gru", sample_rate, n_fft, hop, extension_bins=min(32, bins)) | metadata
    )


def band_zones(bins: int, bands: int) -> list[tuple[int, int]]:
    """(count, width) of two runs of bands: half of them 3 bins wide each, the others sharing the rest, the
    last one cut off in most cases.
    """
    low, high = bands // 2, bands - bands // 2
    return [(low, 3), (high, -(-(bins - 3 * low) // high))]


def _metadata(
    architecture: str, sample_rate: int, n_fft: int, hop: int | None, extension_bins: int
) -> dict[str, str]:
    return {
        "format": "pyvocsep-1",
        "architecture": architecture,
        "name": f"random-{architecture}",
        "sample_rate": str(sample_rate),
        "n_fft": str(n_fft),
        "hop": str(hop or n_fft // 2),
        "exponent": "0.3",
        "stems": "vocals,accompaniment",
        "extension_bins": str(extension_bins),
        "trained_on": "nothing: random weights",
    }


class _Draw:
    """Random tensors in the storage types of a shipped file: matrices float16, vectors float32."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def matrix(self, rows: int, columns: int, fan_in: int | None = None) -> Array:
        return (self._rng.standard_normal((rows, columns)) / np.sqrt(fan_in or columns)).astype(np.float16)

    def vectors(self, rows: int, columns: int) -> Array:
        return (0.3 * self._rng.standard_normal((rows, columns))).astype(np.float16)

    def vector(self, size: int) -> Array:
        return (0.3 * self._rng.standard_normal(size)).astype(np.float32)

    def gain(self, size: int) -> Array:
        gain: Array = self._rng.uniform(0.5, 1.5, size).astype(np.float32)
        return gain

    def linear(self, name: str, inputs: int, outputs: int) -> Tensors:
        return {f"{name}.weight": self.matrix(outputs, inputs), f"{name}.bias": self.vector(outputs)}

    def gru(self, prefix: str, suffix: str, inputs: int, hidden: int) -> Tensors:
        return {
            f"{prefix}weight_ih{suffix}": self.matrix(3 * hidden, inputs),
            f"{prefix}weight_hh{suffix}": self.matrix(3 * hidden, hidden),
            f"{prefix}bias_ih{suffix}": self.vector(3 * hidden),
            f"{prefix}bias_hh{suffix}": self.vector(3 * hidden),
        }


def patch_model(path: str | Path, patch: int = 16, kept: int = 8, **metadata: str) -> Path:
    """Write a small patch model as .onnx: one random 5 x 3 convolution of loudness, and a sigmoid."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(5)
    kernel = rng.standard_normal((1, 1, 5, 3)).astype(np.float32)
    constants = {"exponent": np.float32([0.3]), "kernel": kernel, "bias": np.float32([-0.5])}
    nodes = [
        helper.make_node("Pow", ["magnitudes", "exponent"], ["loudness"]),
        helper.make_node("Transpose", ["loudness"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "kernel", "bias"], ["logits"], pads=[2, 1, 2, 1]),
        helper.make_node("Sigmoid", ["logits"], ["shares"]),
        helper.make_node("Transpose", ["shares"], ["masks"], perm=[0, 2, 3, 1]),
    ]
    shape = ["patches", patch, 129, 1]
    graph = helper.make_graph(
        nodes,
        "patches",
        [helper.make_tensor_value_info("magnitudes", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("masks", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    numbers = {"sample_rate": 16_000, "n_fft": 256, "hop": 128, "extension_bins": 8}
    numbers |= {"patch_frames": patch, "kept_frames": kept}
    props = {"format": "pyvocsep-1", "name": "patches", "architecture": "cnn"}
    helper.set_model_props(model, {**props, **{k: str(v) for k, v in numbers.items()}, **metadata})
    onnx.save(model, str(path))
    return Path(path)

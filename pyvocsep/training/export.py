"""From PyTorch to the files that separate without it: ``.safetensors`` for the core, ``.onnx`` for
onnxruntime.
"""

from __future__ import annotations

import datetime
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from safetensors import safe_open
from safetensors.torch import save_file

from pyvocsep._core import limits
from pyvocsep.grid import Grid

from .cnn import CNN, PATCH
from .models import GRU, BandGRU, MaskEstimator

HALF = ".half"  # of the names of weights stored in float16


def stored(weights: torch.Tensor) -> torch.Tensor:
    """Weights as a model file has them: of matrices and kernels the eight significant bits of bfloat16, in
    float16, whose other three bits are zero and take no room in a wheel; vectors in float32.
    """
    return (weights.bfloat16().half() if weights.ndim >= 2 else weights.float()).contiguous()


def round_weights(model: MaskEstimator) -> MaskEstimator:
    """Round in place to what a model file stores, so that what is scored is what ships."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(stored(parameter))
    return model


def save_model(model: MaskEstimator, path: Path, name: str, **notes: str) -> None:
    """Write weights and metadata: as .safetensors for the core, or, of a model that it does not run, as
    .onnx. ``notes`` are free text: trained_on, recipe, score, license.
    """
    tensors = {key: stored(value) for key, value in model.state_dict().items()}
    for key, value in tensors.items():
        if not torch.isfinite(value).all():
            raise ValueError(
                f"{key} holds values that are not finite in its stored type; train again, or lower the rate"
            )
    metadata = {
        "format": limits.MODEL_FORMAT,
        "name": name,
        "stems": "vocals,accompaniment",
        "created": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
        **model.metadata(),
        **notes,
    }
    if isinstance(model, CNN):
        save_onnx(model, path)
        _halve_and_label(path, metadata)
    else:
        save_file(tensors, path, metadata=metadata)


def _halve_and_label(path: Path, metadata: dict[str, str]) -> None:
    """Store the kernels of a graph in float16, cast back when it is loaded, and its metadata with it."""
    graph = onnx.load(str(path))
    casts = []
    for tensor in graph.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.ndim >= 2:
            name = tensor.name
            halves = stored(torch.tensor(values)).numpy()
            tensor.CopyFrom(numpy_helper.from_array(halves, name + HALF))
            casts.append(onnx.helper.make_node("Cast", [name + HALF], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.graph.node]
    del graph.graph.node[:]
    graph.graph.node.extend(nodes)
    onnx.helper.set_model_props(graph, metadata)
    onnx.checker.check_model(graph)
    onnx.save(graph, str(path))


def load_model(path: Path) -> tuple[MaskEstimator, dict[str, str]]:
    """The network and the metadata of a model file, ready to separate (evaluation mode)."""
    metadata, tensors = (_read_onnx if path.suffix == ".onnx" else _read_safetensors)(path)
    if metadata.get("format") != limits.MODEL_FORMAT:
        raise ValueError(
            f"{path} is not a model file: its format is {metadata.get('format')!r}, "
            f"not {limits.MODEL_FORMAT!r}"
        )
    grid = Grid(*(int(metadata[key]) for key in ("sample_rate", "n_fft", "hop")))
    model: MaskEstimator
    if metadata["architecture"] == "gru":
        layers = sum(key.startswith("gru.weight_hh_l") for key in tensors)
        model = GRU(grid, hidden=tensors["gru.weight_hh_l0"].shape[1], layers=layers)
    elif metadata["architecture"] == "band-gru":
        model = BandGRU(
            grid,
            dim=tensors["norm.weight"].shape[0],
            blocks=sum(key.endswith("time_norm.weight") for key in tensors),
            zones=list(
                zip(*(_integers(metadata[key]) for key in ("band_counts", "band_widths")), strict=True)
            ),
            look_ahead=_look_ahead(metadata, tensors),
            **{
                name: float(metadata[name])
                for name in ("level_seconds", "spatial_seconds")
                if name in metadata
            },
        )
    elif metadata["architecture"] == "cnn":
        model = CNN(grid, tuple(int(width) for width in metadata["widths"].split(",")))
        tensors = {key: value for key, value in tensors.items() if key in model.state_dict()}
    else:
        raise ValueError(f"{path} has an unknown architecture: {metadata['architecture']!r}")
    model.load_state_dict(tensors)
    return model.eval(), metadata


def _look_ahead(metadata: dict[str, str], tensors: dict[str, torch.Tensor]) -> dict[str, Any] | None:
    """The ``look_ahead`` of a network: which blocks have it, their tensors say."""
    if "look_ahead_chunk" not in metadata:
        return None
    return {
        "blocks": sorted({int(key.split(".")[1]) for key in tensors if ".ahead." in key}),
        "chunk": int(metadata["look_ahead_chunk"]),
        "context": int(metadata["look_ahead_context"]),
    }


def _integers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def _read_safetensors(path: Path) -> tuple[dict[str, str], dict[str, torch.Tensor]]:
    with safe_open(path, framework="pt") as file:
        return file.metadata() or {}, {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118


def _read_onnx(path: Path) -> tuple[dict[str, str], dict[str, torch.Tensor]]:
    """The metadata and the named weights of a graph that :func:`save_model` wrote."""
    try:
        graph = onnx.load(str(path))
    except Exception as error:  # protobuf's own
        raise ValueError(f"{path} is not a model file: {error}") from None
    metadata = {entry.key: entry.value for entry in graph.metadata_props}
    tensors = {
        tensor.name.removeprefix("model.").removesuffix(HALF): torch.from_numpy(
            numpy_helper.to_array(tensor).astype(np.float32)
        )
        for tensor in graph.graph.initializer
    }
    return metadata, tensors


class _Patches(torch.nn.Module):
    """A CNN as onnxruntime runs it: patches in, their masks out, no state."""

    def __init__(self, model: CNN):
        super().__init__()
        self.model = model

    def forward(self, magnitudes: torch.Tensor) -> torch.Tensor:
        return self.model.masks(magnitudes)


def save_onnx(model: MaskEstimator, path: Path) -> None:
    """One graph: (magnitudes (1, T, K, features), state) to (masks (1, T, K, channels), new_state), T
    dynamic; of a CNN, magnitudes (N, PATCH, K, 1) to masks of that shape, N dynamic.
    """
    if isinstance(model, CNN):
        _save_patches(model, path)
        return
    features = 4 if isinstance(model, BandGRU) else 1
    magnitudes = torch.rand(1, 8, model.grid.bins, features)
    with torch.no_grad(), warnings.catch_warnings():
        # PyTorch deprecates its tracing exporter; the newer one needs another package and gives no better
        # graph. The other warning is about batch sizes: streams have a batch of one.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model.eval(),
            (magnitudes, model.initial_state()),
            str(path),
            input_names=["magnitudes", "state"],
            output_names=["masks", "new_state"],
            dynamic_axes={"magnitudes": {1: "frames"}, "masks": {1: "frames"}},
            opset_version=17,
            dynamo=False,
        )


def _save_patches(model: CNN, path: Path) -> None:
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Patches(model).eval(),
            (torch.rand(2, PATCH, model.grid.bins, 1),),
            str(path),
            input_names=["magnitudes"],
            output_names=["masks"],
            dynamic_axes={"magnitudes": {0: "patches"}, "masks": {0: "patches"}},
            opset_version=17,
            dynamo=False,
            # Constant folding would rename weights: PyTorch could not read them back.
            training=torch.onnx.TrainingMode.PRESERVE,
            do_constant_folding=False,
        )

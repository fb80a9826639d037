"""From PyTorch to the files that separate without it: ``.safetensors`` for the core, ``.onnx`` for
onnxruntime.
"""

from __future__ import annotations

import datetime
import warnings
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from .grid import Grid
from .models import GRU, BandGRU, MaskEstimator

FORMAT = "pyvocsep-1"


def round_weights(model: MaskEstimator) -> MaskEstimator:
    """Round in place to what a model file stores (matrices to float16), so that what is scored is what
    ships.
    """
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.copy_(parameter.half().float())
    return model


def save_model(model: MaskEstimator, path: Path, name: str, **notes: str) -> None:
    """Write tensors and metadata. ``notes`` are free text: trained_on, recipe, score, license."""
    tensors = {
        key: (value.half() if value.ndim == 2 else value.float()).contiguous()
        for key, value in model.state_dict().items()
    }
    for key, value in tensors.items():
        if not torch.isfinite(value).all():
            raise ValueError(
                f"{key} holds values that are not finite in its stored type; train again, or lower the rate"
            )
    metadata = {
        "format": FORMAT,
        "name": name,
        "stems": "vocals,accompaniment",
        "created": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
        **model.metadata(),
        **notes,
    }
    save_file(tensors, path, metadata=metadata)


def load_model(path: Path) -> tuple[MaskEstimator, dict[str, str]]:
    """The network and the metadata of a model file, ready to separate (evaluation mode)."""
    with safe_open(path, framework="pt") as file:
        metadata: dict[str, str] = file.metadata() or {}
        tensors = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118
    if metadata.get("format") != FORMAT:
        raise ValueError(
            f"{path} is not a model file: its format is {metadata.get('format')!r}, not {FORMAT!r}"
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
            hidden=tensors["blocks.0.time_gru.weight_hh_l0"].shape[1],
            band_hidden=tensors["blocks.0.band_gru.weight_hh_l0"].shape[1],
            blocks=sum(key.endswith("time_norm.weight") for key in tensors),
            band_edges=[int(edge) for edge in metadata["band_edges"].split(",")],
        )
    else:
        raise ValueError(f"{path} has an unknown architecture: {metadata['architecture']!r}")
    model.load_state_dict(tensors)
    return model.eval(), metadata


def save_onnx(model: MaskEstimator, path: Path) -> None:
    """One graph: (magnitudes (1, T, K, features), state) to (masks (1, T, K, channels), new_state), T
    dynamic.
    """
    features = 4 if isinstance(model, BandGRU) else 1
    magnitudes = torch.rand(1, 8, model.grid.bins, features)
    with torch.no_grad(), warnings.catch_warnings():
        # The exporter that traces is deprecated, but the newer one needs a package more and unrolls
        # nothing better; its other warning is about batches, of which there is one.
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

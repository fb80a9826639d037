"""Larger networks from the weights of smaller ones.

What can be kept exactly is kept: blocks that are added, and values that a wider network adds, change
nothing at first, but learn. Other bands cannot compute the same; they begin near it, with the weights of the
bands that covered their bins.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .bands import BandDecoder, BandEncoder, Zones
from .look_ahead import BackwardStep
from .models import EXPONENT, BandBlock, BandGRU, MaskEstimator
from .recurrence import RMSNorm

START_AHEAD = 0.01
"""Scale of the states of a GRU backwards along time that the old weights lack: small enough to change next to
nothing, and its weights learn from the first step on."""

TYPICAL_LEVEL = 10 ** (-22 / 20)
"""RMS of a training mixture relative to full scale: what turns weights for absolute magnitudes into weights
for magnitudes over their running level."""


@torch.no_grad()
def warm_start(model: MaskEstimator, old: MaskEstimator) -> list[str]:
    """Give ``model`` the weights of ``old``, in place; says in a few lines what that took.

    ValueError where that is not possible: another architecture or sample rate, a smaller network, or of other
    architectures than `band-gru` any other grid or size.
    """
    bands = isinstance(model, BandGRU) and model.grid.sample_rate == old.grid.sample_rate
    if type(model) is not type(old) or not (bands or model.grid == old.grid):
        raise ValueError(
            f"these weights are of {old.architecture} on {old.grid}; the recipe makes {model.architecture} "
            f"on {model.grid}"
        )
    if isinstance(model, BandGRU) and isinstance(old, BandGRU):
        return _grow(model, old)
    shapes, old_shapes = _shapes(model), _shapes(old)
    for name in shapes | old_shapes:
        if shapes.get(name) != old_shapes.get(name):
            raise ValueError(
                f"{name} has the shape {old_shapes.get(name)} in these weights and {shapes.get(name)} in the "
                f"recipe's network: only {BandGRU.architecture} can begin with weights of other sizes"
            )
    model.load_state_dict(old.state_dict())
    return ["starting from the weights as they are"]


def _shapes(network: MaskEstimator) -> dict[str, tuple[int, ...]]:
    return {name: tuple(values.shape) for name, values in network.state_dict().items()}


def _grow(model: BandGRU, old: BandGRU) -> list[str]:
    if model.dim < old.dim or len(model.blocks) < len(old.blocks):
        raise ValueError(
            f"these weights have {old.dim} values and {len(old.blocks)} blocks; the recipe asks for fewer: "
            f"{model.dim} and {len(model.blocks)}"
        )
    said = [f"starting from weights with {old.bands} bands, {old.dim} values, {len(old.blocks)} blocks"]
    if model.grid != old.grid:
        said.append(
            f"frames of {model.grid.n_fft} samples every {model.grid.hop} take the weights of frames of "
            f"{old.grid.n_fft} every {old.grid.hop}"
        )
    elif model.zones != old.zones:
        said.append(f"{model.bands} bands take the weights of those that covered their bins")
    if model.dim > old.dim:
        said.append(f"{model.dim - old.dim} values more that are zero at first")
    added = len(model.blocks) - len(old.blocks)
    if added:
        said.append(f"{added} blocks more whose states count nothing at first")
    looking = [sum(block.ahead is not None for block in network.blocks) for network in (model, old)]
    if looking[0] > looking[1]:
        said.append(f"{looking[0] - looking[1]} blocks more that look ahead, by next to nothing at first")
    dims = _places(model.dim, old.dim)
    covering = _covering(model.zones, old.zones, old.grid.n_fft / model.grid.n_fft)
    _grow_encoder(model.encoder, old.encoder, dims, covering)
    if model.level_seconds is not None and old.level_seconds is None:
        # (m / level)^e W' = m^e W at the typical level.
        for weight in model.encoder.weights:
            weight *= TYPICAL_LEVEL**EXPONENT
        said.append("magnitudes over their running level, so that the input's gain no longer matters")
    elif model.level_seconds is None and old.level_seconds is not None:
        raise ValueError("these weights need level_seconds in the recipe's [model] table")
    for block, source in zip(model.blocks, old.blocks, strict=False):
        assert isinstance(block, BandBlock)
        assert isinstance(source, BandBlock)
        _widen_gru(block.time_gru, source.time_gru, dims, dims)
        _widen_gru(block.band_gru, source.band_gru, dims, torch.arange(old.dim // 2))
        for name in ("time_scale", "band_scale"):
            getattr(block, name).zero_()[dims] = getattr(source, name)
        for name in ("time_norm", "band_norm"):
            _widen_norm(getattr(block, name), getattr(source, name), dims)
        _grow_ahead(block.ahead, source.ahead, dims)
    for block in list(model.blocks)[len(old.blocks) :]:
        assert isinstance(block, BandBlock)
        block.time_scale.zero_()
        block.band_scale.zero_()
        _grow_ahead(block.ahead, None, dims)
    _widen_norm(model.norm, old.norm, dims)
    _grow_decoder(model.decoder, old.decoder, dims, covering)
    return said


def _grow_ahead(ahead: BackwardStep | None, old: BackwardStep | None, dims: Tensor) -> None:
    if ahead is None:
        if old is not None:
            raise ValueError("these weights look ahead in blocks that do not in the recipe; see look_ahead")
    elif old is None:
        ahead.scale.fill_(START_AHEAD)
    else:
        _widen_norm(ahead.norm, old.norm, dims)
        _widen_gru(ahead.gru, old.gru, dims, dims)
        ahead.scale.zero_()[dims] = old.scale


def _places(dim: int, old: int) -> Tensor:
    """Where the old values lie among the new ones: the GRU along the bands gives the first half of them by
    its way up and the second by its way down, and both halves grow.
    """
    half = torch.arange(old // 2)
    return torch.cat([half, dim // 2 + half])


def _widen_norm(norm: RMSNorm, old: RMSNorm, dims: Tensor) -> None:
    """Zeros among its values make a mean square smaller; the weights make up for it."""
    norm.weight[dims] = old.weight * math.sqrt(old.weight.numel() / norm.weight.numel())


def _widen_gru(gru: nn.GRU, old: nn.GRU, inputs: Tensor, units: Tensor) -> None:
    """The old units see and do what they did; those added see everything, by the weights they have."""
    rows = torch.cat([gate * gru.hidden_size + units for gate in range(3)])
    for direction in ("", "_reverse") if gru.bidirectional else ("",):
        for name, columns in (("ih", inputs), ("hh", units)):
            weight = getattr(gru, f"weight_{name}_l0{direction}")
            weight[rows] = 0
            weight[rows[:, None], columns] = getattr(old, f"weight_{name}_l0{direction}")
            getattr(gru, f"bias_{name}_l0{direction}")[rows] = getattr(old, f"bias_{name}_l0{direction}")


def _grow_encoder(
    encoder: BandEncoder, old: BandEncoder, dims: Tensor, covering: list[tuple[int, int]]
) -> None:
    features = old.weights[0].shape[1] // old.zones[0][1]
    band = 0
    for weight, (count, width) in zip(encoder.weights, encoder.zones, strict=True):
        middle = covering[band + count // 2][0]
        source = old.weights[middle].reshape(-1, old.zones[middle][1], features)
        # A narrow band hears fewer bins, each of which stands for as many old ones.
        sums = _overlaps(width, old.zones[middle][1])
        weight.zero_()[dims] = torch.einsum("dof,no->dnf", source, sums).flatten(1)
        for i in range(band, band + count):
            encoder.bias[i].zero_()[dims] = old.bias[covering[i][1]]
        band += count


def _grow_decoder(
    decoder: BandDecoder, old: BandDecoder, dims: Tensor, covering: list[tuple[int, int]]
) -> None:
    band = 0
    for weight, (count, width) in zip(decoder.weights, decoder.zones, strict=True):
        middle = covering[band + count // 2][0]
        source = old.weights[middle].reshape(old.zones[middle][1], old.channels, -1)
        means = _overlaps(width, old.zones[middle][1])
        means /= means.sum(1, keepdim=True)
        weight[:, dims] = torch.einsum("ocd,no->ncd", source, means).flatten(0, 1)
        band += count
    bins = (torch.arange(decoder.bins) * (old.bins - 1) / (decoder.bins - 1)).round().long()
    decoder.bias.copy_(old.bias[bins])


def _covering(zones: Zones, old: Zones, scale: float) -> list[tuple[int, int]]:
    """Of every new band, the old zone and the old band that hold its middle. A new bin is ``scale`` old
    ones wide.
    """
    owners = [(zone, band) for zone, band, width in _bands(old) for _ in range(width)]
    found, low = [], 0
    for _, _, width in _bands(zones):
        found.append(owners[min(int((low + width // 2) * scale), len(owners) - 1)])
        low += width
    return found


def _bands(zones: Zones) -> list[tuple[int, int, int]]:
    """Zone, number and width of every band."""
    flat = [(zone, width) for zone, (count, width) in enumerate(zones) for _ in range(count)]
    return [(zone, band, width) for band, (zone, width) in enumerate(flat)]


def _overlaps(new: int, old: int) -> Tensor:
    """How much of each of ``old`` bins lies in each of ``new`` bins as wide together, (new, old), in old
    bins.
    """
    edges = torch.arange(new + 1) * (old / new)
    bins = torch.arange(old)
    return (torch.minimum(edges[1:, None], bins + 1.0) - torch.maximum(edges[:-1, None], bins)).clamp_min(0)

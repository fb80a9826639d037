"""Bands of a spectrum: where they lie, and the layers from bins to bands and back."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pyvocsep.grid import Grid

Zones = Sequence[tuple[int, int]]
"""Runs of (count, width) bands, from 0 Hz up."""


class BandEncoder(nn.Module):
    """Each band's features to one vector, by the weights of its zone and a bias of its own."""

    def __init__(self, zones: Zones, features: int, dim: int):
        super().__init__()
        self.zones = list(zones)
        self.weights = nn.ParameterList(torch.empty(dim, features * width) for _, width in zones)
        self.bias = nn.Parameter(torch.empty(sum(count for count, _ in zones), dim))
        biases = torch.split(self.bias, [count for count, _ in zones])
        for weight, bias in zip(self.weights, biases, strict=True):
            _init_linear(weight, bias)

    def forward(self, features: Tensor) -> Tensor:
        """(batch, frames, bins, features) to (batch, frames, bands, dim)."""
        sizes = [count * width for count, width in self.zones]
        beyond = sum(sizes) - features.shape[2]  # what the last band lacks
        parts = torch.split(nn.functional.pad(features, (0, 0, 0, beyond)), sizes, 2)
        x = [
            nn.functional.linear(part.reshape(part.shape[0], part.shape[1], count, -1), weight)
            for part, (count, _), weight in zip(parts, self.zones, self.weights, strict=True)
        ]
        return torch.cat(x, 2) + self.bias


class BandDecoder(nn.Module):
    """The inverse of the encoder: one vector to the logits of its band's bins and channels."""

    def __init__(self, zones: Zones, channels: int, bins: int, dim: int):
        super().__init__()
        self.zones, self.channels, self.bins = list(zones), channels, bins
        self.weights = nn.ParameterList(torch.empty(channels * width, dim) for _, width in zones)
        self.bias = nn.Parameter(torch.empty(bins, channels))
        for weight in self.weights:
            _init_linear(weight, self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, frames, bands, dim) to (batch, frames, bins, channels)."""
        parts = torch.split(x, [count for count, _ in self.zones], 2)
        logits = [
            nn.functional.linear(part, weight).flatten(2)
            for part, weight in zip(parts, self.weights, strict=True)
        ]
        whole = torch.cat(logits, 2)
        return whole.reshape(whole.shape[0], whole.shape[1], -1, self.channels)[:, :, : self.bins] + self.bias


def _init_linear(weight: Tensor, bias: Tensor) -> None:
    """nn.Linear's own: uniform within 1/sqrt(inputs)."""
    bound = 1 / math.sqrt(weight.shape[1])
    with torch.no_grad():
        weight.uniform_(-bound, bound)
        bias.uniform_(-bound, bound)


def doubling_zones(grid: Grid) -> list[tuple[int, int]]:
    """36 bands: 12 of 4 bins, 6 each of 8, 16 and 32, and 6 that share the rest: with 21.5 Hz to a bin,
    nearly the mel scale.
    """
    zones = [(12, 4), (6, 8), (6, 16), (6, 32)]
    rest = grid.bins - sum(count * width for count, width in zones)
    if rest < 6:
        raise ValueError(f"36 bands do not fit in {grid.bins} bins; name zones, or use a longer frame")
    return [*zones, (6, -(-rest // 6))]


def check_zones(grid: Grid, zones: Zones) -> list[tuple[int, int]]:
    """The zones as they are; ValueError unless their last band holds the grid's last bin."""
    if any(count < 1 or width < 1 for count, width in zones):
        raise ValueError(f"zones {zones}: counts and widths of bands must be positive")
    covered = sum(count * width for count, width in zones)
    if not zones or not covered - zones[-1][1] < grid.bins <= covered:
        raise ValueError(
            f"zones {zones} cover {covered} bins; the last band must hold the last of {grid.bins}"
        )
    return [(count, width) for count, width in zones]

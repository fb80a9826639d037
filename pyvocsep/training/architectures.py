"""Every network by the name that recipes and model files give it."""

from __future__ import annotations

from typing import Any

from pyvocsep.grid import Grid

from .cnn import CNN
from .models import GRU, BandGRU, MaskEstimator

ARCHITECTURES: dict[str, type[MaskEstimator]] = {"cnn": CNN, "gru": GRU, "band-gru": BandGRU}


def build(architecture: str, sample_rate: int, n_fft: int, hop: int, **sizes: Any) -> MaskEstimator:
    """The network of a recipe's ``[model]`` table. ``sizes`` go to the class as they are."""
    if architecture not in ARCHITECTURES:
        raise ValueError(f"unknown architecture {architecture!r}; known are {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES[architecture](grid=Grid(sample_rate, n_fft, hop), **sizes)

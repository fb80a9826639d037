"""The running level: what lets a network ignore how loud its input is.

Magnitudes are divided by the root of a causal mean of the frames' energy, so that a gain of the input
changes nothing. The mean forgets exponentially and counts every frame by how far it stands above ``FLOOR``:
frames of digital silence neither count nor make the level forget what came before them.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

FLOOR = 1e-11
"""Power, relative to full scale, that is taken for silence: -110 dBFS RMS."""

_TINY = 1e-30
"""Keeps the mean defined before anything was heard."""

_CHUNK = 512
"""Frames that one matrix product averages."""


def energies(magnitudes: Tensor) -> Tensor:
    """Energy (batch, frames) of magnitudes (batch, frames, bins, mid and side first), scaled by 2/frame:
    the mean square of both channels, by Parseval and the sine-shaped window.
    """
    return magnitudes[..., :2].square().sum((2, 3))


def running_level(energy: Tensor, decay: float, past: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The level (batch, frames) of each frame, itself included, and the state after the last one.

    ``energy`` is (batch, frames); ``decay`` the factor by which the past fades in one frame. ``past``
    (batch, 2), float64, continues a stream: the faded sums of energies and of weights. With the weights
    w = E / (E + FLOOR), A_t = decay A_{t-1} + w_t E_t and W_t = decay W_{t-1} + w_t, the level is A_t / W_t.
    """
    energy = energy.double()
    if past is None:
        past = energy.new_zeros(len(energy), 2)
    weight = energy / (energy + FLOOR)
    sums = torch.stack([weight * energy, weight], -1)
    levels = []
    for part in torch.split(sums, _CHUNK, 1):
        age = torch.arange(part.shape[1], device=energy.device, dtype=torch.float64)
        age = age[:, None] - age
        faded = torch.where(age < 0, 0.0, decay**age)
        total = faded @ part + decay ** (age[:, :1] + 1) * past[:, None]
        past = total[:, -1]
        levels.append(total[..., 0] / (total[..., 1] + _TINY))
    return torch.cat(levels, 1).float(), past


def random_past(energy: Tensor, decay: float) -> Tensor:
    """A past for :func:`running_level` that training examples (batch, frames) might have had.

    An example begins in the middle of a song: its past is of any length, a few decibels louder or softer
    than itself, and for one in eight much softer, as before a chorus.
    """
    batch = len(energy)
    weight = torch.rand(batch) ** 2 / (1 - decay)
    offset_db = 4 * torch.randn(batch) - 25 * torch.rand(batch) * (torch.rand(batch) < 0.125)
    mean = energy.mean(1).double().cpu() * 10 ** (offset_db / 10)
    return torch.stack([weight * mean, weight.double()], -1).to(energy.device)


def frame_decay(seconds: float, hop: int, sample_rate: int) -> float:
    """The factor by which one hop fades the past, whose memory is ``seconds`` long."""
    return math.exp(-hop / sample_rate / seconds)

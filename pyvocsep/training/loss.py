"""The training objective, on spectra."""

from __future__ import annotations

import ctypes
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from . import kernels
from .models import EXPONENT


def separation_loss(
    masks: Tensor, vocals: Tensor, accompaniment: Tensor, limit: Tensor, detail: float = 1.0
) -> Tensor:
    """Log of the error's energy over the voice's, plus ``detail`` times the compressed magnitudes' relative
    error; lower is better.

    All tensors are (batch, frames, bins, channels), the stems complex; ``limit`` (batch,) is the number
    of lower bins that count. The first term is what uSDR measures, per example, for both stems at once:
    the accompaniment is the mixture minus the voice, so their errors are equal. The second hears quiet
    passages and the treble as well. The voice's energy is floored 35 dB below the mixture's, lest
    silence outweigh all else.
    """
    if kernels.serves(masks):
        return _Loss.apply(masks, vocals, accompaniment, limit, detail)  # type: ignore[no-untyped-call,no-any-return]
    counts = torch.arange(vocals.shape[2], device=vocals.device) < limit[:, None]
    counts = counts[:, None, :, None].to(masks.dtype)
    mixture = vocals + accompaniment
    voice_energy, backing_energy, mixture_energy = (
        _energy(spectra) * counts for spectra in (vocals, accompaniment, mixture)
    )
    # |m X - V|^2 = m (m |X|^2 - 2 Re(X* V)) + |V|^2, and 2 Re(X* V) = |X|^2 + |V|^2 - |A|^2 since A = X - V.
    overlap = mixture_energy + voice_energy - backing_energy
    loudness, voice_loudness, backing_loudness = (
        energy ** (EXPONENT / 2) for energy in (mixture_energy, voice_energy, backing_energy)
    )
    wrong = (_power(masks) * loudness - voice_loudness).abs()
    wrong = wrong + (_power(1 - masks) * loudness - backing_loudness).abs()
    return _combine(
        detail,
        _total(masks * (masks * mixture_energy - overlap)),
        *(_total(values) for values in (voice_energy, mixture_energy, wrong, loudness)),
    )


def _combine(
    detail: float, error_less_voice: Tensor, voice: Tensor, mixture: Tensor, wrong: Tensor, loudness: Tensor
) -> Tensor:
    """The loss from sums over each example."""
    floor = mixture * 10**-3.5 + 1e-9
    error = error_less_voice + voice
    energy_term = torch.log((error + floor).clamp_min(1e-9) / (voice + floor)).mean()
    return energy_term + detail * (wrong / (loudness + 1e-3)).mean()


def _energy(spectra: Tensor) -> Tensor:
    real, imaginary = torch.view_as_real(spectra).unbind(-1)
    return real.square() + imaginary.square()


def _total(values: Tensor) -> Tensor:
    return values.sum((1, 2, 3))


def _power(masks: Tensor) -> Tensor:
    """masks ** EXPONENT, with a finite gradient at zero."""
    return (masks.square() + 1e-6) ** (EXPONENT / 2)


class _Shape(ctypes.Structure):
    """``pyvocsep_loss_shape`` of csrc/training/kernels.h."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("batch", "frames", "width", "threads")),
        ("exponent", ctypes.c_float),
    ]


class _Loss(torch.autograd.Function):
    """The same by the kernel, which finds the sums and their slopes over the masks in one pass."""

    @staticmethod
    def forward(
        ctx: Any, masks: Tensor, vocals: Tensor, accompaniment: Tensor, limit: Tensor, detail: float
    ) -> Tensor:
        masks, vocals, accompaniment = (x.contiguous() for x in (masks, vocals, accompaniment))
        batch, frames, bins, channels = masks.shape
        shape = _Shape(batch, frames, bins * channels, torch.get_num_threads(), EXPONENT)
        counted = (limit.clamp_max(bins) * channels).to(torch.int64).contiguous()
        totals = torch.empty(batch, 5, dtype=torch.float64)
        error_slope, wrong_slope = torch.empty_like(masks), torch.empty_like(masks)
        tensors = (counted, masks, vocals, accompaniment, totals, error_slope, wrong_slope)
        kernels.library().pyvocsep_separation_loss(ctypes.byref(shape), *map(kernels.pointer, tensors))
        # The few numbers that are left are PyTorch's: it also knows their gradient.
        with torch.enable_grad():
            totals.requires_grad_()
            loss = _combine(detail, *totals.unbind(1))
        (grad,) = torch.autograd.grad(loss, totals)
        grad = grad.float()[:, :, None, None, None]
        ctx.save_for_backward(error_slope.mul_(grad[:, 0]).addcmul_(wrong_slope, grad[:, 3]))
        return loss.detach().to(masks.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        (slope,) = ctx.saved_tensors
        return slope * grad, None, None, None, None

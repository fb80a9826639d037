"""The training objective, on spectra."""

from __future__ import annotations

import torch
from torch import Tensor

from .models import EXPONENT


def separation_loss(masks: Tensor, vocals: Tensor, accompaniment: Tensor, limit: Tensor) -> Tensor:
    """Log of the error's energy over the voice's, plus the compressed magnitudes' relative error; lower
    is better.

    All tensors are (batch, frames, bins, channels), the stems complex; ``limit`` (batch,) is the number
    of lower bins that count. The first term is what uSDR measures, per example, for both stems at once:
    the accompaniment is the mixture minus the voice, so their errors are equal. The second hears quiet
    passages and the treble as well. The voice's energy is floored 35 dB below the mixture's, lest
    silence outweigh all else.
    """
    counts = torch.arange(vocals.shape[2], device=vocals.device) < limit[:, None]
    counts = counts[:, None, :, None].to(masks.dtype)
    mixture = vocals + accompaniment
    voice_energy, backing_energy, mixture_energy = (
        _energy(spectra) * counts for spectra in (vocals, accompaniment, mixture)
    )
    # |m X - V|^2 = m (m |X|^2 - 2 Re(X* V)) + |V|^2, and 2 Re(X* V) = |X|^2 + |V|^2 - |A|^2 since A = X - V.
    overlap = mixture_energy + voice_energy - backing_energy
    voice = _total(voice_energy)
    error = _total(masks * (masks * mixture_energy - overlap)) + voice
    floor = _total(mixture_energy) * 10**-3.5 + 1e-9
    energy_term = torch.log((error + floor).clamp_min(1e-9) / (voice + floor)).mean()

    loudness, voice_loudness, backing_loudness = (
        energy ** (EXPONENT / 2) for energy in (mixture_energy, voice_energy, backing_energy)
    )
    wrong = _total((_power(masks) * loudness - voice_loudness).abs())
    wrong = wrong + _total((_power(1 - masks) * loudness - backing_loudness).abs())
    magnitude_term = (wrong / (_total(loudness) + 1e-3)).mean()
    return energy_term + magnitude_term


def _energy(spectra: Tensor) -> Tensor:
    real, imaginary = torch.view_as_real(spectra).unbind(-1)
    return real.square() + imaginary.square()


def _total(values: Tensor) -> Tensor:
    return values.sum((1, 2, 3))


def _power(masks: Tensor) -> Tensor:
    """masks ** EXPONENT, with a finite gradient at zero."""
    return (masks.square() + 1e-6) ** (EXPONENT / 2)

"""Effects on complex spectra (channels, frames, bins), in place.

Filters whose response is short beside a frame act on its bins directly; reverberation, which is longer,
lets each bin ring from frame to frame. That is not exact convolution: it is what a mask estimator, which
sees magnitudes, can tell of it, at a hundredth of the cost.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pyvocsep.grid import Grid, Spectra

Array = npt.NDArray[np.float32]

DESK_TILT = 0.8
"""Deviation in dB per octave of the tilts that people set at a mixing desk."""


def decibels(value: float) -> float:
    """An amplitude from its level."""
    return float(10 ** (value / 20))


def level(spectra: Spectra) -> float:
    """Root mean square of the signal, for spectra scaled by 2/frame and a sine-shaped window.

    Parseval: a frame of mean square m has sum x^2 w^2 = m N / 2, so its lower bins have sum |X|^2 = m
    N^2 / 4.
    """
    return float(np.sqrt(np.vdot(spectra, spectra).real / max(spectra.shape[0] * spectra.shape[1], 1)))


def balance(stem: Spectra, other: Spectra, level_db: float) -> None:
    """Scale ``stem`` to ``level_db`` over ``other``, unless one of them is practically silent (below
    -60 dB).
    """
    own, reference = level(stem), level(other)
    if own > 1e-3 and reference > 1e-3:
        stem *= np.float32(reference / own * decibels(level_db))


def equalise(spectra: Spectra, rng: np.random.Generator, tilt: float) -> None:
    """A tilt, whose deviation is ``tilt`` dB per octave, and a few broad peaks or dips, up to 9 dB each.

    No bin is changed by more than 15 dB, and 4 dB more for each dB per octave beyond `DESK_TILT`.
    """
    bins = spectra.shape[-1]
    octave = np.log2((np.arange(bins, dtype=np.float32) + 1) / bins)  # 0 at the top, falling
    gain = rng.normal(0, tilt) * (octave + 4)
    for _ in range(rng.integers(1, 4)):
        centre, width = rng.uniform(-8, 0), rng.uniform(0.4, 1.5)
        gain = gain + np.clip(rng.normal(0, 4), -9, 9) * np.exp(-(((octave - centre) / width) ** 2))
    most = 15 + 4 * max(tilt - DESK_TILT, 0.0)
    spectra *= (10 ** (np.clip(gain, -most, most) / 20)).astype(np.float32)


def envelope_of(spectra: Spectra, bin_hz: float) -> Array:
    """The magnitude (frames, bins) averaged over channels and some 250 Hz: formants without harmonics."""
    width = 2 * round(125 / bin_hz) + 1
    magnitude = np.abs(spectra).mean(0)
    padded = np.pad(magnitude, ((0, 0), (width // 2 + 1, width // 2)), mode="edge")
    total = np.cumsum(padded, axis=-1, dtype=np.float64)
    envelope: Array = ((total[:, width:] - total[:, :-width]) / width + 1e-6).astype(np.float32)
    return envelope


def shift_formants(spectra: Spectra, ratio: float, bin_hz: float) -> None:
    """Move the spectral envelope by ``ratio`` in frequency and leave the harmonics: another throat, the
    same song.
    """
    envelope = envelope_of(spectra, bin_hz)
    bins = envelope.shape[-1]
    position = np.minimum(np.arange(bins) / ratio, bins - 1.001)
    low = position.astype(np.int64)
    part = (position - low).astype(np.float32)
    moved = envelope[:, low] * (1 - part) + envelope[:, low + 1] * part
    spectra *= np.clip(moved / envelope, 0.1, 10)


def roughen(spectra: Spectra, rng: np.random.Generator, share: float, bin_hz: float) -> None:
    """Excite the formants with noise instead of the vocal cords, in part: breath, whisper, scream."""
    noise = rng.standard_normal((*spectra.shape[1:], 2), np.float32).view(np.complex64)[..., 0]
    noise *= envelope_of(spectra, bin_hz) * np.float32(share)
    spectra *= np.float32(1 - share)
    spectra += noise


def saturate(audio: Array, drive_db: float) -> Array:
    """Samples (channels, samples) through tanh, ``drive_db`` over their RMS: an amplifier's or a throat's
    distortion, level kept.
    """
    level = float(np.sqrt(np.mean(np.square(audio))))
    if level < 1e-5:
        return audio
    driven: Array = np.tanh(audio * np.float32(decibels(drive_db) / level))
    driven *= np.float32(level / max(float(np.sqrt(np.mean(np.square(driven)))), 1e-5))
    return driven


def compress(spectra: Spectra, strength: float) -> None:
    """Turn loud frames down by the power ``strength`` of their excess over the mean level, smoothed in
    time.
    """
    energy = np.sqrt((np.abs(spectra) ** 2).sum(axis=(0, 2)))
    loud = float(energy.mean())
    if loud <= 0:
        return
    gain = np.maximum(energy / loud, 0.1) ** -strength
    smooth = np.convolve(np.pad(gain, 2, mode="edge"), np.full(5, 0.2), mode="valid")
    spectra *= smooth.astype(np.float32)[:, None]


def pan(spectra: Spectra, position: float) -> None:
    """Equal-power panning of a stereo stem, from -1 (left) to 1 (right)."""
    angle = (position + 1) * np.pi / 4
    spectra *= np.array([np.cos(angle), np.sin(angle)], np.float32)[:, None, None] * np.float32(np.sqrt(2))


def double(spectra: Spectra, rng: np.random.Generator) -> None:
    """A second take: one frame later and sung with other timing, so its bins have phases of their own."""
    channels, frames, bins = spectra.shape
    drift = np.cumsum(rng.normal(0, 0.6, (channels, frames)), axis=-1)
    bend = rng.uniform(-0.02, 0.02)  # a delay that grows along the bins is a shift in time
    phase = np.exp(1j * (drift[:, :, None] + bend * np.arange(bins))).astype(np.complex64)
    take = spectra * phase
    if rng.random() < 0.5:
        take[:, 1:] = take[:, :-1].copy()
        take[:, 0] = 0
    spectra += take * np.float32(rng.uniform(0.3, 0.9))


def reverberate(spectra: Spectra, rng: np.random.Generator, grid: Grid) -> None:
    """Late reverberation: every bin and channel rings on with a phase of its own, the treble for a
    shorter time.
    """
    channels, frames, bins = spectra.shape
    seconds = float(np.exp(rng.uniform(np.log(0.25), np.log(2.0))))
    time = seconds * (1 - 0.6 * np.arange(bins) / bins)  # in which the level falls by 60 dB
    decay = 10 ** (-3 * grid.hop / grid.sample_rate / time)
    ring = (decay * np.exp(2j * np.pi * rng.random((channels, bins)))).astype(np.complex64)
    wet = decibels(rng.uniform(-20, -5)) * np.sqrt(1 - decay**2).astype(np.float32)
    tail = np.zeros((channels, bins), np.complex64)
    for t in range(frames):
        dry = spectra[:, t].copy()
        spectra[:, t] += wet * tail
        tail = ring * (tail + dry)


def add_noise(spectra: Spectra, rng: np.random.Generator, level_db: float) -> None:
    """White noise of a level below full scale: compressed magnitudes show what the ear would not."""
    deviation = np.float32(decibels(level_db) / np.sqrt(2 * spectra.shape[-1]))
    parts = rng.standard_normal((*spectra.shape, 2), np.float32)
    parts *= deviation
    spectra += parts.view(np.complex64)[..., 0]


def hide(visible: Array, rng: np.random.Generator) -> None:
    """Set a band of bins and a few frames of ``visible`` (frames, bins) to zero."""
    frames, bins = visible.shape
    low = int(bins * rng.random() ** 2)  # bands in the bass, where they are narrow, as often as in the treble
    visible[:, low : low + max(1, int(0.25 * low * rng.random()) + 2)] = 0
    for _ in range(rng.integers(0, 4)):
        start = rng.integers(frames)
        visible[start : start + rng.integers(1, 4)] = 0

"""Endless training mixtures, made directly as spectra.

Every example is a pure function of a seed and its index, so that a resumed training sees exactly what an
uninterrupted one would have seen. Nothing is resampled: a recording at any rate comes to the network's grid
by the length of its analysis frame, and a frame a little longer or shorter changes its pitch and tempo (see
:mod:`.grid`). The Fourier transform is linear, so voice and backing may each have a frame of their own and
still be added up.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.utils.data import Dataset

from pyvocsep.datasets import Decoder, Pair, Singer, Track
from pyvocsep.grid import Grid, Spectra, analyse

from . import augmentation
from .phrases import Phrases
from .recipe import Mixing

# A lossy or resampled voice at 16 kHz says nothing of what lies just below its Nyquist frequency.
RELIABLE_BANDWIDTH = 0.95
DEFAULT = Mixing()


class Mixtures(Dataset[dict[str, torch.Tensor]]):
    """Examples of ``frames`` frames, spectra (frames, bins, channels) scaled by 2/frame.

    ``visible`` (frames, bins) multiplies what the network sees; ``limit`` is the number of bins that
    the loss counts. Without ``pairs``, every voice is a phrase of the ``singers`` and every backing one of
    the ``instrumentals``.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        instrumentals: Sequence[Track],
        grid: Grid,
        channels: int,
        frames: int,
        decoder: Decoder,
        seed: int = 0,
        mixing: Mixing = DEFAULT,
        singers: Sequence[Singer] = (),
    ):
        if not pairs and not singers:
            raise ValueError("no voices to mix: name a data set with vocals in the recipe's [data] table")
        if not pairs and not instrumentals:
            raise ValueError(
                "nothing to mix solo voices with: name a folder of instrumentals in the recipe's [data] table"
            )
        self.pairs = list(pairs)
        self.dry = [pair for pair in pairs if pair.dry]
        self.produced = [pair for pair in pairs if not pair.dry]
        self.instrumentals = list(instrumentals)
        self.grid = grid
        self.channels = channels
        self.frames = frames
        self.decoder = decoder
        self.seed = seed
        self.mixing = mixing
        self.phrases = Phrases(singers, grid, frames, decoder) if singers else None

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        rng = np.random.default_rng([self.seed, index])
        voice, backing, limit = self.mix(rng)
        visible = np.ones((self.frames, self.grid.bins), np.float32)
        if rng.random() < self.mixing.hidden:
            augmentation.hide(visible, rng)
        return {
            "vocals": torch.from_numpy(np.ascontiguousarray(voice.transpose(1, 2, 0))),
            "accompaniment": torch.from_numpy(np.ascontiguousarray(backing.transpose(1, 2, 0))),
            "visible": torch.from_numpy(visible),
            "limit": torch.tensor(limit),
        }

    def mix(self, rng: np.random.Generator) -> tuple[Spectra, Spectra, int]:
        """A voice and a backing (channels, frames, bins), and how many of their lower bins are to
        be trusted.
        """
        mixing = self.mixing
        pair = self._pair(rng, mixing.dry_voices) if self.pairs else None
        dry = pair is None or pair.dry
        recorded = pair if pair is not None and rng.random() < mixing.recorded else None
        if recorded is not None:
            place, ratio = rng.random(), self._ratio(rng)
            voice, limit = self._spectra(recorded.vocals, place, ratio)
            backing, backing_limit = self._spectra(recorded.accompaniment, place, ratio)
        else:
            if self.phrases is not None and (pair is None or rng.random() < mixing.phrases):
                voice, limit = self.phrases.sing(rng, mixing.second_voice, self._ratio(rng))
                voice, dry = np.repeat(voice, self.channels, 0), True
            else:
                assert pair is not None  # there are pairs or phrases
                voice, limit = self._voice(rng, pair)
            backing, backing_limit = self._backing(rng)
        limit = min(limit, backing_limit)
        # The network must not learn to tell the stems by their bandwidth.
        voice[..., limit:] = 0
        if rng.random() < 0.5:
            backing[..., limit:] = 0
        self._colour(rng, voice, dry)
        if rng.random() < mixing.equaliser:
            augmentation.equalise(backing, rng, mixing.tilt)
        if recorded is not None and not dry:
            voice *= augmentation.decibels(rng.normal(0, 2))
        else:
            augmentation.balance(voice, backing, rng.normal(mixing.voice_db, mixing.voice_db_deviation))
        self._finish(rng, voice, backing)
        return voice, backing, limit

    def _pair(self, rng: np.random.Generator, dry: float) -> Pair:
        pairs = self.dry if self.dry and (not self.produced or rng.random() < dry) else self.produced
        return pairs[rng.integers(len(pairs))]

    def _ratio(self, rng: np.random.Generator) -> float:
        if rng.random() >= self.mixing.resampled:
            return 1.0
        return float(np.exp(rng.uniform(-1, 1) * self.mixing.resampling))

    def _spectra(
        self, track: Track, place: float, ratio: float, reverse: bool = False, drive_db: float | None = None
    ) -> tuple[Spectra, int]:
        """An excerpt at a place in [0, 1], and the number of its bins that hold signal."""
        samples, rate = self.decoder.open(track)
        frame = self.grid.frame_length(rate * ratio)
        hop = frame // self.grid.overlap
        length = frame + (self.frames - 1) * hop
        spare = len(samples) - length
        # A recording that is too short lies somewhere in silence.
        audio = self.decoder.excerpt(track, round(place * spare), length)
        if len(audio) > self.channels:
            audio = audio.mean(0, keepdims=True)
        if reverse:
            audio = audio[:, ::-1]
        if drive_db is not None:
            audio = augmentation.saturate(audio, drive_db)
        spectra = np.zeros((self.channels, self.frames, self.grid.bins), np.complex64)
        found = analyse(audio, frame, hop)[..., : self.grid.bins]
        spectra[..., : found.shape[-1]] = found * np.float32(2 / frame)
        lossy = rate < self.grid.sample_rate
        return spectra, int(found.shape[-1] * RELIABLE_BANDWIDTH) if lossy else found.shape[-1]

    def _random(self, rng: np.random.Generator, track: Track, saturation: float = 0.0) -> tuple[Spectra, int]:
        drive_db = rng.uniform(-6, 12) if rng.random() < saturation else None
        reverse = rng.random() < self.mixing.reversal
        return self._spectra(track, rng.random(), self._ratio(rng), reverse, drive_db)

    def _voice(self, rng: np.random.Generator, pair: Pair) -> tuple[Spectra, int]:
        voice, limit = self._random(rng, pair.vocals, self.mixing.saturation)
        if rng.random() < self.mixing.second_voice:
            other, other_limit = self._random(rng, self._pair(rng, float(pair.dry)).vocals)
            augmentation.balance(other, voice, rng.uniform(-12, 0))
            voice += other
            limit = min(limit, other_limit)
        return voice, limit

    def _backing(self, rng: np.random.Generator) -> tuple[Spectra, int]:
        backing, limit = self._random(rng, self._backing_track(rng))
        if rng.random() < self.mixing.second_backing:
            other, other_limit = self._random(rng, self._backing_track(rng))
            augmentation.balance(other, backing, rng.uniform(-12, 0))
            backing += other
            limit = min(limit, other_limit)
        return backing, limit

    def _backing_track(self, rng: np.random.Generator) -> Track:
        if self.instrumentals and (not self.pairs or rng.random() < self.mixing.instrumentals):
            return self.instrumentals[rng.integers(len(self.instrumentals))]
        share = self.mixing.dry_backings / max(1 - self.mixing.instrumentals, 1e-9)
        return self._pair(rng, share).accompaniment

    def _colour(self, rng: np.random.Generator, voice: Spectra, dry: bool) -> None:
        """What makes one voice sound like many."""
        mixing = self.mixing
        if rng.random() < mixing.formants:
            augmentation.shift_formants(voice, float(np.exp(rng.uniform(-0.22, 0.22))), self.grid.bin_hz)
        if rng.random() < mixing.equaliser:
            augmentation.equalise(voice, rng, mixing.tilt)
        if rng.random() < mixing.roughness:
            augmentation.roughen(voice, rng, rng.uniform(0.1, 0.9), self.grid.bin_hz)
        if rng.random() < mixing.compression:
            augmentation.compress(voice, rng.uniform(0.2, 0.6))
        if self.channels == 2 and dry and rng.random() < mixing.panning:
            augmentation.pan(voice, rng.uniform(-0.8, 0.8))
        if rng.random() < mixing.doubling:
            augmentation.double(voice, rng)
        if rng.random() < (mixing.reverberation if dry else mixing.reverberation / 4):
            augmentation.reverberate(voice, rng, self.grid)

    def _finish(self, rng: np.random.Generator, voice: Spectra, backing: Spectra) -> None:
        """What happens to both stems or takes one away."""
        mixing = self.mixing
        if rng.random() < mixing.pause:
            low, high = np.sort(rng.integers(0, self.frames + 1, 2))
            voice[:, low:high] = 0
        if rng.random() < mixing.silence:
            edge = rng.integers(1, max(2, 3 * self.frames // 4))
            silent = slice(edge) if rng.random() < 0.5 else slice(-edge, None)
            voice[:, silent] = backing[:, silent] = 0
        alone = rng.random()
        if alone < mixing.voice_only:
            backing[:] = 0
        elif alone < mixing.voice_only + mixing.backing_only:
            voice[:] = 0
        if self.channels == 2:
            for stem in (voice, backing):
                if rng.random() < 0.5:
                    stem[:] = stem[::-1].copy()
            if rng.random() < mixing.mono:
                for stem in (voice, backing):
                    stem[:] = stem.mean(0)
        if rng.random() < 0.5:
            voice *= -1
        level = augmentation.level(voice + backing)
        if level > 0:
            wanted = augmentation.decibels(min(rng.normal(mixing.level_db, mixing.level_db_deviation), 0.0))
            for stem in (voice, backing):
                stem *= np.float32(wanted / level)
        if rng.random() < mixing.noise:
            augmentation.add_noise(backing, rng, rng.uniform(-105, -80))

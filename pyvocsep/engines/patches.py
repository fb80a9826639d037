"""The engine of models that segment spectrogram patches, in onnxruntime.

A patch model segments some seconds of spectrogram at a time. It cannot serve a stream, but a recording of
any length in constant memory: frames are analysed, masked and synthesised in groups of fixed size at fixed
places, so that the result does not depend on the blocks in which the recording arrives.
"""

from __future__ import annotations

import numpy as np

from pyvocsep import _core
from pyvocsep.arrays import Samples, is_valid
from pyvocsep.engines.latency import LatencyTrim
from pyvocsep.engines.patch_model import PatchModel
from pyvocsep.engines.protocol import StemBlocks
from pyvocsep.grid import Spectra

class PatchEngine:
    """Separates one recording, patch by patch; see `Engine`.

    `process` returns what is ready, any number of samples, aligned with the input; `flush` returns the rest.
    """

    is_streaming = False
    latency_samples = 0

    def __init__(self, model: PatchModel, sample_rate: float, channels: int) -> None:
        self._model = model
        self._form = form = model.form
        self._frame, self._hop = _core.scaled_grid(form.n_fft, form.hop, form.sample_rate, sample_rate)
        self._channels = channels
        self._known_bins = min(form.bins, self._frame // 2 + 1)
        self._trim = LatencyTrim()
        self.reset()

    def reset(self) -> None:
        """Forget the recording."""
        form, past = self._form, self._frame - self._hop
        # Silence precedes the recording, whose first hop ends the first frame; its output is trimmed.
        self._pending_audio: Samples = np.zeros((self._channels, past), np.float32)
        self._trim.restart(past)
        self._mixture: Samples = np.zeros((self._channels, 0), np.float32)  # not yet returned
        self._pending_spectra: Spectra | None = None  # of the group that needs the frames after it as context
        self._context: Samples = np.zeros(((form.patch_frames - form.kept_frames) // 2, form.bins), np.float32)
        self._magnitudes: Samples = np.zeros((0, form.bins), np.float32)
        self._overlap: Samples = np.zeros((self._channels, past), np.float32)

    def process(self, block: Samples) -> StemBlocks:
        """Take (channels, samples), and return the stems of those samples that are ready, in order."""
        block = np.where(is_valid(block), block, np.float32(0))
        self._pending_audio = np.concatenate([self._pending_audio, block], axis=1)
        self._mixture = np.concatenate([self._mixture, block], axis=1)
        step = self._form.kept_frames * self._hop
        parts = []
        start = 0
        while self._pending_audio.shape[1] - start >= step + self._frame - self._hop:
            group = self._pending_audio[:, start : start + step + self._frame - self._hop]
            parts.append(self._separate_group(group))
            start += step
        self._pending_audio = self._pending_audio[:, start:].copy()
        vocals = np.concatenate([np.zeros((self._channels, 0), np.float32), *parts], axis=1)
        return self._with_accompaniment(vocals)

    def flush(self) -> StemBlocks:
        """End the recording: return the stems of all that was not yet ready."""
        missing = self._mixture.shape[1]
        vocals = [np.zeros((self._channels, 0), np.float32)]
        accompaniment = [vocals[0]]
        silence = np.zeros((self._channels, self._form.kept_frames * self._hop), np.float32)
        while missing > 0:  # silence after the recording completes its last patches, and is dropped
            done = self.process(silence)
            vocals.append(done[0][:, :missing])
            accompaniment.append(done[1][:, :missing])
            missing -= done[0].shape[1]
        self.reset()
        return np.concatenate(vocals, axis=1), np.concatenate(accompaniment, axis=1)

    def _with_accompaniment(self, vocals: Samples) -> StemBlocks:
        """Pair finished vocals with the mixture less them."""
        count = vocals.shape[1]
        mixture, self._mixture = self._mixture[:, :count], self._mixture[:, count:].copy()
        return vocals, mixture - vocals

    def _separate_group(self, audio: Samples) -> Samples:
        """Analyse the next group of frames; return the vocals that the group before it completes."""
        form = self._form
        spectra = _core.analyse(np.ascontiguousarray(audio), self._frame, self._hop)
        magnitudes = np.zeros((form.kept_frames, form.bins), np.float32)
        scale = np.float32(2 / self._frame)
        magnitudes[:, : self._known_bins] = np.abs(spectra[..., : self._known_bins] * scale).mean(0)
        pending, self._pending_spectra = self._pending_spectra, spectra
        margin = len(self._context)
        if pending is None:
            self._magnitudes = magnitudes
            return np.zeros((self._channels, 0), np.float32)
        patch = np.concatenate([self._context, self._magnitudes, magnitudes[:margin]])
        self._context, self._magnitudes = self._magnitudes[form.kept_frames - margin :], magnitudes
        masks = self._model.masks(patch)[margin : margin + form.kept_frames]
        return self._synthesise(pending, masks)

    def _synthesise(self, spectra: Spectra, masks: Samples) -> Samples:
        """Overlap-add of masked frames (channels, frames, bins); returns the samples they complete."""
        extension = masks[:, -self._form.extension_bins :].mean(1, keepdims=True)
        masked = spectra * extension
        masked[..., : self._known_bins] = spectra[..., : self._known_bins] * masks[:, : self._known_bins]
        audio = _core.synthesise(masked, self._frame, self._hop)
        past = self._frame - self._hop
        audio[:, :past] += self._overlap
        self._overlap = audio[:, audio.shape[1] - past :].copy()
        (done,) = self._trim(audio[:, : audio.shape[1] - past])
        return done

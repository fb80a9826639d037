"""The engine of models that segment spectrogram patches, in onnxruntime.

A patch model segments some seconds of spectrogram at a time. It cannot serve a stream, but a recording of
any length in constant memory: frames are analysed, masked and synthesised in groups of fixed size at fixed
places, so that the result does not depend on the blocks in which the recording arrives.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pyvocsep import _core
from pyvocsep.arrays import Samples, is_valid
from pyvocsep.engines.latency import LatencyTrim
from pyvocsep.engines.protocol import StemBlocks
from pyvocsep.grid import Spectra

if TYPE_CHECKING:
    import onnxruntime  # type: ignore[import-untyped]


class PatchModel:
    """A model file for onnxruntime: what its metadata says, and masks of one patch.

    Raises ImportError, saying what to install, without onnxruntime, and ValueError for a file that is not a
    pyvocsep model.
    """

    def __init__(self, path: str | os.PathLike[str], threads: int = 1) -> None:
        self._session = _session(os.fspath(path), threads)
        self.metadata: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
        if self.metadata.get("format") != _core.limits.MODEL_FORMAT:
            raise ValueError(
                f"{os.fspath(path)} is not a model file: its format is "
                f"{self.metadata.get('format')!r}, not {_core.limits.MODEL_FORMAT!r}"
            )
        try:
            numbers = {
                key: int(self.metadata[key])
                for key in ("sample_rate", "n_fft", "hop", "extension_bins", "patch_frames", "kept_frames")
            }
        except (KeyError, ValueError) as error:
            raise ValueError(
                f"{os.fspath(path)}: its metadata are incomplete or not numbers: {error}"
            ) from None
        self.sample_rate, self.n_fft, self.hop = (numbers[key] for key in ("sample_rate", "n_fft", "hop"))
        self.extension_bins = numbers["extension_bins"]
        self.patch, self.kept = numbers["patch_frames"], numbers["kept_frames"]
        self.bins = self.n_fft // 2 + 1

    def masks(self, magnitudes: Samples) -> Samples:
        """Masks (patch, bins) of magnitudes (patch, bins), which are scaled by 2/frame."""
        feed = {"magnitudes": magnitudes[np.newaxis, :, :, np.newaxis]}
        masks: Samples = self._session.run(["masks"], feed)[0]
        return masks[0, :, :, 0]


class PatchEngine:
    """Separates one recording, patch by patch; see `Engine`.

    `process` returns what is ready, any number of samples, aligned with the input; `flush` returns the rest.
    """

    is_streaming = False
    latency_samples = 0

    def __init__(self, model: PatchModel, sample_rate: float, channels: int) -> None:
        self._model = model
        self._frame, self._hop = _core.scaled_grid(model.n_fft, model.hop, model.sample_rate, sample_rate)
        self._channels = channels
        self._known_bins = min(model.bins, self._frame // 2 + 1)
        self._trim = LatencyTrim()
        self.reset()

    def reset(self) -> None:
        """Forget the recording."""
        model, past = self._model, self._frame - self._hop
        # Silence precedes the recording, whose first hop ends the first frame; its output is trimmed.
        self._pending_audio: Samples = np.zeros((self._channels, past), np.float32)
        self._trim.restart(past)
        self._mixture: Samples = np.zeros((self._channels, 0), np.float32)  # not yet returned
        self._pending_spectra: Spectra | None = None  # of the group that needs the frames after it as context
        self._context: Samples = np.zeros(((model.patch - model.kept) // 2, model.bins), np.float32)
        self._magnitudes: Samples = np.zeros((0, model.bins), np.float32)
        self._overlap: Samples = np.zeros((self._channels, past), np.float32)

    def process(self, block: Samples) -> StemBlocks:
        """Take (channels, samples), and return the stems of those samples that are ready, in order."""
        block = np.where(is_valid(block), block, np.float32(0))
        self._pending_audio = np.concatenate([self._pending_audio, block], axis=1)
        self._mixture = np.concatenate([self._mixture, block], axis=1)
        step = self._model.kept * self._hop
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
        silence = np.zeros((self._channels, self._model.kept * self._hop), np.float32)
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
        model = self._model
        spectra = _core.analyse(np.ascontiguousarray(audio), self._frame, self._hop)
        magnitudes = np.zeros((model.kept, model.bins), np.float32)
        scale = np.float32(2 / self._frame)
        magnitudes[:, : self._known_bins] = np.abs(spectra[..., : self._known_bins] * scale).mean(0)
        pending, self._pending_spectra = self._pending_spectra, spectra
        margin = len(self._context)
        if pending is None:
            self._magnitudes = magnitudes
            return np.zeros((self._channels, 0), np.float32)
        patch = np.concatenate([self._context, self._magnitudes, magnitudes[:margin]])
        self._context, self._magnitudes = self._magnitudes[model.kept - margin :], magnitudes
        masks = model.masks(patch)[margin : margin + model.kept]
        return self._synthesise(pending, masks)

    def _synthesise(self, spectra: Spectra, masks: Samples) -> Samples:
        """Overlap-add of masked frames (channels, frames, bins); returns the samples they complete."""
        extension = masks[:, -self._model.extension_bins :].mean(1, keepdims=True)
        masked = spectra * extension
        masked[..., : self._known_bins] = spectra[..., : self._known_bins] * masks[:, : self._known_bins]
        audio = _core.synthesise(masked, self._frame, self._hop)
        past = self._frame - self._hop
        audio[:, :past] += self._overlap
        self._overlap = audio[:, audio.shape[1] - past :].copy()
        (done,) = self._trim(audio[:, : audio.shape[1] - past])
        return done


def _session(path: str, threads: int) -> onnxruntime.InferenceSession:
    status = os.stat(path)
    return _load(os.path.abspath(path), status.st_mtime_ns, status.st_size, threads)


@lru_cache(maxsize=2)
def _load(path: str, modified_ns: int, size: int, threads: int) -> onnxruntime.InferenceSession:
    try:
        import onnxruntime
    except ImportError:
        raise ImportError(
            f"{Path(path).name} needs onnxruntime: pip install pyvocsep[onnx]", name="onnxruntime"
        ) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions share no base class
        raise ValueError(f"{path} is not a model file: {error}") from None

"""Models that look ahead: spectrogram patches through onnxruntime, for whole recordings.

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
from numpy.typing import NDArray

from pyvocsep import _core

if TYPE_CHECKING:
    import onnxruntime  # type: ignore[import-untyped]

Samples = NDArray[np.float32]
Spectra = NDArray[np.complex64]

SUFFIX = ".onnx"
_FORMAT = "pyvocsep-1"
_LOUDEST = 1e15  # beyond it the core, too, takes a sample as silence


class PatchModel:
    """A model file for onnxruntime: what its metadata says, and masks of one patch.

    Raises ImportError, saying what to install, without onnxruntime, and ValueError for a file that is not a
    model of ours.
    """

    def __init__(self, path: str | os.PathLike[str], threads: int = 1) -> None:
        self._session = _session(os.fspath(path), threads)
        self.metadata: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
        if self.metadata.get("format") != _FORMAT:
            raise ValueError(
                f"{os.fspath(path)} is not a model file: its format is "
                f"{self.metadata.get('format')!r}, not {_FORMAT!r}"
            )
        try:
            numbers = {
                key: int(self.metadata[key])
                for key in ("sample_rate", "n_fft", "hop", "extension_bins", "patch_frames", "kept_frames")
            }
        except (KeyError, ValueError) as error:
            raise ValueError(
                f"{os.fspath(path)}: its metadata are incomplete or no numbers: {error}"
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


class PatchSeparator:
    """Separates one recording, patch by patch, with the interface of `Separator` but for its timing:
    `process` returns what is ready, any number of samples, aligned with the input, and `flush` the rest.
    """

    latency_samples = 0

    def __init__(self, path: Path, sample_rate: float, channels: int, threads: int = 1) -> None:
        self._model = model = PatchModel(path, threads)
        self._frame, self._hop = _core.scaled_grid(model.n_fft, model.hop, model.sample_rate, sample_rate)
        self._channels = channels
        self._known = min(model.bins, self._frame // 2 + 1)
        window = np.sin(np.pi * np.arange(self._frame) / self._frame)  # sqrt-Hann
        self._analysis = window.astype(np.float32)
        self._synthesis = (window * (2 * self._hop / self._frame)).astype(np.float32)
        self.reset()

    def reset(self) -> None:
        """Forget the recording."""
        model, past = self._model, self._frame - self._hop
        # The first frame ends with the first hop of the recording: silence precedes it.
        self._waiting: Samples = np.zeros((self._channels, past), np.float32)
        self._mixture: Samples = np.zeros((self._channels, 0), np.float32)  # not yet given back
        self._spectra: Spectra | None = None  # of the group that waits for the frames after it
        self._before: Samples = np.zeros(((model.patch - model.kept) // 2, model.bins), np.float32)
        self._magnitudes: Samples = np.zeros((0, model.bins), np.float32)
        self._tail: Samples = np.zeros((self._channels, past), np.float32)  # of the overlapping frames
        self._skip = past  # samples of the silence before, which is nobody's

    def process(self, block: Samples) -> tuple[Samples, Samples]:
        """Take (channels, samples), and return the stems of those samples that are ready, in order."""
        with np.errstate(invalid="ignore"):
            block = np.where(np.abs(block) <= _LOUDEST, block, np.float32(0))  # NaN fails the comparison
        self._waiting = np.concatenate([self._waiting, block], axis=1)
        self._mixture = np.concatenate([self._mixture, block], axis=1)
        step = self._model.kept * self._hop
        parts = []
        start = 0
        while self._waiting.shape[1] - start >= step + self._frame - self._hop:
            parts.append(self._group(self._waiting[:, start : start + step + self._frame - self._hop]))
            start += step
        self._waiting = self._waiting[:, start:].copy()
        vocals = np.concatenate([np.zeros((self._channels, 0), np.float32), *parts], axis=1)
        return self._split(vocals)

    def flush(self) -> tuple[Samples, Samples]:
        """End the recording: return the stems of all that was not yet ready."""
        missing = self._mixture.shape[1]
        vocals = [np.zeros((self._channels, 0), np.float32)]
        accompaniment = [vocals[0]]
        silence = np.zeros((self._channels, self._model.kept * self._hop), np.float32)
        while missing > 0:  # the silence that follows is pushed through, and dropped
            done = self.process(silence)
            vocals.append(done[0][:, :missing])
            accompaniment.append(done[1][:, :missing])
            missing -= done[0].shape[1]
        self.reset()
        return np.concatenate(vocals, axis=1), np.concatenate(accompaniment, axis=1)

    def _split(self, vocals: Samples) -> tuple[Samples, Samples]:
        """Pair finished vocals with the mixture less them."""
        count = vocals.shape[1]
        mixture, self._mixture = self._mixture[:, :count], self._mixture[:, count:].copy()
        return vocals, mixture - vocals

    def _group(self, audio: Samples) -> Samples:
        """Analyse the next group of frames; return the vocals that the group before it completes."""
        model = self._model
        frames = np.lib.stride_tricks.sliding_window_view(audio, self._frame, axis=1)[:, :: self._hop]
        spectra = np.fft.rfft(frames * self._analysis, axis=-1).astype(np.complex64, copy=False)
        magnitudes = np.zeros((model.kept, model.bins), np.float32)
        scale = np.float32(2 / self._frame)
        magnitudes[:, : self._known] = np.abs(spectra[..., : self._known] * scale).mean(0)
        waiting, self._spectra = self._spectra, spectra
        margin = len(self._before)
        if waiting is None:
            self._magnitudes = magnitudes
            return np.zeros((self._channels, 0), np.float32)
        patch = np.concatenate([self._before, self._magnitudes, magnitudes[:margin]])
        self._before, self._magnitudes = self._magnitudes[model.kept - margin :], magnitudes
        masks = model.masks(patch)[margin : margin + model.kept]
        return self._synthesise(waiting, masks)

    def _synthesise(self, spectra: Spectra, masks: Samples) -> Samples:
        """Overlap-add of masked frames (channels, frames, bins); returns the samples they complete."""
        above = masks[:, -self._model.extension_bins :].mean(1, keepdims=True)
        masked = spectra * above
        masked[..., : self._known] = spectra[..., : self._known] * masks[:, : self._known]
        pieces = np.fft.irfft(masked, self._frame, axis=-1).astype(np.float32, copy=False) * self._synthesis
        past = self._frame - self._hop
        audio = np.zeros((self._channels, pieces.shape[1] * self._hop + past), np.float32)
        audio[:, :past] = self._tail
        for t in range(pieces.shape[1]):
            audio[:, t * self._hop : t * self._hop + self._frame] += pieces[:, t]
        self._tail = audio[:, -past:].copy()
        done = audio[:, self._skip : audio.shape[1] - past]
        self._skip = 0
        return done


class WholeRecording:
    """A `PatchSeparator` behind the core's interface: one call per recording.

    Raises ValueError for a second one, since a stream is what such a model cannot serve.
    """

    latency_samples = 0

    def __init__(self, path: Path, sample_rate: float, channels: int, threads: int) -> None:
        self._separator = PatchSeparator(path, sample_rate, channels, threads)
        self._path = path
        self._used = False

    def process(self, mixture: Samples, vocals: Samples, accompaniment: Samples) -> None:
        """Fill the stems of a whole recording; all arrays are (channels, samples)."""
        if mixture.shape[1] == 0:
            return
        if self._used:
            raise ValueError(cannot_stream(self._path))
        self._used = True
        parts = [self._separator.process(mixture), self._separator.flush()]
        for stem, found in zip((vocals, accompaniment), zip(*parts, strict=True), strict=True):
            stem[:] = np.concatenate(found, axis=1)

    def reset(self) -> None:
        """Be ready for another recording."""
        self._separator.reset()
        self._used = False


def cannot_stream(path: Path) -> str:
    """Say why a patch model cannot serve a stream, and what can."""
    return (
        f"the model {path.stem!r} looks ahead, patch by patch, and cannot stream: separate a whole "
        f"recording, with pyvocsep.process or in one call of Separator.process, or take a model that "
        f"streams, as 'band-gru'"
    )


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

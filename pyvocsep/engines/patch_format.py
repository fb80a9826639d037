"""What the file of a patch model says of its grid and its patches, checked before anything depends on it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyvocsep._core import limits

MAX_PATCH_FRAMES = 4096
"""Frames of the longest patch: a minute and a half at 44.1 kHz with a hop of 1024 samples."""

Shape = Sequence[int | str | None]
"""Of a graph's input or output: sizes, or names where the graph takes any."""


@dataclass(frozen=True)
class PatchFormat:
    """Grid and patches of a model: rate in Hz, frame and hop in samples, patches in frames."""

    sample_rate: int
    n_fft: int
    hop: int
    extension_bins: int
    patch_frames: int
    kept_frames: int

    @property
    def bins(self) -> int:
        """Bins of the network, from 0 Hz to half its sample rate."""
        return self.n_fft // 2 + 1

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Of one patch of magnitudes, and of its masks."""
        return 1, self.patch_frames, self.bins, 1


def read_patch_format(metadata: Mapping[str, str], path: str) -> PatchFormat:
    """Read the metadata of the file at `path`.

    Raises ValueError, naming file, key and value, for one that is missing, no number, or makes no sense.
    """

    def fail(key: str, what: str) -> ValueError:
        value = metadata[key]
        shown = repr(value if len(value) <= 80 else value[:80] + "...")
        return ValueError(f"{path}: metadata {key!r} is {shown}; {what}")

    def number(key: str, lowest: int, highest: int) -> int:
        if key not in metadata:
            raise ValueError(f"{path}: metadata {key!r} is missing")
        if not re.fullmatch(r"-?[0-9]{1,10}", metadata[key]):
            raise fail(key, "it must be a whole number")
        if not lowest <= int(metadata[key]) <= highest:
            raise fail(key, f"it must be from {lowest} to {highest}")
        return int(metadata[key])

    if metadata.get("format") != limits.MODEL_FORMAT:
        found = metadata.get("format", "")
        raise ValueError(
            f"{path} is not a model file: its format is {found[:80]!r}, not {limits.MODEL_FORMAT!r}"
        )
    sample_rate = number("sample_rate", limits.MIN_SAMPLE_RATE, limits.MAX_SAMPLE_RATE)
    n_fft = number("n_fft", limits.MIN_FRAME, limits.MAX_FRAME)
    hop = number("hop", 1, limits.MAX_FRAME)
    if n_fft not in (2 * hop, 4 * hop):
        raise fail("hop", f"n_fft, which is {n_fft}, must be 2 or 4 times as long")
    extension_bins = number("extension_bins", 1, n_fft // 2 + 1)
    patch_frames = number("patch_frames", 1, MAX_PATCH_FRAMES)
    kept_frames = number("kept_frames", 1, patch_frames)
    margins = patch_frames - kept_frames
    if margins % 2 or margins // 2 > kept_frames:
        raise fail(
            "kept_frames",
            f"of {patch_frames} frames it must leave out as many before as after, and no more than are kept",
        )
    return PatchFormat(sample_rate, n_fft, hop, extension_bins, patch_frames, kept_frames)


def check_graph(
    inputs: Mapping[str, tuple[str, Shape]], outputs: Mapping[str, tuple[str, Shape]], form: PatchFormat, path: str
) -> None:
    """Raise ValueError, naming the file, unless the graph turns `magnitudes` into `masks` of this form.

    Args:
        inputs, outputs: of the graph, by name: the type of their elements and their shape.
        form: what the metadata says.
        path: of the file.
    """
    if list(inputs) != ["magnitudes"]:
        raise ValueError(f"{path}: the graph's inputs are {list(inputs)}; there must be one, 'magnitudes'")
    if "masks" not in outputs:
        raise ValueError(f"{path}: the graph's outputs are {list(outputs)}; one of them must be 'masks'")
    for name, (kind, shape) in (("magnitudes", inputs["magnitudes"]), ("masks", outputs["masks"])):
        if kind != "tensor(float)":
            raise ValueError(f"{path}: {name!r} is a {kind}; it must be a tensor(float)")
        fixed = [isinstance(size, int) and size > 0 for size in shape]
        pairs = zip(shape, form.shape, fixed, strict=False)
        if len(shape) != 4 or any(is_fixed and size != wanted for size, wanted, is_fixed in pairs):
            raise ValueError(
                f"{path}: {name!r} has shape {tuple(shape)}; by the metadata it must be {form.shape}"
            )

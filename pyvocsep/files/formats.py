"""The formats that can be written, and libsndfile, which knows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SUBTYPES: Mapping[str, tuple[str, ...]] = {
    "wav": ("FLOAT", "PCM_16", "PCM_24", "PCM_32", "PCM_U8", "DOUBLE"),
    "flac": ("PCM_24", "PCM_16", "PCM_S8"),
    "ogg": ("VORBIS", "OPUS"),
    "mp3": ("MPEG_LAYER_III",),
    "aiff": ("FLOAT", "PCM_16", "PCM_24", "PCM_32", "DOUBLE"),
}
"""The formats that can be written and, in libsndfile's names, what their samples can be. All keep the exact
length. The first is used where neither the caller nor the input decides."""

RAW = "raw"
"""For pipes and open files: 32-bit float samples, little-endian and interleaved, without a header."""

SAMPLE_BYTES = {"PCM_S8": 1, "PCM_U8": 1, "PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8}
"""Bytes of a sample in the subtypes in which all samples have as many."""


def output_format(
    format: str | None, subtype: str | None, source_subtype: str | None, *, raw: bool = False
) -> tuple[str, str]:
    """Return the format (a key of `SUBTYPES`, or with `raw` also "raw") and the subtype to write.

    No format means WAV, and 32-bit float unless a subtype is asked. A format without a subtype takes the
    source's where it can hold it, else its most precise one.

    Raises ValueError for what cannot be written, listing what can.
    """
    chosen = (format or "wav").lower()
    formats = {**SUBTYPES, RAW: ("FLOAT",)} if raw else SUBTYPES
    if chosen not in formats:
        raise ValueError(f"unknown format {format!r}: choose from {', '.join(formats)}")
    possible = formats[chosen]
    if subtype is not None:
        if subtype.upper() not in possible:
            raise ValueError(f"unknown subtype {subtype!r} for {chosen}: choose from {', '.join(possible)}")
        return chosen, subtype.upper()
    if format is not None and source_subtype in possible:
        return chosen, source_subtype
    return chosen, possible[0]


def soundfile() -> Any:
    """Return the module `soundfile`, imported at first use: importing pyvocsep stays light."""
    import soundfile  # type: ignore[import-untyped]

    return soundfile


def error_text(error: Any) -> str:
    """Return what libsndfile says in a LibsndfileError, without its preamble and full stop."""
    return str(error.error_string).strip().removeprefix("Error : ").rstrip(".")

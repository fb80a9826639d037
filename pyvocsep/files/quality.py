"""How much a lossy codec may lose: quality and bit rate, as libsndfile's compression level.

libsndfile (1.2) knows one number from 0 (best) to 1, and for MP3 three modes. What that number does:
LAME's variable rate takes 10 x level as its -V; its constant rate is the one nearest to 320 - 288 level kb/s
(MPEG-1; 160 - 152 level below 32 kHz); Vorbis takes 10 x (1 - level) as oggenc's -q, and knows no other
mode; Opus gets 256 - 250 level kb/s for each channel.
"""

from __future__ import annotations

from typing import Any

MAX_QUALITY = 10.0

_DEFAULT_QUALITY = {"MPEG_LAYER_III": 10.0, "VORBIS": 7.0, "OPUS": 4.0}
"""Above what is commonly taken for transparent: 247, 208, 214 kb/s at 48 kHz stereo; not tested by ear."""

_LOWEST_LEVEL = 0.999  # libsndfile refuses 1 for MP3
_LOW_MPEG_RATE = 32_000
_MP3_KBPS = {True: (32.0, 320.0), False: (8.0, 160.0)}
_OPUS_KBPS_PER_CHANNEL = (6.0, 256.0)


def encoder_options(
    subtype: str, quality: float | None, bitrate: float | None, sample_rate: int, channels: int
) -> dict[str, Any]:
    """Return what `soundfile.SoundFile` is told, beside the subtype, to encode with a quality or bit rate.

    Args:
        subtype: libsndfile's name of the codec.
        quality: 0 to 10; None is the codec's default here.
        bitrate: in kb/s, in place of a quality.

    Raises ValueError, as `check_quality` and for a bit rate out of the codec's range.
    """
    check_quality(subtype, quality, bitrate)
    if subtype not in _DEFAULT_QUALITY:
        return {}
    if bitrate is not None:
        mode = {"bitrate_mode": "CONSTANT"} if subtype == "MPEG_LAYER_III" else {}
        return {"compression_level": _level_of_bitrate(subtype, bitrate, sample_rate, channels), **mode}
    mode = {"bitrate_mode": "VARIABLE"} if subtype == "MPEG_LAYER_III" else {}
    chosen = _DEFAULT_QUALITY[subtype] if quality is None else quality
    return {"compression_level": min(_LOWEST_LEVEL, 1 - chosen / MAX_QUALITY), **mode}


def check_quality(subtype: str, quality: float | None, bitrate: float | None) -> None:
    """Raise ValueError unless a codec can be told this quality or bit rate."""
    if quality is None and bitrate is None:
        return
    if quality is not None and bitrate is not None:
        raise ValueError("quality and bitrate say the same in two ways; give one of them")
    if subtype not in _DEFAULT_QUALITY:
        raise ValueError(f"{subtype} has no quality or bit rate to choose; they are for mp3 and ogg")
    if quality is not None and not 0 <= quality <= MAX_QUALITY:
        raise ValueError(f"quality is {quality:g}; it must be from 0 to {MAX_QUALITY:g}, the best")
    if bitrate is not None and subtype == "VORBIS":
        raise ValueError("VORBIS takes a quality, not a bit rate; mp3 and the subtype OPUS take either")
    if bitrate is not None and not bitrate > 0:
        raise ValueError(f"bitrate is {bitrate:g} kb/s; it must be above 0")


def _level_of_bitrate(subtype: str, bitrate: float, sample_rate: int, channels: int) -> float:
    if subtype == "OPUS":
        least, most = (kbps * channels for kbps in _OPUS_KBPS_PER_CHANNEL)
    else:
        least, most = _MP3_KBPS[sample_rate >= _LOW_MPEG_RATE]
    if not least <= bitrate <= most:
        which = f"{subtype} at {sample_rate} Hz, {channels} channels"
        raise ValueError(f"bitrate is {bitrate:g} kb/s; {which} takes {least:g} to {most:g}")
    return min(_LOWEST_LEVEL, (most - bitrate) / (most - least))

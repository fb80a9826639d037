"""The header of one frame of MPEG audio (ISO/IEC 11172-3, 2.4.1.3; 13818-3 for the low rates)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

HEADER_SIZE = 4

_RATE_IS_KNOWN = b"".join(bytes(range(high, high + 12)) for high in range(0, 0xF0, 16))
SYNC = re.compile(rb"\xff(?=[\xe2-\xe7\xf2-\xf7\xfa-\xff][" + re.escape(_RATE_IS_KNOWN) + rb"])", re.DOTALL)
"""Three bytes that a frame can begin with: no reserved version, layer, bit rate or sample rate."""

SYNC_SIZE = 3

_KBPS = {
    (1, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}  # fmt: skip
_RATES = {1: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 25: (11_025, 12_000, 8_000)}
_VERSIONS = {0: 25, 2: 2, 3: 1}


@dataclass(frozen=True)
class FrameHeader:
    """What the header of a frame says.

    Attributes:
        version: 1, 2 or, for MPEG 2.5, 25.
        layer: 1, 2 or 3.
        rate: in Hz.
        channels: 1 or 2.
        size: of the frame in bytes, header included; 0 in the free format, where only the next frame tells.
        padding: in bytes, contained in `size`.
        samples: per channel.
        kind: version, layer, rate and channels: what is the same in all frames of a stream.
    """

    version: int
    layer: int
    rate: int
    channels: int
    size: int
    padding: int
    samples: int
    kind: tuple[int, int, int, int]

    def continues(self, other: FrameHeader) -> bool:
        """Tell whether a frame with this header can follow one with the other in one stream."""
        return self.kind[:3] == other.kind[:3]

    @property
    def info_offset(self) -> int:
        """Bytes from the start of a Layer III frame to its main data, where an info tag stands."""
        stereo = self.channels == 2
        side = (32 if stereo else 17) if self.version == 1 else (17 if stereo else 9)
        return HEADER_SIZE + side


@lru_cache(maxsize=4096)
def frame_header(data: bytes) -> FrameHeader | None:
    """Return the header in the first four bytes of a frame, None if they are none."""
    if len(data) < HEADER_SIZE or SYNC.match(data) is None:
        return None
    version = _VERSIONS[data[1] >> 3 & 3]
    layer = 4 - (data[1] >> 1 & 3)
    kbps = _KBPS[min(version, 2), layer][data[2] >> 4]
    rate = _RATES[version][data[2] >> 2 & 3]
    padding = (data[2] >> 1 & 1) * (4 if layer == 1 else 1)
    samples = 384 if layer == 1 else 576 if layer == 3 and version != 1 else 1152
    size = 12_000 * kbps // rate * 4 if layer == 1 else samples // 8 * 1000 * kbps // rate
    size = size + padding if kbps else 0
    channels = 1 if data[3] >> 6 == 3 else 2
    kind = version, layer, rate, channels
    return FrameHeader(version, layer, rate, channels, size, padding, samples, kind)

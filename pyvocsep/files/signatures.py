"""What a file is that cannot be decoded here, by its first bytes."""

from __future__ import annotations

import re
import shlex

from pyvocsep.files.source import Source
from pyvocsep.files.structure import ForeignError, UnreadableError

HEAD_SIZE = 64

EXTRA = "pip install 'pyvocsep[av]' adds what decodes it"

_SOUND = (
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media (WMA, WMV or ASF)"),
    (0, b"MAC ", "Monkey's Audio (APE)"),
    (0, b"wvpk", "WavPack"),
    (0, b"MP+", "Musepack"),
    (0, b"MPCK", "Musepack"),
    (0, b"TTA1", "True Audio (TTA)"),
    (0, b"TTA2", "True Audio (TTA)"),
    (0, b"OFR ", "OptimFROG"),
    (0, b"tBaK", "TAK"),
    (0, b"DSD ", "DSF (DSD)"),
    (0, b"FRM8", "DSDIFF (DSD)"),
    (0, b"#!AMR", "AMR"),
    (0, b"\x0b\x77", "Dolby AC-3"),
    (0, b"\x7f\xfe\x80\x01", "DTS"),
    (0, b".RMF", "RealMedia"),
    (0, b".ra\xfd", "RealAudio"),
    (0, b"FLV\x01", "Flash video (FLV)"),
    (0, b"ADIF", "AAC (ADIF)"),
    (0, b"\x00\x00\x01\xba", "MPEG video (MPG or VOB)"),
    (8, b"AVI ", "AVI video"),
    (8, b"8SVX", "IFF 8SVX"),
)
"""Sound that FFmpeg decodes: position, bytes, name."""

_OTHERS = (
    (0, b"MThd", "MIDI notes, which hold no sound; render them to a WAV file first"),
    (0, b"PK\x03\x04", "a ZIP archive; unpack it first"),
    (0, b"Rar!\x1a\x07", "a RAR archive; unpack it first"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"),
    (0, b"\x1f\x8b", "compressed by gzip; unpack it first"),
    (0, b"BZh", "compressed by bzip2; unpack it first"),
    (0, b"\xfd7zXZ\0", "compressed by xz; unpack it first"),
    (0, b"\x28\xb5\x2f\xfd", "compressed by zstd; unpack it first"),
    (257, b"ustar", "a tar archive; unpack it first"),
    (0, b"%PDF", "a PDF document"),
    (0, b"\x89PNG", "a picture (PNG)"),
    (0, b"\xff\xd8\xff", "a picture (JPEG)"),
    (0, b"GIF8", "a picture (GIF)"),
    (0, b"\x00\x05\x16\x07", "macOS's notes about another file (AppleDouble), not its sound"),
    (0, b"#EXTM3U", "a playlist; give the files that it lists"),
    (0, b"[playlist]", "a playlist; give the files that it lists"),
    (0, b"version https://git-lfs", "a Git LFS pointer; 'git lfs pull' fetches the file itself"),
    (0, b"AUD", "not audio that can be decoded"),
)
"""What no decoder turns into sound, and what to do."""

_ISO_BRANDS = {
    b"M4A ": "M4A", b"M4B ": "M4B audio book", b"M4P ": "M4P", b"M4V ": "M4V video", b"qt  ": "QuickTime",
    b"3gp": "3GP", b"3g2": "3GP",
}  # fmt: skip
_ISO_CODECS = {
    b"alac": "Apple Lossless (ALAC)", b"mp4a": "AAC", b"drms": "AAC with copy protection (DRM)",
    b"ac-3": "AC-3", b"ec-3": "E-AC-3", b"Opus": "Opus", b"fLaC": "FLAC", b"samr": "AMR",
}  # fmt: skip
_ISO_SAMPLE_ENTRY = re.compile(
    rb"(?<=stsd.{4}.{4}.{4})(?:" + b"|".join(map(re.escape, _ISO_CODECS)) + rb")", re.DOTALL
)
_MOST_BOXES = 1000
_LARGEST_INDEX = 1 << 24
_MATROSKA = b"\x1a\x45\xdf\xa3"
_HTML = re.compile(rb"\s*<(?:!doctype html|html|head|\?xml)", re.IGNORECASE)


def check_signature(source: Source, start: int, path: str) -> None:
    """Raise UnreadableError if the bytes from `start` begin as a kind of file that is known but not decoded.

    The error names the kind and what helps; `path` is for the command that it shows.
    """
    head = source.at(start, 512)
    if name := _sound(source, start, head):
        raise ForeignError(name, f"{EXTRA}; or {conversion(path)}")
    for position, mark, what in _OTHERS:
        if head[position:].startswith(mark):
            raise UnreadableError(f"no sound: it is {what}")
    if _HTML.match(head):
        raise UnreadableError("no sound: it is a web page or XML text, maybe a download that failed")


def conversion(path: str) -> str:
    """Return the advice to convert a file, as a command for a shell."""
    stem, dot, suffix = path.rpartition(".")
    target = f"{stem if dot and '/' not in suffix else path}.wav"
    if target == path:
        target = f"{path}.wav"
    safe = [shlex.quote(f"./{name}" if name.startswith("-") else name) for name in (path, target)]
    return f"convert it first: ffmpeg -i {safe[0]} {safe[1]}"


def _sound(source: Source, start: int, head: bytes) -> str | None:
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide"):
        return _iso_name(source, start, head)
    if head.startswith(_MATROSKA):
        return "WebM" if b"webm" in head else "Matroska (MKV or MKA)"
    for position, mark, name in _SOUND:
        if head[position:].startswith(mark):
            return name
    if _is_adts(source, start):
        return "AAC (ADTS)"
    if head[:1] == b"\x47" and source.at(start + 188, 1) == source.at(start + 376, 1) == b"\x47":
        return "an MPEG transport stream"
    return None


def _iso_name(source: Source, start: int, head: bytes) -> str:
    """Return the name of an MP4 file (ISO/IEC 14496-12) and, if its index is there, of what it holds."""
    brand = head[8:12] if head[4:8] == b"ftyp" else b"qt  "
    name = next((name for mark, name in _ISO_BRANDS.items() if brand.startswith(mark)), "MP4")
    position = start
    for _ in range(_MOST_BOXES):
        box = source.at(position, 16)
        if len(box) < 8:
            return f"{name} without its index (it ends too early or was never finished)"
        size = int.from_bytes(box[:4], "big")
        size = int.from_bytes(box[8:16], "big") if size == 1 else size
        if box[4:8] == b"moov":
            entry = _ISO_SAMPLE_ENTRY.search(
                source.read(position, min(size or _LARGEST_INDEX, _LARGEST_INDEX))
            )
            return f"{name} with {_ISO_CODECS[entry.group()]}" if entry else name
        if size < 8:
            break
        position += size
    return name


def _is_adts(source: Source, start: int) -> bool:
    """Tell whether three frames of AAC in ADTS (ISO/IEC 13818-7, 6.2) follow each other."""
    for _ in range(3):
        head = source.at(start, 7)
        if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
            return False
        size = int.from_bytes(head[3:6], "big") >> 5 & 0x1FFF
        if size < 7:
            return False
        start += size
    return True

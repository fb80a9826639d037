"""The ID3 tag at the head of an MP3 file.

libsndfile would write one, but as UTF-8 text labelled Latin-1, which garbles every title beyond ASCII.
"""

from __future__ import annotations

from collections.abc import Mapping

from pyvocsep.files.covers import Cover

_FRAMES = {
    "title": b"TIT2",
    "artist": b"TPE1",
    "album": b"TALB",
    "date": b"TDRC",
    "tracknumber": b"TRCK",
    "genre": b"TCON",
    "comment": b"COMM",
    "copyright": b"TCOP",
    "albumartist": b"TPE2",
    "software": b"TSSE",
}
_UTF8 = b"\x03"
_NO_LANGUAGE_NO_DESCRIPTION = b"XXX\0"


def id3_tag(tags: Mapping[str, str], cover: Cover | None = None) -> bytes:
    """Return an ID3v2.4 tag (https://id3.org/id3v2.4.0-structure) of these tags, empty if it would hold none.

    The keys are libsndfile's: title, artist, album, date, tracknumber, genre, comment, copyright,
    software; and albumartist. Others are left out.
    """
    frames = b"".join(_frame(_FRAMES[key], text) for key, text in tags.items() if key in _FRAMES)
    if cover is not None:
        picture = b"\0" + cover.mime.encode("latin-1", "replace") + b"\0\x03\0" + cover.data
        frames += b"APIC" + _synchsafe(len(picture)) + b"\0\0" + picture
    return b"ID3\x04\x00\x00" + _synchsafe(len(frames)) + frames if frames else b""


def _frame(name: bytes, text: str) -> bytes:
    extra = _NO_LANGUAGE_NO_DESCRIPTION if name == b"COMM" else b""
    body = _UTF8 + extra + text.encode()
    return name + _synchsafe(len(body)) + b"\0\0" + body


def _synchsafe(size: int) -> bytes:
    """Return 28 bits in four bytes with a zero at the top: no size can look like the start of MPEG audio."""
    return bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))

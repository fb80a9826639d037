"""Cover art and album artist, which libsndfile neither reads nor writes.

Read from ID3v2 (https://id3.org/id3v2.4.0-frames) at the head of a file, as MP3 has it, and from FLAC's
metadata (RFC 9639, section 8); written as the one into MP3, WAV and AIFF, as the other into FLAC.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pyvocsep.files.source import Source

ALBUM_ARTIST = "albumartist"
"""The key of the album artist among the tags."""

_FRONT_COVER = 3
_LARGEST = 1 << 24
_COMMENT_BLOCK, _PICTURE_BLOCK = 4, 6
_MOVED_AT_ONCE = 1 << 20
_ENCODINGS = ("latin-1", "utf-16", "utf-16-be", "utf-8")


@dataclass(frozen=True)
class Cover:
    """A picture of the front cover.

    Attributes:
        mime: its media type, as image/jpeg.
        data: the file.
    """

    mime: str
    data: bytes


def cover_and_album_artist(source: Source) -> tuple[Cover | None, str | None]:
    """Return what a file has of both."""
    head = source.at(0, 10)
    if head.startswith(b"ID3") and len(head) == 10:
        return _of_id3(source, head)
    if head.startswith(b"fLaC"):
        return _of_flac(source)
    return None, None


def add_to_flac(file: Any, tags: Mapping[str, str], cover: Cover | None) -> None:
    """Add them to the metadata of a finished FLAC file, open for reading and writing."""
    position = 4
    while True:
        kind, size, is_last = _flac_block(_read(file, 4, position))
        if kind == _COMMENT_BLOCK or is_last:
            break
        position += 4 + size
    if kind != _COMMENT_BLOCK:
        return
    body = _read(file, size, position + 4)
    if artist := tags.get(ALBUM_ARTIST):
        vendor = 4 + int.from_bytes(body[:4], "little")
        count = int.from_bytes(body[vendor : vendor + 4], "little") + 1
        comment = f"ALBUMARTIST={artist}".encode()
        body = body[:vendor] + count.to_bytes(4, "little") + body[vendor + 4 :]
        body += len(comment).to_bytes(4, "little") + comment
    blocks = [(_COMMENT_BLOCK, body)]
    if cover is not None:
        parts = (cover.mime.encode(), b"")
        texts = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        picture = _FRONT_COVER.to_bytes(4, "big") + texts + bytes(16) + len(cover.data).to_bytes(4, "big")
        blocks.append((_PICTURE_BLOCK, picture + cover.data))
    blocks = [block for block in blocks if len(block[1]) < _LARGEST]
    new = b"".join(
        bytes([kind | (0x80 if is_last and number == len(blocks) - 1 else 0)])
        + len(data).to_bytes(3, "big")
        + data
        for number, (kind, data) in enumerate(blocks)
    )
    _replace(file, position, 4 + size, new)


def add_chunk(file: Any, tag: bytes) -> None:
    """Add an ID3 tag to a finished WAV or AIFF file, open for reading and writing, as a chunk at its end."""
    end = os.fstat(file.fileno()).st_size
    order = {b"RIFF": "little", b"FORM": "big"}.get(_read(file, 4, 0))
    size = end + end % 2 + 8 + len(tag) + len(tag) % 2 - 8
    if order is None or size >= 2**32:
        return
    byteorder: Any = order
    name = b"id3 " if order == "little" else b"ID3 "
    chunk = bytes(end % 2) + name + len(tag).to_bytes(4, byteorder) + tag + bytes(len(tag) % 2)
    _write(file, chunk, end)
    _write(file, size.to_bytes(4, byteorder), 4)


def _replace(file: Any, position: int, length: int, new: bytes) -> None:
    """Put other bytes in place of some, and move all that follows, from its end on."""
    shift, end = len(new) - length, os.fstat(file.fileno()).st_size
    begin = position + length
    while end > begin:
        start = max(begin, end - _MOVED_AT_ONCE)
        _write(file, _read(file, end - start, start), start + shift)
        end = start
    _write(file, new, position)


def _read(file: Any, length: int, position: int) -> bytes:
    os.lseek(file.fileno(), position, os.SEEK_SET)
    parts = []
    while length > 0 and (part := os.read(file.fileno(), length)):
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _write(file: Any, data: bytes, position: int) -> None:
    os.lseek(file.fileno(), position, os.SEEK_SET)
    while data:
        data = data[os.write(file.fileno(), data) :]


def _of_flac(source: Source) -> tuple[Cover | None, str | None]:
    cover, artist, position = None, None, 4
    while position + 4 <= source.size:
        kind, size, is_last = _flac_block(source.at(position, 4))
        if kind == _COMMENT_BLOCK:
            artist = _album_artist(source.read(position + 4, size)) or artist
        elif kind == _PICTURE_BLOCK:
            cover = _flac_picture(source.read(position + 4, size)) or cover
        if is_last:
            break
        position += 4 + size
    return cover, artist


def _flac_block(header: bytes) -> tuple[int, int, bool]:
    return header[0] & 0x7F, int.from_bytes(header[1:], "big"), bool(header[0] & 0x80)


def _album_artist(comments: bytes) -> str | None:
    position = 8 + int.from_bytes(comments[:4], "little")
    while position + 4 <= len(comments):
        size = int.from_bytes(comments[position : position + 4], "little")
        key, _, text = comments[position + 4 : position + 4 + size].decode("utf-8", "replace").partition("=")
        if key.upper() in ("ALBUMARTIST", "ALBUM ARTIST") and text:
            return text
        position += 4 + size
    return None


def _flac_picture(data: bytes) -> Cover | None:
    if int.from_bytes(data[:4], "big") not in (0, _FRONT_COVER):
        return None
    mime_size = int.from_bytes(data[4:8], "big")
    mime = data[8 : 8 + mime_size].decode("latin-1")
    position = 8 + mime_size
    position += 4 + int.from_bytes(data[position : position + 4], "big") + 16
    size = int.from_bytes(data[position : position + 4], "big")
    picture = data[position + 4 : position + 4 + size]
    return Cover(mime, picture) if size and len(picture) == size else None


def _of_id3(source: Source, head: bytes) -> tuple[Cover | None, str | None]:
    version, flags = head[3], head[5]
    size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
    if version not in (2, 3, 4) or size > _LARGEST:
        return None, None
    body = source.read(10, size)
    if flags & 0x80:  # "unsynchronisation": no byte 0xff is followed by one that could be a frame's
        body = body.replace(b"\xff\0", b"\xff")
    if flags & 0x40 and version > 2:
        extended = _id3_size(body[:4], version)
        body = body[extended + (4 if version == 3 else 0) :]
    cover, artist = None, None
    for name, data in _id3_frames(body, version):
        if name in (b"TPE2", b"TP2"):
            artist = _text(data[:1], data[1:]).strip("\0") or artist
        elif name in (b"APIC", b"PIC"):
            found = _id3_picture(data, version)
            cover = found or cover
    return cover, artist


def _id3_frames(body: bytes, version: int) -> Iterator[tuple[bytes, bytes]]:
    name_size, header = (3, 6) if version == 2 else (4, 10)
    position = 0
    while position + header <= len(body) and body[position] != 0:
        name = body[position : position + name_size]
        raw = body[position + name_size : position + 2 * name_size]
        size = _id3_size(raw, version)
        yield name, body[position + header : position + header + size]
        position += header + size


def _id3_size(raw: bytes, version: int) -> int:
    if version == 4:
        return sum((byte & 0x7F) << shift for byte, shift in zip(raw, (21, 14, 7, 0), strict=False))
    return int.from_bytes(raw, "big")


def _id3_picture(data: bytes, version: int) -> Cover | None:
    encoding = data[:1]
    if version == 2:
        mime, rest = {b"JPG": "image/jpeg", b"PNG": "image/png"}.get(data[1:4], ""), data[4:]
    else:
        kind, _, rest = data[1:].partition(b"\0")
        mime = kind.decode("latin-1")
    if not rest or rest[0] not in (0, _FRONT_COVER):
        return None
    end, step = (b"\0\0", 2) if encoding in (b"\1", b"\2") else (b"\0", 1)
    position = 1
    while position < len(rest) and rest[position : position + step] != end:
        position += step
    picture = rest[position + step :]
    return Cover(mime, picture) if picture and mime else None


def _text(encoding: bytes, data: bytes) -> str:
    number = encoding[0] if encoding else 0
    return data.decode(_ENCODINGS[number] if number < len(_ENCODINGS) else "latin-1", "replace")

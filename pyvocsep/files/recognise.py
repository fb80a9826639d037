"""Which structure a file has, by its first bytes."""

from __future__ import annotations

from pyvocsep.files.aiff import aiff_structure, caf_structure, is_aiff
from pyvocsep.files.flac import flac_structure
from pyvocsep.files.mpeg import mpeg_structure, starts_with_mpeg
from pyvocsep.files.ogg import ogg_structure
from pyvocsep.files.riff import is_riff, riff_structure
from pyvocsep.files.signatures import check_signature
from pyvocsep.files.source import Source
from pyvocsep.files.splice import Extent
from pyvocsep.files.structure import Part, Structure
from pyvocsep.files.tag_extents import skip_tags

_DECODED_AS_IS = (
    b".snd",
    b"dns.",
    b"caff",
    b"FORM",
    b"NIST",
    b"Creative Voice File",
    b"\x64\xa3",
    b"PVF1",
    b"fap ",
)


def structure_of(source: Source, path: str) -> Structure:
    """Return the structure of a file, whatever tags precede its audio.

    `path` is for messages. Raises UnreadableError for what is known not to be decodable, with advice. A file
    that is not recognised is one part as it is: its decoder knows more kinds.
    """
    start = skip_tags(source, 0)
    head = source.at(start, 64)
    if is_riff(head):
        return riff_structure(source, start)
    if is_aiff(head):
        return aiff_structure(source, start)
    if head.startswith(b"caff"):
        return caf_structure(source, start)
    if head.startswith(b"fLaC"):
        return flac_structure(source, start)
    if head.startswith(b"OggS"):
        return ogg_structure(source, start)
    if starts_with_mpeg(source, start):
        found = mpeg_structure(source)
    else:
        check_signature(source, start, path)
        found = None if head.startswith(_DECODED_AS_IS) else mpeg_structure(source)
    return found or Structure((Part((Extent(0, source.size),)),))


def is_recognised(source: Source, path: str) -> bool:
    """Tell whether the beginning of a file looks like audio that can be decoded.

    Raises UnreadableError for what is known not to be decodable, with advice.
    """
    head = source.at(skip_tags(source, 0), 64)
    if is_riff(head) or is_aiff(head) or head.startswith((b"fLaC", b"OggS", *_DECODED_AS_IS)):
        return True
    if skip_tags(source, 0) >= source.size:  # a tag with a picture, larger than the beginning
        return True
    check_signature(source, skip_tags(source, 0), path)
    return mpeg_structure(source) is not None

"""Random access to a file and files spliced from it, against slices of bytes."""

from __future__ import annotations

import io
import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyvocsep.files.source import Source
from pyvocsep.files.splice import Extent, Piece, SplicedFile, Zeros, joined, patched

CONTENT = bytes(range(256)) * 3
POSITIONS = st.integers(0, len(CONTENT) + 10)


class Failing(io.BytesIO):
    """A file on a disk that fails after so many reads."""

    reads = 3

    def read(self, size: int | None = -1) -> bytes:
        self.reads -= 1
        if self.reads < 0:
            raise OSError(5, "Input/output error")
        return super().read(size)


@given(st.lists(st.tuples(POSITIONS, st.integers(-5, 2**70)), min_size=1, max_size=5))
def test_bytes_at_a_position_are_cut_to_the_file(requests) -> None:
    source = Source(io.BytesIO(CONTENT))
    for start, length in requests:
        expected = CONTENT[start : start + max(0, length)]
        assert source.at(start, length) == expected
        assert source.read(start, length) == expected
        assert source.number(start, 3, "big") == int.from_bytes(
            CONTENT[start : start + 3].ljust(3, b"\0"), "big"
        )


@given(
    st.lists(st.sampled_from([b"ab", b"a", b"b", b"abc", b"--"]), max_size=30).map(b"".join),
    st.integers(3, 9),
    st.integers(0, 5),
    st.integers(0, 70),
)
def test_matches_do_not_depend_on_how_the_file_is_read(data, at_once, start, end) -> None:
    source = Source(io.BytesIO(data))
    source._SEARCHED_AT_ONCE = at_once  # type: ignore[misc]
    found = list(source.matches(re.compile(rb"abc"), 3, start, end))
    assert found == [match.start() + start for match in re.finditer(rb"abc", data[start:end])]


PIECES = st.lists(
    st.one_of(
        st.binary(max_size=5),
        st.builds(Zeros, st.integers(0, 5)),
        st.builds(lambda start, size: Extent(start, start + size), st.integers(0, 700), st.integers(0, 20)),
    ),
    max_size=6,
)


def spelt_out(pieces: list[Piece]) -> bytes:
    return b"".join(
        CONTENT[piece.start : piece.end]
        if isinstance(piece, Extent)
        else bytes(piece.length)
        if isinstance(piece, Zeros)
        else piece
        for piece in pieces
    )


@given(
    PIECES,
    st.lists(st.tuples(st.integers(-50, 100), st.sampled_from([0, 1, 2]), st.integers(0, 30)), max_size=8),
)
def test_a_spliced_file_is_a_file_of_its_pieces(pieces, steps) -> None:
    expected = io.BytesIO(spelt_out(pieces))
    spliced = SplicedFile(Source(io.BytesIO(CONTENT)), joined(pieces))
    assert spliced.size == len(expected.getvalue())
    for offset, whence, length in steps:
        target = offset + (0, expected.tell(), len(expected.getvalue()))[whence]
        if target >= 0:  # before the start is nowhere: a damaged size leads there
            expected.seek(target)
        assert spliced.seek(offset, whence) == expected.tell()
        assert spliced.read(length) == expected.read(length)
        assert spliced.tell() == expected.tell()
    spliced.raise_kept()


@given(st.dictionaries(st.integers(0, 40), st.binary(min_size=1, max_size=4), max_size=3), st.integers(0, 5))
def test_patches_replace_bytes(patches, start) -> None:
    expected, kept = bytearray(CONTENT[:40]), start
    for position, data in sorted(patches.items()):
        if kept <= position and position + len(data) <= 40:
            expected[position : position + len(data)] = data
            kept = position + len(data)
    assert spelt_out(list(patched(start, 40, patches))) == bytes(expected[start:])


def test_a_failing_disk_is_kept_for_who_can_hear_it() -> None:
    source = Source(Failing(CONTENT))
    spliced = SplicedFile(source, [Extent(0, 768)])
    assert [spliced.read(100) for _ in range(3)] == [CONTENT[:100], CONTENT[100:200], CONTENT[200:300]]
    assert spliced.read(100) == b""
    with pytest.raises(OSError, match="Input/output"):
        spliced.raise_kept()
    spliced.raise_kept()


def test_a_file_that_shrinks_just_ends(tmp_path) -> None:
    path = tmp_path / "shrinking"
    path.write_bytes(CONTENT)
    with open(path, "rb", buffering=0) as file:
        spliced = SplicedFile(Source(file), [Extent(0, 768)])
        os.truncate(path, 100)
        assert spliced.read(768) == CONTENT[:100]
        assert spliced.read(768) == b""

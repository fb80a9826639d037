"""What cannot be decoded is named, with what helps."""

from __future__ import annotations

import io
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyvocsep.files.decoder import Decoder
from pyvocsep.files.signatures import conversion
from pyvocsep.files.structure import UnreadableError


def box(name: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return (8 + len(body)).to_bytes(4, "big") + name + body


def mp4(brand: bytes, codec: bytes, *, index_last: bool = True) -> bytes:
    entry = box(b"stsd", bytes(4), (1).to_bytes(4, "big"), box(codec, bytes(28)))
    index = box(
        b"moov", box(b"mvhd", bytes(100)), box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", entry))))
    )
    sound = box(b"mdat", b"mp4a alac moov stsd" * 100)
    return box(b"ftyp", brand, bytes(4), brand) + (sound + index if index_last else index + sound)


ADTS = (b"\xff\xf1\x50\x80\x04\x00\xfc" + bytes(25)) * 5

SOUND = {
    "M4A with AAC": mp4(b"M4A ", b"mp4a"),
    r"M4A with Apple Lossless \(ALAC\)": mp4(b"M4A ", b"alac", index_last=False),
    r"M4P with AAC with copy protection \(DRM\)": mp4(b"M4P ", b"drms"),
    "MP4 with AAC": mp4(b"isom", b"mp4a"),
    "MP4 with Opus": mp4(b"iso5", b"Opus"),
    "QuickTime with AAC": mp4(b"qt  ", b"mp4a"),
    "3GP with AMR": mp4(b"3gp4", b"samr"),
    "M4A without its index": mp4(b"M4A ", b"mp4a")[:500],
    r"AAC \(ADTS\)": ADTS,
    r"Windows Media \(WMA, WMV or ASF\)": bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + bytes(100),
    "WebM": b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\x82\x84webm" + bytes(100),
    r"Matroska \(MKV or MKA\)": b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x88matroska" + bytes(100),
    r"Monkey's Audio \(APE\)": b"MAC \x96\x0f" + bytes(100),
    "WavPack": b"wvpk" + bytes(100),
    "Musepack": b"MPCK" + bytes(100),
    "Dolby AC-3": b"\x0b\x77" + bytes(100),
    "DTS": b"\x7f\xfe\x80\x01" + bytes(100),
    "AVI video": b"RIFF\xff\0\0\0AVI LIST" + bytes(100),
    r"Flash video \(FLV\)": b"FLV\x01\x04" + bytes(100),
    "AMR": b"#!AMR\n" + bytes(100),
    r"DSF \(DSD\)": b"DSD \x1c" + bytes(100),
    r"True Audio \(TTA\)": b"TTA1\x01\0" + bytes(100),
    "True Audio": b"TTA2" + bytes(100),
    "OptimFROG": b"OFR \x0f\0\0\0" + bytes(100),
    "TAK": b"tBaK\x01\x0e" + bytes(100),
    r"DSDIFF \(DSD\)": b"FRM8" + bytes(8) + b"DSD " + bytes(100),
    "Muse": b"MP+\x07" + bytes(100),
    "RealMedia": b".RMF\0\0\0\x12" + bytes(100),
    "RealAudio": b".ra\xfd\0\4" + bytes(100),
    r"AAC \(ADIF\)": b"ADIF\x20" + bytes(100),
    r"MPEG video \(MPG or VOB\)": b"\x00\x00\x01\xba\x44" + bytes(100),
    "IFF 8SVX": b"FORM\0\0\0\x708SVXVHDR" + bytes(100),
    "an MPEG transport stream": (b"\x47" + bytes(187)) * 5,
}

NO_SOUND = {
    "MIDI notes": b"MThd\0\0\0\x06" + bytes(100),
    "a ZIP archive; unpack it first": b"PK\x03\x04" + bytes(100),
    "compressed by gzip": b"\x1f\x8b\x08" + bytes(100),
    "a PDF document": b"%PDF-1.7" + bytes(100),
    "a picture": b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(100),
    "a web page or XML text": b"\n <!DOCTYPE html><html>404</html>",
    "a playlist": b"#EXTM3U\nsong.mp3\n",
    "a playlist; give": b"[playlist]\nFile1=song.mp3\n",
    "a RAR archive": b"Rar!\x1a\x07\x01\0" + bytes(100),
    "a 7z archive": b"7z\xbc\xaf\x27\x1c\0\4" + bytes(100),
    "compressed by bzip2": b"BZh91AY&SY" + bytes(100),
    "compressed by xz": b"\xfd7zXZ\0\0\4" + bytes(100),
    "compressed by zstd": b"\x28\xb5\x2f\xfd" + bytes(100),
    "a tar archive": b"song.txt" + bytes(249) + b"ustar\x0000" + bytes(248),
    "a picture (PNG)": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "a picture (GIF)": b"GIF89a" + bytes(100),
    "not audio that can be decoded": b"AUD" + bytes(100),
    "AppleDouble": b"\x00\x05\x16\x07\0\2\0\0Mac OS X" + bytes(100),
    "git lfs pull": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
}

ID3 = b"ID3\x04\0\0\0\0\0\x0a" + bytes(10)


@pytest.mark.parametrize("before", [b"", ID3])
@pytest.mark.parametrize("name", list(SOUND))
def test_sound_that_another_program_decodes(name, before) -> None:
    with pytest.raises(
        UnreadableError,
        match=rf"^{name}.*; pip install 'pyvocsep\[av\]' .*; or convert it first: ffmpeg -i song\.m4a ",
    ):
        Decoder(io.BytesIO(before + SOUND[name]), "song.m4a")


@pytest.mark.parametrize("name", list(NO_SOUND))
def test_what_holds_no_sound(name) -> None:
    with pytest.raises(UnreadableError, match=r"^no sound: it is ") as caught:
        Decoder(io.BytesIO(NO_SOUND[name]), "song.mp3")
    assert name in str(caught.value)
    assert "ffmpeg" not in str(caught.value)


def adts_of(size: int) -> bytes:
    """Frames of AAC that say they are `size` bytes long."""
    return (b"\xff\xf1\x50" + (0x80 << 16 | size << 5).to_bytes(3, "big") + b"\xfc") * 100


@pytest.mark.parametrize(
    "data",
    [
        b"Dear diary, " * 1000,
        b"\0" * 10_000,
        b"\xff" * 10_000,
        b"x",
        *map(adts_of, range(7)),
        adts_of(7)[:20],
    ],
)
def test_what_nobody_knows(data) -> None:
    with pytest.raises(UnreadableError, match=r"^not an audio file that can be read \("):
        Decoder(io.BytesIO(data), "song.mp3")


def test_an_empty_file() -> None:
    with pytest.raises(UnreadableError, match=r"^the file is empty$"):
        Decoder(io.BytesIO(b""), "song.mp3")


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1))
def test_the_command_is_one_for_a_shell(path) -> None:
    words = shlex.split(conversion(path).removeprefix("convert it first: "))
    assert words[:2] == ["ffmpeg", "-i"]
    source, target = words[2:]
    assert source in (path, f"./{path}")
    assert not source.startswith("-")
    assert target.endswith(".wav")
    assert target != source

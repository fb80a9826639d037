"""Downloads hold what `process` writes, to the bit."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import Mixture

import pyvocsep
from pyvocsep.models import DEFAULT_FOR_FILES
from pyvocsep.web.downloads import FILE_TYPES, clipping, encoded, file_name, offered
from pyvocsep.web.songs import Request, separate

from .conftest import RATE, Encode


@pytest.mark.parametrize("name", FILE_TYPES)
@pytest.mark.parametrize("peak", [0.5, 1.5])
@pytest.mark.filterwarnings("ignore::pyvocsep.AudioWarning")
def test_a_download_is_the_file_that_process_writes(
    name: str, peak: float, mixture: Mixture, encode: Encode, tmp_path: Path
) -> None:
    data = encode(mixture(2 * RATE, peak=peak), subtype="FLOAT")
    (tmp_path / "song.wav").write_bytes(data)
    file_type = FILE_TYPES[name]
    paths = pyvocsep.process("song.wav", output_dir="out", format=file_type.suffix, subtype=file_type.subtype)
    song = separate(Request("song.wav", data, DEFAULT_FOR_FILES, "float32"), 1.0, lambda *_: None)
    for stem, path in paths.items():
        download = encoded(getattr(song.stems, stem), song.stems.sample_rate, file_type)
        assert file_name(song.name, stem, file_type) == path.name
        with soundfile.SoundFile(io.BytesIO(download)) as ours, soundfile.SoundFile(path) as theirs:
            assert (ours.format, ours.subtype, ours.samplerate) == (
                theirs.format,
                theirs.subtype,
                theirs.samplerate,
            )
            np.testing.assert_array_equal(ours.read(dtype="float32"), theirs.read(dtype="float32"))


def test_a_rate_that_mp3_cannot_hold() -> None:
    assert offered(44_100) == ["WAV", "FLAC", "MP3"]
    assert offered(96_000) == ["WAV", "FLAC"]
    assert offered(11_000) == ["WAV", "FLAC"]


def test_clipping_is_announced() -> None:
    assert clipping(1.0, "FLAC") == ""
    assert clipping(1.3, "WAV") == ""
    assert "1.30" in clipping(1.3, "MP3")

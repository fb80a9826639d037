"""Quality and bit rate of the lossy formats, as measured in what is written."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

import pyvocsep
from pyvocsep.files.quality import encoder_options

RATE = 48_000
SECONDS = 4


@pytest.fixture(scope="module")
def stems(mixture) -> pyvocsep.Stems:
    audio = mixture(SECONDS * RATE, rate=RATE)
    return pyvocsep.Stems(audio, audio, RATE)


def kbps(stems: pyvocsep.Stems, **how: object) -> float:
    """Bit rate of what is written, in kb/s."""
    path = stems.save("out", **how)["vocals"]  # type: ignore[arg-type]
    assert soundfile.info(path).frames == SECONDS * RATE
    return path.stat().st_size * 8 / SECONDS / 1000


@pytest.mark.parametrize("bitrate", [64, 128, 192, 320])
def test_the_bit_rate_of_mp3_is_that_asked_for(bitrate, stems) -> None:
    assert kbps(stems, format="mp3", bitrate=bitrate) == pytest.approx(bitrate, rel=0.02)


def test_low_rates_of_mp3(mixture) -> None:
    audio = mixture(SECONDS * 22_050, rate=22_050)
    low = pyvocsep.Stems(audio, audio, 22_050)
    path = low.save("out", format="mp3", bitrate=64)["vocals"]
    assert path.stat().st_size * 8 / SECONDS / 1000 == pytest.approx(64, rel=0.05)
    with pytest.raises(ValueError, match=r"bitrate is 192 kb/s; .* at 22050 Hz, 2 channels takes 8 to 160"):
        low.save("out", format="mp3", bitrate=192)


@pytest.mark.parametrize("bitrate", [64, 128, 256])
def test_the_bit_rate_of_opus_is_about_that(bitrate, stems) -> None:
    assert kbps(stems, format="ogg", subtype="OPUS", bitrate=bitrate) == pytest.approx(bitrate, rel=0.1)


@pytest.mark.parametrize(("format", "subtype"), [("mp3", None), ("ogg", "VORBIS"), ("ogg", "OPUS")])
def test_better_is_larger_and_the_default_good(format, subtype, stems) -> None:
    rates = [kbps(stems, format=format, subtype=subtype, quality=quality) for quality in (1, 4, 7, 10)]
    assert rates == sorted(rates)
    assert rates[-1] > 2 * rates[0]
    assert kbps(stems, format=format, subtype=subtype) > 190


def test_the_error_falls_with_the_quality(stems) -> None:
    errors = []
    for quality in (1, 5, 10):
        path = stems.save("out", format="ogg", quality=quality)["vocals"]
        found = soundfile.read(path, dtype="float32")[0].T
        errors.append(float(np.mean((found - stems.vocals) ** 2)))
    assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"quality": 5}, "FLOAT has no quality or bit rate"),
        ({"format": "flac", "bitrate": 100}, "has no quality or bit rate"),
        ({"format": "mp3", "quality": -1}, "quality is -1; it must be from 0 to 10"),
        ({"format": "mp3", "quality": float("nan")}, "quality is nan"),
        ({"format": "mp3", "quality": 5, "bitrate": 100}, "give one of them"),
        ({"format": "mp3", "bitrate": 0}, "bitrate is 0"),
        ({"format": "mp3", "bitrate": 321}, "takes 32 to 320"),
        ({"format": "ogg", "bitrate": 128}, "VORBIS takes a quality"),
        ({"format": "ogg", "subtype": "OPUS", "bitrate": 600}, "takes 12 to 512"),
    ],
)
def test_what_cannot_be(arguments, message, stems, tmp_path) -> None:
    with pytest.raises(ValueError, match=message):
        stems.save(tmp_path / "new", **arguments)
    assert not list(tmp_path.glob("new/*"))


def test_lossless_formats_have_none() -> None:
    assert encoder_options("PCM_16", None, None, RATE, 2) == {}

"""More than two channels: the first two, all of them in pairs, or a stereo downmix."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

import pyvocsep
from pyvocsep.engines.surround import groups_of

RATE = 44_100
FRAMES = 20_001


@pytest.fixture
def audio(mixture) -> np.ndarray:
    """Front left and right, centre, low frequencies, back left and right."""
    return np.concatenate([mixture(FRAMES, 2, seed=seed) for seed in range(3)])


def stereo(model, left_right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    stems = pyvocsep.process(np.ascontiguousarray(left_right), RATE, model=model)
    return stems.vocals, stems.accompaniment


def assert_stems(found: pyvocsep.Stems, expected: tuple[np.ndarray, np.ndarray]) -> None:
    np.testing.assert_array_equal(found.vocals, expected[0])
    np.testing.assert_array_equal(found.accompaniment, expected[1])


def test_front_takes_the_first_two(audio, model) -> None:
    assert_stems(pyvocsep.process(audio, RATE, model=model, channels="front"), stereo(model, audio[:2]))


def test_pairs_separates_all_of_them(audio, model) -> None:
    parts = [stereo(model, audio[group]) for group in ([0, 1], [2], [3], [4, 5])]
    expected = tuple(np.concatenate(stem) for stem in zip(*parts, strict=True))
    found = pyvocsep.process(audio, RATE, model=model, channels="pairs")
    assert_stems(found, expected)
    ulp = np.spacing(np.abs(audio).max())
    assert np.abs(found.vocals.astype(np.float64) + found.accompaniment - audio).max() <= ulp


def test_downmix_is_that_of_the_itu(audio, model) -> None:
    fl, fr, centre, _, back_left, back_right = audio.astype(np.float64)
    mixed = np.stack([fl + 0.7071 * centre + 0.7071 * back_left, fr + 0.7071 * centre + 0.7071 * back_right])
    found = pyvocsep.process(audio, RATE, model=model, channels="downmix")
    np.testing.assert_allclose(found.vocals + found.accompaniment, mixed, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("channels", "groups"),
    [
        (3, [[0, 1], [2]]),
        (4, [[0, 1], [2, 3]]),
        (5, [[0, 1], [2], [3, 4]]),
        (6, [[0, 1], [2], [3], [4, 5]]),
        (7, [[0, 1], [2], [3], [4], [5, 6]]),
        (8, [[0, 1], [2], [3], [4, 5], [6, 7]]),
        (11, [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9], [10]]),
    ],
)
def test_which_channels_belong_together(channels, groups) -> None:
    assert groups_of(channels) == groups


@pytest.mark.parametrize("choice", ["front", "pairs", "downmix"])
def test_files_of_six_channels(choice, audio, model, tmp_path) -> None:
    soundfile.write("song.wav", audio.T, RATE, "FLOAT")
    expected = pyvocsep.process(audio, RATE, model=model, channels=choice)
    assert_stems(
        pyvocsep.process("song.wav", model=model, channels=choice), (expected.vocals, expected.accompaniment)
    )
    written = pyvocsep.process("song.wav", model=model, channels=choice, output_dir="out", format="flac")
    assert soundfile.info(written["vocals"]).channels == len(expected.vocals)
    mix = pyvocsep.process("song.wav", model=model, channels=choice, output_dir="out", mix_db=-6)["mix"]
    found = soundfile.read(mix, dtype="float32")[0].T
    np.testing.assert_array_equal(
        found, np.float32(10 ** (-6 / 20)) * expected.vocals + expected.accompaniment
    )


def test_without_a_choice_the_error_names_them(audio, model) -> None:
    soundfile.write("song.wav", audio.T, RATE)
    with pytest.raises(pyvocsep.AudioFileError, match=r"6 channels.*--channels.*front.*pairs.*downmix"):
        pyvocsep.process("song.wav", model=model)
    with pytest.raises(ValueError, match=r"\(6, 20001\).*front.*pairs.*downmix"):
        pyvocsep.process(audio, RATE, model=model)
    with pytest.raises(ValueError, match=r"channels is 'all'; choose from front, pairs, downmix"):
        pyvocsep.process("song.wav", model=model, channels="all")
    many = np.zeros((11, 100), np.float32)
    with pytest.raises(ValueError, match=r"the array has 11 channels.*choose front or pairs"):
        pyvocsep.process(many, RATE, model=model, channels="downmix")
    assert pyvocsep.process(many, RATE, model=model, channels="pairs").vocals.shape == (11, 100)


def test_stereo_and_mono_are_as_ever(audio, model) -> None:
    for planes in (audio[:1], audio[:2]):
        for choice in ("front", "pairs", "downmix"):
            found = pyvocsep.process(planes, RATE, model=model, channels=choice)
            assert_stems(found, stereo(model, planes))

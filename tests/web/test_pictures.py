"""The figure: what lies where, on one time axis, bounded in size."""

from __future__ import annotations

import numpy as np
import pytest

import pyvocsep
from pyvocsep.web.pictures import COLUMNS, POINTS, figure, share_with_voice
from pyvocsep.web.songs import Song


def test_rows_share_their_time_axis(song: Song) -> None:
    made = figure(song, 0.0, song.seconds, show_mask=False)
    assert [trace.type for trace in made.data] == ["scatter"] * 4 + ["heatmap"] * 3
    axes = [made.layout[name] for name in made.layout if name.startswith("xaxis")]
    assert len(axes) == 7
    assert {axis.matches for axis in axes} == {None, "x7"} or len(
        {axis.matches for axis in axes} - {None}
    ) == 1
    assert {tuple(axis.range) for axis in axes} == {(0.0, 3000.0)}


def test_the_mask_lies_over_the_songs_spectrogram(song: Song) -> None:
    without = figure(song, 0.0, song.seconds, show_mask=False)
    with_mask = figure(song, 0.0, song.seconds, show_mask=True)
    assert len(with_mask.data) == len(without.data) + 1
    mask, spectrogram = with_mask.data[-1], with_mask.data[4]
    assert mask.yaxis == spectrogram.yaxis
    assert mask.z.min() >= 0
    assert 0 < mask.z.max() <= 100
    assert (mask.x0, mask.dx) == (spectrogram.x0, spectrogram.dx)


def test_a_part_has_all_its_points(song: Song) -> None:
    made = figure(song, 1.0, 2.0, show_mask=False)
    waveform = made.data[2]  # the vocals'
    assert (min(waveform.x), max(waveform.x)) == (1000.0, 2000.0)
    here = song.stems.vocals[:, 44_100:88_200]
    assert waveform.y.max() == here.max()
    assert waveform.y.min() == here.min()


@pytest.mark.parametrize("seconds", [0.001, 0.4, 1200.0])
def test_size_is_bounded(seconds: float) -> None:
    noise = (
        np.random.default_rng(0).standard_normal((1, max(1, round(8000 * seconds)))).astype(np.float32) / 8
    )
    song = Song("x", pyvocsep.Stems(noise, noise / 2, 8000))
    made = figure(song, 0.0, song.seconds, show_mask=True)
    assert len(made.data[1].x) <= 2 * POINTS
    assert made.data[4].z.shape[1] <= COLUMNS
    assert len(made.to_json()) < 1.2e6


def test_share_with_voice(song: Song) -> None:
    assert 0 <= share_with_voice(song) <= 1
    silent = Song("x", pyvocsep.Stems(np.zeros((1, 8000), np.float32), song.stems.vocals[:1, :8000], 8000))
    assert share_with_voice(silent) == 0

"""The picture of a training."""

from __future__ import annotations

import pytest

pytest.importorskip("matplotlib")

from pyvocsep.training.curves import plot_curves


@pytest.mark.parametrize("points", [1, 5])
def test_a_picture_is_drawn_from_the_first_score_on(points, tmp_path):
    from matplotlib.image import imread

    history = [
        {"step": 100 * i, "loss": 1 / (i + 1), "vocals_db": 3.0 + i, "accompaniment_db": 8.0 + i}
        for i in range(points)
    ]
    plot_curves(history, tmp_path / "curves.png")
    image = imread(tmp_path / "curves.png")
    left, right = image[:, : image.shape[1] // 2, :3], image[:, image.shape[1] // 2 :, :3]
    for panel in (left, right):
        assert panel.min() < 0.5 < panel.max(), "an empty picture"


def test_where_no_songs_were_watched_there_is_the_loss_alone(tmp_path):
    from matplotlib.image import imread

    row = {"step": 100, "loss": 0.5, "vocals_db": float("nan"), "accompaniment_db": float("nan")}
    plot_curves([row, row | {"step": 200, "loss": 0.4}], tmp_path / "loss.png")
    plot_curves([row | {"vocals_db": 3.0, "accompaniment_db": 8.0}], tmp_path / "both.png")
    loss, both = imread(tmp_path / "loss.png"), imread(tmp_path / "both.png")
    assert loss.shape[1] == both.shape[1] // 2
    assert loss[..., :3].min() < 0.5

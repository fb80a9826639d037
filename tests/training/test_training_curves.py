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

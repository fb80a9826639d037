"""Recipes that extend recipes: any number of levels, and never in a circle."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from pyvocsep.training import recipe as recipes
from pyvocsep.training.recipe import find_recipe, load_recipe

BASE = """
name = "base"
[model]
architecture = "gru"
hidden = 8
layers = 1
[data]
mir1k = "clips"
held_out = ["amy_1"]
watched = ["amy_1"]
[training]
steps = 10
seed = 1
"""
MIDDLE = """
name = "middle"
extends = "base"
[model]
hidden = 16
[mixing]
mono = 0.5
pause = 0.25
"""
TOP = """
extends = "middle"
[model]
layers = 2
[mixing]
mono = 1.0
[training]
seed = 2
"""


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in place of the recipes that ship."""
    folder = tmp_path / "recipes"
    folder.mkdir()
    monkeypatch.setattr(recipes, "RECIPES", folder)
    return folder


def test_the_nearest_recipe_of_three_levels_wins(shipped: Path, tmp_path: Path) -> None:
    (shipped / "base.toml").write_text(BASE)
    (shipped / "middle.toml").write_text(MIDDLE)
    (tmp_path / "top.toml").write_text(TOP)
    recipe = load_recipe(tmp_path / "top.toml")
    assert recipe.name == "middle"
    assert recipe.model == {"architecture": "gru", "hidden": 16, "layers": 2}
    assert recipe.data.held_out == recipe.data.watched == ("amy_1",)
    assert (recipe.mixing.mono, recipe.mixing.pause) == (1.0, 0.25)
    assert (recipe.training.steps, recipe.training.seed) == (10, 2)


def test_a_shipped_recipe_that_extends_another_can_be_extended(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('extends = "band-gru-mir1k-more"\n[training]\nseed = 99\n')
    mine = load_recipe(tmp_path / "mine.toml")
    more, first = (load_recipe(find_recipe(name)) for name in ("band-gru-mir1k-more", "band-gru-mir1k"))
    assert mine.training.seed == 99
    assert (mine.model, mine.data, mine.mixing) == (more.model, more.data, more.mixing)
    assert mine.data == first.data


def test_a_circle_is_an_error_that_names_its_recipes(shipped: Path, tmp_path: Path) -> None:
    for name, base in (("a", "b"), ("b", "c"), ("c", "a")):
        (shipped / f"{name}.toml").write_text(f'extends = "{base}"\n')
    (tmp_path / "mine.toml").write_text('extends = "b"\n')
    with pytest.raises(ValueError, match=r"circle: mine -> b -> c -> a -> b$"):
        load_recipe(tmp_path / "mine.toml")


def test_a_recipe_cannot_extend_itself(shipped: Path) -> None:
    (shipped / "a.toml").write_text('extends = "a"\n')
    with pytest.raises(ValueError, match=r"circle: a -> a$"):
        load_recipe(shipped / "a.toml")


def test_a_recipe_can_have_the_name_of_the_one_it_extends(shipped: Path, tmp_path: Path) -> None:
    (shipped / "base.toml").write_text(BASE)
    (tmp_path / "base.toml").write_text('extends = "base"\n[training]\nsteps = 3\n')
    assert load_recipe(tmp_path / "base.toml").training.steps == 3


def test_an_error_in_a_base_names_the_file_that_has_it(shipped: Path, tmp_path: Path) -> None:
    (shipped / "base.toml").write_text("name = ")
    (shipped / "stray.toml").write_text('extends = "nothing"\n')
    for base, message in (("base", "base.toml is not a recipe"), ("stray", "stray.toml extends 'nothing'")):
        (tmp_path / "mine.toml").write_text(f'extends = "{base}"\n')
        with pytest.raises(ValueError, match=message):
            load_recipe(tmp_path / "mine.toml")

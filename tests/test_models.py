"""The models that come with the package."""

from __future__ import annotations

import numpy as np
import pytest

import pyvocsep
from pyvocsep.engines.registry import model_metadata
from pyvocsep.models import model_path, shipped_models


def test_what_is_shipped() -> None:
    assert shipped_models() == ("band-gru", "band-gru-mir1k", "cnn", "gru")


@pytest.mark.parametrize("name", shipped_models())
def test_a_shipped_model_has_a_card_and_separates(name, mixture) -> None:
    metadata = model_metadata(name)
    assert (metadata["name"], metadata["stems"]) == (name, "vocals,accompaniment")
    assert all(metadata[key] for key in ("trained_on", "score", "license"))
    assert name in model_path(name).with_suffix(".md").read_text()
    audio = mixture(50_000)
    stems = pyvocsep.process(audio, 44_100, model=name)
    np.testing.assert_allclose(stems.vocals + stems.accompaniment, audio, rtol=0, atol=1e-6)
    assert stems.vocals.any()
    assert stems.accompaniment.any()

"""The models that come with the package."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import pyvocsep
from pyvocsep.engines.registry import is_streaming, model_metadata
from pyvocsep.models import DEFAULT, DEFAULT_FOR_FILES, model_path, shipped_models


def test_what_is_shipped() -> None:
    assert shipped_models() == (
        "band-gru",
        "band-gru-files",
        "band-gru-mir1k",
        "band-gru-mir1k-files",
        "band-gru-open",
        "cnn",
        "gru",
    )


def test_the_defaults_of_streams_and_of_files() -> None:
    defaults = {
        call: inspect.signature(call).parameters["model"].default
        for call in (pyvocsep.process, pyvocsep.Separator, pyvocsep.StemMixer)
    }
    assert defaults == {
        pyvocsep.process: DEFAULT_FOR_FILES,
        pyvocsep.Separator: DEFAULT,
        pyvocsep.StemMixer: DEFAULT,
    }
    assert {DEFAULT, DEFAULT_FOR_FILES} <= set(shipped_models())
    assert is_streaming(DEFAULT)


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

"""The spatial filter of the reference, against matrices inverted one by one."""

import numpy as np
import pytest

pytest.importorskip("torch")

from pyvocsep.training.export import load_model, save_model
from pyvocsep.training.models import BandGRU
from pyvocsep.training.recipe import find_recipe, load_recipe
from pyvocsep.training.spatial import COHERENCE, PLACE, filter_vocals

FRAMES, BINS = 40, 9


def scene(voice, instrument, seed=0):
    """A voice's spectra of mid and side, the mixture's, and the voice's share of the energy as its masks."""
    rng = np.random.default_rng(seed)
    sources = [
        rng.standard_normal((FRAMES, BINS)) + 1j * rng.standard_normal((FRAMES, BINS)) for _ in range(2)
    ]
    stems = [
        np.multiply.outer(place, source) for place, source in zip((voice, instrument), sources, strict=True)
    ]
    energies = [np.square(np.abs(source)) for source in sources]
    mask = np.broadcast_to(energies[0] / sum(energies), (2, FRAMES, BINS))
    return stems[0].astype(np.complex64), sum(stems).astype(np.complex64), mask.astype(np.float32)


def test_it_follows_its_formulas():
    _, x, masks = scene((1, 0.2), (0.7, -0.7))
    masks = np.stack([masks[0], masks[1] ** 2])
    decay = 0.8
    found = filter_vocals(x, masks, 1.0, decay)
    covariances = []
    for share in (masks, 1 - masks):
        z = share * x
        products = np.einsum("itk,jtk->tkij", z, z.conj())
        faded = np.zeros_like(products)
        for t in range(FRAMES):
            faded[t] = products[t] + (decay * faded[t - 1] if t else 0)
        silence = np.zeros_like(faded[:, :1])
        around = np.concatenate([silence, faded, silence], 1)
        measured = faded + 0.5 * (around[:, :-2] + around[:, 2:])
        variances = np.einsum("tkii->tki", measured).real
        energies = np.moveaxis(share * np.abs(x) ** 2, 0, -1)
        places = variances / variances.sum(-1, keepdims=True)
        local = (1 - PLACE) * energies + PLACE * energies.sum(-1, keepdims=True) * places
        coherence = measured / np.sqrt(variances[..., :, None] * variances[..., None, :])
        covariance = COHERENCE * coherence * np.sqrt(local[..., :, None] * local[..., None, :])
        for channel in range(2):
            covariance[..., channel, channel] = local[..., channel]
        covariances.append(covariance)
    expected = covariances[0] @ np.linalg.inv(sum(covariances)) @ np.moveaxis(x, 0, -1)[..., None]
    np.testing.assert_allclose(found, np.moveaxis(expected[..., 0], -1, 0), atol=2e-4)


def error_db(found, voice):
    late = np.s_[:, FRAMES // 2 :]
    return 10 * np.log10(np.square(np.abs(found - voice))[late].sum() / np.square(np.abs(voice))[late].sum())


@pytest.mark.parametrize(("voice", "instrument"), [((1, 0), (0.7, 0.7)), ((1, 0.3), (0.6, -0.6))])
def test_sources_that_stand_apart_are_told_apart_better_than_by_masks(voice, instrument):
    truth, x, masks = scene(voice, instrument)
    assert error_db(filter_vocals(x, masks, 1.0, 0.95), truth) < error_db(masks * x, truth) - 1.5


def test_without_a_side_it_is_the_masks():
    _, x, masks = scene((1, 0), (0.7, 0))
    np.testing.assert_allclose(filter_vocals(x, masks, 1.0, 0.95), masks * x, atol=1e-5)


def test_a_frame_does_not_hear_those_after_it():
    _, x, masks = scene((1, 0.2), (0.7, -0.7))
    whole = filter_vocals(x, masks, 1.0, 0.95)
    np.testing.assert_array_equal(filter_vocals(x[:, :17], masks[:, :17], 1.0, 0.95), whole[:, :17])


@pytest.mark.parametrize("gain", [1e-6, 1e-3, 4.0, 1e15])
def test_the_gain_of_the_input_is_the_gain_of_the_vocals(gain):
    _, x, masks = scene((1, 0.2), (0.7, -0.7))
    expected = filter_vocals(x, masks, 0.01, 0.95)
    found = filter_vocals(x * np.float32(gain), masks, 0.01, 0.95) / np.float32(gain)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_silence_is_silent():
    _, x, masks = scene((1, 0.2), (0.7, -0.7))
    x[:, :10] = 0
    found = filter_vocals(x, masks, 1.0, 0.95)
    assert not found[:, :10].any()
    assert np.isfinite(found).all()


def test_a_model_file_says_how_long_it_remembers(tmp_path):
    network = BandGRU(dim=32, blocks=1, spatial_seconds=1.5)
    save_model(network, tmp_path / "model.safetensors", "x")
    loaded, metadata = load_model(tmp_path / "model.safetensors")
    assert (loaded.spatial_seconds, metadata["spatial_seconds"]) == (1.5, "1.5")
    save_model(BandGRU(dim=32, blocks=1), tmp_path / "plain.safetensors", "x")
    loaded, metadata = load_model(tmp_path / "plain.safetensors")
    assert loaded.spatial_seconds is None
    assert "spatial_seconds" not in metadata


@pytest.mark.parametrize("seconds", [0.0, -1.0, 61.0, float("nan")])
def test_a_senseless_memory_is_refused(seconds):
    with pytest.raises(ValueError, match="spatial_seconds is"):
        BandGRU(dim=32, blocks=1, spatial_seconds=seconds)


def test_the_default_models_have_it():
    for name in ("band-gru", "band-gru-files"):
        assert load_recipe(find_recipe(name)).model["spatial_seconds"] == 2.0

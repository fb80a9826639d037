"""The networks: shapes, causality, and the files they are exported to."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors")

from pyvocsep.grid import Grid, rotate  # noqa: E402
from pyvocsep.training.architectures import build  # noqa: E402
from pyvocsep.training.bands import doubling_zones  # noqa: E402
from pyvocsep.training.export import load_model, round_weights, save_model, save_onnx  # noqa: E402
from pyvocsep.training.models import GRU, BandGRU, mid_side  # noqa: E402

NETWORKS = {
    "band-gru": lambda: BandGRU(Grid(8000, 256, 128), 32, blocks=2, zones=[(5, 4), (3, 20), (2, 25)]),
    "gru": lambda: GRU(Grid(8000, 256, 128), hidden=32, layers=2),
}
CAUSAL = list(NETWORKS)
NETWORKS["band-gru that looks ahead"] = lambda: BandGRU(
    Grid(8000, 256, 128),
    32,
    blocks=3,
    zones=[(5, 4), (3, 20), (2, 25)],
    look_ahead={"blocks": [0, 2], "chunk": 4, "context": 3},
)


def network_and_input(name, frames=9, batch=2):
    torch.manual_seed(3)
    network = NETWORKS[name]().eval()
    with torch.no_grad():
        for key, parameter in network.named_parameters():
            if key.startswith(("decoder.weights", "vocals", "accompaniment")):
                parameter.mul_(4)  # masks that vary
    return network, torch.rand(batch, frames, network.grid.bins, 4 if isinstance(network, BandGRU) else 1)


@pytest.mark.parametrize("name", NETWORKS)
def test_masks_have_the_input_s_frames_and_bins_and_lie_in_0_1(name):
    network, magnitudes = network_and_input(name)
    masks, state = network(magnitudes)
    assert masks.shape == (2, 9, 129, network.channels)
    assert state.shape == network.initial_state(2).shape
    assert masks.min() >= 0
    assert masks.max() <= 1
    assert masks.std() > 0.05


@pytest.mark.parametrize("name", CAUSAL)
def test_the_future_does_not_change_past_masks(name):
    network, magnitudes = network_and_input(name)
    changed = magnitudes.clone()
    changed[:, 5:] = torch.rand_like(changed[:, 5:])
    with torch.no_grad():
        before, after = network(magnitudes)[0], network(changed)[0]
    assert torch.equal(before[:, :5], after[:, :5])
    assert not torch.equal(before[:, 5:], after[:, 5:])


@pytest.mark.parametrize("name", CAUSAL)
def test_a_stream_continues_from_its_state(name):
    network, magnitudes = network_and_input(name, batch=1)
    with torch.no_grad():
        whole, last = network(magnitudes)
        first, state = network(magnitudes[:, :4])
        second, end = network(magnitudes[:, 4:], state)
    torch.testing.assert_close(torch.cat([first, second], 1), whole)
    torch.testing.assert_close(end, last)


@pytest.mark.parametrize("name", NETWORKS)
def test_model_file_holds_the_rounded_network_and_what_runs_it(name, tmp_path):
    network, magnitudes = network_and_input(name)
    path = tmp_path / "model.safetensors"
    save_model(network, path, "a name", trained_on="nothing")
    loaded, metadata = load_model(path)
    assert metadata["format"] == "pyvocsep-1"
    assert metadata["architecture"] == name.split()[0]
    assert (metadata["sample_rate"], metadata["n_fft"], metadata["hop"]) == ("8000", "256", "128")
    assert metadata["name"] == "a name"
    assert metadata["trained_on"] == "nothing"
    assert metadata["stems"] == "vocals,accompaniment"
    round_weights(network)
    with torch.no_grad():
        assert torch.equal(loaded(magnitudes)[0], network(magnitudes)[0])


def test_matrices_have_eight_significant_bits_and_vectors_all(tmp_path):
    network, _ = network_and_input("band-gru")
    path = tmp_path / "model.safetensors"
    save_model(network, path, "x")
    with safetensors.safe_open(path, framework="np") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    own = dict(network.named_parameters())
    for key, values in tensors.items():
        exact = own[key].detach().numpy()
        if values.ndim == 1:
            assert np.array_equal(values, exact)
        else:
            assert values.dtype == np.float16
            assert np.array_equal(torch.tensor(values.astype(np.float32)).bfloat16().float().numpy(), values)
            np.testing.assert_allclose(values, exact, rtol=2**-8, atol=2**-25)


def test_weights_that_are_not_finite_are_not_saved(tmp_path):
    network, _ = network_and_input("gru")
    with torch.no_grad():
        network.vocals.weight[0, 0] = 1e6  # beyond float16
    with pytest.raises(ValueError, match=r"vocals\.weight"):
        save_model(network, tmp_path / "model.safetensors", "x")


@pytest.mark.parametrize("frames", [1, 13])
@pytest.mark.parametrize("name", NETWORKS)
def test_onnx_gives_the_same_masks_and_state(name, frames, tmp_path):
    pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    network, magnitudes = network_and_input(name, frames, batch=1)
    path = tmp_path / "model.onnx"
    save_onnx(network, path)
    session = onnxruntime.InferenceSession(str(path))
    state = 0.3 * torch.randn_like(network.initial_state())
    masks, last = session.run(None, {"magnitudes": magnitudes.numpy(), "state": state.numpy()})
    with torch.no_grad():
        expected, expected_last = network(magnitudes, state)
    np.testing.assert_allclose(masks, expected.numpy(), atol=1e-4)
    np.testing.assert_allclose(last, expected_last.numpy(), atol=1e-4)


def test_unknown_architecture_is_named():
    with pytest.raises(ValueError, match=r"transformer.*gru"):
        build("transformer", 8000, 256, 128)


def test_default_bands_cover_all_bins():
    for grid in (Grid(44_100, 2048, 1024), Grid(16_000, 1024, 512)):
        network = BandGRU(grid)
        assert network.zones == doubling_zones(grid)
        assert network.bands == 36
        assert network.zones[0] == (12, 4)
    with pytest.raises(ValueError, match=r"36 bands.*129"):
        doubling_zones(Grid(8000, 256, 128))


@pytest.mark.parametrize("zones", [[], [(3, 20)], [(8, 20)], [(0, 4), (129, 1)], [(-1, 4), (133, 1)]])
def test_bands_that_do_not_end_with_the_last_bin_are_refused(zones):
    with pytest.raises(ValueError, match="zones"):
        BandGRU(Grid(8000, 256, 128), 32, zones=zones)


def test_bands_of_a_zone_share_what_they_learn():
    """The same sound a band higher gives the same vector a band higher, but for the bands' own biases."""
    network, magnitudes = network_and_input("band-gru")
    with torch.no_grad():
        network.encoder.bias.zero_()
        moved = torch.roll(magnitudes, 4, 2)
        vectors, higher = network.encoder(magnitudes), network.encoder(moved)
    torch.testing.assert_close(higher[:, :, 1:5], vectors[:, :, :4])


def test_mid_and_side_keep_energies_and_come_back():
    stereo = torch.randn(3, 4, 5, 2, dtype=torch.complex64)
    rotated = mid_side(stereo)
    torch.testing.assert_close(mid_side(rotated), stereo)
    torch.testing.assert_close(rotated.abs().square().sum(), stereo.abs().square().sum())
    centred = stereo[..., :1].expand(-1, -1, -1, 2)
    assert mid_side(centred)[..., 1].abs().max() == 0
    spectra = stereo[0].permute(2, 0, 1).numpy()
    np.testing.assert_allclose(rotate(spectra), rotated[0].permute(2, 0, 1).numpy(), rtol=1e-6)
    assert np.array_equal(rotate(spectra[:1]), spectra[:1])

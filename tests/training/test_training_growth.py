"""Networks grown from smaller ones: what is added changes nothing, and what must change begins near."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from pyvocsep.grid import Grid  # noqa: E402
from pyvocsep.training.growth import warm_start  # noqa: E402
from pyvocsep.training.models import GRU, BandGRU  # noqa: E402

GRID = Grid(8000, 256, 128)
ZONES = [(8, 4), (3, 8), (2, 40)]


def network(seed=0, dim=32, blocks=2, zones=ZONES, grid=GRID, **options):
    torch.manual_seed(seed)
    made = BandGRU(grid, dim, blocks, zones, **options)
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if name.endswith(("norm.weight", "scale")):
                parameter.uniform_(0.5, 1.5)
        for weight in made.decoder.weights:
            weight.mul_(4)  # masks that vary
    return made.eval()


@pytest.mark.parametrize(("dim", "blocks"), [(32, 2), (32, 4), (64, 2), (96, 3)])
def test_blocks_and_width_are_added_without_a_change(dim, blocks):
    old, grown = network(0), network(1, dim, blocks)
    magnitudes = torch.rand(2, 30, GRID.bins, 4)
    with torch.no_grad():
        expected = old(magnitudes)[0]
        assert expected.std() > 0.05
        assert (grown(magnitudes)[0] - expected).abs().max() > 0.05
        said = warm_start(grown, old)
        # Blocks add exactly nothing. In a wider network the norm's 1e-5 weighs dim/32 times as much against
        # the mean square: a change of 1e-5 of the logits, whose weights this test has made large.
        tolerance = 1e-6 if dim == 32 else 5e-5
        torch.testing.assert_close(grown(magnitudes)[0], expected, rtol=0, atol=tolerance)
    assert any("blocks more" in line for line in said) == (blocks > 2)
    assert any("values more" in line for line in said) == (dim > 32)


@pytest.mark.parametrize(("dim", "blocks"), [(32, 3), (64, 3)])
def test_what_was_added_learns(dim, blocks):
    grown = network(1, dim, blocks)
    warm_start(grown, network(0))
    grown.train()(torch.rand(1, 10, GRID.bins, 4))[0].square().sum().backward()
    assert grown.blocks[2].time_scale.grad.abs().min() > 0
    assert grown.encoder.weights[0].grad.abs().sum(1).min() > 0


def test_halved_bands_begin_as_the_whole_ones():
    """Of a spectrum that is flat within each band, halves hear the same and say the same."""
    old, grown = network(0, zones=[(2, 4), (2, 8), (5, 21)]), network(1, zones=[(2, 4), (4, 4), (5, 21)])
    warm_start(grown, old)
    levels = torch.rand(1, 6, 9, 4)
    widths = torch.tensor([4, 4, 8, 8, 21, 21, 21, 21, 21])
    magnitudes = torch.repeat_interleave(levels, widths, 2)[:, :, : GRID.bins]
    with torch.no_grad():
        whole, halves = old.encoder(magnitudes), grown.encoder(magnitudes)
    torch.testing.assert_close(halves[:, :, [0, 1, 2, 4, 6, 7, 8, 9, 10]], whole[:, :, :9])
    torch.testing.assert_close(halves[:, :, [3, 5]], whole[:, :, [2, 3]])
    x = torch.rand(1, 6, 9, 32)
    with torch.no_grad():
        apart = x[:, :, [0, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8]]
        expected, found = old.decoder(x), grown.decoder(apart)
    torch.testing.assert_close(found[..., :8, :], expected[..., :8, :])
    torch.testing.assert_close(found[..., 24:, :], expected[..., 24:, :])
    # Within a band that was halved each half speaks for two bins at once, besides the bins' own biases.
    pairs = (expected - old.decoder.bias)[..., 8:16, :].unflatten(2, (4, 2)).mean(3)
    torch.testing.assert_close((found - grown.decoder.bias)[..., 8:12, :], pairs)


def test_longer_frames_begin_with_what_the_short_ones_saw():
    """Of a spectrum that is flat within each pair of bins, frames twice as long show the same twice."""
    longer = Grid(8000, 512, 256)
    old, grown = network(0), network(1, zones=[(count, 2 * width) for count, width in ZONES], grid=longer)
    with torch.no_grad():
        old.decoder.bias.copy_(old.decoder.bias[:1].expand_as(old.decoder.bias))
    said = warm_start(grown, old)
    assert any("512 samples every 256" in line for line in said)
    magnitudes = torch.rand(2, 30, GRID.bins, 4)
    magnitudes[:, :, -1] = 0  # half of the last pair lies above the highest frequency
    with torch.no_grad():
        masks = old(magnitudes)[0]
        found = grown(magnitudes.repeat_interleave(2, 2)[:, :, : longer.bins])[0]
    assert masks.std() > 0.05
    expected = masks.repeat_interleave(2, 2)[:, :, : longer.bins]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_biases_keep_their_frequencies_in_longer_frames():
    old = network(0)
    grown = network(1, zones=[(count, 2 * width) for count, width in ZONES], grid=Grid(8000, 512, 256))
    warm_start(grown, old)
    assert torch.equal(grown.decoder.bias[::2], old.decoder.bias)


def test_a_level_begins_with_what_the_network_saw_at_a_typical_one():
    old, grown = network(0), network(1, level_seconds=4.0)
    said = warm_start(grown, old)
    assert any("level" in line for line in said)
    steady = torch.rand(1, 1, GRID.bins, 4).expand(1, 40, -1, -1)
    steady = steady * (10 ** (-22 / 20) / steady[..., :2].square().sum((2, 3)).sqrt()[..., None, None])
    with torch.no_grad():
        seen, _ = grown.level(steady)
        torch.testing.assert_close(grown(seen)[0], old(steady)[0], rtol=0, atol=1e-5)
    with pytest.raises(ValueError, match="level_seconds"):
        warm_start(network(2), grown)


def test_what_cannot_be_grown_is_said():
    with pytest.raises(ValueError, match="fewer: 32 and 1"):
        warm_start(network(1, blocks=1), network(0))
    with pytest.raises(ValueError, match="band-gru on Grid"):
        warm_start(GRU(GRID, 32, 1), network(0))
    with pytest.raises(ValueError, match="sample_rate=16000"):
        warm_start(network(1, grid=Grid(16000, 256, 128)), network(0))
    with pytest.raises(ValueError, match=r"gru.weight_ih_l0.*\(96, 129\) in these weights and \(192, 129\)"):
        warm_start(GRU(GRID, 64, 1), GRU(GRID, 32, 1))
    with pytest.raises(ValueError, match=r"gru.weight_ih_l1.*None in these weights"):
        warm_start(GRU(GRID, 32, 2), GRU(GRID, 32, 1))

"""The mean of trainings."""

import pytest

torch = pytest.importorskip("torch")

from pyvocsep.training.averaging import average  # noqa: E402
from pyvocsep.training.models import GRU, BandGRU  # noqa: E402


def network(seed, **options):
    torch.manual_seed(seed)
    return BandGRU(**{"dim": 32, "blocks": 1} | options)


def test_every_weight_is_the_mean():
    networks = [network(seed) for seed in range(3)]
    before = [[value.clone() for value in each.state_dict().values()] for each in networks]
    average(networks[0], networks[1:])
    for found, *values in zip(networks[0].state_dict().values(), *before, strict=True):
        torch.testing.assert_close(found, sum(values) / 3)
    for each, old in zip(networks[1:], before[1:], strict=True):
        assert all(map(torch.equal, each.state_dict().values(), old))


def test_a_share_of_its_own():
    own, *others = (network(seed) for seed in range(3))
    before = [[value.clone() for value in each.state_dict().values()] for each in (own, *others)]
    average(own, others, share=0.5)
    for found, first, second, third in zip(own.state_dict().values(), *before, strict=True):
        torch.testing.assert_close(found, first / 2 + second / 4 + third / 4)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_is_a_part(share):
    with pytest.raises(ValueError, match=f"{share}.*between 0 and 1"):
        average(network(0), [network(1)], share)


def test_alone_it_stays_as_it_is():
    alone, same = network(0), network(0)
    average(alone, [])
    assert all(map(torch.equal, alone.parameters(), same.parameters()))


@pytest.mark.parametrize(
    "other", [network(1, dim=64), network(1, blocks=2), network(1, level_seconds=4.0), GRU(hidden=8)]
)
def test_another_network_is_refused(other):
    with pytest.raises(ValueError, match=r"trainings of one recipe|in another"):
        average(network(0), [other])

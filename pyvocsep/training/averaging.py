"""The mean of several trainings' weights, which is often better than each of them.

It needs trainings that began with the same weights: then their ends lie in one valley of the loss, and what
each of them learnt by heart averages out (Wortsman et al., "Model soups", 2022).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from .models import MaskEstimator


@torch.no_grad()
def average(model: MaskEstimator, others: Sequence[MaskEstimator], share: float | None = None) -> None:
    """Give ``model`` the mean of its weights and those of the others, in place.

    ``share`` in [0, 1] is what the mean has of its own weights, and the others share the rest equally; None
    gives all the same. ValueError if one of them is another network.
    """
    if share is None:
        share = 1 / (1 + len(others))
    if not 0 <= share <= 1:
        raise ValueError(f"the share of a network's own weights is {share}; it must lie between 0 and 1")
    if not others:
        return
    sums = {key: share * value.double() for key, value in model.state_dict().items()}
    for other in others:
        weights = other.state_dict()
        if other.metadata() != model.metadata() or weights.keys() != sums.keys():
            raise ValueError("weights of different networks have no mean: give trainings of one recipe")
        for key, value in weights.items():
            if value.shape != sums[key].shape:
                raise ValueError(
                    f"{key} has {list(value.shape)} values in one and {list(sums[key].shape)} in another"
                )
            sums[key] += (1 - share) / len(others) * value.double()
    model.load_state_dict({key: value.float() for key, value in sums.items()})

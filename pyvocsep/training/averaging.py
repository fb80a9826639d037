"""The mean of several trainings' weights, which is often better than each of them.

It needs trainings that began with the same weights: then their ends lie in one valley of the loss, and what
each of them learnt by heart averages out (Wortsman et al., "Model soups", 2022).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from .models import MaskEstimator


@torch.no_grad()
def average(model: MaskEstimator, others: Sequence[MaskEstimator]) -> None:
    """Give ``model`` the mean of its weights and those of the others, in place.

    ValueError if one of them is another network.
    """
    sums = {key: value.double() for key, value in model.state_dict().items()}
    for other in others:
        weights = other.state_dict()
        if other.metadata() != model.metadata() or weights.keys() != sums.keys():
            raise ValueError("weights of different networks have no mean: give trainings of one recipe")
        for key, value in weights.items():
            if value.shape != sums[key].shape:
                raise ValueError(
                    f"{key} has {list(value.shape)} values in one and {list(sums[key].shape)} in another"
                )
            sums[key] += value.double()
    count = 1 + len(others)
    model.load_state_dict({key: (value / count).float() for key, value in sums.items()})

"""The objective: what it says of known masks, and the kernel against PyTorch's own gradients."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from pyvocsep.training import kernels  # noqa: E402
from pyvocsep.training.loss import separation_loss  # noqa: E402

needs_kernel = pytest.mark.skipif(kernels.find() is None, reason="the kernels of training are not built")


def example(batch: int, frames: int, bins: int, channels: int) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(bins)
    shape = (batch, frames, bins, channels)
    vocals, accompaniment = (
        torch.randn(shape, dtype=torch.complex64, generator=generator) * level for level in (0.01, 0.03)
    )
    vocals[:, : frames // 3] = 0  # a pause
    accompaniment[0] = 0  # a voice alone
    masks = torch.rand(shape, generator=generator)
    masks[..., : bins // 8, :] = 0
    masks[..., -bins // 8 :, :] = 1
    return masks, vocals, accompaniment


@needs_kernel
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    ("bins", "channels", "detail"), [(1025, 2, 1.0), (513, 1, 0.3), (37, 2, 1.0), (5, 1, 0.0)]
)
def test_kernel_equals_torch(
    monkeypatch: pytest.MonkeyPatch, bins: int, channels: int, detail: float, threads: int
) -> None:
    masks, vocals, accompaniment = example(3, 9, bins, channels)
    limit = torch.tensor([bins, bins // 2, bins + 10])
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    results = []
    try:
        for kernel in (kernels.find(), None):
            monkeypatch.setattr(kernels, "find", lambda kernel=kernel: kernel)
            ours = masks.clone().requires_grad_()
            loss = separation_loss(ours, vocals, accompaniment, limit, detail)
            (loss * 3).backward()
            results.append((loss.detach(), ours.grad))
    finally:
        torch.set_num_threads(before)
    (loss, grad), (expected, expected_grad) = results
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(grad, expected_grad, rtol=1e-4, atol=float(expected_grad.abs().max()) * 1e-5)
    assert grad[1, :, bins // 2 :].abs().max() == 0, "what does not count has a slope"


def test_detail_weighs_the_quiet_bins() -> None:
    """Bins 40 dB below the rest hardly count in the energy, but in the compressed magnitudes."""
    masks, vocals, accompaniment = example(2, 6, 20, 2)
    limit = torch.tensor([20, 20])
    vocals[..., 10:, :] *= 0.01
    accompaniment[..., 10:, :] *= 0.01
    wrong = masks.clone()
    wrong[..., 10:, :] = 1 - wrong[..., 10:, :]

    def change(detail: float) -> float:
        losses = [separation_loss(m, vocals, accompaniment, limit, detail) for m in (masks, wrong)]
        return abs(float(losses[1] - losses[0]))

    assert change(0.0) < 1e-2
    assert change(1.0) > 5 * change(0.0)
    assert change(0.5) < change(1.0)


def test_the_ideal_mask_is_better_than_none() -> None:
    masks, vocals, accompaniment = example(2, 6, 20, 2)
    limit = torch.tensor([20, 20])
    ideal = vocals.abs() ** 2 / (vocals.abs() ** 2 + accompaniment.abs() ** 2 + 1e-12)
    losses = [
        float(separation_loss(m, vocals, accompaniment, limit))
        for m in (ideal, torch.full_like(masks, 0.5), masks)
    ]
    assert losses[0] < losses[1] < losses[2]

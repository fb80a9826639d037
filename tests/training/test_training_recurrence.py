"""The recurrent kernel against nn.GRU: values and every gradient."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from pyvocsep.training import kernels, recurrence  # noqa: E402

needs_kernel = pytest.mark.skipif(kernels.find() is None, reason="the recurrent kernel is not built")

CASES = {
    "time": {"shape": (3, 11, 5, 24), "axis": 1, "hidden": 64},
    "bands": {"shape": (3, 7, 9, 24), "axis": 2, "hidden": 32, "bidirectional": True},
    "an odd number of vectors": {"shape": (2, 5, 7, 24), "axis": 2, "hidden": 48, "bidirectional": True},
    "one vector": {"shape": (2, 5, 7, 24), "axis": 1, "hidden": 16},
    "frames": {"shape": (5, 13, 40), "axis": 1, "hidden": 96, "layers": 3},
    "both ways through time": {
        "shape": (2, 6, 3, 8),
        "axis": 1,
        "hidden": 32,
        "bidirectional": True,
        "layers": 2,
    },
    "one row": {"shape": (1, 17, 8), "axis": 1, "hidden": 32},
    "one step": {"shape": (2, 1, 3, 8), "axis": 1, "hidden": 32, "bidirectional": True},
}


def outputs_and_gradients(gru, x, axis):
    x = x.clone().requires_grad_()
    gru.zero_grad()
    y, state = recurrence.run_gru(gru, x, axis)
    weights = torch.linspace(-1, 1, y.numel()).view_as(y)
    ((y * weights).sum() + state.square().sum()).backward()
    return {
        "y": y.detach(),
        "state": state.detach(),
        "x": x.grad,
        **{name: parameter.grad.clone() for name, parameter in gru.named_parameters()},
    }


@needs_kernel
@pytest.mark.parametrize("name", CASES)
def test_kernel_equals_pytorch(name, monkeypatch):
    case = CASES[name]
    torch.manual_seed(0)
    gru = torch.nn.GRU(
        case["shape"][-1],
        case["hidden"],
        case.get("layers", 1),
        batch_first=True,
        bidirectional=case.get("bidirectional", False),
    )
    x = torch.randn(case["shape"])
    ours = outputs_and_gradients(gru, x, case["axis"])
    monkeypatch.setattr(kernels, "find", lambda: None)
    theirs = outputs_and_gradients(gru, x, case["axis"])
    for key, expected in theirs.items():
        scale = max(1.0, float(expected.abs().max()))
        assert (ours[key] - expected).abs().max() <= 5e-6 * scale, key


@needs_kernel
def test_kernel_serves_every_width_of_band_gru():
    for dim in range(32, 257, 32):  # the GRU along the bands has half as many units each way
        assert dim // 2 % kernels.gru_multiple() == 0


def test_without_kernel_it_is_nn_gru(monkeypatch):
    monkeypatch.setattr(kernels, "find", lambda: None)
    torch.manual_seed(0)
    gru, x = torch.nn.GRU(6, 32, 2, batch_first=True), torch.randn(4, 9, 6)
    y, state = recurrence.run_gru(gru, x, 1)
    expected, expected_state = gru(x)
    torch.testing.assert_close(y, expected)
    torch.testing.assert_close(state, expected_state)


def test_dropout_between_layers_is_the_same_with_and_without_kernel(monkeypatch):
    if kernels.find() is None:
        pytest.skip("the recurrent kernel is not built")
    torch.manual_seed(0)
    gru, x, dropout = torch.nn.GRU(6, 32, 3, batch_first=True), torch.randn(4, 9, 6), torch.nn.Dropout(0.5)
    torch.manual_seed(1)
    ours, _ = recurrence.run_gru(gru, x, 1, dropout=dropout)
    monkeypatch.setattr(kernels, "find", lambda: None)
    torch.manual_seed(1)
    theirs, _ = recurrence.run_gru(gru, x, 1, dropout=dropout)
    torch.testing.assert_close(ours, theirs, atol=2e-6, rtol=1e-5)


def test_a_sequence_continues_from_its_state():
    torch.manual_seed(0)
    gru, x = torch.nn.GRU(6, 32, batch_first=True), torch.randn(2, 10, 3, 6)
    with torch.no_grad():
        whole, last = recurrence.run_gru(gru, x, 1)
        first, state = recurrence.run_gru(gru, x[:, :4], 1)
        second, end = recurrence.run_gru(gru, x[:, 4:], 1, state)
    torch.testing.assert_close(torch.cat([first, second], 1), whole)
    torch.testing.assert_close(end, last)


@needs_kernel
def test_a_second_backward_pass_is_an_error_not_garbage():
    gru, x = torch.nn.GRU(6, 32, batch_first=True), torch.randn(2, 5, 6)
    y, _ = recurrence.run_gru(gru, x, 1)
    y.sum().backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="already differentiated"):
        y.sum().backward()


@pytest.mark.parametrize("with_kernel", [True, False])
def test_rms_norm(with_kernel, monkeypatch):
    if not with_kernel:
        monkeypatch.setattr(kernels, "find", lambda: None)
    torch.manual_seed(0)
    x, weight = torch.randn(5, 7, 64, requires_grad=True), torch.randn(64, requires_grad=True)
    reference_x, reference_weight = (t.detach().double().requires_grad_() for t in (x, weight))
    y = recurrence.rms_norm(x, weight)
    reference = torch.nn.functional.rms_norm(reference_x, (64,), reference_weight, eps=1e-5)
    torch.testing.assert_close(y.double(), reference, atol=1e-5, rtol=1e-5)
    cotangent = torch.randn(y.shape)
    y.backward(cotangent)
    reference.backward(cotangent.double())
    torch.testing.assert_close(x.grad.double(), reference_x.grad, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(weight.grad.double(), reference_weight.grad, atol=1e-5, rtol=1e-5)

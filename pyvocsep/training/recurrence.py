"""GRUs along any axis of a tensor: PyTorch's own, or the C++ kernel of ``csrc/training`` where it is faster.

A GRU step is a small matrix product and some elementwise work; PyTorch pays an operator call for each of
them, and keeps every intermediate for the backward pass. The kernel walks through time once, in registers,
and leaves only the large products (inputs, gradients of the weights) to PyTorch. Values and gradients agree
to float32 rounding.
"""

from __future__ import annotations

import ctypes
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from . import kernels


class _Shape(ctypes.Structure):
    """``pyvocsep_gru_shape`` of csrc/training/recurrence.h."""

    _fields_ = [
        (name, ctypes.c_int64)
        for name in ("outer", "steps", "inner", "hidden", "gates_width", "hidden_width", "reverse", "threads")
    ]


def run_gru(
    gru: nn.GRU, x: Tensor, axis: int, state: Tensor | None = None, dropout: nn.Dropout | None = None
) -> tuple[Tensor, Tensor]:
    """Run ``gru`` along ``axis`` of x (..., features), every other axis counting as independent rows.

    Returns the outputs, shaped like x but for the last axis, and the states after the last step, as
    nn.GRU does: (layers * directions, rows, hidden), rows in the order of the remaining axes. ``state``
    (the same layout) continues a sequence. ``dropout`` acts between layers.
    """
    if state is None and _kernel_serves(gru, x):
        return _run_kernel(gru, x, axis, dropout)
    if dropout is not None and dropout.p > 0 and gru.training and gru.num_layers > 1:
        return _run_layers(gru, x, axis, state, dropout)
    axis %= x.ndim
    order = [a for a in range(x.ndim - 1) if a != axis] + [axis, x.ndim - 1]
    rows = x.permute(order)
    y, last = gru(rows.flatten(0, -3), state)
    return _restore(y, rows.shape, order), last


def _restore(y: Tensor, shape: torch.Size, order: list[int]) -> Tensor:
    """Undo the flattening and the permutation of ``run_gru``, with explicit sizes, as exporters want them."""
    back = [order.index(a) for a in range(len(order))]
    return y.reshape(*shape[:-1], y.shape[-1]).permute(back)


def _kernel_serves(gru: nn.GRU, x: Tensor) -> bool:
    return kernels.serves(x) and gru.hidden_size % kernels.gru_multiple() == 0


def _parameters(gru: nn.GRU, layer: int) -> list[Tensor]:
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    directions = ("", "_reverse") if gru.bidirectional else ("",)
    return [getattr(gru, f"{name}_l{layer}{direction}") for direction in directions for name in names]


def _run_kernel(gru: nn.GRU, x: Tensor, axis: int, dropout: nn.Dropout | None) -> tuple[Tensor, Tensor]:
    states = []
    for layer in range(gru.num_layers):
        if layer > 0 and dropout is not None:
            x = dropout(x)
        x = _GRULayer.apply(x, axis, *_parameters(gru, layer))  # type: ignore[no-untyped-call]
        hidden = gru.hidden_size
        states.append(x.select(axis, -1)[..., :hidden].flatten(0, -2))
        if gru.bidirectional:
            states.append(x.select(axis, 0)[..., hidden:].flatten(0, -2))
    return x, torch.stack(states)


def _run_layers(
    gru: nn.GRU, x: Tensor, axis: int, state: Tensor | None, dropout: nn.Dropout
) -> tuple[Tensor, Tensor]:
    """PyTorch's own, layer by layer, for the dropout between them."""
    axis %= x.ndim
    order = [a for a in range(x.ndim - 1) if a != axis] + [axis, x.ndim - 1]
    shape = x.permute(order).shape
    y = x.permute(order).flatten(0, -3)
    directions = 2 if gru.bidirectional else 1
    states = []
    for layer in range(gru.num_layers):
        if layer > 0:
            y = dropout(y.contiguous())  # in the order of memory that the kernel has
        first = (
            y.new_zeros(directions, y.shape[0], gru.hidden_size)
            if state is None
            else state[layer * directions : (layer + 1) * directions]
        )
        y, last = torch.gru(
            y, first, _parameters(gru, layer), True, 1, 0.0, gru.training, gru.bidirectional, True
        )
        states.append(last)
    return _restore(y, shape, order), torch.cat(states)


class _GRULayer(torch.autograd.Function):
    """One layer, one or two directions, on contiguous (outer, steps, inner, features) views of x."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, axis: int, *parameters: Tensor) -> Tensor:
        x = x.contiguous()
        axis %= x.ndim
        directions = len(parameters) // 4
        hidden = parameters[1].shape[1]
        weight = torch.cat(parameters[0::4])
        gates = nn.functional.linear(x, weight, torch.cat(parameters[2::4]))
        out = x.new_empty(*x.shape[:-1], directions * hidden)
        recurrent = torch.empty_like(out)
        for d in range(directions):
            shape = _shape(x, axis, hidden, directions, d)
            weight_hh, bias_hh = parameters[4 * d + 1].contiguous(), parameters[4 * d + 3]
            kernels.library().pyvocsep_gru_forward(
                ctypes.byref(shape),
                kernels.pointer(weight_hh),
                kernels.pointer(bias_hh),
                kernels.pointer(gates, 3 * hidden * d),
                kernels.pointer(recurrent, hidden * d),
                kernels.pointer(out, hidden * d),
            )
        ctx.axis, ctx.hidden = axis, hidden
        ctx.save_for_backward(x, weight, gates, recurrent, out, *parameters[1::4])
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        if ctx.hidden == 0:
            raise RuntimeError(
                "this GRU was already differentiated; its buffers are gone, run it forward again"
            )
        x, weight, gates, recurrent, out, *weights_hh = ctx.saved_tensors
        axis, hidden, directions = ctx.axis, ctx.hidden, len(weights_hh)
        ctx.hidden = 0
        grad = grad.contiguous()
        for d, weight_hh in enumerate(weights_hh):
            shape = _shape(x, axis, hidden, directions, d)
            weight_hh = weight_hh.contiguous()
            kernels.library().pyvocsep_gru_backward(
                ctypes.byref(shape),
                kernels.pointer(weight_hh),
                kernels.pointer(grad, hidden * d),
                kernels.pointer(out, hidden * d),
                kernels.pointer(gates, 3 * hidden * d),
                kernels.pointer(recurrent, hidden * d),
            )
        flat, flat_n, flat_x = gates.flatten(0, -2), recurrent.flatten(0, -2), x.flatten(0, -2)
        grad_x = (flat @ weight).view_as(x) if ctx.needs_input_grad[0] else None
        grad_weight = flat.t() @ flat_x
        grad_bias, grad_bias_n = flat.sum(0), flat_n.sum(0)
        gradients: list[Tensor] = []
        for d in range(directions):
            low, high = 3 * hidden * d, 3 * hidden * (d + 1)
            own = slice(hidden * d, hidden * (d + 1))
            states = out[..., own]
            grad_weight_hh = torch.cat(
                [
                    _recurrent_product(gates[..., low : low + 2 * hidden], states, axis, reverse=d == 1),
                    _recurrent_product(recurrent[..., own], states, axis, reverse=d == 1),
                ]
            )
            gradients += [
                grad_weight[low:high],
                grad_weight_hh,
                grad_bias[low:high],
                torch.cat([grad_bias[low : low + 2 * hidden], grad_bias_n[own]]),
            ]
        return grad_x, None, *gradients


def _recurrent_product(grad: Tensor, states: Tensor, axis: int, reverse: bool) -> Tensor:
    """The sum over all rows and steps of grad[step] (outer) states[the step before it], as (grad's
    width, hidden).

    In flat order the step before lies ``inner`` rows earlier, so that one large product on shifted
    views does it without a copy; where a sequence begins, the row there belongs to its neighbour, and
    is taken out again.
    """
    steps, inner = grad.shape[axis], grad.shape[axis + 1 : -1].numel()
    if steps == 1:
        return grad.new_zeros(grad.shape[-1], states.shape[-1])
    if reverse:
        now, before, first, last = slice(None, -inner), slice(inner, None), -1, 0
        now_outer, before_outer = slice(None, -1), slice(1, None)
    else:
        now, before, first, last = slice(inner, None), slice(None, -inner), 0, -1
        now_outer, before_outer = slice(1, None), slice(None, -1)
    total = grad.flatten(0, -2)[now].t() @ states.flatten(0, -2)[before]
    foreign_grad = grad.flatten(0, axis - 1).select(1, first)[now_outer] if axis else grad[:0]
    foreign_state = states.flatten(0, axis - 1).select(1, last)[before_outer] if axis else states[:0]
    return total - foreign_grad.flatten(0, -2).t() @ foreign_state.flatten(0, -2)


def rms_norm(x: Tensor, weight: Tensor) -> Tensor:
    """x / sqrt(mean(x^2) + 1e-5) * weight over the last axis, in one pass where the kernel serves."""
    if kernels.serves(x) and x.shape[-1] % kernels.gru_multiple() == 0:
        return _RMSNorm.apply(x, weight)  # type: ignore[no-untyped-call,no-any-return]
    return x * (x.square().mean(-1, keepdim=True) + 1e-5).rsqrt() * weight


class RMSNorm(nn.Module):
    """x / sqrt(mean(x^2) + 1e-5) * weight; torch's own has no ONNX form before opset 23."""

    def __init__(self, dim: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        return rms_norm(x, self.weight)


class _RMSNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        x = x.contiguous()
        y, inverse = torch.empty_like(x), x.new_empty(x.shape[:-1])
        rows, width = ctypes.c_int64(inverse.numel()), ctypes.c_int64(x.shape[-1])
        kernels.library().pyvocsep_norm_forward(
            rows,
            width,
            kernels.pointer(x),
            kernels.pointer(weight),
            kernels.pointer(y),
            kernels.pointer(inverse),
        )
        ctx.save_for_backward(x, weight, inverse)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        x, weight, inverse = ctx.saved_tensors
        grad = grad.contiguous()
        grad_x, grad_weight = torch.empty_like(x), torch.zeros_like(weight)
        rows, width = ctypes.c_int64(inverse.numel()), ctypes.c_int64(x.shape[-1])
        kernels.library().pyvocsep_norm_backward(
            rows, width, *map(kernels.pointer, (x, weight, inverse, grad, grad_x, grad_weight))
        )
        return grad_x, grad_weight


def _shape(x: Tensor, axis: int, hidden: int, directions: int, direction: int) -> _Shape:
    return _Shape(
        x.shape[:axis].numel(),
        x.shape[axis],
        x.shape[axis + 1 : -1].numel(),
        hidden,
        3 * hidden * directions,
        hidden * directions,
        direction,
        torch.get_num_threads(),
    )

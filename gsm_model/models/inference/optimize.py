"""A copy of a recogniser for inference alone, as fast as it gets: BatchNorms and interleaves
folded, channels-last, in a chosen precision.

What a `Recognizer` can show of itself the copy can show: gates, features, routes and gradients by
the input, all in the network's own units. What it lacks is what training needs.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from typing import Literal, Protocol, get_args, runtime_checkable

import torch
from torch import Tensor, nn

from gsm_model.models.backbones.inception import InceptionBackbone, average_pool_same
from gsm_model.models.inference.folded_conv import (
    AveragedConv,
    FoldedConv,
    can_be_undone,
    fold_pairs,
    scale_and_shift,
)
from gsm_model.models.probe import Probe
from gsm_model.models.recognizer import Recognizer
from gsm_model.models.slots import Backbone, Host
from gsm_model.models.temporal import TemporalModule

Precision = Literal["float32", "bfloat16", "float16"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
_log = logging.getLogger(__name__)


def optimize(
    model: Recognizer, precision: Precision = "float32", compiled: bool = False
) -> Recognizer:
    """An inference-only copy of ``model`` on its device; ``model`` is left as it is.

    In float32 its logits are those of ``model`` to 1e-4 of the largest. In half precision the
    convolutions run in ``precision``, gates and classifier in float32. With ``compiled`` passes
    that nobody looks into go through `torch.compile`; where that fails, the copy says so in the
    log, once, and goes on without. A copy is not copied again: what is optimised comes back as it
    is in its own precision.

    Raises:
        ValueError: for an unknown precision, a model in training mode, or a copy asked for another
            precision.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"unknown precision {precision!r}; there are {', '.join(PRECISIONS)}")
    if model.training:
        raise ValueError("only a model in evaluation mode can be optimised; call eval() first")
    if model.precision is not None:
        if model.precision != precision:
            raise ValueError(
                f"this model is optimised in {model.precision} already; optimise the original in"
                f" {precision}"
            )
        return model
    fast = fold(model).float()
    _cast(fast.base_model, getattr(torch, precision))
    fast.precision = precision
    _pack(fast)
    if compiled:
        compiled_pass = _Compiled(fast.base_model)
        fast.base_model.forward = compiled_pass  # type: ignore[method-assign]  # in its place
    return fast


def fold(model: Recognizer) -> Recognizer:
    """A copy of ``model`` without its BatchNorms and interleaves, channels-last, in the precision
    of ``model``.
    """
    folded = copy.deepcopy(model).requires_grad_(False)
    for module in list(folded.modules()):
        if isinstance(module, Host):
            _fold_host(module)
            if isinstance(module, InceptionBackbone):
                _average_last(module)
        elif isinstance(module, nn.Sequential):
            fold_pairs(module)
    return folded.channels_last()


def _fold_host(host: Host) -> None:
    """Fold each convolution of ``host`` with its BatchNorm, and the temporal module between them or
    in its place, where that can be undone for a look.
    """
    watched = {site.conv for site in host.sites()} if isinstance(host, Backbone) else set()
    watched |= {getattr(host, "last_conv", "")}
    for conv, layer in list(host.named_children()):
        if not isinstance(layer, nn.Conv2d | TemporalModule):
            continue
        norm = getattr(host, host.norm_name(conv), None)
        if not isinstance(norm, nn.BatchNorm2d):
            continue
        scale, shift = scale_and_shift(norm)
        between = host.module_after(conv)
        looked_at = between or conv in watched or isinstance(layer, TemporalModule)
        if looked_at and not can_be_undone(scale):
            continue
        if isinstance(layer, TemporalModule) or between:
            name = between or conv
            module = getattr(host, name).absorbed(norm)
            if module is None:
                continue
            setattr(host, name, module)
            wanted = module.entering
            if isinstance(layer, nn.Conv2d) and wanted is not None:
                setattr(host, conv, FoldedConv(layer, wanted.scale, wanted.shift, wanted.order))
        else:
            setattr(host, conv, FoldedConv(layer, scale, shift))
        setattr(host, host.norm_name(conv), nn.Identity())


def _average_last(backbone: InceptionBackbone) -> None:
    """Let each branch that averages and then convolves do it the other way round."""
    for branches in backbone.blocks.values():
        for branch in branches:
            if branch[0] is average_pool_same and isinstance(branch[1], str):
                conv = backbone.conv_name(branch[1])
                folded = getattr(backbone, conv)
                if isinstance(folded, FoldedConv):
                    setattr(backbone, conv, AveragedConv(folded))
                    del branch[0]


@runtime_checkable
class _KeepsPrecision(Protocol):
    """A module that says itself what of it stays in float32."""

    def at_precision(self, dtype: torch.dtype) -> None: ...


def _cast(module: nn.Module, dtype: torch.dtype) -> None:
    """Everything in ``dtype``, but for modules that say by ``at_precision`` what stays float32."""
    if isinstance(module, _KeepsPrecision):
        module.at_precision(dtype)
        return
    for tensor in (*module.parameters(recurse=False), *module.buffers(recurse=False)):
        if tensor.is_floating_point():
            tensor.data = tensor.data.to(dtype)
    for child in module.children():
        _cast(child, dtype)


def _pack(model: Recognizer) -> None:
    """Lay the weights out for clips as the model was trained on, by one pass that sees the
    shapes.
    """
    device = next(model.parameters()).device
    if device.type != "cpu":
        return
    shapes: dict[FoldedConv, tuple[int, ...]] = {}

    def see(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if isinstance(module, FoldedConv):
            shapes[module] = tuple(inputs[0].shape)

    hooks = [
        module.register_forward_pre_hook(see)
        for module in model.modules()
        if isinstance(module, FoldedConv)
    ]
    size, a = model.input.size, model.architecture
    try:
        with torch.inference_mode():
            model(torch.zeros(1, a.num_segments, a.modality.planes, size, size))
    finally:
        for hook in hooks:
            hook.remove()
    for module, shape in shapes.items():
        module.pack(shape)


class _Compiled:
    """A backbone's forward through `torch.compile` where nobody looks into it, with a way back."""

    def __init__(self, base_model: nn.Module) -> None:
        self._plain = base_model.forward
        for module in base_model.modules():
            if isinstance(module, FoldedConv):
                module.packed = None  # the compiler lays weights out itself
        self._compiled: Callable[[Tensor, Probe], Tensor] | None = torch.compile(
            self._plain, dynamic=False
        )

    def __deepcopy__(self, memo: dict) -> object:
        return copy.deepcopy(self._plain, memo)

    def __call__(self, x: Tensor, probe: Probe) -> Tensor:
        if self._compiled is None or not probe.is_bare or torch.is_grad_enabled():
            return self._plain(x, probe)
        try:
            return self._compiled(x, probe)
        except Exception as error:  # compilers fail in many ways; none may cost the answer
            _log.warning(
                "torch.compile failed (%s); going on without it",
                str(error).strip().splitlines()[0] if str(error) else error,
            )
            self._compiled = None
            return self._plain(x, probe)

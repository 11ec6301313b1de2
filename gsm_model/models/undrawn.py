"""Networks whose weights are about to be read from a file: to draw them first is for nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor
from torch.nn import init
from torch.overrides import TorchFunctionMode

_DRAWS = frozenset(
    (
        init.kaiming_normal_,
        init.kaiming_uniform_,
        init.normal_,
        init.trunc_normal_,
        init.uniform_,
    )
)
_FILLS = frozenset((Tensor.normal_, Tensor.uniform_))


class Undrawn(TorchFunctionMode):
    """``with Undrawn(): …``: weights stay as they are where they would be drawn at random, or
    become the mean or lower end of what is drawn where PyTorch draws again what is out of bounds.

    Half of the time a network takes to build is spent on that; and to draw on the device *meta*,
    PyTorch imports its compiler, which takes seconds.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        named = kwargs or {}
        if func in _DRAWS:
            return args[0] if args else named["tensor"]
        if func in _FILLS:
            tensor = args[0]
            names = ("mean", "from")
            value = args[1] if len(args) > 1 else next((named[n] for n in names if n in named), 0.0)
            return tensor if tensor.is_meta else tensor.fill_(value)
        return func(*args, **named)

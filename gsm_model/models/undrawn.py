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
        Tensor.normal_,
        Tensor.uniform_,
    )
)


class Undrawn(TorchFunctionMode):
    """``with Undrawn(): …``: weights stay as they are where they would be drawn at random.

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
        return func(*args, **named)

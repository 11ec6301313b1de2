"""Forward passes that survive a full device: in smaller batches, at last on the CPU, and saying
so.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from gsm_model.errors import MemoryFullError
from gsm_model.models.recognizer import Recognizer

# PyTorch's own error on CUDA, and what MPS and the CPU's allocator say in a RuntimeError.
_SIGNS = ("out of memory", "can't allocate memory", "not enough memory")


def within_memory(
    model: Recognizer, clips: Tensor, score: Callable[[Tensor], Tensor] | None = None
) -> tuple[Tensor, str]:
    """``score(clips)``, by default the frame logits (N, T, K), and what had to be done for want of
    memory (empty: nothing).

    ``clips`` (N, T, 3, S, S) may lie anywhere; they go to the model's device in batches of all, a
    half, a quarter …, and where one clip alone does not fit, the model goes to the CPU for this
    pass. Whoever calls has the device's turn.

    Raises:
        MemoryFullError: if memory does not suffice on the CPU either.
        RuntimeError: any other error of the pass.
    """
    score = score or model.frame_logits
    size = len(clips)
    while True:
        try:
            parts = [score(_to(part, model)) for part in clips.split(size)]
            note = (
                ""
                if size >= len(clips)
                else f"{_device(model).type.upper()} memory was full: run {size} at a time"
            )
            return torch.cat(parts), note
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
        # Outside of the handler, whose traceback would hold on to the pass's tensors.
        release_memory()
        if size > 1:
            size = (size + 1) // 2
        elif _device(model).type == "cpu":
            raise MemoryFullError(
                "not enough memory for one clip on the CPU; close other programs or take fewer"
                " frames"
            )
        else:
            return _on_cpu(model, clips, score)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that a device's memory is full, or this process's."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or any(
        sign in str(error).lower() for sign in _SIGNS
    )


def release_memory() -> None:
    """Give memory that PyTorch keeps for later back to the device."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()


def _on_cpu(
    model: Recognizer, clips: Tensor, score: Callable[[Tensor], Tensor]
) -> tuple[Tensor, str]:
    """The same modules on the CPU, so that whoever looks into this pass sees it; then back, if
    there is room.
    """
    device = _device(model)
    model.to("cpu")
    try:
        return (
            torch.cat([score(clip.cpu()) for clip in clips.split(1)]),
            f"{device.type.upper()} memory was full: run on the CPU",
        )
    finally:
        try:
            model.to(device)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            model.to("cpu")


def _to(clips: Tensor, model: Recognizer) -> Tensor:
    """``clips`` on the model's device; to a GPU by way of pinned memory, so that the copy does not
    hold up the CPU.
    """
    device = _device(model)
    if device.type == "cuda" and clips.device.type == "cpu":
        return clips.pin_memory().to(device, non_blocking=True)
    return clips.to(device)


def _device(model: Recognizer) -> torch.device:
    return next(model.parameters()).device

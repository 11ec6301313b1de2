"""An independent TSN and TSM: torchvision's ResNet with a plain shift written out."""

from __future__ import annotations

import torch
from torch import Tensor

from tests.reference_packages import reference_package


def torchvision_resnet(depth: int, num_classes: int):
    """torchvision's ResNet with random weights and BatchNorm statistics, so that nothing
    cancels.
    """
    torch.manual_seed(depth)
    resnet = getattr(reference_package("torchvision.models"), f"resnet{depth}")(
        num_classes=num_classes
    ).eval()
    for module in resnet.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.05)
            module.running_var.uniform_(0.8, 1.2)
    return resnet


def _shift(x: Tensor, t: int) -> Tensor:
    frames = list(x.view(-1, t, *x.shape[1:]).unbind(1))
    fold = x.shape[1] // 8
    out = []
    for index, frame in enumerate(frames):
        following = (
            frames[index + 1][:, :fold] if index + 1 < t else torch.zeros_like(frame[:, :fold])
        )
        preceding = (
            frames[index - 1][:, fold : 2 * fold] if index else torch.zeros_like(frame[:, :fold])
        )
        out.append(torch.cat([following, preceding, frame[:, 2 * fold :]], 1))
    return torch.stack(out, 1).flatten(0, 1)


def reference_frame_logits(resnet, clip: Tensor, shift_every: int | None) -> Tensor:
    """``(N, T, K)``; ``shift_every``: shift before ``conv1`` of every N-th block of a stage,
    ``None`` for none.
    """
    n, t = clip.shape[:2]
    handles = []
    if shift_every is not None:
        for stage in (resnet.layer1, resnet.layer2, resnet.layer3, resnet.layer4):
            for block in list(stage)[::shift_every]:
                handles.append(
                    block.conv1.register_forward_pre_hook(
                        lambda module, inputs: (_shift(inputs[0], t),)
                    )
                )
    try:
        return resnet(clip.flatten(0, 1)).view(n, t, -1)
    finally:
        for handle in handles:
            handle.remove()

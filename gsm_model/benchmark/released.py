"""The release's formulation of a gate-shift network, kept as the reference that ours is measured
and tested against.
"""

from __future__ import annotations

import copy
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsm_model.models.backbones.inception import InceptionBackbone, max_pool_half
from gsm_model.models.probe import Probe
from gsm_model.models.recognizer import Recognizer
from gsm_model.models.systems.gsm import GateShiftModule
from gsm_model.models.temporal import TemporalModule


class ReleasedGateShift(TemporalModule):
    """Steps 1 to 5 of the module as the authors' release takes them: `Conv3d` in two groups, shifts
    by concatenation with zeros, permutes that copy. ``(N, T, C, H, W)`` → the same shape, equal to
    `GateShiftModule`."""

    def __init__(self, module: GateShiftModule) -> None:
        super().__init__()
        self.conv3D, self.bn = module.conv3D, nn.BatchNorm3d(module.channels)
        self.bn.load_state_dict(module.bn.state_dict())

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        t, c, h, w = x.shape[1:]
        clips = x.permute(0, 2, 1, 3, 4).contiguous()
        gates = torch.tanh(self.conv3D(F.relu(self.bn(clips))))
        halves = []
        for half, shift in ((0, _to_the_left), (1, _to_the_right)):
            part = clips[:, half * c // 2 : (half + 1) * c // 2]
            moving = gates[:, half : half + 1] * part
            whole = shift(moving) + (part - moving)
            pairs = whole.view(-1, 2, c // 4, t, h, w).permute(0, 2, 1, 3, 4, 5).contiguous()
            halves.append(pairs.view(-1, c // 2, t, h, w))
        return torch.cat(halves, dim=1).permute(0, 2, 1, 3, 4).contiguous()


def _to_the_left(x: Tensor) -> Tensor:
    return torch.cat((x[:, :, 1:], torch.zeros_like(x[:, :, :1])), dim=2)


def _to_the_right(x: Tensor) -> Tensor:
    return torch.cat((torch.zeros_like(x[:, :, :1]), x[:, :, :-1]), dim=2)


def as_released(model: Recognizer) -> Recognizer:
    """A copy of ``model`` in the release's formulation: its gate-shift modules, PyTorch's own
    pooling, the default memory layout.
    """
    released = copy.deepcopy(model)
    for parent in list(released.modules()):
        for name, module in list(parent.named_children()):
            if isinstance(module, GateShiftModule):
                setattr(parent, name, ReleasedGateShift(module))
    if isinstance(released.base_model, InceptionBackbone):
        _use_plain_pooling(released.base_model)
    for parameter in released.parameters():
        parameter.data = parameter.data.contiguous()
    return released.train(model.training)


def _use_plain_pooling(backbone: InceptionBackbone) -> None:
    plain = partial(F.max_pool2d, kernel_size=3, stride=2, ceil_mode=True)
    backbone.stem = [plain if step is max_pool_half else step for step in backbone.stem]
    for name, branches in backbone.blocks.items():
        backbone.blocks[name] = [
            [plain if step is max_pool_half else step for step in branch] for branch in branches
        ]

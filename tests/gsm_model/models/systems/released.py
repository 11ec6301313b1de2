"""Published networks put together from this package's operators, with weights drawn by rule."""

from __future__ import annotations

import json

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsm_model.models.systems.temporal_conv import by_frame, geometry
from tests.conftest import PARITY, fill

Triple = tuple[int, int, int]


class Released:
    """The weights and outputs of one published network; features are ``(N, T, C, H, W)``.

    A 3D kernel of one tap is a 2D one. Every weight must be used once before `finish`.
    """

    def __init__(self, name: str, eps: float = 1e-5) -> None:
        file = PARITY / "systems" / name
        self.listed = json.loads(file.with_suffix(".json").read_text())["state_dict"]
        self.outputs = np.load(file.with_suffix(".npz"))
        self.eps, self.unused = eps, {k for k in self.listed if "num_batches" not in k}

    def __getitem__(self, key: str) -> Tensor:
        entry = self.listed[key]
        self.unused.discard(key)
        return torch.from_numpy(fill.draw(key, tuple(entry["shape"]), entry["kind"]))

    def conv(self, key: str, stride: int = 1) -> nn.Conv2d:
        """A 2D convolution of that name, without its weights: of its shape, padded by half."""
        shape = self.listed[f"{key}.weight"]["shape"]
        (c_out, c_in), kernel = shape[:2], shape[-2:]
        padding = (kernel[0] // 2, kernel[1] // 2)
        bias = f"{key}.bias" in self.listed
        return nn.Conv2d(c_in, c_out, kernel, stride, padding, bias=bias)

    def into(self, module: nn.Module, **names: str) -> nn.Module:
        """``module`` with its parts filled: part, with ``__`` for a dot → the release's name."""
        for ours, theirs in names.items():
            part = module.get_submodule(ours.replace("__", "."))
            for name, tensor in (*part.named_parameters(), *part.named_buffers()):
                if name != "num_batches_tracked":
                    tensor.data = self[f"{theirs}.{name}"].reshape(tensor.shape)
            if isinstance(part, nn.BatchNorm2d):
                part.eps = self.eps
        return module.eval()

    def plain(self, key: str, x: Tensor, stride: int = 1, step: int = 1, groups: int = 1) -> Tensor:
        """The 2D convolution of that name, of every ``step``-th frame."""
        weight = self[f"{key}.weight"]
        weight = weight.squeeze(2) if weight.ndim == 5 else weight
        bias = self[f"{key}.bias"] if f"{key}.bias" in self.listed else None
        padding = weight.shape[-1] // 2
        return by_frame(
            lambda frames: F.conv2d(frames, weight, bias, stride, padding, groups=groups),
            x[:, ::step],
        )

    def norm(self, key: str, x: Tensor) -> Tensor:
        """The BatchNorm of that name."""
        mean, var, weight, bias = (
            self[f"{key}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
        )
        return by_frame(
            lambda frames: F.batch_norm(frames, mean, var, weight, bias, eps=self.eps), x
        )

    def linear(self, key: str, features: Tensor) -> Tensor:
        weight = self[f"{key}.weight"].flatten(1)
        return F.linear(features, weight, self[f"{key}.bias"])

    def compare(self, name: str, found: Tensor, within: float = 1e-4) -> None:
        """``found`` against the release's, to a share of its largest value; features by their means
        over height and width.
        """
        if found.ndim == 5:
            found = found.mean((0, 3, 4)).T
        expected = self.outputs[name]
        difference = np.abs(found.numpy().reshape(expected.shape) - expected).max()
        assert difference <= within * np.abs(expected).max(), (name, difference)

    def finish(self) -> None:
        assert not self.unused


def max_pool(x: Tensor, kernel: Triple, stride: Triple, padding: Triple = (0, 0, 0)) -> Tensor:
    """A maximum over time and space of ``(N, T, C, H, W)``."""
    return F.max_pool3d(x.transpose(1, 2), kernel, stride, padding).transpose(1, 2)


def conv3d(module: nn.Conv2d, weight: Tensor, x: Tensor, groups: int = 1) -> Tensor:
    """PyTorch's 3D convolution, stride and padding in space those of ``module``: what the operators
    of this package are compared with.
    """
    _, stride, padding = geometry(module)
    out = F.conv3d(
        x.transpose(1, 2),
        weight,
        None,
        (1, *stride),
        (weight.shape[2] // 2, *padding),
        groups=groups,
    )
    return out.transpose(1, 2)


def close(found: Tensor, expected: Tensor, within: float = 1e-6) -> bool:
    """Whether two tensors differ by no more than a share of the largest value."""
    return bool((found - expected).abs().max() <= within * expected.abs().max())

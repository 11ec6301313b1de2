"""Cross-modality start: a network of motion begins with the weights of one of pictures.

Source: TSN (Wang, Xiong, Wang, Qiao, Lin, Tang, Van Gool, ECCV 2016) and its release: the first
convolution's weights are averaged over colours and repeated for every plane, all others are taken
over. They are not divided by the number of planes, so that planes that are all alike give planes/3
times what a grey picture gave.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor


def cross_modality_weights(trained: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> dict:
    """The weights ``trained`` with the first convolution's for the planes that ``wanted`` has
    there: the one kernel that differs from it in its input planes alone.
    """
    return {
        key: _repeated(weights, wanted[key].shape[1])
        if key in wanted and _other_planes(weights, wanted[key])
        else weights
        for key, weights in trained.items()
    }


def _other_planes(trained: Tensor, wanted: Tensor) -> bool:
    a, b = trained.shape, wanted.shape
    return len(a) == len(b) == 4 and a[1] == 3 != b[1] and a[0] == b[0] and a[2:] == b[2:]


def _repeated(weights: Tensor, planes: int) -> Tensor:
    return weights.mean(dim=1, keepdim=True).repeat(1, planes, 1, 1)

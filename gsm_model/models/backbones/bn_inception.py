"""BN-Inception (Ioffe and Szegedy, 2015), with the layer names of the GSM release.

``(N·T, 3, 224, 224)`` → ``(N·T, 1024)``; other multiples of 32 pixels work as well. ``width``
scales every channel count, for small networks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from gsm_model.models.backbones.inception import (
    Branch,
    InceptionBackbone,
    average_pool_same,
    max_pool_half,
    max_pool_same,
)


class BNInception(InceptionBackbone):
    """Ten Inception blocks behind a stem; every convolution has a bias, a BatchNorm and a ReLU.

    Raises:
        ValueError: if ``width`` is no multiple of 1/8.
    """

    temporal_convs = tuple(
        f"inception_{block}"
        for block in (
            "3a_1x1",
            "3b_1x1",
            "3c_3x3_reduce",
            "4a_1x1",
            "4b_1x1",
            "4c_1x1",
            "4d_1x1",
            "4e_3x3_reduce",
            "5a_1x1",
            "5b_1x1",
        )
    )

    def __init__(self, width: float = 1.0) -> None:
        if width <= 0 or width * 8 % 1:
            raise ValueError(
                f"width {width} gives BN-Inception parts of channels; use a multiple of 1/8"
            )
        super().__init__(width)
        self.num_features = round(1024 * width)
        conv = self.add_conv
        self.stem = [
            conv("conv1_7x7_s2", 3, 64, 7, stride=2, padding=3),
            max_pool_half,
            conv("conv2_3x3_reduce", 64, 64, 1),
            conv("conv2_3x3", 64, 192, 3, padding=1),
            max_pool_half,
        ]
        block, reduce = self._block, self._reduction_block
        self.blocks = {
            "inception_3a": block(
                "inception_3a", 192, single=64, triple=(64, 64), double=(64, 96), pooled=32
            ),
            "inception_3b": block(
                "inception_3b", 256, single=64, triple=(64, 96), double=(64, 96), pooled=64
            ),
            "inception_3c": reduce("inception_3c", 320, triple=(128, 160), double=(64, 96)),
            "inception_4a": block(
                "inception_4a", 576, single=224, triple=(64, 96), double=(96, 128), pooled=128
            ),
            "inception_4b": block(
                "inception_4b", 576, single=192, triple=(96, 128), double=(96, 128), pooled=128
            ),
            "inception_4c": block(
                "inception_4c", 576, single=160, triple=(128, 160), double=(128, 160), pooled=128
            ),
            "inception_4d": block(
                "inception_4d", 608, single=96, triple=(128, 192), double=(160, 192), pooled=128
            ),
            "inception_4e": reduce("inception_4e", 608, triple=(128, 192), double=(192, 256)),
            "inception_5a": block(
                "inception_5a", 1056, single=352, triple=(192, 320), double=(160, 224), pooled=128
            ),
            "inception_5b": block(
                "inception_5b",
                1024,
                single=352,
                triple=(192, 320),
                double=(192, 224),
                pooled=128,
                pool=max_pool_same,
            ),
        }

    def norm_name(self, conv: str) -> str:
        return f"{conv}_bn"

    def _block(
        self,
        name: str,
        c_in: int,
        single: int,
        triple: tuple[int, int],
        double: tuple[int, int],
        pooled: int,
        pool: Callable[[Tensor], Tensor] = average_pool_same,
    ) -> Sequence[Branch]:
        """1×1 | 1×1, 3×3 | 1×1, 3×3, 3×3 | pool, 1×1; each pair is (reduced, final) channels."""
        conv = self.add_conv
        return [
            [conv(f"{name}_1x1", c_in, single, 1)],
            [
                conv(f"{name}_3x3_reduce", c_in, triple[0], 1),
                conv(f"{name}_3x3", triple[0], triple[1], 3, padding=1),
            ],
            [
                conv(f"{name}_double_3x3_reduce", c_in, double[0], 1),
                conv(f"{name}_double_3x3_1", double[0], double[1], 3, padding=1),
                conv(f"{name}_double_3x3_2", double[1], double[1], 3, padding=1),
            ],
            [pool, conv(f"{name}_pool_proj", c_in, pooled, 1)],
        ]

    def _reduction_block(
        self, name: str, c_in: int, triple: tuple[int, int], double: tuple[int, int]
    ) -> Sequence[Branch]:
        """Halves height and width: 1×1, 3×3/2 | 1×1, 3×3, 3×3/2 | max pool."""
        conv = self.add_conv
        return [
            [
                conv(f"{name}_3x3_reduce", c_in, triple[0], 1),
                conv(f"{name}_3x3", triple[0], triple[1], 3, stride=2, padding=1),
            ],
            [
                conv(f"{name}_double_3x3_reduce", c_in, double[0], 1),
                conv(f"{name}_double_3x3_1", double[0], double[1], 3, padding=1),
                conv(f"{name}_double_3x3_2", double[1], double[1], 3, stride=2, padding=1),
            ],
            [max_pool_half],
        ]

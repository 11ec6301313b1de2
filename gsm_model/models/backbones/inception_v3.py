"""Inception-V3 (Szegedy et al., 2016), with the layer names of the GSM release.

``(N·T, 3, 229, 229)`` → ``(N·T, 2048)``. Its branches meet only at sides of 32·k + 5 to 32·k + 12
pixels (101 to 108, …, 229 to 236, 293 to 300), because the release pads its strided pooling and not
its strided convolutions.
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


class InceptionV3(InceptionBackbone):
    """Eleven blocks, ``mixed`` to ``mixed_10``; the release puts no temporal module in
    ``mixed_6``.
    """

    num_features = 2048
    temporal_convs = (
        "mixed_conv",
        "mixed_1_conv",
        "mixed_2_conv",
        "mixed_3_tower_conv",
        "mixed_4_conv",
        "mixed_5_conv",
        "mixed_7_conv",
        "mixed_8_tower_conv",
        "mixed_9_conv",
        "mixed_10_conv",
    )

    def __init__(self) -> None:
        super().__init__()
        conv = self.add_conv
        self.stem = [
            conv("conv", 3, 32, 3, stride=2),
            conv("conv_1", 32, 32, 3),
            conv("conv_2", 32, 64, 3, padding=1),
            max_pool_half,
            conv("conv_3", 64, 80, 1),
            conv("conv_4", 80, 192, 3),
            max_pool_half,
        ]
        self.blocks = {
            "mixed": self._block_35("mixed", 192, pooled=32),
            "mixed_1": self._block_35("mixed_1", 256, pooled=64),
            "mixed_2": self._block_35("mixed_2", 288, pooled=64),
            "mixed_3": self._reduction_35("mixed_3", 288),
            "mixed_4": self._block_17("mixed_4", 768, inner=128),
            "mixed_5": self._block_17("mixed_5", 768, inner=160),
            "mixed_6": self._block_17("mixed_6", 768, inner=160),
            "mixed_7": self._block_17("mixed_7", 768, inner=192),
            "mixed_8": self._reduction_17("mixed_8", 768),
            "mixed_9": self._block_8("mixed_9", 1280, pool=average_pool_same),
            "mixed_10": self._block_8("mixed_10", 2048, pool=max_pool_same),
        }

    def conv_name(self, name: str) -> str:
        return f"{name}_Conv2D"

    def norm_name(self, conv: str) -> str:
        return f"{conv.removesuffix('_Conv2D')}_batchnorm"

    def _block_35(self, name: str, c_in: int, pooled: int) -> Sequence[Branch]:
        """The blocks on the finest grid: 1×1 | 1×1, 5×5 | 1×1, 3×3, 3×3 | pool, 1×1."""
        conv = self.add_conv
        return [
            [conv(f"{name}_conv", c_in, 64, 1)],
            [
                conv(f"{name}_tower_conv", c_in, 48, 1),
                conv(f"{name}_tower_conv_1", 48, 64, 5, padding=2),
            ],
            [
                conv(f"{name}_tower_1_conv", c_in, 64, 1),
                conv(f"{name}_tower_1_conv_1", 64, 96, 3, padding=1),
                conv(f"{name}_tower_1_conv_2", 96, 96, 3, padding=1),
            ],
            [average_pool_same, conv(f"{name}_tower_2_conv", c_in, pooled, 1)],
        ]

    def _reduction_35(self, name: str, c_in: int) -> Sequence[Branch]:
        """3×3/2 | 1×1, 3×3, 3×3/2 | max pool."""
        conv = self.add_conv
        return [
            [conv(f"{name}_conv", c_in, 384, 3, stride=2)],
            [
                conv(f"{name}_tower_conv", c_in, 64, 1),
                conv(f"{name}_tower_conv_1", 64, 96, 3, padding=1),
                conv(f"{name}_tower_conv_2", 96, 96, 3, stride=2),
            ],
            [max_pool_half],
        ]

    def _block_17(self, name: str, c_in: int, inner: int) -> Sequence[Branch]:
        """The middle grid, 7×7 convolutions as 7×1 and 1×7: 1×1 | 1×1, 7×7 | 1×1, 7×7, 7×7 | pool,
        1×1.
        """
        conv = self.add_conv

        def tall(name: str, c_out: int) -> str:
            return conv(name, inner, c_out, (7, 1), padding=(3, 0))

        def wide(name: str, c_out: int) -> str:
            return conv(name, inner, c_out, (1, 7), padding=(0, 3))

        return [
            [conv(f"{name}_conv", c_in, 192, 1)],
            [
                conv(f"{name}_tower_conv", c_in, inner, 1),
                tall(f"{name}_tower_conv_1", inner),
                wide(f"{name}_tower_conv_2", 192),
            ],
            [
                conv(f"{name}_tower_1_conv", c_in, inner, 1),
                wide(f"{name}_tower_1_conv_1", inner),
                tall(f"{name}_tower_1_conv_2", inner),
                wide(f"{name}_tower_1_conv_3", inner),
                tall(f"{name}_tower_1_conv_4", 192),
            ],
            [average_pool_same, conv(f"{name}_tower_2_conv", c_in, 192, 1)],
        ]

    def _reduction_17(self, name: str, c_in: int) -> Sequence[Branch]:
        """1×1, 3×3/2 | 1×1, 7×7, 3×3/2 | max pool."""
        conv = self.add_conv
        return [
            [
                conv(f"{name}_tower_conv", c_in, 192, 1),
                conv(f"{name}_tower_conv_1", 192, 320, 3, stride=2),
            ],
            [
                conv(f"{name}_tower_1_conv", c_in, 192, 1),
                conv(f"{name}_tower_1_conv_1", 192, 192, (7, 1), padding=(3, 0)),
                conv(f"{name}_tower_1_conv_2", 192, 192, (1, 7), padding=(0, 3)),
                conv(f"{name}_tower_1_conv_3", 192, 192, 3, stride=2),
            ],
            [max_pool_half],
        ]

    def _block_8(self, name: str, c_in: int, pool: Callable[[Tensor], Tensor]) -> Sequence[Branch]:
        """The coarsest grid; two branches end in a 3×1 and a 1×3 convolution side by side."""
        conv = self.add_conv

        def fork(branch: str) -> tuple[str, str]:
            return (
                conv(f"{branch}_mixed_conv", 384, 384, (3, 1), padding=(1, 0)),
                conv(f"{branch}_mixed_conv_1", 384, 384, (1, 3), padding=(0, 1)),
            )

        return [
            [conv(f"{name}_conv", c_in, 320, 1)],
            [conv(f"{name}_tower_conv", c_in, 384, 1), fork(f"{name}_tower")],
            [
                conv(f"{name}_tower_1_conv", c_in, 448, 1),
                conv(f"{name}_tower_1_conv_1", 448, 384, 3, padding=1),
                fork(f"{name}_tower_1"),
            ],
            [pool, conv(f"{name}_tower_2_conv", c_in, 192, 1)],
        ]

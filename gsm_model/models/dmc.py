"""DMC-Net's generator: from a codec's motion vectors and residuals to a finer cue of motion.

Source: Shou and others, "DMC-Net: Generating Discriminative Motion Cues for Fast Compressed Video
Action Recognition", CVPR 2019; ``EstimatorDenseNetTiny`` of the release facebookresearch/dmc-net
(commit 323d160) with its option ``gen_flow_or_delta 1``: five 3×3 convolutions, each given all
that came before it, make what is added to the vectors.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

CHANNELS = (8, 8, 6, 4, 2)
PLANES = 5  # of a field: two of vectors, three of the residual


class CueGenerator(nn.Module):
    """Vectors and residuals of segments ``(M, 5·L, H, W)``, each field's two vectors before its
    three colours → cues ``(M, 2·L, H, W)`` in the vectors' unit.

    It starts as the vectors themselves.
    """

    def __init__(self) -> None:
        super().__init__()
        planes = PLANES
        self.convs = nn.ModuleList()
        for channels in CHANNELS:
            self.convs.append(nn.Conv2d(planes, channels, 3, padding=1))
            planes += channels
        self.predict = nn.Conv2d(planes, 2, 3, padding=1)
        nn.init.zeros_(self.predict.weight)
        assert self.predict.bias is not None
        nn.init.zeros_(self.predict.bias)

    def forward(self, fields: Tensor) -> Tensor:
        given = fields.unflatten(1, (-1, PLANES))
        x = given.flatten(0, 1)
        for conv in self.convs:
            x = torch.cat([nn.functional.leaky_relu(conv(x), 0.1), x], dim=1)
        cue = self.predict(x).unflatten(0, (len(fields), -1))
        return (cue + given[:, :, :2]).flatten(1, 2)

"""MC3, mixed convolutions: 3×3×3 in the first stage of residual blocks, 2D behind it.

y = W ∗ x as in R3D, in ``layer1`` alone: motion is modelled low in the network. Source: Tran, Wang,
Torresani, Ray, LeCun, Paluri, "A Closer Look at Spatiotemporal Convolutions for Action
Recognition", CVPR 2018, section 3.3, and torchvision's ``mc3_18``, whose stem is 3D too; here it
stays 2D. Starts as the 2D network (centre inflation).
"""

from __future__ import annotations

from gsm_model.models.slots import Backbone
from gsm_model.models.systems.drawing import SPACE_TIME, Branch
from gsm_model.models.systems.r3d import inflate
from gsm_model.models.systems.system import System


def install(backbone: Backbone) -> None:
    """The convolutions of ``layer1`` that look beyond one place are replaced.

    Raises:
        ValueError: if the backbone is no ResNet.
    """
    inflate(backbone, "layer1")


SYSTEM = System(
    name="mc3",
    title="MC3",
    paper=(
        "Tran, Wang, Torresani, Ray, LeCun, Paluri: A Closer Look at Spatiotemporal Convolutions"
        " for Action Recognition. CVPR 2018"
    ),
    install=install,
    marks=r"(^|\.)layer1\.\d+\.conv\d\.inflated\.weight$",
    idea=(
        "Only the first stage of blocks has 3D convolutions, those behind it stay 2D. The thought"
        " is that motion is a matter of early features, and that later layers do not need time. So"
        " the network has hardly more parameters than the 2D one, though half as many multiply-"
        " adds again."
    ),
    drawing=(Branch((SPACE_TIME,)),),
)

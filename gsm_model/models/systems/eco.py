"""ECO-like: 2D frame by frame, 3×3×3 at the top of the network.

y = W ∗ x as in R3D, in the coarser half of the blocks alone. Source: Zolfaghari, Singh, Brox, "ECO:
Efficient Convolutional Network for Online Video Understanding", ECCV 2018, section 3. ECO stacks
the features of BN-Inception behind ``inception_3c`` and continues with the last three stages of a
3D ResNet-18, which stride time. Here the backbone goes on as it is, its ``layer3`` and ``layer4``
(BN-Inception: ``inception_4a`` on; Inception-V3: ``mixed_4`` on) with 3D convolutions, and all T
frames reach the consensus. Starts as the 2D network (centre inflation).
"""

from __future__ import annotations

from gsm_model.models.slots import Backbone
from gsm_model.models.systems.drawing import SPACE_TIME, Branch
from gsm_model.models.systems.r3d import inflate
from gsm_model.models.systems.system import System


def install(backbone: Backbone) -> None:
    """In the blocks on the coarser half of the grids every convolution that looks beyond one place
    is replaced.
    """
    inflate(backbone, r"layer[34]|inception_[45]\w|mixed_([4-9]|10)")


SYSTEM = System(
    name="eco",
    title="ECO-like",
    paper=(
        "Zolfaghari, Singh, Brox: ECO: Efficient Convolutional Network for Online Video"
        " Understanding. ECCV 2018"
    ),
    install=install,
    marks=r"(^|\.)(layer4\.\d+\.conv\d|inception_5b_3x3|mixed_10\w*)\.inflated\.weight$",
    idea=(
        "Frames from the whole video are looked at one by one by 2D convolutions, and their"
        " features together by 3D ones. So relations over a long time are learnt on features of a"
        " higher level, at little cost. Here the 3D part is the backbone's own last two stages;"
        " that of the paper is another network."
    ),
    drawing=(Branch((SPACE_TIME,)),),
)

"""GST-Large: GST in which the spatial and the temporal convolution both see all input channels (β =
1).

Source: Luo, Yuille, "Grouped Spatial-Temporal Aggregation for Efficient Action Recognition", ICCV
2019, section 3, and the authors' release (chenxuluo/GST-video).
"""

from __future__ import annotations

from functools import partial

from gsm_model.models.slots import Backbone
from gsm_model.models.systems.drawing import AROUND, Branch, Link, Step
from gsm_model.models.systems.gst import SYSTEM as GST
from gsm_model.models.systems.gst import GroupedSpatialTemporal
from gsm_model.models.systems.system import System


def install(backbone: Backbone) -> None:
    """The last convolution of each block that looks beyond one place is replaced."""
    for site in backbone.sites():
        site.replace(site.spatial[-1], partial(GroupedSpatialTemporal, beta=1))


SYSTEM = System(
    name="gst_large",
    title="GST-Large",
    paper=GST.paper,
    install=install,
    marks=GST.marks,
    idea=(
        "As in GST, three quarters of the output come from a convolution of each frame and a"
        " quarter from a 3D one. Here both of them see all input channels. It is the larger of the"
        " two that the paper gives."
    ),
    drawing=(Branch((Step("3×3 beside 3×3×3", (Link((0,), (0, 1, 2)), Link(AROUND, (3,)))),)),),
)

"""GST-Large: GST in which the spatial and the temporal convolution both see all input channels (β =
1).

Source: Luo, Yuille, "Grouped Spatial-Temporal Aggregation for Efficient Action Recognition", ICCV
2019, section 3, and the authors' release (chenxuluo/GST-video).
"""

from __future__ import annotations

from functools import partial

from gsm_model.models.slots import Backbone
from gsm_model.models.systems.gst import SYSTEM as GST
from gsm_model.models.systems.gst import GroupedSpatialTemporal
from gsm_model.models.systems.system import System


def install(backbone: Backbone) -> None:
    """The last convolution of each block that looks beyond one place is replaced."""
    for site in backbone.sites():
        site.replace(site.spatial[-1], partial(GroupedSpatialTemporal, beta=1))


SYSTEM = System("gst_large", "GST-Large", GST.paper, install, GST.marks)

"""The names of the methods that make maps."""

from __future__ import annotations

from typing import Literal, get_args

Method = Literal[
    "gradcam",
    "gradcam++",
    "hirescam",
    "layercam",
    "xgradcam",
    "eigencam",
    "scorecam",
    "ablationcam",
]
METHODS: tuple[Method, ...] = get_args(Method)
# These run the network once for every channel of the layer.
SLOW_METHODS: tuple[Method, ...] = ("scorecam", "ablationcam")

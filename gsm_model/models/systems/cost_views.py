"""What both kinds of CoST share: one 2D kernel that looks at three planes of a clip."""

from __future__ import annotations

from torch import Tensor, nn

from gsm_model.models.slots import Backbone
from gsm_model.models.systems.temporal_conv import Pair, geometry
from gsm_model.models.temporal import TemporalModule

# Height and width, time and width, time and height.
VIEWS = ("HW", "TW", "TH")


class SharedKernel(TemporalModule):
    """In the place of a 2D convolution, with its kernel: ``(N, T, C, H, W)`` → ``(N, T, C', H',
    W')``. The kernel keeps its name, so that 2D weights load.

    Raises:
        ValueError: if ``conv`` has no square kernel of odd size, padded by half of it.
    """

    bias: nn.Parameter | None

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        if not is_shareable(conv):
            raise ValueError(
                "CoST needs a square kernel of odd size with a padding of half of it, which can"
                f" look at every plane alike, got {conv.kernel_size} with padding {conv.padding}"
            )
        (size, _), self.stride, (self.middle, _) = geometry(conv)
        self.out_channels, self.size = conv.out_channels, size
        self.weight = nn.Parameter(conv.weight.detach().clone())
        bias = None if conv.bias is None else nn.Parameter(conv.bias.detach().clone())
        self.register_parameter("bias", bias)

    def kernel_reach(self) -> Pair:
        """How far the kernel looks along time, by which of its rows are not zero."""
        used = [row - self.middle for row in range(self.size) if self.weight[:, :, row].any()]
        return max(0, -min(used, default=0)), max(0, max(used, default=0))


def is_shareable(conv: nn.Conv2d) -> bool:
    """Whether the kernel of ``conv`` can look at every plane alike and keep T."""
    (height, width), _, padding = geometry(conv)
    return (
        height == width and height % 2 == 1 and height > 1 and padding == (height // 2, width // 2)
    )


def as_3d(weight: Tensor, views: Tensor) -> Tensor:
    """The sum of ``weight`` (C', C, k, k) in each plane, times ``views`` (3, C'): (C', C, k, k, k)
    over time, height and width.
    """
    size = weight.shape[2]
    middle = size // 2
    height_width, time_width, time_height = views.view(3, -1, 1, 1, 1) * weight
    whole = weight.new_zeros(*weight.shape[:2], size, size, size)
    whole[:, :, middle] += height_width
    whole[:, :, :, middle] += time_width
    whole[:, :, :, :, middle] += time_height
    return whole


def install_shared(backbone: Backbone, build: type[SharedKernel]) -> None:
    """Every convolution of a block that can be shared is replaced.

    Raises:
        ValueError: if there is none.
    """
    found = [
        (site, conv)
        for site in backbone.sites()
        for conv in site.spatial
        if is_shareable(getattr(site.host, conv))
    ]
    if not found:
        raise ValueError("CoST needs convolutions with square kernels; this backbone has none")
    for site, conv in found:
        site.replace(conv, build)

"""Where temporal modules stand in a 2D backbone: sites, and the hosts whose convolutions they join.

A host runs its convolutions by name, each with its BatchNorm. A temporal module can stand in front
of a whole block, in front of a convolution, between it and its BatchNorm, in its place, behind its
BatchNorm and ReLU, beside a residual block, or at the end of a block.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsm_model.models.inference.basis import Basis
from gsm_model.models.probe import Probe
from gsm_model.models.temporal import TemporalModule

STEM_FRAMES = 8
Place = Literal["input", "start", "before_norm", "end"]
BLOCK_INPUT = "input"


def frame_by_frame(stem: Callable[[Tensor], Tensor], x: Tensor, probe: Probe) -> Tensor:
    """``stem(x)`` for layers that see each frame alone, on a CPU a few frames at a time: their
    large features then stay in memory that the process has already, instead of being asked of the
    system anew in every pass. Whole where somebody looks or a gradient is wanted."""
    if (
        len(x) <= STEM_FRAMES
        or x.device.type != "cpu"
        or not probe.is_bare
        or torch.is_grad_enabled()
    ):
        return stem(x)
    return torch.cat([stem(part) for part in x.split(STEM_FRAMES)])


@dataclass(frozen=True)
class Site:
    """One block of a backbone: a residual block, or a block of Inception branches.

    ``conv`` is the convolution behind which a module *before the norm* stands, ``branch`` the first
    one of the same branch, in front of which a module *at the start* stands, ``spatial`` the
    convolutions of the block that look beyond one place, in order, which a module can replace.
    ``end`` is what the host calls the block's output. ``title`` is what people call the block;
    ``block`` counts the blocks of a ``stage`` from 0. ``takes_shift`` is false where TSM's release
    shifts nothing, in a block of a MobileNetV2 that no shortcut passes.
    """

    host: Host
    conv: str
    branch: str
    title: str
    spatial: tuple[str, ...]
    end: str = ""
    stage: str = ""
    block: int = 0
    takes_shift: bool = True

    def insert(
        self, build: Callable[[int], TemporalModule], at: Place = "before_norm", prefix: str = ""
    ) -> None:
        """Put ``build(channels)`` into the block, under the name ``{prefix}_{convolution}``.

        At the *input* of a block everything in it sees the module's output, its shortcut too.

        Raises:
            ValueError: for *input*, if the block has none of its own.
        """
        if at == "input":
            channels = getattr(self.host, self.branch).in_channels
            self.host.add_at_input(f"{prefix}_{BLOCK_INPUT}", build(channels))
            return
        if at == "end":
            name = f"{prefix}_{self.end}" if self.end else prefix
            self.host.add_at_end(self.end, name, build(self.host.end_channels(self.end)))
            return
        conv = self.conv if at == "before_norm" else self.branch
        layer = getattr(self.host, conv)
        channels = layer.out_channels if at == "before_norm" else layer.in_channels
        self.host.add_module_at(conv, f"{prefix}_{conv}", build(channels), at)

    def replace(self, conv: str, build: Callable[[nn.Conv2d], TemporalModule]) -> None:
        """Put ``build(convolution)`` in the place of the convolution ``conv`` of the block.

        Raises:
            ValueError: if it works on groups of channels, which no temporal module does.
        """
        if getattr(self.host, conv).groups != 1:
            raise ValueError(
                f"{conv} of {self.title} works on groups of channels, and nothing can stand in its"
                " place; choose a ResNet"
            )
        self.host.replace_conv(conv, build(getattr(self.host, conv)))

    def follow(self, conv: str, build: Callable[[int], TemporalModule], prefix: str) -> None:
        """Put ``build(channels)`` behind the convolution ``conv`` of the block, its BatchNorm and
        its ReLU, if there is one, under the name ``{prefix}_{convolution}``.
        """
        norm = getattr(self.host, self.host.norm_name(conv))
        self.host.add_behind(conv, f"{prefix}_{conv}", build(norm.num_features))

    def add_beside(self, build: Callable[[int, int, int], TemporalModule], name: str) -> None:
        """Put ``build(channels in, channels out, stride)`` beside the block, under ``name``: it
        sees what enters the block, and what it gives is added to the block's output.

        Raises:
            ValueError: if this is no residual block.
        """
        self.host.add_beside(name, build)


class Host(nn.Module):
    """A module of named convolutions, each with its BatchNorm, that temporal modules can join.

    ``ceiling`` is where its ReLUs end, such as 6, ``None`` where they do not.
    """

    ceiling: float | None = None

    def __init__(self) -> None:
        super().__init__()
        self._before: dict[str, str] = {}
        self._after: dict[str, str] = {}
        self._replaced: list[str] = []
        self._ends: dict[str, str] = {}
        self._input = ""
        self._behind: dict[str, str] = {}
        self._beside: str | None = None

    def norm_name(self, conv: str) -> str:
        """The attribute that holds the BatchNorm of the convolution ``conv``."""
        raise NotImplementedError

    def end_channels(self, end: str) -> int:
        """How many channels the output called ``end`` has."""
        raise NotImplementedError

    def add_module_at(self, conv: str, name: str, module: TemporalModule, at: Place) -> None:
        """Put ``module`` in front of ``conv`` (*start*) or between it and its BatchNorm."""
        self.add_module(name, module)
        (self._after if at == "before_norm" else self._before)[conv] = name

    def add_at_input(self, name: str, module: TemporalModule) -> None:
        """Put ``module`` in front of everything, the shortcut too.

        Raises:
            ValueError: if what enters is not one tensor's affair, as in a network of many blocks.
        """
        raise ValueError(f"{type(self).__name__} has no block input; only residual blocks have")

    def add_at_end(self, end: str, name: str, module: TemporalModule) -> None:
        """Put ``module`` behind the output called ``end``.

        Raises:
            ValueError: if one stands there.
        """
        if end in self._ends:
            raise ValueError(f"{self._ends[end]} stands where {name} should; one can stand there")
        self.add_module(name, module)
        self._ends[end] = name

    def replace_conv(self, conv: str, module: TemporalModule) -> None:
        """Put ``module`` in the place of the convolution ``conv``."""
        setattr(self, conv, module)
        self._replaced.append(conv)

    def add_behind(self, conv: str, name: str, module: TemporalModule) -> None:
        """Put ``module`` behind ``conv``, its BatchNorm and its ReLU."""
        self.add_module(name, module)
        self._behind[conv] = name

    def add_beside(self, name: str, build: Callable[[int, int, int], TemporalModule]) -> None:
        """Put ``build(channels in, channels out, stride)`` beside the whole of this block.

        Raises:
            ValueError: if this is no residual block.
        """
        raise ValueError(
            f"{type(self).__name__} is no residual block, beside which this could stand; choose a"
            " ResNet"
        )

    def conv_bn(self, conv: str, x: Tensor, probe: Probe, relu: bool = False) -> Tensor:
        """Convolution and BatchNorm, with the temporal modules that stand before, between and in
        place of them; then a ReLU if asked, and the temporal module behind all that.
        """
        layer = getattr(self, conv)
        if conv in self._before:
            x = self._at_module(conv, self._before[conv], x, probe)
        if conv in self._replaced:
            x = self._at_module(conv, conv, x, probe)
        elif (
            relu
            and self.ceiling is None
            and conv not in self._after
            and probe.is_bare
            and hasattr(layer, "basis")
        ):
            return self._through_behind(conv, layer(x, relu=True), probe)
        else:
            x = layer(x)
            if conv not in self._before:
                x = self._at_module(conv, self._after.get(conv), x, probe)
        x = getattr(self, self.norm_name(conv))(x)
        probe.show(self, conv, x)
        return self._through_behind(conv, self._relu(x) if relu else x, probe)

    def _relu(self, x: Tensor) -> Tensor:
        """In place, but where it has an end: then what is shown of ``x`` stays as it is."""
        return F.relu(x, inplace=True) if self.ceiling is None else F.hardtanh(x, 0, self.ceiling)

    def _through_behind(self, conv: str, x: Tensor, probe: Probe) -> Tensor:
        """``x`` through the module behind ``conv``, if any."""
        return probe.through(getattr(self, self._behind[conv]), x) if conv in self._behind else x

    def block_input(self, x: Tensor, probe: Probe) -> Tensor:
        """What enters a block, through the module that stands there, if any."""
        return self._at_module(BLOCK_INPUT, self._input, x, probe) if self._input else x

    def block_end(self, end: str, x: Tensor, probe: Probe) -> Tensor:
        """The output called ``end`` of a block, through the module that stands there, if any."""
        if end in self._ends:
            x = probe.through(getattr(self, self._ends[end]), x)
        return probe.pass_point(self, end, x)

    def _at_module(self, conv: str, name: str | None, x: Tensor, probe: Probe) -> Tensor:
        """The temporal module at ``conv``, if any, with the points before and after it."""
        module = None if name is None else getattr(self, name)
        if not probe.points:
            return x if module is None else probe.through(module, x)
        entering = None
        if module is not None:
            entering = module.entering
        elif conv not in self._before:
            entering = getattr(getattr(self, conv), "basis", None)
        x = self._point(f"{conv}:before", x, probe, entering)
        leaving = entering if module is None else module.basis
        if module is not None:
            x = probe.through(module, x)
        return self._point(f"{conv}:after", x, probe, leaving)

    def _point(self, point: str, x: Tensor, probe: Probe, basis: Basis | None) -> Tensor:
        """Offer ``x`` to those who observe points in the network's own units."""
        if basis is None:
            return probe.pass_point(self, point, x)
        return basis.apply_to(probe.pass_point(self, point, basis.undo(x))).to(x.dtype)

    def module_conv(self, site: Site) -> str:
        """The convolution of ``site`` at which its last module stands, or `BLOCK_INPUT`; without
        one, at which one before the norm would.
        """
        if self._input:
            return BLOCK_INPUT
        if site.branch in self._before:
            return site.branch
        replaced = [conv for conv in site.spatial if conv in self._replaced]
        return replaced[-1] if replaced and site.conv not in self._after else site.conv

    def module_after(self, conv: str) -> str | None:
        """The attribute of the module between ``conv`` and its BatchNorm, ``None`` without one."""
        return self._after.get(conv)

    def norm_behind(self, name: str) -> nn.Module | None:
        """The BatchNorm behind the module called ``name``, ``None`` where another layer follows."""
        convs = [conv for conv, after in self._after.items() if after == name]
        convs += [conv for conv in self._replaced if conv == name]
        return getattr(self, self.norm_name(convs[0])) if convs else None

    def modules_of(self, site: Site) -> list[str]:
        """The attributes that hold the temporal modules of a site of this host, in order."""
        found = [self._input] if self._input else []
        found += [self._before[site.branch]] if site.branch in self._before else []
        for conv in site.spatial:
            found += [conv] if conv in self._replaced else []
            found += [self._behind[conv]] if conv in self._behind else []
        found += [self._after[site.conv]] if site.conv in self._after else []
        found += [] if self._beside is None else [self._beside]
        return found + ([self._ends[site.end]] if site.end in self._ends else [])


class Backbone(Host):
    """A 2D network: ``(N·T, 3, H, W)`` → features ``(N·T, num_features)``."""

    num_features: int

    def sites(self) -> Sequence[Site]:
        """Its blocks, in network order."""
        raise NotImplementedError

    def block_ends(self) -> dict[str, tuple[nn.Module, str]]:
        """Each block by its title → where its output passes (`Probe.pass_point`), in network
        order.
        """
        raise NotImplementedError

    def feature_map(self, x: Tensor, probe: Probe) -> Tensor:
        """The last block's output, ``(N·T, num_features, h, w)``."""
        raise NotImplementedError

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        return self.feature_map(x, probe).mean(dim=(2, 3))

    def take_planes(self, planes: int) -> None:
        """Have the first convolution take ``planes`` input planes, its weights anew."""
        name, first = next(
            (name, module) for name, module in self.named_modules() if isinstance(module, nn.Conv2d)
        )
        stem = nn.Conv2d(
            planes,
            first.out_channels,
            cast(tuple[int, int], first.kernel_size),
            cast(tuple[int, int], first.stride),
            cast(tuple[int, int], first.padding),
            bias=first.bias is not None,
        )
        nn.init.kaiming_normal_(stem.weight, mode="fan_out", nonlinearity="relu")
        self.add_module(name, stem)

    def stages(self) -> list[str]:
        """The names of its stages, in network order."""
        return list(dict.fromkeys(site.stage for site in self.sites() if site.stage))

    def insert_after(
        self, stage: str, build: Callable[[int], TemporalModule], prefix: str = ""
    ) -> None:
        """Put ``build(channels)`` behind the last block of ``stage``.

        Raises:
            ValueError: if there is no such stage.
        """
        blocks = [site for site in self.sites() if site.stage == stage]
        if not blocks:
            raise ValueError(f"no stage {stage!r}; there are {', '.join(self.stages()) or 'none'}")
        blocks[-1].insert(build, "end", prefix)

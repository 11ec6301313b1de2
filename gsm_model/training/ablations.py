"""The Gate-Shift Module with one thing changed at a time, trained alike: what the paper's ablations
ask (section 4.3), asked of the temporal probes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor

from gsm_model.data.synthetic_sets import synthetic_set
from gsm_model.errors import DataError
from gsm_model.models.backbones.inception import InceptionBackbone
from gsm_model.models.card import Card
from gsm_model.models.recognizer import Recognizer
from gsm_model.models.slots import Backbone, Place
from gsm_model.models.systems import gsm, tsm
from gsm_model.models.systems.gsm import GateShiftModule
from gsm_model.training.config import TrainConfig
from gsm_model.training.dataset import style_of
from gsm_model.training.optim import build_model
from gsm_model.training.stored import store_clips
from gsm_model.training.train import train


class SigmoidGate(GateShiftModule):
    """A gate in (0, 1): it starts at one half and cannot take a difference."""

    def squashed(self, gate: Tensor) -> Tensor:
        return torch.sigmoid(gate)


class LinearGate(GateShiftModule):
    """A gate without a non-linearity, in (−∞, ∞)."""

    def squashed(self, gate: Tensor) -> Tensor:
        return gate


class OpenGate(GateShiftModule):
    """A gate that is 1 everywhere, whatever it sees: a fixed shift of all channels."""

    def squashed(self, gate: Tensor) -> Tensor:
        return torch.ones_like(gate)


@dataclass(frozen=True)
class Variant:
    """A Gate-Shift Network with one thing changed: ``name`` for files and options, ``what`` in
    words, and what puts it into a backbone.
    """

    name: str
    what: str
    install: Callable[[Backbone], None]


def _placed(
    backbone: Backbone,
    module: type[GateShiftModule] = GateShiftModule,
    at: Place = "before_norm",
    keep: Callable[[int, int], bool] = lambda number, count: True,
) -> None:
    """``module`` at the place ``at`` of those blocks whose number of all ``keep`` says."""
    sites = backbone.sites()
    for number, site in enumerate(sites):
        if keep(number, len(sites)):
            site.insert(module, at, "gsm")


def _between(backbone: Backbone) -> None:
    """Behind the first convolution of every block, before its BatchNorm."""
    for site in backbone.sites():
        replace(site, conv=site.branch).insert(GateShiftModule, "before_norm", "gsm")


def _in_branches(backbone: Backbone, longest_only: bool) -> None:
    """Behind the last convolution of the branch with the most of them, or of every branch."""
    if not isinstance(backbone, InceptionBackbone):
        raise DataError("a block of this backbone has one branch; take bn_inception")
    for site in backbone.sites():
        ends = backbone.branch_ends(site.title)
        for conv in ends[-1:] if longest_only else ends:
            replace(site, conv=conv).insert(GateShiftModule, "before_norm", "gsm")


VARIANTS: tuple[Variant, ...] = (
    Variant("gsm", "as published: tanh, behind the last convolution of every block", gsm.install),
    Variant("sigmoid", "a sigmoid in place of tanh", partial(_placed, module=SigmoidGate)),
    Variant("linear", "no non-linearity of the gate", partial(_placed, module=LinearGate)),
    Variant("open", "the gate fixed at 1: all channels move", partial(_placed, module=OpenGate)),
    Variant("tsm", "a fixed shift of a quarter of the channels (TSM)", tsm.SYSTEM.install),
    Variant("first", "in front of the first convolution", partial(_placed, at="start")),
    Variant("between", "behind the first convolution", _between),
    Variant("input", "in front of the whole block", partial(_placed, at="input")),
    Variant("end", "behind the whole block", partial(_placed, at="end")),
    Variant(
        "half", "in every second block", partial(_placed, keep=lambda number, _: number % 2 == 1)
    ),
    Variant("two", "in the last two blocks", partial(_placed, keep=lambda i, n: i >= n - 2)),
    Variant("one", "in the last block", partial(_placed, keep=lambda i, n: i == n - 1)),
)
# Those of a backbone whose blocks have branches.
BRANCH_VARIANTS: tuple[Variant, ...] = (
    Variant(
        "longest",
        "in the branch with the most convolutions",
        partial(_in_branches, longest_only=True),
    ),
    Variant("every", "in every branch", partial(_in_branches, longest_only=False)),
)


def variants_named(names: Sequence[str]) -> tuple[Variant, ...]:
    """Those of `VARIANTS` and `BRANCH_VARIANTS` that ``names`` names, the former if it is empty.

    Raises:
        DataError: for a name that is none's.
    """
    known = {one.name: one for one in (*VARIANTS, *BRANCH_VARIANTS)}
    for name in names:
        if name not in known:
            raise DataError(f"unknown variant {name!r}; there are {', '.join(known)}")
    return tuple(known[name] for name in names) if names else VARIANTS


def build_variant(variant: Variant, config: TrainConfig, num_classes: int) -> Recognizer:
    """The untrained network of ``config`` with ``variant`` in its backbone, whatever system
    ``config`` names.
    """
    model = build_model(replace(config, temporal="none"), num_classes)
    backbone = model.base_model
    assert isinstance(backbone, Backbone)
    variant.install(backbone)
    return model


def config_of_variant(recipe: TrainConfig) -> TrainConfig:
    """What the run of a variant says that it was trained with."""
    return replace(recipe, temporal="gsm")


def train_variants(
    recipe: TrainConfig,
    variants: Sequence[Variant],
    out: Path,
    workers: int = 1,
    fabric: Fabric | None = None,
    progress: Callable[[Variant, int, int, float], None] | None = None,
    painting: Callable[[int, int], None] | None = None,
) -> dict[Variant, Recognizer]:
    """Each variant trained by ``recipe`` on the same clips in the same order, in evaluation mode.

    Clips are painted once, into ``out/clips``; each variant has a folder in ``out`` with what
    `train` writes. A training that was stopped goes on, one that has ended is read.

    Raises:
        DataError: if ``out`` holds runs or clips of another recipe.
    """
    spec, count = build_model(recipe, 1).input, recipe.steps * recipe.batch_size
    made = synthetic_set(style_of(recipe))
    clips = store_clips(recipe, spec, out / "clips", count, workers, painting)
    trained = {}
    for one in variants:
        tell = None if progress is None else partial(progress, one)
        model = train(
            config_of_variant(recipe),
            out / one.name,
            None,
            0,
            fabric,
            tell,
            stored=clips,
            build=partial(build_variant, one),
        )
        model.card = Card(f"GSM, {one.name}", "trained", made.labels, made.title, domain="drawn")
        trained[one] = model
    return trained

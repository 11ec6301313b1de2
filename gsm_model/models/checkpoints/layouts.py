"""Layouts of published checkpoints: whose keys a state dict has, and what network they are the
weights of.

A layout is a row of a table: which keys mark it, how they are renamed to this package's, which
systems it can hold. Each row whose marks are there is tried; what fits its network in every key and
shape is it. Before that, wrappers are taken off (`naming`) and shifts are read off the keys
(`shifts`).

Source: the releases of GSM, GSF, TSM, GST and DMC-Net, and mmaction2 1.x.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from torch import Tensor

from gsm_model.errors import CheckpointError
from gsm_model.models.backbones.resnet import LAYOUTS as RESNETS
from gsm_model.models.checkpoints.fit import without_clashes
from gsm_model.models.checkpoints.mobilenet import mobilenet_names
from gsm_model.models.checkpoints.naming import Named, named
from gsm_model.models.checkpoints.non_local import read_non_local
from gsm_model.models.checkpoints.shifts import read_shift, release_shift
from gsm_model.models.checkpoints.video_layouts import video_candidates
from gsm_model.models.recognizer import Architecture
from gsm_model.models.registry import backbones, systems, video_networks
from gsm_model.models.systems.gsf import fused_channels
from gsm_model.models.systems.tsm import Shift
from gsm_model.video.modality import MAX_FIELDS, RGB, Modality
from gsm_model.video.transforms import InputSpec

MAX_PLANES = 256
# The first convolution of each kind of backbone.
STEMS = tuple(f"base_model.{stem}.weight" for stem in ("conv1", "conv1_7x7_s2", "conv_Conv2D"))
# A gate, and in front of it the convolution after which it is called.
_FUSED = re.compile(r"^(.*\.)gsf_(\w+)\.conv3D\.weight$")
_SEGMENTS_IN_NAME = re.compile(r"segment(\d+)|1x1x(\d+)")


@dataclass(frozen=True)
class Layout:
    """One way of naming weights.

    ``marks`` are regular expressions that each match a key, ``lacks`` ones that match none.
    ``renames`` are (pattern, replacement) in order. ``systems`` are those it can hold, empty for
    any; ``published`` where its files come from.
    """

    published: str
    marks: tuple[str, ...]
    lacks: tuple[str, ...] = ()
    renames: tuple[tuple[str, str], ...] = ()
    systems: tuple[str, ...] = ()

    def matches(self, keys: Mapping[str, Tensor]) -> bool:
        """Whether the keys are named so."""

        def has(pattern: str) -> bool:
            return any(re.search(pattern, key) for key in keys)

        return all(map(has, self.marks)) and not any(map(has, self.lacks))

    def renamed(self, keys: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
        """The weights under this package's names; kernels of one temporal tap as 2D ones.

        Raises:
            CheckpointError: if two would get one name.
        """
        return without_clashes(
            ((key, self._own(key), _single_tap(tensor)) for key, tensor in keys.items()), name
        )

    def _own(self, key: str) -> str:
        for pattern, replacement in self.renames:
            key = re.sub(pattern, replacement, key)
        return key


def _single_tap(tensor: Tensor) -> Tensor:
    return tensor.squeeze(2) if tensor.ndim == 5 and tensor.shape[2] == 1 else tensor


_MMACTION2 = (
    (r"\.downsample\.conv\.", ".downsample.0."),
    (r"\.downsample\.bn\.", ".downsample.1."),
    (r"\.conv(\d)\.conv\.", r".conv\1."),
    (r"\.conv(\d)\.bn\.", r".bn\1."),
)
MMACTION2 = "mmaction2"
_CONV_MODULE = r"^base_model\.conv1\.conv\.weight$"
_FUSED_BLOCK = r"\.gsf\.conv3D\.weight$"
_FUSED_BRANCH = r"^base_model\.gsf_\w+\.conv3D\.weight$"
_TEMPORAL_PART = r"\.Tconv\.weight$"
_GENERATOR = r"^gen_flow_model\.predict_flow\.weight$"
LAYOUTS = (
    Layout(MMACTION2, (_CONV_MODULE,), renames=_MMACTION2, systems=("none",)),
    Layout(
        "GST release",
        (_TEMPORAL_PART,),
        (_CONV_MODULE,),
        renames=(
            (r"\.conv2\.weight$", ".conv2.spatial.weight"),
            (r"\.Tconv\.", ".conv2.temporal."),
        ),
        systems=("gst", "gst_large"),
    ),
    Layout(
        "GSF release",
        (_FUSED_BLOCK,),
        renames=((r"\.gsf\.", ".gsf_conv3."),),
        systems=("gsf",),
    ),
    Layout("GSF release", (_FUSED_BRANCH,), systems=("gsf",)),
    Layout(
        "DMC-Net release",
        (_GENERATOR,),
        renames=(
            (r"^gen_flow_model\.conv_(\d)\.0\.", r"front.convs.\1."),
            (r"^gen_flow_model\.predict_flow\.", "front.predict."),
        ),
        systems=("none",),
    ),
    Layout(
        "TSM release",
        (r"^base_model\.conv1\.weight$",),
        (_TEMPORAL_PART, _FUSED_BLOCK, _GENERATOR),
    ),
    Layout(
        "GSM release",
        (r"^base_model\.",),
        (_CONV_MODULE, _TEMPORAL_PART, _FUSED_BRANCH, r"^base_model\.conv1\.weight$"),
    ),
)
PLAIN_LAYOUT = "torchvision's names"


@dataclass(frozen=True)
class Candidate:
    """What a state dict may be: its layout, its network, its weights under this package's names,
    and what was inferred about them, in words.
    """

    published: str
    architecture: Architecture
    weights: dict[str, Tensor]
    reading: tuple[str, ...] = ()


def candidates(
    state: Mapping[str, Tensor],
    num_segments: int,
    name: str,
    shift_share: int | None = None,
    recorded_share: int | None = None,
) -> Iterator[Candidate]:
    """Every network that the names in ``state`` may be those of, read off marks and shapes.

    ``shift_share`` is the share of the channels that a TSM shifts each way, one in so many, where
    the caller knows it, ``recorded_share`` the same as the file's own settings have it.

    Raises:
        CheckpointError: if the keys are of no known layout, there is no classifier, no backbone
            this package has, or a shift of no known arrangement.
    """
    names = named(state, name)
    if names is None:
        shown = ", ".join(f"{key} {tuple(state[key].shape)}" for key in list(state)[:3])
        raise CheckpointError(
            f"{name}: holds {len(state)} tensors ({shown or 'nothing'}, …), but neither the GSM nor"
            " the TSM release nor mmaction2 names theirs so: the backbone is none of BN-Inception,"
            " Inception-V3 and ResNet. Choose a checkpoint of one of these, or one written by"
            " 'python -m gsm_model convert'."
        )
    whole = list(video_candidates(names.weights, name))
    for network, publisher, weights, told in whole:
        temporal = video_networks()[network].temporal
        classes = weights["new_fc.weight"].shape[0]
        yield Candidate(
            publisher,
            Architecture(network, temporal, classes, num_segments),
            weights,
            (*names.reading, *_head_said(names), *told),
        )
    if whole:
        return
    plain, non_local, looked = read_non_local(mobilenet_names(names.weights, name), name)
    bare, shift, said = read_shift(plain, name, shift_share, recorded_share)
    for layout in (layout for layout in LAYOUTS if layout.matches(bare)):
        weights = layout.renamed(bare, name)
        backbone, width = _backbone_of(weights, name)
        modality = _modality_of(weights, layout)
        architecture = Architecture(
            backbone,
            "none",
            weights["new_fc.weight"].shape[0],
            num_segments,
            width,
            modality=modality,
            non_local=non_local,
        )
        ratio = _gsf_ratio(weights)
        partly = [] if ratio == 100 else [f"its GSF works on {ratio} % of the channels"]
        seen = (
            [] if modality == RGB else [f"its input is {modality.planes} planes: {modality.title}"]
        )
        reading = (*names.reading, *looked, *said, *_head_said(names), *partly, *seen)
        for system in ["tsm"] if shift else _systems_of(weights, layout):
            yield Candidate(
                _published(layout, names),
                replace(
                    architecture,
                    temporal=system,
                    shift=_own_shift(shift, backbone),
                    ratio=ratio if system == "gsf" else 100,
                ),
                weights,
                reading,
            )


def _published(layout: Layout, names: Named) -> str:
    """Whose naming it is; without a release's own root no more is known than torchvision's."""
    last = names.root.rstrip(".").rpartition(".")[2]
    known = last == "base_model" or layout.published == MMACTION2
    return layout.published if known else PLAIN_LAYOUT


def _head_said(names: Named) -> list[str]:
    usual = ("new_fc", "cls_head.fc_cls")
    own = next((head for head in usual if names.head.endswith(head)), None)
    return [] if own else [f"the classifier is '{names.head}'"]


def _own_shift(shift: Shift | None, backbone: str) -> Shift | None:
    """``None`` where the shifts are those the release puts into ``backbone``."""
    return None if shift is None or shift == release_shift(backbone) else shift


def _gsf_ratio(weights: Mapping[str, Tensor]) -> int:
    """The share of the channels in per cent that the gates of a GSF take, 100 where none fits all.

    Several that give the same network count as the largest.
    """
    channels, gated = [], []
    for key, gate in weights.items():
        match = _FUSED.match(key)
        before = weights.get(f"{match.group(1)}{match.group(2)}.weight") if match else None
        if before is not None and before.ndim == 4 and gate.ndim == 5:
            channels.append(before.shape[0])
            gated.append(2 * gate.shape[1])
    if any(count % 4 for count in gated):
        return 100
    fits = (
        ratio
        for ratio in range(100, 0, -1)
        if [fused_channels(whole, ratio) for whole in channels] == gated
    )
    return next(fits, 100)


def _systems_of(weights: Mapping[str, Tensor], layout: Layout) -> list[str]:
    """The systems whose marks are there, else those that have none and are not told by others."""
    if layout.systems:
        return list(layout.systems)
    marked = [
        system.name
        for system in systems().values()
        if system.marks and any(re.search(system.marks, key) for key in weights)
    ]
    return marked or ["none"]


def _backbone_of(weights: Mapping[str, Tensor], name: str) -> tuple[str, float]:
    if "base_model.conv1_7x7_s2.weight" in weights:
        first = weights["base_model.conv1_7x7_s2.weight"]
        planes = first.shape[0] if first.ndim == 4 else 64
        return "bn_inception", planes / 64 if planes % 8 == 0 and 0 < planes <= MAX_PLANES else 1.0
    if "base_model.conv_Conv2D.weight" in weights:
        return "inception_v3", 1.0
    if "base_model.layer7.0.conv3.weight" in weights:
        return "mobilenet_v2", 1.0
    stem = weights.get("base_model.conv1.weight")
    if stem is None or stem.ndim != 4:
        raise CheckpointError(
            f"{name}: the backbone is none of BN-Inception, Inception-V3, MobileNetV2 and ResNet;"
            " other networks cannot be loaded yet."
        )
    depths = tuple(_blocks_in_stage(weights, stage) for stage in range(1, 5))
    bottleneck = any(re.match(r"base_model\.layer1\.0\.conv3\.", key) for key in weights)
    planes, groups = stem.shape[0], _groups(weights)
    for backbone, (block, layout) in RESNETS.items():
        kind = (block.expansion == 4, block.groups)
        if kind != (bottleneck, groups) or layout != depths:
            continue
        if planes % 4 == 0 and planes <= MAX_PLANES:
            return backbone, planes / 64
    raise CheckpointError(
        f"{name}: a ResNet with {'-'.join(map(str, depths))} blocks and {planes} channels in its"
        f" stem; known are {', '.join(RESNETS)}, with at most {MAX_PLANES} channels there."
    )


def _modality_of(weights: Mapping[str, Tensor], layout: Layout) -> Modality:
    """What the first convolution takes, by its planes: of flow two a field, of differences of
    frames three; RGB where that does not tell, which then fits no network. A generator of cues in
    front of it is given motion vectors.
    """
    if "front.predict.weight" in weights:
        return Modality("motion vectors")
    found = next((weights[stem] for stem in STEMS if stem in weights), None)
    planes = 3 if found is None or found.ndim != 4 else found.shape[1]
    fields = {0: planes // 2, 1: planes // 3}[planes % 2]
    if planes == 3 or planes % 6 == 0 or fields > MAX_FIELDS:
        return RGB
    if planes % 2 == 0:
        return Modality("flow", fields, 127 if layout.published == MMACTION2 else 128)
    return RGB if planes % 3 else Modality("differences", fields)


def published_input(found: Candidate) -> InputSpec:
    """What a network of a publisher wants to see.

    Source: mmaction2 takes flow less 128, over 128 (``configs/_base_`` of its flow models).
    """
    architecture = found.architecture
    if architecture.backbone in video_networks():
        return video_networks()[architecture.backbone].input
    spec = backbones()[architecture.backbone].input_of(architecture.modality)
    if found.published == MMACTION2 and architecture.modality.kind == "flow":
        return replace(spec, scale=255.0, mean=(128.0,), std=(128.0,))
    return spec


def _groups(weights: Mapping[str, Tensor]) -> int:
    """Into how many groups of channels the 3×3 convolutions of a ResNet fall: a ResNeXt's, or 1."""
    before, conv = (
        weights.get(f"base_model.layer1.0.{name}.weight") for name in ("conv1", "conv2")
    )
    if before is None or conv is None or min(before.ndim, conv.ndim) < 4 or not conv.shape[1]:
        return 1
    groups = before.shape[0] // conv.shape[1]
    return groups if any(block.groups == groups for block, _ in RESNETS.values()) else 1


def _blocks_in_stage(weights: Mapping[str, Tensor], stage: int) -> int:
    pattern = re.compile(rf"base_model\.layer{stage}\.(\d+)\.")
    return len({match.group(1) for match in map(pattern.match, weights) if match})


def segments_in_name(name: str) -> int | None:
    """The number of segments that a published file's name states, or ``None``."""
    match = _SEGMENTS_IN_NAME.search(name)
    return int(match.group(1) or match.group(2)) if match else None

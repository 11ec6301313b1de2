"""What a network's weights are called in a file, whatever it was wrapped in: found by the
backbone's first convolution, and brought under ``base_model.`` and ``new_fc.``.

Every key that is renamed or left out is so by one of the rules of this page; what no rule speaks of
keeps its name, and no network then fits it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from gsm_model.errors import CheckpointError
from gsm_model.models.checkpoints.contents import AVERAGED
from gsm_model.models.checkpoints.fit import without_clashes

# Wrappers that put a component of their own into names, wherever they stand.
_WRAPPERS = re.compile(
    r"(?:^|(?<=\.))(module|_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\."
)
# Keys that are no weights of a network, and why.
_OF_AN_AVERAGE = "the counter of an average"
_LEFT_OUT = (
    (re.compile(r"(^|\.)(n_averaged|steps)$"), _OF_AN_AVERAGE),
    (re.compile(r"(^|\.)data_preprocessor\.(mean|std)$"), "the input's mean and deviation"),
    (re.compile(r"(^|\.)total_(ops|params)$"), "a profiler's counts"),
    (
        re.compile(r"^(.+\.)?(criterion|criterions|loss|loss_fn|loss_func|loss_cls)\.[\w.]+$"),
        "the loss's own numbers",
    ),
)
# The first convolution of each kind of backbone, and its first blocks; what stands before both are
# the names of wrappers.
_ROOT = r"^((?:(?!layer\d)[A-Za-z_]\w*\.)*?)"
_STEM = re.compile(
    rf"{_ROOT}(conv1(?:\.conv)?(?:\.net|\.conv_s)?|conv1_7x7_s2|conv_Conv2D|stem\.0"
    r"|features\.0\.0(?:\.0)?|patch_embed\.proj|conv_proj)\.weight$"
)
_BLOCKS = re.compile(rf"{_ROOT}(layer1\.|features\.1\.|inception_3a_|mixed_|blocks\.1\.)")
# Classifiers that stand inside the backbone, as torchvision's and its followers' do; and what else
# stands there.
_USUAL_HEAD = re.compile(
    r"(new_fc|fc|classifier|last_linear|logits|head|cls_head|top_cls_fc|linear|output)(\.[\w.]+)?"
)
_BODY = re.compile(r"(conv|bn|stem|layer|features|inception|mixed|gs[mf]_)")
_PARTS = ("weight", "bias")


@dataclass(frozen=True)
class Named:
    """Weights under ``base_model.`` and ``new_fc.``, and what was decided about their names.

    ``root`` is what the file calls the backbone, ``head`` its classifier. ``reading`` are
    statements about sets of weights that were left; empty where there was no choice.
    """

    weights: dict[str, Tensor]
    root: str
    head: str
    reading: tuple[str, ...] = field(default=())


def named(state: Mapping[str, Tensor], name: str) -> Named | None:
    """The weights of ``state`` under this package's two roots; ``None`` where no known backbone's
    first convolution is among them.

    Raises:
        CheckpointError: if two keys become one, there are several networks, no classifier or
            several.
    """
    keys, reading = _without_copies(state)
    keys, said = _without_wrappers(keys, name)
    reading += said
    stems = [match.group(1) for match in map(_STEM.match, keys) if match]
    bodies = {match.group(1) for match in map(_BLOCKS.match, keys) if match}
    roots = [root for root in stems if root in bodies] or stems
    if not roots:
        return None
    averaged = [root for root in roots if _averaged_part(root)]
    plain = [root for root in roots if root not in averaged]
    chosen = plain or averaged
    if len(chosen) > 1:
        raise CheckpointError(
            f"{name}: holds {len(chosen)} networks"
            f" ({', '.join(repr(root.rstrip('.')) for root in chosen)}), of which only one can be"
            " loaded. Save the state_dict of the one you mean."
        )
    root = chosen[0]
    for other in averaged:
        part = _averaged_part(other)
        if other != root:
            keys = {key: tensor for key, tensor in keys.items() if not key.startswith(part)}
            reading.append(f"averaged weights (EMA) under '{part.rstrip('.')}' were left")
        else:
            reading.append(f"weights are the averaged ones (EMA), under '{part.rstrip('.')}'")
    head = _classifier(keys, root, name)
    renamed = without_clashes(
        ((key, _under_two_roots(key, root, head), tensor) for key, tensor in keys.items()), name
    )
    return Named(_with_old_shapes(renamed), root, head, tuple(reading))


def _under_two_roots(key: str, root: str, head: str) -> str:
    stem, _, part = key.rpartition(".")
    if stem == head and part in _PARTS:
        return f"new_fc.{part}"
    return f"base_model.{key[len(root) :]}" if key.startswith(root) else key


def _without_wrappers(
    state: Mapping[str, Tensor], name: str
) -> tuple[dict[str, Tensor], list[str]]:
    """Keys without the components of wrappers, and without what is no weight."""
    reasons = {key: why for key in state for pattern, why in _LEFT_OUT if pattern.search(key)}
    keys = without_clashes(
        (
            (key, _WRAPPERS.sub("", key), tensor)
            for key, tensor in state.items()
            if key not in reasons
        ),
        name,
    )
    averages = _OF_AN_AVERAGE in reasons.values()
    said = "weights are averaged ones (the counter of the average is beside them)"
    return keys, [said] if averages else []


def _without_copies(keys: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """Keys without the second set that mmcv's EMA keeps as buffers: ``ema_`` and another key with
    its points as underscores, beside that key's beginning.
    """
    if not any("ema_" in key for key in keys):
        return dict(keys), []
    starts = [(key, match.end()) for key in keys for match in re.finditer(r"^|\.", key)]
    copies = {f"{key[:at]}ema_{key[at:].replace('.', '_')}" for key, at in starts}
    left = {key for key in keys if key in copies}
    if not left:
        return dict(keys), []
    kept = {key: tensor for key, tensor in keys.items() if key not in left}
    return kept, ["the second set of weights that mmcv keeps for its EMA ('ema_…') was left"]


def _averaged_part(root: str) -> str:
    """The beginning of ``root`` up to the component that names an average, empty without one."""
    parts = root.rstrip(".").split(".")
    for index, part in enumerate(parts):
        if AVERAGED.search(part):
            return ".".join(parts[: index + 1]) + "."
    return ""


def _classifier(keys: Mapping[str, Tensor], root: str, name: str) -> str:
    """What the file calls the one linear layer behind the backbone.

    Raises:
        CheckpointError: if there is none, or several.
    """
    outside, usual, unusual = [], [], []
    for key, tensor in keys.items():
        stem, _, part = key.rpartition(".")
        if part != "weight" or _flat(tensor).ndim != 2 or f"{stem}.running_mean" in keys:
            continue
        own = stem.removeprefix(root)
        if not key.startswith(root):
            outside.append(stem)
        elif _USUAL_HEAD.fullmatch(own):
            usual.append(stem)
        elif not _BODY.match(own):
            unusual.append(stem)
    found = outside + usual or unusual
    if not found:
        raise CheckpointError(
            f"{name}: has no classifier 'new_fc.weight', nor one of another name; a backbone alone"
            " cannot answer. Choose a whole model."
        )
    if len(found) > 1:
        shapes = ", ".join(f"{stem} {tuple(keys[f'{stem}.weight'].shape)}" for stem in found[:4])
        raise CheckpointError(
            f"{name}: has {len(found)} linear layers behind its backbone ({shapes}); a network with"
            " one classifier can be loaded. Save a state_dict with the one you mean."
        )
    return found[0]


def _flat(tensor: Tensor) -> Tensor:
    """A 1×1 convolution's weight as the matrix it is; others as they are."""
    return tensor.flatten(1) if tensor.ndim > 2 and tensor.shape[2:].numel() == 1 else tensor


def _with_old_shapes(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """BatchNorm's vectors as vectors and its counter as a number, which old files hold as (1, C)
    and (1,); a classifier that is a 1×1 convolution as the matrix it is.
    """
    shaped = {}
    weights = {
        key: _flat(tensor) if key == "new_fc.weight" else tensor for key, tensor in weights.items()
    }
    for key, tensor in weights.items():
        stem, _, part = key.rpartition(".")
        if part == "num_batches_tracked":
            tensor = tensor.reshape(()) if tensor.numel() == 1 else tensor
        elif f"{stem}.running_mean" in weights and tensor.ndim == 2 and tensor.shape[0] == 1:
            tensor = tensor[0]
        shaped[key] = tensor
    bias = shaped.get("new_fc.bias")
    if bias is not None and bias.ndim == 2 and bias.shape[0] == 1:
        shaped["new_fc.bias"] = bias[0]
    return shaped

"""Where the shifts of a TSM stand, read off its keys, and how many channels they move, off its
file's name.

The release wraps what it shifts in a module that keeps it as ``net``: a block's first convolution
(*blockres*: ``layer1.0.conv1.net.weight``) or the whole block (*block*:
``layer1.0.net.conv1.weight``). Other wrappers of that family keep their content under the same name
and do something else, so every ``net`` that stands elsewhere is refused.

Source: mit-han-lab/temporal-shift-module, ``ops/temporal_shift.py``; mmaction2 1.x,
``resnet_tsm.py``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from torch import Tensor

from gsm_model.errors import CheckpointError
from gsm_model.models.backbones.mobilenet_v2 import shifted_blocks
from gsm_model.models.backbones.resnet import LAYOUTS as RESNETS
from gsm_model.models.checkpoints.fit import without_clashes
from gsm_model.models.systems.tsm import SHIFTED_FRACTION, Shift, ShiftPlace, block_step

_BLOCK = re.compile(r"^base_model\.(layer\d+\.\d+)\.")
_WRAPPED = re.compile(r"(^|\.)net\.")
_PLACES: dict[ShiftPlace, re.Pattern[str]] = {
    "blockres": re.compile(r"^base_model\.(layer\d+\.\d+)\.conv1\.(?:conv\.)?net\.(?!.*\.net\.)"),
    "block": re.compile(r"^base_model\.(layer\d+\.\d+)\.net\.(?!.*(^|\.)net\.)"),
}
_WORDS: dict[ShiftPlace, str] = {
    "blockres": "at the start of the residual branch",
    "block": "in front of the whole block, its shortcut too,",
}
_POOLED = re.compile(r"^base_model\.layer\d+\.net\.")
_SHARE_IN_NAME = re.compile(r"(?<![a-z])shift(?:_?div)?_?(\d+)(?!\d)", re.IGNORECASE)
_PLACE_IN_NAME = re.compile(r"(?<![a-z])(blockres|block)(?![a-z])", re.IGNORECASE)
_ONE_WAY_IN_NAME = re.compile(
    r"(?<![a-z])(online|unidirectional|uni|causal)(?![a-z])", re.IGNORECASE
)
# The release's online model has no wrappers: its blocks are given what the frame before left.
_ONLY_IN_MOBILENETS = "base_model.layer7.0.conv3.weight"
_SHARES = {2: "half", 3: "a third", 4: "a quarter", 8: "an eighth", 16: "a sixteenth"}


def read_shift(
    weights: Mapping[str, Tensor],
    name: str,
    share: int | None = None,
    recorded: int | None = None,
) -> tuple[dict[str, Tensor], Shift | None, list[str]]:
    """The weights without the wrappers of shifts, the shifts (``None`` if there are none), and what
    was inferred, in words.

    ``share`` is one in how many channels moves each way; without it what the file's name says, or
    its own settings (``recorded``), else an eighth, as in every published file.

    Raises:
        CheckpointError: if there are wrappers of no known arrangement, a share that cannot be, one
            for a network without shifts, or a name that promises shifts which no key has.
    """
    wrapped = [key for key in weights if _WRAPPED.search(key)]
    in_name = _SHARE_IN_NAME.search(name)
    if not wrapped:
        one_way = _ONE_WAY_IN_NAME.search(name)
        if one_way and _ONLY_IN_MOBILENETS in weights:
            why = (
                f"in {len(shifted_blocks())} blocks a shift takes channels from the past alone,"
                f" after '{one_way.group(0)}' in its name; no key says so"
            )
            shift = Shift("blockres", shifted_blocks(), share or SHIFTED_FRACTION, one_way=True)
            return dict(weights), shift, [why]
        _check_unshifted(name, share, in_name)
        return dict(weights), None, []
    place, blocks = _arrangement(weights, wrapped, name)
    if one_way := _ONE_WAY_IN_NAME.search(name):
        raise CheckpointError(
            f"{name}: its name says '{one_way.group(1)}', as of networks that shift channels from"
            " the past alone, which cannot be built here yet; if this one shifts both ways, take"
            " that word out of the file's name."
        )
    bare = without_clashes(
        ((key, _WRAPPED.sub(r"\1", key), tensor) for key, tensor in weights.items()), name
    )
    count = _share(share, in_name, recorded, name)
    try:
        shift = Shift(place, blocks, count)
    except ValueError as error:
        raise CheckpointError(f"{name}: {error}; give the right one as shift share") from None
    total = len({match.group(1) for match in map(_BLOCK.match, weights) if match})
    which = f"all {total}" if len(blocks) == total else f"{len(blocks)} of {total}"
    said = [
        f"a shift stands {_WORDS[place]} in {which} blocks",
        f"{_SHARES.get(count, f'one in {count}')} of the channels each way,"
        f" {_source_of_share(share, in_name, recorded)}",
    ]
    if (named := _PLACE_IN_NAME.search(name)) and named.group(1).lower() != place:
        said.append(f"the name says '{named.group(1)}', the keys '{place}', which was taken")
    return bare, shift, said


def release_shift(backbone: str) -> Shift | None:
    """The shifts that TSM's release puts into a ResNet or a MobileNetV2 called ``backbone``, every
    block named; ``None`` for other backbones.
    """
    if backbone == "mobilenet_v2":
        return Shift("blockres", shifted_blocks(), SHIFTED_FRACTION)
    if backbone not in RESNETS:
        return None
    depths = RESNETS[backbone][1]
    return Shift("blockres", _blocks(depths, block_step(max(depths))), SHIFTED_FRACTION)


def _blocks(depths: Sequence[int], step: int) -> tuple[str, ...]:
    return tuple(
        f"layer{stage}.{index}"
        for stage, depth in enumerate(depths, start=1)
        for index in range(0, depth, step)
    )


def _arrangement(
    weights: Mapping[str, Tensor], wrapped: Sequence[str], name: str
) -> tuple[ShiftPlace, tuple[str, ...]]:
    """The one place at which all shifts stand, and their blocks in the network's order."""
    shown = ", ".join(wrapped[:3])
    pooled = [key for key in wrapped if _POOLED.match(key)]
    if pooled:
        raise CheckpointError(
            f"{name}: halves the number of frames inside the network (temporal pooling in front of"
            f" a stage: {pooled[0]}). Such networks cannot be built here yet; choose a checkpoint"
            " trained without temporal pooling."
        )
    for place, pattern in _PLACES.items():
        matches = [pattern.match(key) for key in wrapped]
        if all(matches):
            found = {match.group(1) for match in matches if match}
            if place == "block":
                _check_whole_blocks(weights, found, name)
            return place, tuple(sorted(found, key=_in_order))
    raise CheckpointError(
        f"{name}: wraps layers as a TSM does ('.net.'), but not as either of its arrangements, in"
        f" front of each block's first convolution or of whole blocks: {shown}. What these wrappers"
        " do cannot be read off the file; nothing was loaded."
    )


def _in_order(block: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", block)))


def _check_whole_blocks(weights: Mapping[str, Tensor], blocks: set[str], name: str) -> None:
    """Refuse a block part of which stands outside its shift."""
    for key in weights:
        match = _BLOCK.match(key)
        if match and match.group(1) in blocks and not _PLACES["block"].match(key):
            raise CheckpointError(
                f"{name}: {match.group(1)} stands behind a shift, but its {key} does not; nothing"
                " was loaded."
            )


def _check_unshifted(name: str, share: int | None, in_name: re.Match[str] | None) -> None:
    if share is not None:
        raise CheckpointError(
            f"{name}: a shift share was given, but no key of this network stands behind a shift"
            " ('.net.'). Leave it out."
        )
    if in_name is not None:
        raise CheckpointError(
            f"{name}: its name says '{in_name.group(0)}', but no key stands behind a shift"
            " ('.net.'), so where channels are shifted cannot be read. Convert it with the package"
            " it was trained with, or, if it is a plain TSN, take that word out of the file's name."
        )


def _share(
    share: int | None, in_name: re.Match[str] | None, recorded: int | None, name: str
) -> int:
    if share is not None:
        return share
    named = int(in_name.group(1)) if in_name else None
    if named is not None and recorded not in (None, named):
        raise CheckpointError(
            f"{name}: its name says that one in {named} channels is shifted each way, the settings"
            f" beside its weights one in {recorded}; give the right one as shift share"
        )
    found = named if named is not None else recorded
    return SHIFTED_FRACTION if found is None else found


def _source_of_share(share: int | None, in_name: re.Match[str] | None, recorded: int | None) -> str:
    if share is not None:
        return "as was given"
    if in_name is not None:
        return f"after '{in_name.group(0)}' in its name"
    if recorded is not None:
        return "as the settings beside its weights say"
    return "as in every published file, since its name does not say (else give a shift share)"

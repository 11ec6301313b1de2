"""Where the non-local blocks of a network stand, read off its keys, and of which kind they are.

Both releases keep a residual block with one behind it as ``block`` and the non-local one as ``nl``
(TSM) or ``non_local_block`` (mmaction2). θ and φ are missing where the kind is Gaussian; embedded
Gaussian and dot product have the same keys, and the file's name says which.

Source: mit-han-lab/temporal-shift-module, ``ops/non_local.py``; mmaction2, ``resnet_tsm.py``; mmcv,
``non_local.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from gsm_model.models.checkpoints.fit import without_clashes
from gsm_model.models.systems.non_local import PREFIX, Kind, NonLocalBlocks

_BLOCK = r"^(base_model\.(layer\d+\.\d+)\.)"
_WRAPPED = re.compile(_BLOCK + r"block\.")
_PART = re.compile(_BLOCK + rf"(nl|non_local_block|{PREFIX})\.(.+)$")
# In a release g and φ stand in front of the maximum as the first of two; without it nothing is
# halved, which is another network.
_UNHALVED = re.compile(r"^(g|phi)\.(?:conv\.)?(weight|bias)$")
_RENAMES = (
    (r"^(g|phi)\.0\.(?:conv\.)?(weight|bias)$", r"\1.\2"),
    (r"^theta\.conv\.(weight|bias)$", r"theta.\1"),
    (r"^W\.(\d)\.", r"out.\1."),
    (r"^conv_out\.conv\.", "out.0."),
    (r"^conv_out\.bn\.", "out.1."),
)
_DOT_PRODUCT = re.compile(r"dot[-_]?product", re.IGNORECASE)
_EMBEDDED = re.compile(r"embedded[-_]?gaussian", re.IGNORECASE)
_TITLES: dict[Kind, str] = {
    "embedded_gaussian": "embedded Gaussian",
    "gaussian": "Gaussian",
    "dot_product": "dot product",
}


def read_non_local(
    weights: Mapping[str, Tensor], name: str
) -> tuple[dict[str, Tensor], NonLocalBlocks | None, list[str]]:
    """The weights under this package's names, the non-local blocks (``None`` if there are none),
    and what was inferred, in words.

    Raises:
        CheckpointError: if two keys become one.
    """
    found = [match for match in map(_PART.match, weights) if match]
    if not found:
        return dict(weights), None, []
    titles = {match.group(2) for match in found}
    blocks = tuple(sorted(titles, key=lambda title: [int(n) for n in re.findall(r"\d+", title)]))
    own = without_clashes(((key, _own(key), tensor) for key, tensor in weights.items()), name)
    own |= dict(_missing_biases(own))
    embeds = any(match.group(4).startswith("theta.") for match in found)
    kind, why = _kind(name, embeds)
    where = f"{', '.join(blocks[:-1])} and {blocks[-1]}" if len(blocks) > 1 else blocks[0]
    said = f"non-local blocks stand behind {where}, {_TITLES[kind]}, {why}"
    return own, NonLocalBlocks(kind, blocks), [said]


def _own(key: str) -> str:
    match = _PART.match(key)
    if match is None:
        return _WRAPPED.sub(r"\1", key)
    part = match.group(4)
    if match.group(3) != PREFIX and _UNHALVED.match(part):
        return f"{match.group(1)}{PREFIX}.unhalved.{part}"
    for pattern, replacement in _RENAMES:
        part = re.sub(pattern, replacement, part)
    return f"{match.group(1)}{PREFIX}.{part}"


def _missing_biases(weights: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """A bias of zero for each W that has none, as mmcv's, whose BatchNorm takes its place."""
    for key, scale in weights.items():
        bias = key.removesuffix("out.1.weight") + "out.0.bias"
        if key.endswith(f".{PREFIX}.out.1.weight") and bias not in weights:
            yield bias, torch.zeros_like(scale)


def _kind(name: str, embeds: bool) -> tuple[Kind, str]:
    if not embeds:
        return "gaussian", "since they have no θ and φ"
    if found := _DOT_PRODUCT.search(name):
        return "dot_product", f"after '{found.group(0)}' in its name"
    if found := _EMBEDDED.search(name):
        return "embedded_gaussian", f"after '{found.group(0)}' in its name"
    return "embedded_gaussian", "as in TSM's release, since its name does not say another kind"

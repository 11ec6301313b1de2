"""Networks of the family that this version cannot build, and those it builds in another
arrangement, known by their keys, so that a file of one is called what it is.

Only what fits no network of this package is looked up here.

Source: the key layouts of the releases of TSM and TSN and of mmaction2 0.x and 1.x.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

_NEXT = (
    "This version cannot build it, and nothing was loaded. Run it with its authors' code and open"
    " its scores on the Confusions page, or choose one of the networks in docs/checkpoints.md."
)
_OTHERWISE = (
    "This version builds such networks, but this file fits none: it lacks weights, has others as"
    " well, or is of another arrangement. Nothing was loaded. docs/checkpoints.md lists the files"
    " that load; save the whole state_dict of one of these networks."
)
_STEM = re.compile(
    r"(^|\.)(conv1(\.conv)?(\.net)?|conv1_7x7_s2|conv_Conv2D|features\.0\.0|Conv2d_1a_3x3\.conv)"
    r"\.weight$"
)
_IN_BLOCK = re.compile(r"layer\d\.\d+\.")
_SHIFTED = re.compile(r"\.net\.")
# What a network is → keys that only it has; the first that is there names it.
_BUILT = (
    ("a {host} with non-local blocks", r"\.(nl|non_local|non_local_block|nonlocal)\.\w"),
    (
        "a {host} on MobileNetV2",
        r"(^|\.)features\.\d+\.conv\.\d+\.|\.layer\d\.\d+\.conv\.\d+\.(net\.)?(conv|bn)\.",
    ),
)
_KINDS = (
    ("a TANet (temporal adaptive modules)", r"\.tam\.[GL]\."),
    ("a TIN (temporal interlacing network)", r"\.net1\.(offset_net|weight_net)\."),
    ("a TRN (temporal relation network)", r"(^|\.)consensus\.(classifier|fc_fusion|relation)"),
    ("a TDN (temporal difference network)", r"(^|\.)(conv1_5|conv1_temp|layer1_bak)\b"),
    ("a TPN (temporal pyramid network)", r"(^|\.)neck\.\w*(level_fusion|modulation|pyramid)"),
    ("a TEA (temporal excitation and aggregation)", r"layer\d\.\d+\.(me|mtb)\."),
    ("a TEINet (temporal enhancement and interaction)", r"layer\d\.\d+\.(mem|tim)\."),
    ("an ACTION-Net", r"layer\d\.\d+\.(conv1\.)?action_\w+\."),
    ("a bLVNet-TAM (depthwise temporal aggregation)", r"\.tam\.(prev|next)_se\."),
    ("an X3D network", r"(^|\.)(s1\.pathway0_stem\.conv_xy|blocks\.0\.conv\.conv_t)\."),
    ("a SlowFast network", r"(^|\.)(slow_path|fast_path|s1\.pathway1)"),
    ("a network of 3D convolutions in SlowFast's names", r"(^|\.)s1\.pathway0"),
    ("a transformer on frames, as CLIP's", r"(^|\.)resblocks\.\d+\.attn\."),
    ("a video transformer", r"(^|\.)(blocks|layers?)\.\d+\.(\d+\.)?\w*(attn|attention)\w*\."),
)


def not_built_yet(state: Mapping[str, Tensor]) -> str | None:
    """What network of another kind the weights ``state`` are those of and what to do next, in
    words; ``None`` where no key says.
    """
    host = "TSM" if any(map(_SHIFTED.search, state)) else "network"
    for kinds, then in ((_BUILT, _OTHERWISE), (_KINDS, _NEXT)):
        for kind, marks in kinds:
            found = [key for key in state if re.search(marks, key)]
            if found:
                return f"is {kind.format(host=host)} ({', '.join(found[:2])}). {then}"
    for key, tensor in state.items():
        if _STEM.search(key) and not _IN_BLOCK.search(key):
            what = _by_input(tensor, host)
            return None if what is None else f"is {what} ({key} is {tuple(tensor.shape)}). {_NEXT}"
    for key, tensor in state.items():
        if tensor.ndim == 5 and max(tensor.shape[2:]) > 1:
            shape = tuple(tensor.shape)
            return f"is a network of 3D convolutions ({key} is {shape}). {_NEXT}"
    return None


def _by_input(stem: Tensor, host: str) -> str | None:
    """What a network is by the shape of its first convolution; ``None`` for one of RGB frames."""
    if stem.ndim == 5:
        return "a network of 3D convolutions"
    if stem.ndim != 4 or stem.shape[1] == 3:
        return None
    planes = stem.shape[1]
    if planes % 2 == 0 and planes != 4:  # 4: pictures with a fourth channel as well
        fields = "one field" if planes == 2 else f"{planes // 2} fields"
        return (
            f"a {host} on optical flow: its input is {planes} planes, {fields} of flow in x and y"
        )
    if planes % 3 == 0:
        return f"a {host} on differences of frames: its input is {planes} planes, not 3 of RGB"
    return f"a {host} whose input is {planes} planes, not 3 of RGB"

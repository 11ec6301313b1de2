"""Reading checkpoint files that may have been made to harm: tensors come out, nothing in them is
run.
"""

from __future__ import annotations

import pickle
import re
import sys
import threading
import warnings
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from gsm_model._moved import renamed
from gsm_model.errors import CheckpointError

MAX_BYTES = 4 * 2**30
# What a pickle names beside tensors is never imported: an inert stand-in takes its place, so that
# nothing of it can run. Of the standard library and of torch, which hold what does harm, only plain
# data gets one; a file that names anything else of them is refused.
_PLAIN_DATA = re.compile(
    r"(argparse|collections|datetime|decimal|enum|fractions|ipaddress|logging|pathlib|string|time"
    r"|types|typing|uuid|zoneinfo)(\.[\w.]+)?\.[A-Z]\w*"
    r"|collections\.(defaultdict|deque)|datetime\.(date|datetime|time|timedelta|timezone)"
    r"|functools\.partial|copyreg\._reconstructor"
    r"|(builtins\.)?(getattr|object|type|slice|range|frozenset|list|dict|tuple|int|float|str|bool"
    r"|bytes)"
    r"|torch\.(optim|nn|cuda\.amp|amp|utils\.data|distributed)\.([\w]+\.)*[A-Z]\w*|torch\._C\.Generator"
)
_UNSUPPORTED = re.compile(r"Unsupported global: GLOBAL ([\w.]+)|Unsupported class ([\w.]+)")
_FILLED = re.compile(r"Can only (SETITEMS?|append|extend) .*but got <class '[\w.]*?(\w+)'>")
_MAX_STAND_INS = 60
_allowing = threading.Lock()


class Inert:
    """Takes the place of an object beside the weights. What the file says of it is kept as data, in
    ``state``; nothing of the object's own code is there.
    """

    state: Any = None

    def __init__(self, *args: object, **kwargs: object) -> None: ...

    def __setstate__(self, state: object) -> None:
        self.state = state


class _InertDict(Inert):
    """In place of a kind of dictionary, such as a configuration."""

    def __new__(cls, *args: object, **kwargs: object) -> Any:
        return OrderedDict()


class _InertList(Inert):
    """In place of a kind of list."""

    def __new__(cls, *args: object, **kwargs: object) -> Any:
        return []


def read_torch_file(path: Path, name: str) -> Any:
    """What ``torch.save`` wrote, with every tensor on the CPU and foreign objects replaced by inert
    ones.

    ``name`` is what messages call the file.

    Raises:
        CheckpointError: if the file is missing, no PyTorch file, cut short, too large, unpacks to
            more than it holds, or names code to run.
    """
    _check_container(path, name)
    stand_ins: dict[str, type] = {}
    while True:
        try:
            with (
                _allowing,
                torch.serialization.safe_globals([(cls, full) for full, cls in stand_ins.items()]),
                warnings.catch_warnings(),
            ):
                warnings.simplefilter("ignore")  # of pickle's protocol; what fails says so itself
                return torch.load(path, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            _stand_in(str(error), stand_ins, name)
        except Exception as error:  # torch.load raises many types for a damaged file
            raise CheckpointError(
                f"{name}: the file is damaged or cut short ({_first_line(error)}); download it"
                " again"
            ) from None


def _stand_in(message: str, stand_ins: dict[str, type], name: str) -> None:
    """Add to ``stand_ins``, full name → class, what ``message`` says is missing, or make one there
    a container.

    Raises:
        CheckpointError: if there may be none.
    """
    filled, match = _FILLED.search(message), _UNSUPPORTED.search(message)
    if filled is not None:
        kind = _InertDict if filled.group(1).startswith("SETITEM") else _InertList
        for full, cls in stand_ins.items():
            if cls.__qualname__ == filled.group(2) and not issubclass(cls, _InertDict | _InertList):
                stand_ins[full] = _named(kind, cls.__qualname__)
                return
    if match is None:
        raise CheckpointError(f"{name}: {_why_unread(message)}; nothing in it was run") from None
    unknown = match.group(1) or match.group(2)
    full = unknown if "." in unknown else f"builtins.{unknown}"
    if not _may_stand_in(full) or full in stand_ins or len(stand_ins) >= _MAX_STAND_INS:
        raise CheckpointError(
            f"{name}: asks to run '{unknown}' while loading, which no checkpoint of weights"
            " needs. It was refused and nothing in it was run; get the file from its"
            " authors again, or save only the state_dict."
        ) from None
    stand_ins[full] = _named(Inert, f"Inert{len(stand_ins)}")


def _named(kind: type, name: str) -> type:
    """A class of its own, so that torch tells one stand-in from another."""
    return type(name, (kind,), {"__module__": __name__})


def _may_stand_in(full: str) -> bool:
    package = full.partition(".")[0]
    if package in sys.stdlib_module_names or package in ("torch", "builtins"):
        return _PLAIN_DATA.fullmatch(full) is not None
    return True


def _why_unread(message: str) -> str:
    if "Unsupported operand" in message:
        return (
            "holds what the restricted reader does not read, as files do that were saved with"
            " another pickle protocol than torch.save's own; save the state_dict again with"
            " torch.save"
        )
    return "the file is damaged, or holds more than weights"


def read_safetensors(path: Path, name: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and the header's metadata of a safetensors file.

    Raises:
        CheckpointError: if the file is missing, too large, or not a whole safetensors file.
    """
    _check_size(path, name)
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"{name}: not a whole safetensors file ({_first_line(error)}); download it again"
        ) from None


def _check_size(path: Path, name: str) -> None:
    if not path.is_file():
        raise CheckpointError(f"{name}: there is no such file")
    size = path.stat().st_size
    if size == 0:
        raise CheckpointError(f"{name}: the file is empty; download it again")
    if size > MAX_BYTES:
        raise CheckpointError(
            f"{name}: {size / 2**30:.1f} GiB is more than the {MAX_BYTES / 2**30:.0f} GiB a"
            " checkpoint may have"
        )


def _check_container(path: Path, name: str) -> None:
    _check_size(path, name)
    with path.open("rb") as file:
        start = file.read(2)
    if start == b"PK":
        try:
            with zipfile.ZipFile(path) as archive:
                entries = archive.infolist()
                unpacked = sum(entry.file_size for entry in entries)
                scripted = any("/code/" in entry.filename for entry in entries)
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            raise CheckpointError(
                f"{name}: the file is damaged or cut short ({_first_line(error)}); download it"
                " again"
            ) from None
        if unpacked > 2 * path.stat().st_size + 2**20:
            raise CheckpointError(
                f"{name}: would unpack to {unpacked / 2**30:.1f} GiB; PyTorch does not compress, so"
                " this is no checkpoint"
            )
        if scripted:
            raise CheckpointError(
                f"{name}: is a TorchScript archive, which holds code beside the weights. Nothing in"
                " it was run; save the model's state_dict with torch.save instead."
            )
        if len(entries) and not any(entry.filename.endswith("data.pkl") for entry in entries):
            raise CheckpointError(
                f"{name}: is a zip archive with {entries[0].filename[:80]!r} in it, not a"
                " checkpoint; unpack it and choose the file inside"
            )
    elif packed := _packed(path, start):
        raise CheckpointError(f"{name}: is {packed}")
    elif start[:1] != b"\x80":
        raise CheckpointError(
            f"{name}: is not a PyTorch checkpoint (it starts with {start!r}). Choose a .pth,"
            " .pth.tar, .pt, .ckpt or .safetensors file; a web page saved in its place is a common"
            " cause."
        )


def _packed(path: Path, start: bytes) -> str:
    """What a file is that holds a checkpoint inside, or stands beside its parts."""
    if start in (b"\x1f\x8b", b"BZ", b"\xfd7", b"7z"):
        return "compressed; unpack it and choose the file inside"
    with path.open("rb") as file:
        head = file.read(512)
    if head[257:262] == b"ustar":
        return "a tar archive with a checkpoint inside; unpack it and choose that file"
    if b'"weight_map"' in head or b'"metadata"' in head:
        return "the index of a checkpoint in several files; join these to one state_dict first"
    return ""


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:160] if lines else type(error).__name__


__getattr__ = renamed(__name__, {"sha256": "gsm_model.io.hashing:sha256"})

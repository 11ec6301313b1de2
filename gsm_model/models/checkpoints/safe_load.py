"""Reading checkpoint files that may have been made to harm: tensors come out, nothing in them is
run.
"""

from __future__ import annotations

import pickle
import re
import threading
import zipfile
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from gsm_model._moved import renamed
from gsm_model.errors import CheckpointError

MAX_BYTES = 4 * 2**30
# Objects that training frameworks leave beside the weights. They are never imported: an inert
# stand-in takes their place. Everything else that a pickle names is refused.
_HARMLESS = re.compile(
    r"(mmengine|mmcv|mmaction)\.[\w.]+|numpy\.(_?core\.multiarray\.(scalar|_reconstruct)|dtype|ndarray|dtypes\.\w+)"
    r"|(__builtin__|builtins)\.getattr|argparse\.Namespace"
)
_UNSUPPORTED = re.compile(r"Unsupported global: GLOBAL ([\w.]+)|Unsupported class ([\w.]+)")
_MAX_STAND_INS = 40
_allowing = threading.Lock()


class _Inert:
    """Takes the place of an object beside the weights; swallows its state."""

    def __init__(self, *args: object, **kwargs: object) -> None: ...

    def __setstate__(self, state: object) -> None: ...

    def __setitem__(self, key: object, value: object) -> None: ...

    def append(self, item: object) -> None: ...

    def extend(self, items: object) -> None: ...


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
            ):
                return torch.load(path, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            match = _UNSUPPORTED.search(str(error))
            if match is None:
                raise CheckpointError(
                    f"{name}: the file is damaged, or holds more than weights; nothing in it"
                    " was run"
                ) from None
            unknown = match.group(1) or match.group(2)
            if (
                not _HARMLESS.fullmatch(unknown)
                or unknown in stand_ins
                or len(stand_ins) >= _MAX_STAND_INS
            ):
                raise CheckpointError(
                    f"{name}: asks to run '{unknown}' while loading, which no checkpoint of weights"
                    " needs. It was refused and nothing in it was run; get the file from its"
                    " authors again, or save only the state_dict."
                ) from None
            stand_ins[unknown] = type("Inert", (_Inert,), {})
        except Exception as error:  # torch.load raises many types for a damaged file
            raise CheckpointError(
                f"{name}: the file is damaged or cut short ({_first_line(error)}); download it"
                " again"
            ) from None


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
                unpacked = sum(entry.file_size for entry in archive.infolist())
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
    elif start[:1] != b"\x80":
        raise CheckpointError(
            f"{name}: is not a PyTorch checkpoint (it starts with {start!r}). Choose a .pth,"
            " .pth.tar or .safetensors file; a web page saved in its place is a common cause."
        )


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:160] if lines else type(error).__name__


__getattr__ = renamed(__name__, {"sha256": "gsm_model.io.hashing:sha256"})

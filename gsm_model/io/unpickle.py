"""What other programs pickled, without running anything: arrays, tensors, numbers and text come
out, and whatever else a pickle names is refused.

Neither numpy nor torch takes part: their arrays and tensors are put together here from bytes of
numbers, so that no state of a stranger's reaches their own code.
"""

from __future__ import annotations

import io
import math
import pickle
import re
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

import numpy as np

from gsm_model.errors import DataError

MAX_NUMBERS = 2**29  # of one array
_KINDS = re.compile(r"[<>|=]?(?:b1|[iu][1248]|f[248]|[SU]\d{1,4}|O8?|\?)")
_STORAGES = {
    "Float": "<f4",
    "Double": "<f8",
    "Half": "<f2",
    "Long": "<i8",
    "Int": "<i4",
    "Short": "<i2",
    "Char": "|i1",
    "Byte": "|u1",
    "Bool": "|b1",
    "BFloat16": "bfloat16",
}
# What anything wrong with a pickle ends in; the machine that reads it is made of lists and dicts.
_DAMAGE = (
    pickle.UnpicklingError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    MemoryError,
    RecursionError,
    AssertionError,
    struct.error,
    LookupError,
    NotImplementedError,
)


class _Kind:
    """Stands for ``numpy.dtype``: the kind of numbers and their order of bytes."""

    def __init__(self, kind: object = "", *more: object) -> None:
        if not isinstance(kind, str) or not _KINDS.fullmatch(kind):
            raise ValueError("numbers of an unknown kind")
        self.kind = kind

    def __setstate__(self, state: Sequence[object]) -> None:
        order = state[1]
        if order not in ("<", ">", "|", "="):
            raise ValueError("an unknown order of bytes")
        self.kind = str(order) + self.kind.lstrip("<>|=")

    @property
    def objects(self) -> bool:
        return "O" in self.kind

    def numbers(self, content: object) -> np.ndarray:
        if isinstance(content, str):  # of Python 2
            content = content.encode("latin1")
        if not isinstance(content, (bytes, bytearray)) or self.objects:
            raise ValueError("an array without its bytes")
        return np.frombuffer(content, np.dtype(self.kind))


class _Array:
    """Stands for ``numpy.ndarray`` while it is put together."""

    values: np.ndarray

    def __init__(self, *arguments: object) -> None: ...

    def __setstate__(self, state: Sequence[Any]) -> None:
        _, shape, kind, fortran, content = state
        shape = _shape(shape)
        if kind.objects:
            values = np.empty(len(content), dtype=object)
            for place, value in enumerate(content):
                values[place] = plain(value)
        else:
            values = kind.numbers(content)
        self.values = values.reshape(shape, order="F" if fortran else "C")


class _Named(type):
    """A class that a pickle only names, such as that of a storage of floats."""


class _Reader(pickle._Unpickler):
    # The one in Python: the one in C takes as much memory as the largest number of a memo asks for.

    def __init__(self, file: BinaryIO, storage: Callable[[Any], np.ndarray] | None = None) -> None:
        super().__init__(file, encoding="latin1")
        self._storage = storage

    def find_class(self, module: str, name: str) -> Any:
        module = module.replace("numpy.core", "numpy._core")
        if (module, name) in _ALLOWED:
            return _ALLOWED[module, name]
        if module == "torch" and (kind := _STORAGES.get(name.removesuffix("Storage"))):
            return _Named("Storage", (), {"kind": kind})
        raise DataError(f"asks to run '{module}.{name}' while loading")

    def persistent_load(self, pid: Any) -> Any:
        if self._storage is None:
            raise ValueError("a reference to another file")
        return self._storage(pid)


def _shape(shape: object) -> tuple[int, ...]:
    if not isinstance(shape, (tuple, list)) or not all(
        type(side) is int and side >= 0 for side in shape
    ):
        raise ValueError("an array without a shape")
    if len(shape) > 8 or math.prod(shape) > MAX_NUMBERS:
        raise ValueError("an array that is too large")
    return tuple(shape)


def _from_buffer(content: object, kind: _Kind, shape: object, order: str = "C") -> np.ndarray:
    return kind.numbers(content).reshape(_shape(shape), order="F" if order == "F" else "C")


def _scalar(kind: _Kind, content: object = b"") -> Any:
    return kind.numbers(content)[0].item()


def _encode(text: str, encoding: str = "latin1") -> bytes:
    return text.encode("latin1")


def _no_bytes() -> bytes:
    """What Python pickles empty bytes as in its older protocols."""
    return b""


def _tensor(
    storage: np.ndarray, offset: int, size: Sequence[int], stride: Sequence[int], *more: object
) -> np.ndarray:
    """A view of ``storage``, whose last number must lie in it; copied, so that it is no other's."""
    size, stride = _shape(size), _shape(stride)
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if not isinstance(storage, np.ndarray) or type(offset) is not int or offset < 0:
        raise ValueError("a tensor without its numbers")
    if math.prod(size) and last >= len(storage):
        raise ValueError("a tensor that is larger than its numbers")
    if not math.prod(size):
        return np.empty(size, storage.dtype)
    steps = [step * storage.itemsize for step in stride]
    return np.lib.stride_tricks.as_strided(storage[offset:], size, steps).copy()


def _numbers(content: bytes, kind: str) -> np.ndarray:
    if kind == "bfloat16":  # the upper half of a float32
        return (np.frombuffer(content, "<u2").astype("<u4") << 16).view("<f4")
    return np.frombuffer(content, kind)


def _storage_of_bytes(content: bytes) -> np.ndarray:
    """The numbers of a tensor inside a pickle, which torch saved there in its older format: four
    pickles, the keys of the storages, and each one's length and numbers.
    """
    file = io.BytesIO(content)
    for _ in range(3):  # a magic number, the version, the machine's sizes
        _Reader(file).load()
    kinds: dict[str, str] = {}

    def refer(pid: Sequence[Any]) -> np.ndarray:
        kinds[pid[2]] = pid[1].kind
        return np.empty(0)

    _Reader(file, refer).load()
    [key] = _Reader(file).load()
    (count,) = struct.unpack("<q", file.read(8))
    kind = kinds[key]
    size = 2 if kind == "bfloat16" else np.dtype(kind).itemsize
    if not 0 <= count <= MAX_NUMBERS:
        raise ValueError("a tensor that is too large")
    return _numbers(file.read(count * size), kind)


_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "scalar"): _scalar,
    ("numpy._core.numeric", "_frombuffer"): _from_buffer,
    ("numpy", "ndarray"): _Named("ndarray", (), {}),
    ("numpy", "dtype"): _Kind,
    ("_codecs", "encode"): _encode,
    ("__builtin__", "bytes"): _no_bytes,
    ("builtins", "bytes"): _no_bytes,
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch.storage", "_load_from_bytes"): _storage_of_bytes,
    ("pathlib", "PosixPath"): lambda *parts: "/".join(map(str, parts)),
    ("pathlib", "WindowsPath"): lambda *parts: "/".join(map(str, parts)),
}


def plain(value: Any) -> Any:
    """``value`` with the arrays that it holds where stand-ins were."""
    return value.values if isinstance(value, _Array) else value


def unpickle(file: BinaryIO, name: str) -> Any:
    """What is pickled in ``file``, or was saved there by torch (a zip archive): lists, dicts, text,
    numbers, and numpy arrays for arrays and tensors. ``name`` is what messages call it.

    Raises:
        DataError: if it is damaged, or names anything but arrays and tensors; nothing in it is run.
    """
    try:
        if file.read(2) == b"PK":
            return _saved_by_torch(file)
        file.seek(0)
        return plain(_Reader(file).load())
    except DataError as error:
        raise DataError(
            f"{name}: {error}, which no file of scores needs. It was refused and nothing in it was"
            " run"
        ) from None
    except (*_DAMAGE, OSError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{name}: not a pickle of arrays that can be read ({type(error).__name__})"
        ) from None


def _saved_by_torch(file: BinaryIO) -> Any:
    with zipfile.ZipFile(file) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > 4 * MAX_NUMBERS:
            raise ValueError("unpacks to too much")
        [main] = [entry for entry in archive.namelist() if entry.endswith("/data.pkl")]
        folder = main.removesuffix("data.pkl")

        def refer(pid: Sequence[Any]) -> np.ndarray:
            return _numbers(archive.read(f"{folder}data/{pid[2]}"), pid[1].kind)

        return plain(_Reader(io.BytesIO(archive.read(main)), refer).load())

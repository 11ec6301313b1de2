"""From the frames of a clip's segments to the planes of a model that sees motion.

Whatever was done to the frames, their order, cut and mirroring, holds for the motion too: it is
computed of the frames that the model would see.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock

import numpy as np
import torch
from torch import Tensor

from gsm_model.motion.stored import flow_bytes
from gsm_model.motion.tvl1 import grey, tvl1_flow
from gsm_model.motion.vectors import motion_vectors, vector_bytes
from gsm_model.video.modality import Modality
from gsm_model.video.transforms import InputSpec

Progress = Callable[[int, int], None]
_KEPT_BYTES = 256 * 2**20


class _Kept:
    """The stored flow of pairs of pictures, by their content; the ones used last are kept."""

    def __init__(self, most: int) -> None:
        self._most, self._bytes, self._lock = most, 0, Lock()
        self._flows: OrderedDict[bytes, np.ndarray] = OrderedDict()

    def get(self, key: bytes) -> np.ndarray | None:
        with self._lock:
            if key in self._flows:
                self._flows.move_to_end(key)
            return self._flows.get(key)

    def put(self, key: bytes, flow: np.ndarray) -> None:
        with self._lock:
            if key not in self._flows:
                self._flows[key] = flow
                self._bytes += flow.nbytes
            while self._bytes > self._most:
                self._bytes -= self._flows.popitem(last=False)[1].nbytes


_kept = _Kept(_KEPT_BYTES)


def flow_planes(
    views: np.ndarray, modality: Modality, is_bgr: bool, progress: Progress | None = None
) -> np.ndarray:
    """Views ``(…, 3·(L + 1), S, S)`` uint8, the frames of each segment one behind the other, → the
    flow between them as it is stored, ``(…, 2·L, S, S)`` uint8, u₁ v₁ u₂ v₂ ….

    The flow of two pictures is computed once, and kept in memory for when it is asked for again.
    ``progress`` is told how many of how many pairs are done.
    """
    around, size = views.shape[:-3], views.shape[-2:]
    frames = views.reshape(-1, modality.fields + 1, 3, *size)
    found: list[np.ndarray | None] = []
    keys: list[bytes] = []
    missing: dict[bytes, tuple[int, int]] = {}
    for segment, field in np.ndindex(len(frames), modality.fields):
        key = _key(frames[segment, field], frames[segment, field + 1], modality, is_bgr)
        keys.append(key)
        found.append(_kept.get(key))
        if found[-1] is None:
            missing.setdefault(key, (segment, field))
    flows = _computed(frames, list(missing.values()), modality, is_bgr, progress)
    made = dict(zip(missing, flows, strict=True))
    for key, flow in made.items():
        _kept.put(key, flow)
    every = [made[key] if flow is None else flow for key, flow in zip(keys, found, strict=True)]
    return np.stack(every).reshape(*around, modality.planes, *size)


def alike(clips: Sequence[np.ndarray], spec: InputSpec) -> list[np.ndarray]:
    """``clips`` (…, P, S, S) uint8 with one number of planes: where some are the stored flow of a
    folder and others the frames of a video, the flow of these is computed.
    """
    if len({clip.shape[-3] for clip in clips}) < 2:
        return list(clips)
    modality, is_bgr = spec.modality, spec.channels == "BGR"
    return [
        clip if clip.shape[-3] == modality.planes else flow_planes(clip, modality, is_bgr)
        for clip in clips
    ]


def _key(first: np.ndarray, second: np.ndarray, modality: Modality, is_bgr: bool) -> bytes:
    digest = hashlib.blake2b(first.tobytes(), digest_size=24)
    digest.update(second.tobytes())
    digest.update(f"{first.shape} {modality.zero} {is_bgr}".encode())
    return digest.digest()


def _computed(
    frames: np.ndarray,
    pairs: list[tuple[int, int]],
    modality: Modality,
    is_bgr: bool,
    progress: Progress | None,
) -> list[np.ndarray]:
    """The stored flow (2, S, S) of each of ``pairs``, (segment, field)."""
    if not pairs:
        return []
    first, second = (
        _grey(np.stack([frames[segment, field + later] for segment, field in pairs]), is_bgr)
        for later in (0, 1)
    )
    flow = tvl1_flow(first, second, progress=progress)
    return list(flow_bytes(flow, modality.zero).numpy())


def _grey(pictures: np.ndarray, is_bgr: bool) -> Tensor:
    planes = torch.from_numpy(np.ascontiguousarray(pictures))
    return grey(planes.flip(1) if is_bgr else planes)


def vector_planes(views: np.ndarray, modality: Modality, is_bgr: bool) -> np.ndarray:
    """Views ``(…, 3·(L + 1), S, S)`` uint8, the frames of each segment one behind the other, → the
    motion vectors from each to the next and what they leave over, ``(…, 5·L, S, S)`` uint8 as
    `vector_bytes` stores them.
    """
    frames = views.reshape(-1, modality.fields + 1, 3, *views.shape[-2:])
    pictures = frames.transpose(0, 1, 3, 4, 2)[..., :: -1 if is_bgr else 1]
    found = [
        vector_bytes(*motion_vectors(segment[field], segment[field + 1]))
        for segment in pictures
        for field in range(modality.fields)
    ]
    return np.stack(found).reshape(*views.shape[:-3], modality.planes, *views.shape[-2:])


def difference_planes(frames: Tensor) -> Tensor:
    """Normalised frames of each segment ``(…, 3·(L + 1), S, S)`` float → each less the one before
    it, ``(…, 3·L, S, S)``.
    """
    return frames[..., 3:, :, :] - frames[..., :-3, :, :]

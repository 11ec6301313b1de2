"""Painting textured parts over each other in torch, all frames of a clip at once.

Picture units: the shorter side of the picture spans −1 … 1, x to the right, y down, origin in the
centre. A ``place`` is a 3 × 3 homography from a part's own coordinates to picture units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gsm_model.data.randomised import cutouts, textures
from gsm_model.data.randomised.textures import Texture
from gsm_model.data.synthetic.scene import MASK_ROLES

NEAR = 0.05  # what is nearer to the camera's plane than this share of its distance is not drawn


@dataclass(frozen=True, eq=False)
class Look:
    """How a part is painted: ``matrix`` (2, 3) takes its own coordinates to the texture's
    (−1 … 1); the colour is ``base`` + ``mix`` · (texture − its mean).
    """

    texture: Texture
    matrix: np.ndarray
    mix: np.ndarray
    base: np.ndarray


@dataclass(frozen=True, eq=False)
class Layer:
    """A part in n moments, ready to paint; the last one decides how finely its texture is sampled.

    ``place`` (n, 3, 3) takes its own coordinates to picture units. It is cut out by the mask
    ``cut`` over the square −1 … 1 of its own coordinates, or by the convex polygon ``outline``
    (n, m, 2) in picture units grown by ``grow`` (n,), or fills the picture. ``opacity`` and
    ``shade`` are (n,).
    """

    look: Look
    place: np.ndarray
    role: str
    opacity: np.ndarray
    shade: np.ndarray
    cut: Tensor | None = None
    outline: np.ndarray | None = None
    grow: np.ndarray | None = None


@dataclass(frozen=True)
class _Window:
    """The equally large parts of some frames that a layer can touch: ``frames`` (v,), ``left`` and
    ``top`` (v,) in pixels, and picture units of the pixels' centres, x (v, 1, w) and y (v, h, 1).
    """

    frames: np.ndarray
    left: np.ndarray
    top: np.ndarray
    height: int
    width: int
    x: Tensor
    y: Tensor


def paint(
    layers: Sequence[Layer], frames: int, height: int, width: int, device: torch.device
) -> Tensor:
    """The first ``frames`` moments of ``layers`` over each other, the last layer on top:
    (``frames``, 3, H, W) float32.
    """
    canvas, unit = torch.zeros(frames, 3, height, width, device=device), min(height, width) / 2
    for layer in layers:
        window = _window(layer, frames, height, width, device)
        if window is None:
            continue
        back = np.linalg.inv(layer.place[window.frames])
        color = _colors(layer, window, back, unit)
        if layer.cut is None and layer.outline is None:
            canvas[torch.from_numpy(window.frames)] = color
            continue
        covered = _covered(layer, window, back, unit)
        opacity = layer.opacity[window.frames]
        if (opacity != 1).any():
            covered = covered * _column(opacity, device)
        for row, frame in enumerate(window.frames):
            rows, columns = _slices(window, row)
            canvas[frame, :, rows, columns].lerp_(color[row], covered[row, None])
    return canvas


def paint_roles(
    layers: Sequence[Layer], frames: int, height: int, width: int, device: torch.device
) -> Tensor:
    """What each pixel shows, (n, H, W) uint8: an index into `MASK_ROLES`; shadows do not count."""
    mask = torch.zeros(frames, height, width, dtype=torch.uint8, device=device)
    for layer in layers:
        if layer.role not in MASK_ROLES or (layer.cut is None and layer.outline is None):
            continue
        window = _window(layer, frames, height, width, device)
        if window is None:
            continue
        shown = layer.opacity[window.frames] >= 0.5
        back = np.linalg.inv(layer.place[window.frames])
        covered = _covered(layer, window, back, min(height, width) / 2) >= 0.5
        for row, frame in enumerate(window.frames):
            if shown[row]:
                rows, columns = _slices(window, row)
                mask[frame, rows, columns][covered[row]] = MASK_ROLES.index(layer.role)
    return mask


def _slices(window: _Window, row: int) -> tuple[slice, slice]:
    top, left = int(window.top[row]), int(window.left[row])
    return slice(top, top + window.height), slice(left, left + window.width)


def _column(values: np.ndarray, device: torch.device) -> Tensor:
    return torch.from_numpy(values.astype(np.float32)).to(device).view(-1, 1, 1)


def project(place: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, m, 2) or (m, 2) through homographies (n, 3, 3): (n, m, 2), and their distances
    from the camera's plane (n, m), which are positive for what is before it.
    """
    full = np.concatenate([points, np.ones((*points.shape[:-1], 1))], -1)
    moved = full @ place.transpose(0, 2, 1)
    depth = moved[..., 2]
    return moved[..., :2] / np.maximum(np.abs(depth), 1e-6)[..., None], depth


_SQUARE = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])


def _window(
    layer: Layer, count: int, height: int, width: int, device: torch.device
) -> _Window | None:
    unit, place = min(height, width) / 2, layer.place[:count]
    if layer.cut is None and layer.outline is None:
        low, high = np.zeros((count, 2)), np.tile([float(width), float(height)], (count, 1))
        there = np.ones(count, bool)
    else:
        if layer.outline is not None and layer.grow is not None:
            corners, grow = layer.outline[:count], layer.grow[:count]
            there = np.array(np.isfinite(corners).all(axis=(1, 2)), bool)
            corners = np.nan_to_num(corners)
        else:
            corners, depth = project(place, _SQUARE)
            there, grow = np.array((depth > NEAR).all(1), bool), None
        margin = 1.0 if grow is None else 1.0 + grow[:, None] * unit
        pixels = np.clip(corners, -1e4, 1e4) * unit + (width / 2, height / 2)
        low = np.maximum(np.floor(pixels.min(1) - margin), 0)
        high = np.minimum(np.ceil(pixels.max(1) + margin), (width, height))
        there &= (high > low).all(1) & (layer.opacity[:count] > 0)
    frames = np.flatnonzero(there)
    if not len(frames):
        return None
    w, h = (high - low)[frames].max(0).astype(int)
    left = np.minimum(low[frames, 0], width - w)
    top = np.minimum(low[frames, 1], height - h)
    x = (left[:, None] + np.arange(w) + 0.5 - width / 2) / unit
    y = (top[:, None] + np.arange(h) + 0.5 - height / 2) / unit
    return _Window(
        frames,
        left,
        top,
        int(h),
        int(w),
        torch.from_numpy(x.astype(np.float32)).to(device)[:, None, :],
        torch.from_numpy(y.astype(np.float32)).to(device)[:, :, None],
    )


def _grid(matrix: np.ndarray, window: _Window) -> Tensor:
    """Picture units → coordinates through homographies (v, 3, 3): (1, v · h, w, 2)."""
    shape = (len(window.frames), window.height, window.width)
    matrix = matrix / matrix[:, 2:, 2:]
    m = torch.from_numpy(matrix.astype(np.float32)).to(window.x.device)[..., None, None]
    grid = torch.empty(*shape, 2, device=window.x.device)
    for k in (0, 1):
        torch.add(m[:, k, 0] * window.x, m[:, k, 1] * window.y + m[:, k, 2], out=grid[..., k])
    if np.any(matrix[:, 2, :2]):
        grid /= (m[:, 2, 0] * window.x + (m[:, 2, 1] * window.y + 1))[..., None]
        grid.nan_to_num_(0.0).clamp_(-1e4, 1e4)
    return grid.view(1, -1, window.width, 2)


def _colors(layer: Layer, window: _Window, back: np.ndarray, unit: float) -> Tensor:
    """(v, 3, h, w)."""
    look, device = layer.look, window.x.device
    grid = _grid(_onto(look) @ back, window)
    source = textures.on_device(look.texture, _level(layer, unit), device)
    found = F.grid_sample(source, grid, padding_mode="reflection", align_corners=False)
    mix = torch.from_numpy(look.mix.astype(np.float32)).to(device)
    base = torch.from_numpy((look.base - look.mix @ look.texture.mean).astype(np.float32))
    color = torch.addmm(base.to(device)[:, None], mix, found[0].flatten(1))
    color = color.view(3, len(window.frames), window.height, window.width).transpose(0, 1)
    shade = layer.shade[window.frames]
    return color if (shade == 1).all() else color * _column(shade, device)[:, None]


def _onto(look: Look) -> np.ndarray:
    return np.concatenate([look.matrix, [[0.0, 0.0, 1.0]]])


def _level(layer: Layer, unit: float) -> int:
    """The level whose texels are about a pixel wide where the layer is in its last moment."""
    place = layer.place[-1]
    onto = _onto(layer.look) @ np.linalg.inv(place)
    centre = place[:2, 2] / place[2, 2] if layer.cut is not None else np.array([0.0, 0.4])
    points = centre + np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]) / unit
    [found], _ = project(onto[None], points)
    height, width = layer.look.texture.levels[0].shape[-2:]
    across, down = (found[1:] - found[0]) * (width / 2, height / 2)
    return layer.look.texture.level(float(np.sqrt(np.hypot(*across) * np.hypot(*down))))


def _covered(layer: Layer, window: _Window, back: np.ndarray, unit: float) -> Tensor:
    """How much of each pixel the layer covers: (v, h, w) in 0 … 1."""
    if layer.cut is not None:
        cut, grid = cutouts.on_device(layer.cut, window.x.device), _grid(back, window)
        return F.grid_sample(cut, grid, padding_mode="zeros", align_corners=False).view(
            len(window.frames), window.height, window.width
        )
    assert layer.outline is not None and layer.grow is not None
    corners, grow = layer.outline[window.frames], layer.grow[window.frames]
    edge = _column(grow * unit + 0.5, window.x.device)
    distance = _capsules(corners, window) if corners.shape[1] == 2 else _polygons(corners, window)
    return (edge - distance * unit).clamp_(0, 1)


def _capsules(ends: np.ndarray, window: _Window) -> Tensor:
    """Distances from lines (v, 2, 2), (v, h, w)."""
    device = window.x.device
    ax, ay = _column(ends[:, 0, 0], device), _column(ends[:, 0, 1], device)
    dx, dy = _column(ends[:, 1, 0], device) - ax, _column(ends[:, 1, 1], device) - ay
    px, py = window.x - ax, window.y - ay
    along = ((px * dx + py * dy) / (dx * dx + dy * dy).clamp_min(1e-9)).clamp_(0, 1)
    return torch.hypot(px - along * dx, py - along * dy)


def _polygons(corners: np.ndarray, window: _Window) -> Tensor:
    """The largest distance beyond an edge of convex polygons (v, m, 2): (v, h, w), negative
    inside.
    """
    edges = np.roll(corners, -1, 1) - corners
    lengths = np.linalg.norm(edges, axis=-1)
    turned = np.stack([edges[..., 1], -edges[..., 0]], -1)
    area = np.sum(corners[..., 0] * edges[..., 1] - edges[..., 0] * corners[..., 1], -1)
    normals = (
        turned / np.maximum(lengths, 1e-9)[..., None] * np.where(area < 0, -1, 1)[:, None, None]
    )
    offsets = np.sum(normals * corners, -1)
    real = lengths > 1e-6
    normals, offsets = normals * real[..., None], np.where(real, offsets, 1e6)
    offsets[real.sum(1) < 3] = -1e6  # a line or a point covers nothing
    device = window.x.device
    nx, ny, off = (
        torch.from_numpy(values.astype(np.float32)).to(device)[:, :, None, None]
        for values in (normals[..., 0], normals[..., 1], offsets)
    )
    across, down = nx * window.x[:, None], ny * window.y[:, None] - off
    distance = across[:, 0] + down[:, 0]
    for k in range(1, corners.shape[1]):
        torch.maximum(distance, across[:, k] + down[:, k], out=distance)
    return distance

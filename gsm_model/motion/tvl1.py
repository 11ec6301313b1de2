"""TV-L1 optical flow, on any device, many pairs of frames at once.

The flow u from frame I₀ to I₁ makes ∑ |∇u| + λ·|I₁(x + u) − I₀| small. Coarse to fine; at each
scale I₁ is warped several times by the flow so far, and between warps the duality-based iteration
of Zach, Pock, Bischof, "A Duality Based Approach for Realtime TV-L1 Optical Flow", DAGM 2007, runs.
Parameters are those of OpenCV's ``DualTVL1OpticalFlow``, but for a pyramid of halves, a fixed
number of iterations in the place of a stopping rule, and no median filter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from threadpoolctl import threadpool_limits
from torch import Tensor

# Luma of ITU-R BT.601, as OpenCV and the releases of flow networks make grey.
GREY = (0.299, 0.587, 0.114)
_SMALLEST = 16  # pixels of the shorter side of the coarsest scale
_TINY = 1e-9
# The dual variables of the flow over columns and over rows, each (B, 2, H, W).
Duals = tuple[Tensor, Tensor]
# The iterations at a scale and warp: flow, dual variables, gradient of the warped picture and
# constant → flow and dual variables.
Iterations = Callable[[tuple[int, int], Tensor, Duals, Tensor, Tensor], tuple[Tensor, Duals]]
_PAIRS_AT_ONCE = 4  # on a CPU, so that what an iteration touches stays in the processor's cache


@dataclass(frozen=True)
class TVL1:
    """What the iteration is run with: ``tau`` the step of the dual variables, ``lam`` the weight of
    the brightness, ``theta`` how tightly both parts are coupled; at most ``scales`` scales of
    ``warps`` warps of ``iterations`` iterations.
    """

    tau: float = 0.25
    lam: float = 0.15
    theta: float = 0.3
    scales: int = 5
    warps: int = 4
    iterations: int = 10


def grey(frames: Tensor) -> Tensor:
    """Pictures ``(…, 3, H, W)`` RGB, 0…255 → ``(…, H, W)`` float32, 0…255."""
    weights = torch.tensor(GREY, device=frames.device).view(3, 1, 1)
    return (frames.float() * weights).sum(-3)


def tvl1_flow(
    first: Tensor,
    second: Tensor,
    settings: TVL1 | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Tensor:
    """The flow from each grey picture of ``first`` (B, H, W) to that of ``second``, 0…255, float:
    ``(B, 2, H, W)`` float32, in pixels to the right and down.

    What is at x in the first is at x + u in the second. Exactly zero where both are equal.
    ``progress`` is told after every few pairs how many of how many are done.

    Raises:
        ValueError: if the two have not one shape (B, H, W).
    """
    if first.ndim != 3 or first.shape != second.shape:
        raise ValueError(
            f"two stacks of grey pictures (B, H, W) are needed, got {tuple(first.shape)} and"
            f" {tuple(second.shape)}"
        )
    settings, cpu = settings or TVL1(), first.device.type == "cpu"
    flows = torch.zeros(len(first), 2, *first.shape[1:], device=first.device)
    [moving] = (first != second).flatten(1).any(1).nonzero(as_tuple=True)
    if not len(moving):
        return flows
    parts = moving.split(_PAIRS_AT_ONCE if cpu else len(moving))

    def flow(at: Tensor) -> Tensor:
        with torch.no_grad():  # a thread has its own mode
            return coarse_to_fine(first[at].float(), second[at].float(), settings)

    for at, found in zip(parts, _in_threads(flow, parts) if cpu else map(flow, parts), strict=True):
        flows[at] = found
        if progress is not None:
            progress(int((moving <= at[-1]).sum()), len(moving))
    return flows


def _in_threads(flow: Callable[[Tensor], Tensor], parts: Sequence[Tensor]) -> Iterator[Tensor]:
    """``flow`` of each part, in order, several at a time, each on one processor.

    The iteration is many small operations; sharing each of them between processors takes longer
    than it saves, and on processors that are busy a hundred times as long.
    """
    with ThreadPoolExecutor(min(len(parts), torch.get_num_threads()), "tvl1", _on_one) as pool:
        yield from pool.map(flow, parts)


def _on_one() -> None:
    """Let this thread's operations run on one processor each."""
    torch.get_num_threads()  # PyTorch sets the number at a thread's first use
    threadpool_limits(1, user_api="openmp")  # of this thread alone


def coarse_to_fine(
    first: Tensor,
    second: Tensor,
    settings: TVL1,
    iterations: Iterations | None = None,
    start: Tensor | None = None,
) -> Tensor:
    """`tvl1_flow` of float pictures, with other ``iterations`` between warps, from another constant
    flow ``start`` (2,) than none.
    """
    u = None
    pairs = _pyramid(first, second, settings.scales)
    for scale in reversed(range(len(pairs))):
        one, other = pairs[scale]
        if u is None:
            u = one.new_zeros(len(one), 2, *one.shape[1:])
            u = u if start is None else u + start.view(1, 2, 1, 1)
        else:
            u = _enlarged(u, one.shape[1:])
        duals = torch.zeros_like(u), torch.zeros_like(u)
        with_gradient = torch.stack([other, *central_gradient(other)], dim=1)
        for warp in range(settings.warps):
            moved, across, down = warped(with_gradient, u).unbind(1)
            # What the brightness differs by at no flow, as a linear function sees it.
            constant = moved - one - across * u[:, 0] - down * u[:, 1]
            gradient = torch.stack([across, down], 1)
            if iterations is None:
                _iterate(u, duals, gradient, constant, settings)
            else:
                u, duals = iterations((scale, warp), u, duals, gradient, constant)
    assert u is not None
    return u


def _iterate(u: Tensor, duals: Duals, gradient: Tensor, constant: Tensor, settings: TVL1) -> None:
    """The iterations between two warps, in place: of the flow ``u`` and its dual variables over
    columns and rows, each (B, 2, H, W).
    """
    bound, ratio = settings.lam * settings.theta, settings.tau / settings.theta
    p, q = duals
    across, down = gradient.unbind(1)
    slope = (across * across).addcmul_(down, down).add_(_TINY).reciprocal_().neg_()
    residual, divergence, size = (torch.empty_like(x) for x in (constant, u, u))
    du, dv = torch.zeros_like(u), torch.zeros_like(u)
    for _ in range(settings.iterations):
        torch.addcmul(constant, across, u[:, 0], out=residual)
        residual.addcmul_(down, u[:, 1]).mul_(slope).clamp_(-bound, bound)
        torch.add(p, q, out=divergence)
        divergence[..., 1:].sub_(p[..., :-1])
        divergence[..., 1:, :].sub_(q[..., :-1, :])
        u.addcmul_(gradient, residual[:, None]).add_(divergence, alpha=settings.theta)
        torch.sub(u[..., 1:], u[..., :-1], out=du[..., :-1])
        torch.sub(u[..., 1:, :], u[..., :-1, :], out=dv[..., :-1, :])
        torch.mul(du, du, out=size)
        size.addcmul_(dv, dv).sqrt_().mul_(ratio).add_(1).reciprocal_()
        p.add_(du, alpha=ratio).mul_(size)
        q.add_(dv, alpha=ratio).mul_(size)


def central_gradient(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """∂x and ∂y of ``pictures`` (B, H, W) by central differences, the border repeated."""
    padded = F.pad(pictures, (1, 1, 1, 1), mode="replicate")
    across = (padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]) / 2
    return across, (padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]) / 2


def warped(planes: Tensor, flow: Tensor) -> Tensor:
    """``planes`` (B, C, H, W) looked up, bicubic, at each place + ``flow`` (B, 2, H, W) pixels; the
    border is repeated.
    """
    height, width = planes.shape[-2:]
    rows = torch.arange(height, device=flow.device).view(1, -1, 1)
    columns = torch.arange(width, device=flow.device).view(1, 1, -1)
    x = (columns + flow[:, 0] + 0.5) * (2 / width) - 1
    y = (rows + flow[:, 1] + 0.5) * (2 / height) - 1
    return F.grid_sample(
        planes, torch.stack([x, y], -1), "bicubic", padding_mode="border", align_corners=False
    )


def _pyramid(first: Tensor, second: Tensor, scales: int) -> list[tuple[Tensor, Tensor]]:
    pairs = [(first, second)]
    for scale in range(1, scales):
        height, width = (round(side / 2**scale) for side in first.shape[1:])
        if min(height, width) < _SMALLEST:
            break
        smaller = F.interpolate(
            torch.stack([first, second], 1), (height, width), mode="bilinear", antialias=True
        )
        pairs.append((smaller[:, 0].contiguous(), smaller[:, 1].contiguous()))
    return pairs


def _enlarged(u: Tensor, shape: torch.Size) -> Tensor:
    """A flow at the next finer scale, of ``shape``, in its pixels."""
    grown = [new / old for new, old in zip(shape, u.shape[-2:], strict=True)]
    finer = F.interpolate(u, tuple(shape), mode="bilinear")
    return finer * finer.new_tensor(grown[::-1]).view(1, 2, 1, 1)

"""Information flow in time: how much an input frame moves what the network computes at another
frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from gsm_model.explain.order.report import MAX_FRAMES_A_PASS
from gsm_model.models.card import Card
from gsm_model.models.inference.device_queue import device_turn
from gsm_model.models.observers import observe_features
from gsm_model.models.recognizer import Recognizer, require_frames
from gsm_model.video.clip_input import clip_input
from gsm_model.video.decoded import DecodedVideo


@dataclass(frozen=True)
class Flow:
    """From input frame i (first axis) to output frame j (second axis), all float32 and ≥ 0.

    ``gradient`` (T, T): the L2 norm of the derivative of frame j's logit of class ``class_index``
    by the normalised pixels of frame i, in logits a unit. ``replacement`` (T, T): the absolute
    change of that logit when frame i is replaced by its neighbour (the next frame; the one before
    for the last). ``layers`` names the network's L temporal sites in network order and ``reach``
    (L, T, T) is the change of the site's features at frame j under the same replacement, as a share
    of their own L2 norm.
    """

    card: Card
    class_index: int
    frame_indices: np.ndarray
    gradient: np.ndarray
    replacement: np.ndarray
    layers: tuple[str, ...]
    reach: np.ndarray

    def reach_by_distance(self) -> np.ndarray:
        """(L, T): per layer the mean of ``reach`` over all pairs of frames that are d = 0 … T − 1
        apart.
        """
        t = len(self.frame_indices)
        distance = np.abs(np.subtract.outer(np.arange(t), np.arange(t)))
        return np.stack([self.reach[:, distance == d].mean(axis=1) for d in range(t)], axis=1)


def information_flow(
    model: Recognizer,
    video: DecodedVideo,
    class_index: int | None = None,
    num_segments: int | None = None,
) -> Flow:
    """The flow in ``model`` for ``video``; ``class_index`` defaults to the answer.

    Source: an input frame outside a network's reach has neither a gradient nor an effect on
    replacement; without a temporal module only the diagonal is left.

    Raises:
        UnsuitableModelError: for a whole video network, which has no frames behind its input.
        KeyError: if ``video`` was not read for this number of segments.
        IndexError: if the model has no such class.
    """
    require_frames(model, "features of single frames")
    given = clip_input(model, video, num_segments=num_segments)
    device = next(model.parameters()).device
    clip = given.views.to(device)
    with device_turn(device):
        chosen, gradient = _gradient_flow(model, clip, class_index)
        replacement, reach = _replacement_flow(model, clip, chosen)
    return Flow(
        model.card,
        chosen,
        given.frame_indices,
        gradient,
        replacement,
        tuple(reach),
        np.stack(list(reach.values())),
    )


def _gradient_flow(
    model: Recognizer, clip: Tensor, class_index: int | None
) -> tuple[int, np.ndarray]:
    clip = clip.clone().requires_grad_()
    with torch.enable_grad():
        logits = model.frame_logits(clip)[0]
        chosen = int(logits.mean(0).argmax()) if class_index is None else class_index
        columns = [
            torch.autograd.grad(logit, clip, retain_graph=True)[0][0].flatten(1).norm(dim=1)
            for logit in logits[:, chosen]
        ]
    return chosen, torch.stack(columns, dim=1).float().cpu().numpy()


def _replacement_flow(
    model: Recognizer, clip: Tensor, class_index: int
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    t = clip.shape[1]
    names = model.site_layers()
    own: dict[str, Tensor] = {}
    reach: dict[str, list[Tensor]] = {name: [] for name in names.values()}

    def watch(host: nn.Module, conv: str, features: Tensor) -> None:
        name = names.get((host, conv))
        if name is None:
            return
        if name not in own:
            own[name] = features[0].clone()
            return
        change = (features - own[name]).flatten(2).norm(dim=2)
        reach[name].append(change / own[name].flatten(1).norm(dim=1).clamp_min(1e-12))

    others = torch.cat([_with_neighbour(clip, i) for i in range(t)])
    with torch.inference_mode(), observe_features(watch):
        before = model.frame_logits(clip)[0, :, class_index]
        after = [
            model.frame_logits(part)[..., class_index]
            for part in others.split(max(1, MAX_FRAMES_A_PASS // t))
        ]
    change = (torch.cat(after) - before).abs()
    return change.float().cpu().numpy(), {
        name: torch.cat(parts).float().cpu().numpy() for name, parts in reach.items()
    }


def _with_neighbour(clip: Tensor, i: int) -> Tensor:
    """``clip`` (1, T, …) with frame ``i`` replaced by the next one, the last by the one before
    it.
    """
    t = clip.shape[1]
    other = clip.clone()
    other[:, i] = clip[:, i + 1 if i + 1 < t else max(i - 1, 0)]
    return other

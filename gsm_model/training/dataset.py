"""Training clips, drawn or from a list: the same clip for the same place in a run, whoever asks and
in whatever order.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import get_args

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from gsm_model.data.labels import mirrored_labels, reversed_classes
from gsm_model.data.lists import Entry
from gsm_model.data.synthetic_sets import Looks, Style, synthetic_set
from gsm_model.evaluation.loader import read_flow, read_frames
from gsm_model.motion.stored import Zero
from gsm_model.training.config import TrainConfig
from gsm_model.video.augment import multi_scale_crop, random_crop
from gsm_model.video.modality import stacks
from gsm_model.video.motion_planes import alike
from gsm_model.video.sampling import training_indices
from gsm_model.video.stored_flow import mirrored, planes_of
from gsm_model.video.transforms import InputSpec, resized_for

_VARIANTS = {"one": 1, "both": 2, "both and still": 4}  # places that show one painted clip


@dataclass(frozen=True)
class Augment:
    """What is done to the frames of a training clip: a crop, and a mirror with the classes it
    swaps.
    """

    spec: InputSpec
    crops: str
    mirror: str
    mirrored: np.ndarray

    @classmethod
    def of(cls, config: TrainConfig, spec: InputSpec, labels: Sequence[str]) -> Augment:
        """The augmentation that ``config`` asks for, for a network that takes ``spec`` and knows
        ``labels``.
        """
        swaps = (
            mirrored_labels(labels)
            if config.mirror == "something-something"
            else np.arange(len(labels))
        )
        return cls(spec, config.crops, config.mirror, swaps)

    def __call__(
        self, frames: np.ndarray, label: int, rng: np.random.Generator
    ) -> tuple[Tensor, int]:
        """``frames`` (T·(1 + L), H, W, 3) uint8 of T segments → (T, 3·(1 + L), S, S) uint8 and the
        label they now have; L is 0 for RGB.
        """
        crop = multi_scale_crop if self.crops == "multi-scale" else random_crop
        frames = crop(frames, self.spec.size, rng)
        if self.mirror != "none" and rng.random() < 0.5:
            frames, label = frames[:, :, ::-1], int(self.mirrored[label])
        planes = frames[..., ::-1] if self.spec.channels == "BGR" else frames
        planes = planes.transpose(0, 3, 1, 2).reshape(
            -1, 3 * (1 + self.spec.modality.neighbours), self.spec.size, self.spec.size
        )
        return torch.from_numpy(planes.copy()), label

    def flow(
        self, between: np.ndarray, zero: Zero, label: int, rng: np.random.Generator
    ) -> tuple[Tensor, int]:
        """As a call, of stored flow ``between`` the frames of T segments, (T·L, H, W, 3) uint8 as
        `StoredFlow.between`, with ``zero`` as no motion → (T, 2·L, S, S) uint8.
        """
        modality = self.spec.modality
        crop = multi_scale_crop if self.crops == "multi-scale" else random_crop
        planes = crop(between, self.spec.size, rng).transpose(0, 3, 1, 2)
        if self.mirror != "none" and rng.random() < 0.5:
            planes, label = mirrored(planes[..., ::-1], zero), int(self.mirrored[label])
        stored = planes_of(planes[None], modality.fields, zero, modality.zero)[0]
        return torch.from_numpy(stored.copy()), label

    def sampled(self, count: int, config: TrainConfig, rng: np.random.Generator) -> np.ndarray:
        """The frames of a training clip out of ``count``, those of each segment one after the
        other.
        """
        indices = training_indices(count, config.num_segments, rng)
        return stacks(indices, self.spec.modality.neighbours, 0, count).ravel()


@dataclass(frozen=True)
class _Painted:
    """The sampled frames of a clip, (T·(1 + L), R, R, 3) uint8, and the chance that crops them."""

    frames: np.ndarray
    label: int
    rng: np.random.Generator


class SyntheticClips(Dataset):
    """Place in the run → (clip (T, 3·(1 + L), S, S) uint8, label): the training clips of the style
    that ``config`` names, which never run out. Randomised ones are painted on ``device`` and have
    the clutter of their step.

    With ``directions`` both, places 2k and 2k + 1 are clip k and its reversal, the same frames in
    the same crop from last to first. With both and still, places 4k … 4k + 3 are these two and one
    of the frames for the whole clip, once of either class. A clip is painted once for all of them.
    """

    def __init__(
        self, config: TrainConfig, augment: Augment, device: torch.device | str = "cpu"
    ) -> None:
        self.config, self.augment, self.device = config, augment, device
        self.reversals = reversed_classes(synthetic_set(style_of(config)).labels)
        self._last: tuple[int, _Painted] | None = None

    def __getitem__(self, place: int) -> tuple[Tensor, int]:
        index, variant = divmod(place, _VARIANTS[self.config.directions])
        if self._last is None or self._last[0] != index:
            self._last = (index, self._paint(index, place // self.config.batch_size))
        clip = self._last[1]
        frames, label = clip.frames, clip.label
        if variant >= 2:
            frames = self._frozen(frames, index)
        if variant % 2:
            frames, label = frames[::-1], int(self.reversals[label])
        return self.augment(frames, label, copy.deepcopy(clip.rng))

    def _frozen(self, frames: np.ndarray, index: int) -> np.ndarray:
        """One segment of ``frames`` in the place of all."""
        count = self.config.num_segments
        of = np.random.default_rng((self.config.seed, index, 2)).integers(count)
        return np.tile(frames.reshape(count, -1, *frames.shape[1:])[of, :1], (len(frames), 1, 1, 1))

    def _paint(self, index: int, step: int) -> _Painted:
        config, side = self.config, self.augment.spec.resize
        # The set is chosen by a chance of its own: clips look the same with a share and without.
        chance = np.random.default_rng((config.seed, index, 1))
        drawn = chance.random() < config.drawn_share
        looks = Looks(config.clutter_at(step), config.camera, config.num_segments, self.device)
        clip = synthetic_set("drawn" if drawn else style_of(config), looks).draw("train", index)
        rng = np.random.default_rng((config.seed, index))
        indices = self.augment.sampled(clip.num_frames, config, rng)
        return _Painted(clip.frames(indices, side, side), clip.label, rng)


def style_of(config: TrainConfig) -> Style:
    """The style of the synthetic clips that ``config`` trains on."""
    [style] = [name for name in get_args(Style) if name == config.style]
    return style


def looks_of(config: TrainConfig) -> Looks:
    """How the synthetic clips look that a run of ``config`` ends with."""
    return Looks(config.clutter, config.camera, config.num_segments)


class ListedClips(Dataset):
    """Place in the run → (clip (T, 3·(1 + L), S, S) uint8, label): the videos of a list, each epoch
    in an order of its own. Of a folder that holds the flow which is learnt from, the clip is that,
    (T, 2·L, S, S).
    """

    def __init__(self, config: TrainConfig, augment: Augment, entries: Sequence[Entry]) -> None:
        self.config, self.augment, self.entries = config, augment, entries

    def __getitem__(self, place: int) -> tuple[Tensor, int]:
        epoch, within = divmod(place, len(self.entries))
        entry = self.entries[int(_epoch_order(self.config.seed, epoch, len(self.entries))[within])]
        rng = np.random.default_rng((self.config.seed, place))
        spec = self.augment.spec

        def sampled(count: int) -> np.ndarray:
            return self.augment.sampled(count, self.config, rng)

        if spec.modality.kind == "flow":
            stored = read_flow(
                entry, lambda count: sampled(count).reshape(-1, 1 + spec.modality.neighbours)
            )
            if stored is not None:
                between, zero = stored
                small = resized_for(between, spec)
                return self.augment.flow(small, zero, entry.label, rng)
        frames = read_frames(entry, sampled)
        return self.augment(resized_for(frames, spec), entry.label, rng)


def collated(batch: Sequence[tuple[Tensor, int]], spec: InputSpec) -> tuple[Tensor, Tensor]:
    """Clips (n, T, P, S, S) uint8 and their labels (n,) int64; where some are stored flow and
    others frames, the flow of these is computed.
    """
    clips = alike([clip.numpy() for clip, _ in batch], spec)
    return torch.from_numpy(np.stack(clips)), torch.tensor([label for _, label in batch])


@lru_cache(maxsize=2)
def _epoch_order(seed: int, epoch: int, count: int) -> np.ndarray:
    return np.random.default_rng((seed, epoch, count)).permutation(count)


class RunPlaces(Sampler[int]):
    """The places in the run that one of ``world`` processes takes, from step ``first`` on.

    Batch k is places k·B … (k + 1)·B − 1. It is cut into ``accumulate``·``world`` equal parts,
    dealt to the processes in turn, so that any split of a batch over processes and accumulated
    parts runs the same parts.
    """

    def __init__(self, config: TrainConfig, first: int, rank: int, world: int) -> None:
        self.config, self.first, self.rank, self.world = config, first, rank, world
        self.part = config.batch_size // (config.accumulate * world)

    def __len__(self) -> int:
        return (self.config.steps - self.first) * self.config.accumulate * self.part

    def __iter__(self) -> Iterator[int]:
        for step in range(self.first, self.config.steps):
            for turn in range(self.config.accumulate):
                start = step * self.config.batch_size + (turn * self.world + self.rank) * self.part
                yield from range(start, start + self.part)

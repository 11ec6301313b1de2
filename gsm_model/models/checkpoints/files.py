"""Checkpoints: published ones read as they are, our own safetensors both ways."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from gsm_model.data.label_reader import checked_labels, read_labels
from gsm_model.data.labels import something_something
from gsm_model.errors import CheckpointError
from gsm_model.io.atomic import whole_file
from gsm_model.io.hashing import sha256
from gsm_model.models.card import Card, Provenance
from gsm_model.models.checkpoints.contents import Weights, weights_in
from gsm_model.models.checkpoints.fit import check_finite, check_whole, never_trained
from gsm_model.models.checkpoints.fit import faults as faults_of
from gsm_model.models.checkpoints.layouts import (
    PLAIN_LAYOUT,
    Candidate,
    candidates,
    published_input,
    segments_in_name,
)
from gsm_model.models.checkpoints.not_built import not_built_yet
from gsm_model.models.checkpoints.recorded import Recorded, recorded_in
from gsm_model.models.checkpoints.safe_load import read_safetensors, read_torch_file
from gsm_model.models.checkpoints.video_layouts import frames_in_name
from gsm_model.models.published.catalogue import Published, listed_as
from gsm_model.models.recognizer import Architecture, Recognizer, build_recognizer
from gsm_model.models.registry import backbones, systems, video_networks
from gsm_model.models.registry import title_of as network_title
from gsm_model.models.systems.non_local import NonLocalBlocks
from gsm_model.models.systems.tsm import Shift
from gsm_model.models.undrawn import Undrawn
from gsm_model.video.modality import LARGEST_INPUT, RGB, SMALLEST_INPUT, Modality
from gsm_model.video.sampling import SAMPLINGS
from gsm_model.video.transforms import InputSpec

HEADER_KEY = "gate_shift_lens"
OWN_LAYOUT = "Gate-Shift Lens"
SUFFIXES = (".safetensors", ".pth.tar", ".pth", ".pt", ".tar", ".ckpt")
MAX_SEGMENTS = 256
NOTHING = Recorded()
_ONE_OF_SEVERAL = re.compile(r"-(\d{5})-of-(\d{5})(?!\d)")
# Modules without weights that a name may promise; TSM's release calls its TSNs TSM_…_RGB_….
_PROMISED = re.compile(r"(?<![a-z])(tsm|gsm|gsf|tdn|tin|shift)(?![a-z])(?!.*_RGB_)", re.IGNORECASE)


@dataclass(frozen=True)
class _Read:
    """A file's content before a model is built from it."""

    weights: dict[str, Tensor]
    architecture: Architecture
    spec: InputSpec
    card: Card


def load_checkpoint(
    path: str | os.PathLike,
    num_segments: int | None = None,
    labels: Sequence[str] | str | os.PathLike | None = None,
    device: torch.device | str | None = None,
    name: str | None = None,
    shift_share: int | None = None,
) -> Recognizer:
    """A recogniser with the weights of a file, in evaluation mode, on ``device`` (the CPU if not
    given).

    Reads the GSM release's ``.pth.tar``, TSM's and mmaction2's TSN and TSM ResNets, whole video
    networks of torchvision and mmaction2, and this package's ``.safetensors``, in whatever a
    training framework wrapped them. Backbone, temporal module and class count come from the
    weights; the number of segments from ``num_segments``, else the file, else its name, else 8, of
    a whole video network that of its published models. ``labels`` is a list or a label file.
    ``name`` is what messages and the card call the file, for files under a random name.
    ``shift_share`` says one in how many channels a TSM shifts each way; without it what the file's
    name (``shift8``) or the settings in it (``shift_div``) say, else an eighth. What was inferred
    is said in ``card.reading``.

    Raises:
        CheckpointError: if the file is unreadable, of no known layout, does not fit its network in
            every key and shape, holds values that are not finite, or has another number of classes
            than ``labels``. Nothing is ever partly loaded.
        DataError: if the label file is unreadable.
    """
    path = Path(path)
    name = name or path.name
    if part := _ONE_OF_SEVERAL.search(name):
        raise CheckpointError(
            f"{name}: is part {int(part.group(1))} of a checkpoint in {int(part.group(2))} files;"
            " join these to one state_dict first"
        )
    read = _read_own(path, name, shift_share) or _read_published(path, name, shift_share)
    architecture = read.architecture
    if num_segments is not None:
        architecture = replace(architecture, num_segments=num_segments)
    if not 1 <= architecture.num_segments <= MAX_SEGMENTS:
        raise CheckpointError(
            f"{name}: {architecture.num_segments} segments; a model takes 1 to {MAX_SEGMENTS}"
        )
    card = replace(read.card, file=name, sha256=sha256(path))
    spec = read.spec
    if (one := _listed(card, architecture)) is not None:
        card = _as_listed(card, one)
        spec = one.input() or replace(spec, sampling=one.sampling)
    if labels is not None:
        names = (
            read_labels(Path(labels))
            if isinstance(labels, (str, os.PathLike))
            else checked_labels(labels, "labels")
        )
        card = replace(card, labels=names)
    _check_classes(architecture, card, name)
    check_finite(read.weights, name)
    model = _build(architecture, spec)
    wanted = model.state_dict()
    model.load_state_dict({key: read.weights.get(key, wanted[key]) for key in wanted})
    model.card = card
    return model.eval().channels_last().to(device or "cpu")


def save_checkpoint(
    model: Recognizer, path: str | os.PathLike, card: Card | None = None, half: bool = False
) -> None:
    """Write ``model`` as safetensors whose header carries architecture, input, labels and card.

    ``half`` stores weight matrices and kernels in float16 (they are read back as float32);
    statistics, scales and biases stay in float32. The file appears whole or not at all.

    Raises:
        OSError: if it cannot be written.
    """
    path = Path(path)
    card = card or model.card
    architecture = asdict(model.architecture)
    if model.architecture.shift is None:  # so that earlier versions read the file
        del architecture["shift"]
    if model.architecture.ratio == 100:
        del architecture["ratio"]
    if model.architecture.non_local is None:
        del architecture["non_local"]
    spec = asdict(model.input)
    for values, modality in ((architecture, model.architecture.modality), (spec, spec["modality"])):
        if modality in (RGB, asdict(RGB)):
            del values["modality"]
    for key, usual in (("sampling", "even"), ("width", None)):
        if spec[key] == usual:
            del spec[key]
    header = {
        "format": 1,
        "architecture": architecture,
        "input": spec,
        "card": json.loads(card.to_json()),
    }
    weights = {
        key: (tensor.half() if half and _is_matrix(tensor) else tensor).detach().cpu().contiguous()
        for key, tensor in model.state_dict().items()
    }
    with whole_file(path) as unfinished:
        try:
            save_file(
                weights, unfinished, metadata={HEADER_KEY: json.dumps(header, ensure_ascii=False)}
            )
        except SafetensorError as error:
            raise OSError(None, str(error)) from None


def _is_matrix(tensor: Tensor) -> bool:
    """Whether it is a weight matrix or kernel, and no table of whole numbers."""
    return tensor.ndim >= 2 and tensor.is_floating_point()


def _read_own(path: Path, name: str, shift_share: int | None) -> _Read | None:
    """The content of a safetensors file with our header; ``None`` for every other kind of file."""
    if path.suffix != ".safetensors":
        return None
    weights, metadata = read_safetensors(path, name)
    if HEADER_KEY not in metadata:
        return _from_state_dict(Weights(weights), {}, name, shift_share)
    try:
        header = json.loads(metadata[HEADER_KEY])
        architecture = _architecture_of(header["architecture"])
        values = header["input"]
        spec = InputSpec.from_values(values)
        card = replace(Card.from_values(header["card"]), layout=OWN_LAYOUT)
        sizes = SMALLEST_INPUT <= spec.size <= LARGEST_INPUT
        sizes = sizes and spec.size <= spec.resize <= 2048
        sizes = sizes and spec.modality == architecture.modality
        sizes = sizes and spec.sampling in SAMPLINGS
        sizes = sizes and (spec.width is None or spec.size <= spec.width <= 2048)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(
            f"{name}: its header is damaged ({type(error).__name__}: {error}); convert the original"
            " again"
        ) from None
    whole = video_networks()
    for what, has, known in (
        ("system", architecture.temporal, [*systems(), *(one.temporal for one in whole.values())]),
        ("backbone", architecture.backbone, [*backbones(), *whole]),
    ):
        if has not in known:
            raise CheckpointError(
                f"{name}: was written for the {what} {has!r}, which this version does not have"
                f" (it has {', '.join(known)}); use the version that wrote it"
            )
    check_whole(weights, name)
    try:
        faults = faults_of(architecture, weights)
    except (TypeError, ValueError) as error:
        faults = [str(error)]
    if faults or not sizes:
        raise CheckpointError(
            f"{name}: its header says {architecture} and input {spec.size}, its weights are not"
            f" those of such a network ({'; '.join(faults) or 'no such input'}); convert the"
            " original again"
        )
    if shift_share is not None and shift_share != _share_of(architecture):
        raise CheckpointError(
            f"{name}: a shift share of {shift_share} was given, but its header says"
            f" {_share_of(architecture) or 'that nothing is shifted'}. Leave it out."
        )
    return _Read(weights, architecture, spec, card)


def _architecture_of(values: Mapping) -> Architecture:
    """The architecture of a header."""
    shift, modality = values.get("shift"), values.get("modality")
    non_local = values.get("non_local")
    return Architecture(
        **{
            **values,
            "shift": None if shift is None else Shift.from_values(shift),
            "modality": RGB if modality is None else Modality.from_values(modality),
            "non_local": None if non_local is None else NonLocalBlocks.from_values(non_local),
        }
    )


def _share_of(architecture: Architecture) -> int | None:
    if architecture.temporal != "tsm":
        return None
    return (architecture.shift or Shift()).share


def _read_published(path: Path, name: str, shift_share: int | None) -> _Read:
    content = read_torch_file(path, name)
    record = dict(dict.items(content)) if isinstance(content, dict) else {}
    return _from_state_dict(
        weights_in(content, name), record, name, shift_share, recorded_in(content)
    )


def _from_state_dict(
    found_in: Weights,
    record: dict,
    name: str,
    shift_share: int | None,
    recorded: Recorded = NOTHING,
) -> _Read:
    state = found_in.state
    check_whole(state, name)
    found = _network_of(state, name, shift_share, recorded)
    architecture = found.architecture
    said = [*found_in.reading(), *found.reading]
    if recorded.segments not in (None, segments_in_name(name)):
        said.append(f"the settings beside its weights say {recorded.segments} frames")
    if architecture.temporal == "none" and (named := _PROMISED.search(name)):
        said.append(
            f"its name says '{named.group(1)}', but no key is of a temporal module: every frame is"
            " scored alone"
        )
    provenance: Provenance = "trained" if _records_training(record) else "unknown"
    if provenance == "unknown" and never_trained(state):
        provenance = "untrained"
        said.append("no BatchNorm in it has ever seen a clip: its weights are as they were drawn")
    card = Card(
        title=title_of(architecture),
        provenance=provenance,
        labels=_published_labels(found.published, architecture.num_classes, name),
        layout=found.published,
        reading=f"Read off the file: {'; '.join(said)}." if said else "",
    )
    return _Read(found.weights, architecture, published_input(found), card)


def _network_of(
    state: dict[str, Tensor], name: str, shift_share: int | None, recorded: Recorded
) -> Candidate:
    """The network whose weights ``state`` is.

    Raises:
        CheckpointError: if it is none, by the name of the network it is where that is known.
    """
    try:
        segments = segments_in_name(name) or recorded.segments
        found = candidates(state, segments or 8, name, shift_share, recorded.share)
        fits = _that_fits(list(found), name)
        whole = video_networks().get(fits.architecture.backbone)
        if whole is None or segments is not None:
            return fits
        frames = frames_in_name(name) or whole.frames
        return replace(fits, architecture=replace(fits.architecture, num_segments=frames))
    except CheckpointError:
        what = not_built_yet(state)
        if what is None:
            raise
        raise CheckpointError(f"{name}: {what}") from None


def title_of(architecture: Architecture) -> str:
    """What people call a network, such as *GSM BN-Inception*."""
    return network_title(architecture.backbone, architecture.temporal)


def _that_fits(found: list[Candidate], name: str) -> Candidate:
    """The one candidate whose network the weights fit in every key and shape.

    Raises:
        CheckpointError: if there is none, which names what does not fit the nearest, or several.
    """
    if not found:
        raise CheckpointError(
            f"{name}: names its weights as several layouts do at once; nothing was loaded. Save the"
            " state_dict of one network."
        )
    faults = [faults_of(one.architecture, one.weights) for one in found]
    fitting = [one for one, wrong in zip(found, faults, strict=True) if not wrong]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        titles = " and ".join(title_of(one.architecture) for one in fitting)
        raise CheckpointError(
            f"{name}: fits {titles} alike. Convert it with the package that it was trained with, to"
            " a file whose header says which."
        )
    nearest = min(range(len(found)), key=lambda place: len(faults[place]))
    architecture = found[nearest].architecture
    raise CheckpointError(
        f"{name}: seems to be {_seems(architecture)}, but its keys do not fit that network:"
        f" {'; '.join(faults[nearest])}. Nothing was loaded. Save the whole state_dict; if it is"
        " another network, run it with its authors' code and open its scores on the Confusions"
        " page."
    )


def _seems(architecture: Architecture) -> str:
    return f"{title_of(architecture)} with {architecture.num_classes} classes"


def _listed(card: Card, architecture: Architecture) -> Published | None:
    """The catalogue's checkpoint that a file is: by name, by hash as far as one is published, and
    by its network.
    """
    one = None if card.layout == OWN_LAYOUT else listed_as(card.file, card.sha256)
    network = (architecture.backbone, architecture.temporal, architecture.num_classes)
    if one is None or network != (one.network, one.temporal, one.classes):
        return None
    return one


def _as_listed(card: Card, one: Published) -> Card:
    by = "name and hash" if one.sha256 else "name"
    said = f"By its {by} it is {one.name} of the catalogue, trained on {one.data}."
    return replace(
        card,
        domain="filmed",
        training_data=one.data,
        protocol=one.protocol,
        reading=f"{card.reading} {said}".strip(),
    )


def _records_training(record: dict) -> bool:
    meta = record.get("meta")
    epoch = record.get("epoch", meta.get("epoch") if isinstance(meta, dict) else None)
    return isinstance(epoch, int) and epoch > 0


def _published_labels(layout: str, num_classes: int, name: str) -> tuple[str, ...] | None:
    """Something-Something's names where the file is known to use their order; mmaction2's V1 models
    use another, and of a file of no release nothing is known.
    """
    known_order = layout not in ("mmaction2", PLAIN_LAYOUT) or "sthv2" in name
    return (
        something_something() if num_classes == len(something_something()) and known_order else None
    )


def _check_classes(architecture: Architecture, card: Card, name: str) -> None:
    if card.labels is not None and len(card.labels) != architecture.num_classes:
        raise CheckpointError(
            f"{name}: 'new_fc.weight' has {architecture.num_classes} classes, but the label file"
            f" lists {len(card.labels)}. Choose the label file this checkpoint was trained with."
        )


def _build(architecture: Architecture, spec: InputSpec) -> Recognizer:
    with Undrawn():
        model = build_recognizer(
            architecture.backbone,
            architecture.temporal,
            architecture.num_classes,
            architecture.num_segments,
            architecture.width,
            shift=architecture.shift,
            ratio=architecture.ratio,
            modality=architecture.modality,
            non_local=architecture.non_local,
        )
    model.input = spec
    return model

"""What a training starts from: a checkpoint of any layout that loads, one of the catalogue, or an
ImageNet ResNet of torchvision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gsm_model.bundled import find_asset
from gsm_model.errors import CheckpointError, DataError
from gsm_model.models.checkpoints.files import load_checkpoint
from gsm_model.models.cross_modality import cross_modality_weights
from gsm_model.models.published.catalogue import find
from gsm_model.models.published.fetch import fetch_published
from gsm_model.models.published.load import read_published, require_loadable
from gsm_model.models.published.transfer import Tell
from gsm_model.models.recognizer import Recognizer
from gsm_model.training.config import TrainConfig
from gsm_model.training.optim import build_model
from gsm_model.video.modality import RGB

# Their weights are those of the 2D network: what crosses time has none of its own.
AS_2D = ("none", "tsm")


def initial_model(
    initial: str, folder: Path, mirror: str | None = None, progress: Tell | None = None
) -> Recognizer:
    """The model that a configuration in ``folder`` names: the file ``folder / initial``, else that
    file from the working folder or of the product's assets, or what the catalogue calls
    ``initial``, such as ``imagenet-resnet50``, downloaded if need be from its publisher or
    ``mirror``.

    Raises:
        DataError: if there is neither a file nor a published checkpoint of that name.
        CheckpointError: if the file cannot be loaded.
        DownloadError: if it cannot be had.
    """
    path = folder / initial
    for file in (path, Path(find_asset(initial))):
        if file.is_file():
            return load_checkpoint(file)
    try:
        find(initial)
    except CheckpointError as error:
        raise DataError(f"'initial': there is no file {path}, and {error}") from None
    one = require_loadable(initial)
    return read_published(one, fetch_published(initial, None, mirror, progress))


def started_model(
    config: TrainConfig, labels: Sequence[str], trained: Recognizer
) -> tuple[Recognizer, str]:
    """The network of ``config`` for the classes ``labels`` with the weights of ``trained``, and one
    sentence on what was taken.

    Of the same network all weights are taken, of a TSN or TSM of the same backbone the 2D ones,
    from which every system starts by its own rule. A network of motion may start from one of
    pictures (`cross_modality_weights`). Of the classifier the classes that both know by name are
    taken; all others are new.

    Raises:
        DataError: if ``trained`` is another network.
    """
    model = build_model(config, len(labels))
    name = trained.card.file or trained.card.name
    own = replace(trained.architecture, num_classes=0, num_segments=0)
    wanted = replace(model.architecture, num_classes=0, num_segments=0)
    if own == wanted or (own.modality == RGB and own == replace(wanted, modality=RGB)):
        state = model.base_model.state_dict()
        given = cross_modality_weights(trained.base_model.state_dict(), state)
        model.base_model.load_state_dict(given)
        taken = "all weights"
    elif (
        own.temporal in AS_2D
        and (own.backbone, own.width) == (wanted.backbone, wanted.width)
        and own.modality in (RGB, wanted.modality)
    ):
        plain = build_model(replace(config, temporal="none", shift_blocks=""), len(labels))
        state = plain.base_model.state_dict()
        given = cross_modality_weights(trained.base_model.state_dict(), state)
        model = build_model(config, len(labels), given)
        taken = "the weights of its 2D network"
    else:
        raise DataError(
            f"{name}: is {own}, but the configuration is of {wanted}; name a checkpoint of the same"
            " network as 'initial', or a TSN or TSM of its backbone and width"
        )
    known = trained.card.labels or ()
    both = [label for label in labels if label in known]
    rows = [labels.index(label) for label in both]
    chosen = [known.index(label) for label in both]
    for ours, theirs in zip(model.new_fc.parameters(), trained.new_fc.parameters(), strict=True):
        ours.data[rows] = theirs.data[chosen].to(ours)
    heads = f"{len(both)} of {len(labels)} classes" if both else "none of the classes"
    return model, f"starts from {name}: {taken}, and of the classifier {heads}"

"""Published checkpoints by name: fetched if need be, and loaded as the catalogue says."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import torch

from gsm_model.errors import CheckpointError
from gsm_model.models.checkpoints.files import load_checkpoint
from gsm_model.models.published.catalogue import Published, find
from gsm_model.models.published.fetch import fetch_published
from gsm_model.models.published.transfer import Tell
from gsm_model.models.recognizer import Recognizer


def load_published(
    name: str,
    device: torch.device | str | None = None,
    mirror: str | None = None,
    progress: Tell | None = None,
    cancel: threading.Event | None = None,
) -> Recognizer:
    """A published checkpoint by its name in the catalogue, in evaluation mode, on ``device`` (the
    CPU if not given); it is downloaded to the cache folder if it is not there.

    Its classes, its input and its number of frames are those that the catalogue lists.
    ``mirror``, ``progress`` and ``cancel`` as for `fetch_published`.

    Raises:
        CheckpointError: if there is none of that name, this version cannot load it, or the file is
            not what the catalogue lists.
        DownloadError: if the file cannot be had.
    """
    one = require_loadable(name)
    return read_published(one, fetch_published(name, None, mirror, progress, cancel), device)


def require_loadable(name: str) -> Published:
    """The catalogue's row of ``name``.

    Raises:
        CheckpointError: if there is none, or this version cannot load it.
    """
    one = find(name)
    if not one.loadable:
        raise CheckpointError(
            f"{name}: is listed, but this version cannot load it yet: it needs {one.needs}. 'models"
            " list --loadable' shows what loads."
        )
    return one


def read_published(
    one: Published, path: Path, device: torch.device | str | None = None
) -> Recognizer:
    """The model of a file of ``one`` that is at hand.

    Raises:
        CheckpointError: if the file is not the network that the catalogue lists.
    """
    labels = one.class_names()
    model = load_checkpoint(path, one.frames, labels, device, name=one.file)
    found = model.architecture
    wanted = (one.network, one.temporal, one.classes)
    if (found.backbone, found.temporal, found.num_classes) != wanted:
        raise CheckpointError(
            f"{one.name}: {path} holds a {model.card.title} with {found.num_classes} classes, the"
            f" catalogue lists a {one.title} with {one.classes}; it is another file. Delete it and"
            " get it again."
        )
    model.card = replace(
        model.card,
        labels=labels,
        training_data=one.data,
        domain="filmed",
        protocol=one.protocol,
        recipe=_recipe(one),
        provenance="trained" if one.sha256 is not None else model.card.provenance,
    )
    model.input = one.input() or model.input
    return model


def _recipe(one: Published) -> str:
    """Whose it is and how accurate they say it is."""
    said = "; ".join(
        f"{each.top1:g} % ({each.protocol or 'protocol not stated'})" for each in one.accuracy
    )
    return f"{one.publisher}, published as {one.name}" + (
        f"; top-1 by its authors: {said}" if said else ""
    )

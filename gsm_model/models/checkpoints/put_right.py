"""What a file says wrongly of how its network was trained, put right in a loaded model."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from gsm_model.errors import CheckpointError
from gsm_model.models.checkpoints.files import title_of
from gsm_model.models.recognizer import Recognizer, build_recognizer
from gsm_model.models.systems.tsm import Shift
from gsm_model.video.sampling import Sampling
from gsm_model.video.transforms import NORMALISATIONS, InputSpec


def put_right(
    model: Recognizer,
    colours: Literal["RGB", "BGR"] | None = None,
    normalisation: str | None = None,
    sampling: Sampling | None = None,
    shift: bool | None = None,
    share: int = 8,
) -> Recognizer:
    """``model`` with another order of ``colours`` (its mean and deviation go with them), one of
    `NORMALISATIONS`, another ``sampling``, or the same weights with or without a TSM's ``shift`` of
    one in ``share`` channels each way.

    Raises:
        CheckpointError: if a shift is asked for or taken from what is neither TSM nor TSN.
    """
    spec = model.input
    if colours is not None:
        spec = recoloured(spec, colours)
    if normalisation is not None:
        spec = NORMALISATIONS[normalisation].applied(spec)
    if sampling is not None:
        spec = replace(spec, sampling=sampling)
    found = model if shift is None else shifted_by(model, share if shift else None)
    found.input = spec
    return found


def recoloured(spec: InputSpec, channels: Literal["RGB", "BGR"]) -> InputSpec:
    """``spec`` with its planes in the order ``channels``, each with its own mean and deviation."""
    if channels == spec.channels:
        return spec
    return replace(spec, channels=channels, mean=spec.mean[::-1], std=spec.std[::-1])


def shifted_by(model: Recognizer, share: int | None) -> Recognizer:
    """The weights of a TSM or TSN as a network that shifts one in ``share`` channels each way, or
    with ``None`` nothing; in evaluation mode, on the same device.

    Raises:
        CheckpointError: if ``model`` is of another system, or its backbone has no place for shifts.
    """
    a = model.architecture
    if a.temporal not in ("tsm", "none"):
        raise CheckpointError(
            f"{model.card.name}: only a TSM and a TSN are the same network with and without a shift"
        )
    system = "none" if share is None else "tsm"
    shift = None if share in (None, 8) and a.shift is None else a.shift
    if share is not None and (a.shift is not None or share != 8):
        shift = replace(a.shift or Shift(), share=share)
    try:
        other = build_recognizer(
            *(a.backbone, system, a.num_classes, a.num_segments, a.width),
            shift=None if share is None else shift,
            modality=a.modality,
        )
        other.load_state_dict(model.state_dict())
    except (ValueError, RuntimeError) as error:
        raise CheckpointError(f"{model.card.name}: {error}") from None
    other.input = model.input
    other.card = replace(model.card, title=title_of(other.architecture))
    return other.eval().channels_last().to(next(model.parameters()).device)

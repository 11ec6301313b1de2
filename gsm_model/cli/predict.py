"""``predict`` and ``convert``: a model's answers to clips, and its file in this project's
format.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from gsm_model.cli.common import (
    AsJson,
    AverageName,
    Checkpoints,
    ColoursName,
    Device,
    Labels,
    NormalisationName,
    OrderName,
    Precision,
    SamplingName,
    fail,
    load_models,
    open_clip,
    or_fail,
    protocols_of,
    say,
)
from gsm_model.cli.shared import FlowZero, ShiftShare, zero_named
from gsm_model.errors import LensError

if TYPE_CHECKING:
    from gsm_model.fusion import Fusion
    from gsm_model.models.protocol import EvalProtocol
    from gsm_model.models.recognizer import Recognizer
    from gsm_model.predict import Prediction
    from gsm_model.video.isolate import DecodedVideo


def predict(
    clips: Annotated[
        list[Path], typer.Argument(help="Video files, pictures, or folders of numbered frames.")
    ],
    checkpoint: Checkpoints = None,
    order: Annotated[
        OrderName, typer.Option(help="The order in which the models see the frames.")
    ] = "forward",
    seed: Annotated[int, typer.Option(help="Which shuffle, for --order shuffled.")] = 0,
    top: Annotated[int, typer.Option(min=1, help="How many classes to list.")] = 5,
    segments: Annotated[
        int | None,
        typer.Option(
            min=1, max=64, help="Frames a model sees; without it, as many as it was trained with."
        ),
    ] = None,
    views: Annotated[
        str | None,
        typer.Option(
            help=(
                "Clips x crops: 1, 2x1, 1x3, 2x3, 1x10; without it, as the model's authors test it."
            )
        ),
    ] = None,
    crops: Annotated[
        int | None, typer.Option(help="Crops a frame, of one clip: 1, 3 or 10; see --views.")
    ] = None,
    average: Annotated[
        AverageName | None,
        typer.Option(help="What is averaged over the views; without it, what its authors average."),
    ] = None,
    fuse: Annotated[
        str | None,
        typer.Option(
            metavar="WEIGHTS",
            help="The models' scores as one, weighted so: 1:1.5, or default (flow 1.5, else 1).",
        ),
    ] = None,
    fuse_of: Annotated[
        AverageName, typer.Option(help="What --fuse takes the weighted mean of.")
    ] = "logits",
    labels: Labels = None,
    flow_zero: FlowZero = None,
    device: Device = None,
    precision: Precision = "float32",
    as_json: AsJson = False,
) -> None:
    """What each model says about each clip."""
    from gsm_model.fusion import fuse as fuse_answers
    from gsm_model.fusion import parse_weights
    from gsm_model.predict import predict as answer

    if crops not in (None, 1, 3, 10):
        fail(f"--crops {crops}: choose 1, 3 or 10")
    if crops is not None and views is not None:
        fail("--crops and --views both say how many crops; give one of them")
    if not any(_may_be_there(path) for path in clips):
        _none_is_there(clips, as_json)
    models = load_models(checkpoint, labels, device, precision)
    weights = None
    if fuse is not None:
        kinds = [model.architecture.modality.kind for model in models]
        weights = or_fail(lambda: parse_weights(fuse, kinds))
    protocols = protocols_of(models, views or (f"1x{crops}" if crops else None), average)
    results: list[dict[str, Any]] = []
    failed = False
    for path in clips:
        try:
            counts, video = open_clip(
                *(path, models, segments), protocols=protocols, zero=zero_named(flow_zero)
            )
            answers = [
                answer(
                    *(model, video, order, count, seed, own.crops, own.average),
                    *(_flow_progress(model), own.clips),
                )
                for model, own, count in zip(models, protocols, counts, strict=True)
            ]
        except LensError as error:
            say(str(error))
            results.append({"file": str(path), "error": str(error)})
            failed = True
            continue
        for one in answers:
            if one.note:
                say(f"{path}: {one.card.name}: {one.note}")
        results.append(_clip_record(path, video, order, models, protocols, answers, top))
        if weights is not None:
            fused = or_fail(partial(fuse_answers, answers, weights, fuse_of))
            results[-1]["fused"] = _fusion_record(fused, top)
        if not as_json:
            _print_answers(results[-1])
    if as_json:
        typer.echo(json.dumps({"clips": results}, ensure_ascii=False, indent=2))
    if failed:
        raise typer.Exit(2)


def _may_be_there(path: Path) -> bool:
    """Whether it is worth looking into ``path``, a file, a folder, or a series or flow in one."""
    from gsm_model.video.flow_folders import flow_folder

    try:
        return path.exists() or "%" in path.name or flow_folder(path) is not None
    except (OSError, ValueError):  # a name too long, or with a zero byte
        return True


def _none_is_there(clips: Sequence[Path], as_json: bool) -> NoReturn:
    """Say so before models are loaded, which takes seconds."""
    errors = [f"{path.name}: there is no such file" for path in clips]
    for error in errors:
        say(error)
    if as_json:
        results = [
            {"file": str(path), "error": error} for path, error in zip(clips, errors, strict=True)
        ]
        typer.echo(json.dumps({"clips": results}, ensure_ascii=False, indent=2))
    raise typer.Exit(2)


def convert(
    source: Annotated[Path, typer.Argument(help="A published checkpoint.")],
    target: Annotated[Path, typer.Argument(help="The .safetensors file to write.")],
    segments: Annotated[
        int | None, typer.Option(help="Segments, where the file's name does not say.")
    ] = None,
    labels: Labels = None,
    shift_share: ShiftShare = None,
    colours: Annotated[
        ColoursName | None, typer.Option(help="The order of the colour planes it was trained on.")
    ] = None,
    normalisation: Annotated[
        NormalisationName | None,
        typer.Option(
            "--normalise",
            help="The mean and deviation it was trained with.",
        ),
    ] = None,
    sampling: Annotated[
        SamplingName | None, typer.Option(help="How its frames are taken from a video.")
    ] = None,
    shift: Annotated[
        bool | None,
        typer.Option(
            "--shift/--no-shift",
            help="Take a TSN's weights for a TSM's, or the reverse: a shift has no weights.",
        ),
    ] = None,
    half: Annotated[
        bool, typer.Option("--half", help="Store the weights in float16: half the size.")
    ] = False,
) -> None:
    """Rewrite a checkpoint as safetensors that carry everything: architecture, labels, segments,
    input. What is wrong in the file, which 'check' finds out, can be put right.
    """
    from gsm_model.models.checkpoints.files import load_checkpoint, save_checkpoint
    from gsm_model.models.checkpoints.put_right import put_right

    if target.suffix != ".safetensors":
        fail(f"{target.name}: the file to write must end in .safetensors")
    share = None if shift is not None else shift_share
    model = or_fail(lambda: load_checkpoint(source, segments, labels, shift_share=share))
    model = or_fail(
        lambda: put_right(model, colours, normalisation, sampling, shift, shift_share or 8)
    )
    or_fail(lambda: save_checkpoint(model, target, half=half))
    a = model.architecture
    typer.echo(f"{target}: {model.card.title}, {a.num_classes} classes, {a.num_segments} segments")
    if model.card.reading:
        say(f"{source.name}: {model.card.reading}")


def _flow_progress(model: Recognizer) -> Callable[[int, int], None] | None:
    """What tells on a terminal how much of the flow of a model that sees it is computed."""
    if model.architecture.modality.kind != "flow" or not sys.stderr.isatty():
        return None

    def tell(done: int, total: int) -> None:
        end = "\n" if done == total else ""
        typer.echo(f"\r{model.card.name}: optical flow {done} of {total}{end}", nl=False, err=True)

    return tell


def _clip_record(
    path: Path,
    video: DecodedVideo,
    order: OrderName,
    models: Sequence[Recognizer],
    protocols: Sequence[EvalProtocol],
    answers: Sequence[Prediction],
    top: int,
) -> dict[str, Any]:
    """The JSON of one clip. ``frame_indices`` of the clip are those of its first model; each model
    has its own too.
    """
    records = []
    for model, own, answer in zip(models, protocols, answers, strict=True):
        a, t = model.architecture, len(answer.frame_indices)
        records.append(
            {
                "name": model.card.name,
                "backbone": a.backbone,
                "temporal": a.temporal,
                "sees": a.modality.title,
                "num_segments": len(answer.frame_indices),
                "sha256": model.card.sha256,
                "reading": model.card.reading,
                "device": next(model.parameters()).device.type,
                "precision": model.precision or "float32",
                "average": answer.average,
                "clips": own.clips,
                "crops": own.crops,
                "sampling": model.input.sampling,
                "protocol": own.in_words(model.input, t),
                "note": answer.note,
                "domain": model.card.domain,
                "caution": None if answer.caution is None else answer.caution.text,
                "frame_indices": answer.frame_indices.tolist(),
                "frame_seconds": video.times_at(answer.frame_indices).round(6).tolist(),
                "top": [
                    {"label": label, "index": index, "probability": p}
                    for index, label, p in answer.top(top)
                ],
            }
        )
    return {
        "file": str(path),
        "num_frames": video.info.num_frames,
        "fps": video.info.fps,
        "seconds": video.info.seconds,
        "notes": list(video.info.notes),
        "frame_indices": records[0]["frame_indices"],
        "order": order,
        "models": records,
    }


def _fusion_record(fused: Fusion, top: int) -> dict[str, Any]:
    """The JSON of what models say together; of each, by how much it puts the answer before the
    runner-up.
    """
    return {
        "of": fused.of,
        "weights": list(fused.weights),
        "lead": fused.lead().tolist(),
        "top": [
            {
                "label": label,
                "index": index,
                "probability": p,
                "parts": fused.parts[:, index].tolist(),
            }
            for index, label, p in fused.top(top)
        ],
    }


def _print_answers(record: Mapping[str, Any]) -> None:
    typer.echo(
        f"{record['file']}  ({record['num_frames']} frames in {record['seconds']:.1f} s,"
        f" {record['fps']:.1f} a second, {record['order']})"
    )
    for model in record["models"]:
        typer.echo(
            f"  {model['name']} ({model['device']}, {model['precision']}), frames"
            f" {' '.join(map(str, model['frame_indices']))}"
        )
        typer.echo(f"    {model['protocol']}")
        if model["caution"]:
            typer.echo(f"    caution: {model['caution']}")
        for entry in model["top"]:
            typer.echo(f"    {entry['probability']:6.1%}  {entry['label']}")
    if "fused" in record:
        shares = " : ".join(f"{weight:.0%}" for weight in record["fused"]["weights"])
        typer.echo(f"  together, {record['fused']['of']} {shares}")
        for entry in record["fused"]["top"]:
            typer.echo(f"    {entry['probability']:6.1%}  {entry['label']}")

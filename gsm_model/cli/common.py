"""What the commands share: options, opening models, clips and lists, progress, and errors in one
line.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn, Protocol, TypeVar

import typer
from rich.markup import escape
from typer import Context
from typer.core import TyperGroup

from gsm_model.bundled import WRITTEN, find_given
from gsm_model.cli.shared import flow_zero, list_options, shift_share
from gsm_model.errors import LensError
from gsm_model.io.atomic import write_whole

if TYPE_CHECKING:
    from gsm_model.data.lists import VideoList
    from gsm_model.evaluation.loader import Views
    from gsm_model.models.card import Measure
    from gsm_model.models.caution import Caution
    from gsm_model.models.protocol import EvalProtocol
    from gsm_model.models.recognizer import Recognizer
    from gsm_model.motion.stored import Zero
    from gsm_model.video.isolate import DecodedVideo
    from gsm_model.video.modality import Modality
    from gsm_model.video.sampling import Sampling

_TYPED = "gsm_model.cli.arguments"
# As the package has them; here, so that the command line starts without it.
OrderName = Literal["forward", "reversed", "shuffled", "frozen"]
SplitName = Literal["train", "validation", "test", "shifted"]
StyleName = Literal["drawn", "randomised", "motions", "probes"]
TargetName = Literal["verb", "noun", "action"]
AverageName = Literal["logits", "probabilities"]
ColoursName = Literal["RGB", "BGR"]
NormalisationName = Literal["imagenet", "caffe", "kinetics", "half", "none"]
SamplingName = Literal["even", "dense", "every-second"]
PrecisionName = Literal["float32", "bfloat16", "float16"]
LABELS_HELP = "A label file: one class name a line, with or without an index, or JSON."
Result = TypeVar("Result")


def _there(device: str | None) -> str | None:
    """``device`` if this machine has it; else the command ends with a word on what there is."""
    if device is None:
        return None
    import torch

    counts = {
        "cpu": 1,
        "cuda": torch.cuda.device_count() if torch.cuda.is_available() else 0,
        "mps": int(torch.backends.mps.is_available()),
    }
    try:
        named = torch.device(device)
    except RuntimeError:
        named = None
    # torch keeps the number in eight bits: of a large one it may be below 0.
    if named is None or not 0 <= (named.index or 0) < counts.get(named.type, 0):
        there = [
            name if count == 1 else f"{name}:0 to {name}:{count - 1}"
            for name, count in counts.items()
            if count
        ]
        fail(f"--device: there is no {device!r} here; there is {', '.join(there)}")
    return device


Checkpoints = Annotated[
    list[Path] | None,
    typer.Option(
        "--checkpoint",
        "-c",
        help="A model's file; repeat for several. Without it: the bundled models.",
    ),
]
Precision = Annotated[
    PrecisionName,
    typer.Option(
        help=(
            "What the passes compute in: float32 gives the network's logits to four digits, the"
            " others are quicker."
        )
    ),
]
Clutter = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=1,
        help=("How busy and how spoilt randomised clips and probes are; without it 1 and 0.5."),
    ),
]
Camera = Annotated[
    float, typer.Option(min=0, max=1, help="How far the camera of probes jumps between frames.")
]
Device = Annotated[
    str | None,
    typer.Option(help="cuda, mps or cpu; without it the best there is.", callback=_there),
]
Labels = Annotated[Path | None, typer.Option(help=LABELS_HELP)]
SkipBad = Annotated[
    bool, typer.Option("--skip-bad", help="Go on without the faulty lines of the list.")
]
Target = Annotated[TargetName, typer.Option(help="What an EPIC-Kitchens clip is labelled with.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object instead of text.")]
AsJsonList = Annotated[
    bool, typer.Option("--json", help="JSON instead of text: an object, or a list of several.")
]


class RecordedGroup(TyperGroup):
    """Commands that know how they were called (`arguments_of`), that find the files they are given
    among those that came with the project (`find_given`), and whose help is shown as it is written.
    """

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        _show_as_written(self)

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        given = tuple(args)  # parsing empties the list
        _check_places(given)
        context = super().make_context(info_name, find_given(args), parent, **extra)
        context.meta.setdefault(_TYPED, given)
        return context

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """A command of two words is found by its words, beside one that has the first alone."""
        if " ".join(args[:2]) in self.commands:
            args = [" ".join(args[:2]), *args[2:]]
        return super().resolve_command(ctx, args)


def _check_places(arguments: Sequence[str]) -> None:
    """End the command, before it has computed anything, where a place that it is to write to lies
    under a file.
    """
    parts = [part for given in arguments for part in _option_and_value(given)]
    for option, place in itertools.pairwise(parts):
        if option in WRITTEN:
            check_place(option, Path(place))


def check_place(what: str, place: Path) -> None:
    """End the command where ``place``, which ``what`` names, lies under a file."""
    above = or_fail(partial(_nearest, place))
    if not above.is_dir():
        fail(f"{what}: {above} is a file, so nothing can lie in it; name another place")


def _nearest(place: Path) -> Path:
    """The nearest place above ``place`` that is there."""
    return next((above for above in place.parents if above.exists()), Path())


def _option_and_value(given: str) -> list[str]:
    """``--out=a`` as its two parts, anything else as it is."""
    option, mark, value = given.partition("=")
    return [option, value] if mark and option in WRITTEN else [given]


def _show_as_written(command: Any) -> None:
    """Escape the help of ``command`` and of all that is under it: [something] is no markup."""
    for part in (command, *command.params):
        for name in ("help", "epilog", "short_help"):
            if text := getattr(part, name, None):
                setattr(part, name, escape(text))
    for under in getattr(command, "commands", {}).values():
        _show_as_written(under)


def arguments_of(context: Context) -> tuple[str, ...]:
    """All arguments of the command of ``context`` as they were given, its name first."""
    found: tuple[str, ...] = context.meta[_TYPED]
    return found


def load_models(
    checkpoints: list[Path] | None,
    labels: Path | None,
    device: str | None,
    precision: PrecisionName | None = None,
) -> list[Recognizer]:
    """The models of ``--checkpoint``, or the bundled ones; with a ``precision`` their copies for
    quick passes, else as their files say. What was inferred of a file is said. ``--shift-share`` is
    for those of several models that shift channels.
    """
    from gsm_model.models.checkpoints.files import OWN_LAYOUT, load_checkpoint
    from gsm_model.models.inference.optimize import optimize
    from gsm_model.models.recognizer import best_device

    paths = model_files(checkpoints)
    share = shift_share()

    def load(path: Path) -> Recognizer:
        model = load_checkpoint(
            path,
            labels=labels,
            device=device or best_device(),
            shift_share=share if len(paths) == 1 else None,
        )
        if share is None or len(paths) == 1 or model.architecture.temporal != "tsm":
            return model
        return load_checkpoint(
            path, labels=labels, device=device or best_device(), shift_share=share
        )

    models = or_fail(lambda: [load(path) for path in paths])
    _tell_apart(models, paths)
    for model in models:
        if model.card.reading and model.card.layout != OWN_LAYOUT:
            say(f"{model.card.file}: {model.card.reading}")
    return models if precision is None else [optimize(model, precision) for model in models]


def _tell_apart(models: Sequence[Recognizer], paths: Sequence[Path]) -> None:
    """Models of one name are called after their files too, or after the whole paths of these."""
    files = {(model.card.name, path) for model, path in zip(models, paths, strict=True)}
    names = Counter(name for name, _ in files)
    stems = Counter((name, path.stem) for name, path in files)
    for model, path in zip(models, paths, strict=True):
        name = model.card.name
        if names[name] > 1:
            file = path.stem if stems[name, path.stem] == 1 else str(path)
            model.card = replace(model.card, alias=f"{name} ({file})")


def model_files(checkpoints: list[Path] | None) -> list[Path]:
    """The files that ``--checkpoint`` names, or those of the bundled models."""
    from gsm_model.bundled import bundled_checkpoints

    return checkpoints or or_fail(lambda: list(bundled_checkpoints().values()))


def open_clip(
    path: Path,
    models: Sequence[Recognizer],
    segments: int | None,
    shifts: Sequence[int] = (0,),
    protocols: Sequence[EvalProtocol] = (),
    zero: Zero | None = None,
) -> tuple[list[int], DecodedVideo]:
    """How many frames each model is given, and the clip with the frames of them all, of one clip
    each or as ``protocols`` say; what has to be said of how it was read is said. ``zero`` is the
    byte of no motion in a folder of flow, where a person says it.
    """
    from gsm_model.data.own_clips import recognised
    from gsm_model.models.protocol import EvalProtocol
    from gsm_model.video.isolate import read_video

    own = protocols or [EvalProtocol()] * len(models)
    counts = [
        segments or one.segments or model.architecture.num_segments
        for model, one in zip(models, own, strict=True)
    ]
    clips = {(model.input.sampling, one.clips) for model, one in zip(models, own, strict=True)}
    neighbours = max(model.architecture.modality.neighbours for model in models)
    read = read_video(
        *(path, sorted(set(counts))),
        shifts=shifts,
        neighbours=neighbours,
        clips=sorted(clips),
        flow_zero=zero,
    )
    video = recognised(read, path)
    for note in video.info.notes:
        say(f"{path}: {note}")
    return counts, video


def protocols_of(
    models: Sequence[Recognizer], views: str | None, average: AverageName | None
) -> list[EvalProtocol]:
    """How each model is tested: as its authors do, or as a person chose ``views`` and
    ``average``.
    """
    from dataclasses import replace

    from gsm_model.models.protocol import EvalProtocol

    found = []
    for model in models:
        own = model.card.protocol
        if views is not None:
            chosen = or_fail(partial(_views_for, views, model.input.sampling))
            own = EvalProtocol(chosen.clips, chosen.crops, None, own.average, "as chosen")
        if average is not None and average != own.average:
            own = replace(own, average=average, source="as chosen")
        found.append(own)
    return found


def _views_for(text: str, sampling: Sampling) -> Views:
    from gsm_model.evaluation.loader import Views

    return Views.parse(text).checked(sampling)


def read_list(
    data: Path,
    videos: Path | None,
    labels: Path | None,
    target: TargetName,
    skip_bad: bool,
    model: Callable[[], Recognizer] | None = None,
    modality: Modality | None = None,
    zero: Zero | None = None,
    **options: Any,
) -> VideoList:
    """The list that ``--data`` names; its faults end the command unless ``skip_bad``. What was
    inferred is said. ``model()`` is the model it is for, asked for only where its classes, or what
    it sees, decide; without one, ``modality`` is what the model sees that is trained on it.
    ``options`` are those of `list_options` where the command line does not say them, ``zero`` that
    of ``--flow-zero``.
    """
    from gsm_model.data.lists import read_video_list
    from gsm_model.evaluation.stored_flow import for_modality

    found = read_video_list(
        data,
        videos,
        labels,
        target,
        classes=None if model is None else lambda: model().card.labels,
        num_classes=None if model is None else lambda: model().architecture.num_classes,
        **(options or list_options()),
    )
    if any(entry.flow for entry in found.entries):
        seen = modality if model is None else model().architecture.modality
        if seen is not None:
            found = for_modality(found, seen, zero or flow_zero())
    found = found if skip_bad else found.require_clean()
    for note in found.notes:
        say(f"{found.name}: {note}")
    for fault in [fault for fault in found.faults if fault.usable][:10]:
        say(f"{fault.place}: {fault.message}; those that are there are read")
    return found


def result_of(model: Recognizer, measures: Iterable[Measure], **more: object) -> dict[str, Any]:
    """What a command says of one measured model, for `print_result` or as JSON."""
    from dataclasses import asdict

    return {
        "name": model.card.name,
        "sha256": model.card.sha256,
        "measures": [asdict(measure) for measure in measures],
        **({"reading": model.card.reading} if model.card.reading else {}),
        **more,
    }


def print_result(result: Mapping[str, Any]) -> None:
    typer.echo(f"{result['name']}  {result['sha256'][:12]}")
    for m in result["measures"]:
        print_measure(m)
    for key in (
        "protocol",
        "largest_reversal_change",
        "undecodable",
        "skipped",
        "too_short",
        "out",
    ):
        if key in result:
            value = f"{result[key]:.2g}" if isinstance(result[key], float) else result[key]
            typer.echo(f"  {key.replace('_', ' '):<22} {value}")


def print_measure(m: Mapping[str, Any], width: int = 22) -> None:
    """One figure with its interval and its clips, on one line."""
    interval = f"95 % interval {m['low']:.1%} to {m['high']:.1%}"
    typer.echo(
        f"  {m['metric']:<{width}} {m['value']:6.1%}  ({interval}, {m['n']:,} clips of {m['data']})"
    )


def write_all(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files, name → content, into ``folder``, which is made if it is not there."""

    def write() -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write_whole(folder / name, content)

    or_fail(write)


class Tell(Protocol):
    """Says how far something is: ``done`` of ``total``, and a ``detail``."""

    def __call__(self, done: int, total: int, detail: str = "") -> None: ...


def progress(what: str) -> Tell:
    """Returns ``tell(done, total, detail)``: a bar with the time left on a terminal, a line now and
    then in a file.
    """
    start, first = 0.0, sys.maxsize

    def tell(done: int, total: int, detail: str = "") -> None:
        nonlocal start, first
        if done <= first:  # the first of a round; what counts a second time begins anew
            start, first = time.monotonic(), done
        bar = "█" * (20 * done // total)
        left = (time.monotonic() - start) / max(done - first, 1) * (total - done)
        text = (
            f"{what} {done} of {total},"
            f" {detail}{_duration(left) if done > first or done == total else '…'} left"
        )
        if sys.stderr.isatty():
            print(
                f"\r{bar:░<20} {text}\033[K",
                end="" if done < total else "\n",
                file=sys.stderr,
                flush=True,
            )
        elif done % 50 == 0 or done == total:
            print(text, file=sys.stderr, flush=True)

    return tell


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{seconds:.0f} s"


def or_fail(action: Callable[[], Result]) -> Result:
    """What ``action`` returns; an error that a person can do something about ends the command."""
    try:
        return action()
    except LensError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or ''}: {error.strerror or error}")


def caution_line(caution: Caution | None) -> None:
    """Say under an answer why it may mean little."""
    if caution is not None:
        typer.echo(f"    caution: {caution.text}")


def say(message: str) -> None:
    """One line on standard error."""
    print(" ".join(message.split()), file=sys.stderr)


def fail(message: str) -> NoReturn:
    """End the command with one line on standard error and exit status 2."""
    say(message)
    raise typer.Exit(2)

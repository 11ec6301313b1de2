"""``confusions`` and ``figures``: which classes models mix up, with the statistics a reviewer asks
for; and a recipe made again.
"""

from __future__ import annotations

import csv
import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gsm_model.cli.common import fail, or_fail, say, write_all
from gsm_model.errors import LensError
from gsm_model.figures.presets import PRESETS, Preset, PresetName

if TYPE_CHECKING:
    from gsm_model.predictions.join import PairedPredictions
    from gsm_model.predictions.table import Predictions

MatrixName = Literal["counts", "true", "predicted", "all", "top5", "expected"]
# As an enumeration: of literals typer makes no list.
FigureName = Enum(
    "FigureName",
    {
        "gains": "gains",
        "matrix": "matrix",
        "calibration": "calibration",
        "embedding": "embedding",
        "embedding-pairs": "embedding-pairs",
        "features": "features",
        "features-pairs": "features-pairs",
    },
    type=str,
)
MethodName = Literal["pca", "tsne", "umap"]
GroupName = Literal["pairs", "classes"]
REMAKES = ("confusions", "explain")  # the commands that a recipe may run again


def confusions(
    a: Annotated[
        Path,
        typer.Argument(
            help=(
                "Predictions of model A: .parquet, .npz, .csv, .tsv or .txt (id, label, predicted"
                " or scores), .pkl, or .json."
            )
        ),
    ],
    out: Annotated[Path, typer.Option(help="The folder to write.")],
    b: Annotated[
        Path | None, typer.Argument(help="Predictions of model B on the same clips.")
    ] = None,
    names: Annotated[
        Path | None, typer.Option(help="A label file, where the answers do not name the classes.")
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(
            help="For .json submissions: Something-Something V2's list with the true classes."
        ),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(help="Of tables of text, such as cp1252; without it, found out and said."),
    ] = None,
    pairs: Annotated[
        str,
        typer.Option(
            help="auto (most mixed up; with B, by A and not by B), reversed, or a file of pairs."
        ),
    ] = "auto",
    most: Annotated[int, typer.Option(min=1, help="How many pairs, for auto.")] = 8,
    test: Annotated[
        GroupName, typer.Option(help="What is tested beside all clips: the pairs, or every class.")
    ] = "pairs",
    groups: Annotated[
        Path | None,
        typer.Option(
            help=(
                "Test these groups of classes instead: a line a group, its name, a colon, classes"
                " with ; between them."
            )
        ),
    ] = None,
    blocks: Annotated[
        Path | None,
        typer.Option(
            help=(
                "A CSV file (id, block): clips of one block, such as a person or a video, are drawn"
                " together."
            )
        ),
    ] = None,
    matrix: Annotated[
        MatrixName | None, typer.Option(help="Also write the whole matrix of each model (.csv).")
    ] = None,
    also: Annotated[
        list[FigureName] | None, typer.Option(help="More figures; repeat for several.")
    ] = None,
    slices: Annotated[
        bool,
        typer.Option(
            "--slices",
            help=(
                "Also the accuracy on slices of the clips (length, brightness, motion, confidence,"
                " source), with B tested where it beats A: slices.csv and a figure."
            ),
        ),
    ] = False,
    properties: Annotated[
        Path | None,
        typer.Option(help="With --slices: a CSV file of id and a column a property of the clips."),
    ] = None,
    label_errors: Annotated[
        bool,
        typer.Option(
            "--label-errors",
            help="Also the clips whose labels are likely wrong, by confident learning (.csv).",
        ),
    ] = False,
    cell: Annotated[
        str | None,
        typer.Option(
            help='Also the clips of one cell of the matrix, "TRUE CLASS,PREDICTED CLASS" (.csv).'
        ),
    ] = None,
    videos: Annotated[
        Path | None,
        typer.Option(help="With --cell: the folder of the clips, for a film of each (.mp4)."),
    ] = None,
    method: Annotated[
        MethodName, typer.Option(help="How --also embedding or features lays clips out.")
    ] = "tsne",
    preset: Annotated[PresetName, typer.Option(help="Where it is printed.")] = "cvpr-page",
    italics: Annotated[
        bool, typer.Option("--italics", help="Set [something] in class names in italics.")
    ] = False,
    color: Annotated[
        list[str] | None,
        typer.Option(help="A's colour, and again B's, such as #0072B2; without it, a model's own."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
) -> None:
    """Which classes are mixed up, and, with B, whether the difference is real.

    Writes confusion.{pdf,svg,png,pgf}, with B also significance.{csv,tex,md} and caption.txt, and
    recipe.json. How a file was read, where that was inferred, and what was left out is said.
    """
    from gsm_model.confusion.slices import read_properties, with_properties
    from gsm_model.data.label_reader import read_labels
    from gsm_model.exports.cell import cell_files, parse_cell
    from gsm_model.exports.confusion import label_error_files, slice_files
    from gsm_model.exports.provenance import caution_of_tables
    from gsm_model.predictions.join import join_predictions
    from gsm_model.predictions.read import read_predictions

    labels = None if names is None else or_fail(lambda: read_labels(names))
    models = [
        or_fail(partial(read_predictions, path, labels, truth, encoding=encoding))
        for path in (a, b)
        if path is not None
    ]
    for model in models:
        for note in model.notes:
            say(f"{model.source}: {note}")
    paired: PairedPredictions | None = None
    if len(models) == 2:
        paired = or_fail(partial(join_predictions, *models))
        models = [paired.a, paired.b]
        for count, path in ((paired.only_in_a, a), (paired.only_in_b, b)):
            if count:
                say(f"{count:,} clips are only in {path} and are left out")
    chosen = or_fail(lambda: _pairs(pairs, models, most))
    if not chosen and pairs == "reversed":
        fail("no class has its time reversal among these; name pairs with a file, or --pairs auto")
    if not chosen:
        more_by_a = " more by A than by B" if paired else ""
        say(f"no two classes are mixed up{more_by_a}, so there is no figure of pairs")
    if videos is not None and (cell is None or not videos.is_dir()):
        fail(f"--videos {videos}: name a folder, and a --cell whose clips lie in it")
    if properties is not None:
        if not slices:
            fail("--properties: goes with --slices")
        own = or_fail(lambda: read_properties(properties, models))
        models = with_properties(models, own)
    style = replace(PRESETS[preset], italics=italics)
    more = [figure.value for figure in also or ()]
    colors = _colors(color, len(models))
    drawn = [*more, "slices"] if slices else more
    tests: dict[str, bytes] = {}  # first: a fault in what they are of costs no drawing
    if paired is not None:
        tests = _significance(paired, chosen, test, groups, blocks, seed)
    files, no_font = _figures(models, paired, chosen, style, drawn, method, colors)
    files |= tests
    if matrix is not None:
        files |= or_fail(
            lambda: {
                f"matrix-{letter}.csv": _matrix(model, matrix)
                for letter, model in zip("ab"[: len(models)], models, strict=True)
            }
        )
    if slices:
        of_clip = None if blocks is None else or_fail(lambda: _read_blocks(blocks, models[0].ids))
        files |= or_fail(lambda: slice_files(models, paired, of_clip, seed))
    if label_errors:
        files |= or_fail(lambda: label_error_files(models))
    if cell is not None:
        files |= or_fail(lambda: cell_files(models, parse_cell(cell, models[0].labels), videos))
    options: dict[str, Any] = {
        "cell": cell,
        "videos": None if videos is None else str(videos),
        "slices": slices,
        "properties": properties,
        "label-errors": label_errors,
        "names": names,
        "truth": truth,
        "encoding": encoding,
        "pairs": pairs,
        "most": most,
        "test": test,
        "groups": groups,
        "blocks": blocks,
        "matrix": matrix,
    }
    predictions = [
        (path, model.sha256)
        for path, model in zip((path for path in (a, b) if path), models, strict=True)
    ]
    if any(name.startswith(("embedding", "features")) for name in more):
        options["method"] = method
    if colors:
        options["color"] = list(colors)
    cautions = caution_of_tables(model.origin for model in models)
    files["recipe.json"] = _recipe(
        predictions, {**options, "preset": preset, "italics": italics, "seed": seed}, more, cautions
    )
    write_all(out, files)
    typer.echo(files.get("caption.txt", b"").decode(), nl=False)
    if cautions and "caption.txt" not in files:
        typer.echo(cautions["caution"])
    typer.echo(f"{out}: {', '.join(files)}")
    if no_font:
        fail(no_font)


def _figures(
    models: Sequence[Predictions],
    paired: PairedPredictions | None,
    pairs: list[tuple[int, int]],
    style: Preset,
    more: list[str],
    method: MethodName,
    colors: tuple[str, ...] | None,
) -> tuple[dict[str, bytes], str]:
    """The figures, or none of them and why, where no font has the letters of the class names."""
    from gsm_model.errors import FontError
    from gsm_model.exports.confusion import confusion_files, more_figures

    try:
        files = confusion_files(models, pairs, style) if pairs else {}
        more_files = more_figures(more, models, paired, pairs, style, method, colors)
        return files | more_files, ""
    except FontError as error:
        return {}, str(error)
    except LensError as error:
        fail(str(error))


def _pairs(what: str, models: Sequence[Predictions], most: int) -> list[tuple[int, int]]:
    from gsm_model.confusion.pairs import found_pairs, read_pairs, reversed_class_pairs

    if what == "auto":
        return found_pairs(models[0], models[1] if len(models) == 2 else None, most)
    if what == "reversed":
        return reversed_class_pairs(models[0])
    return read_pairs(Path(what), models[0].labels)


def _significance(
    paired: PairedPredictions,
    pairs: list[tuple[int, int]],
    test: GroupName,
    groups: Path | None,
    blocks: Path | None,
    seed: int,
) -> dict[str, bytes]:
    from gsm_model.confusion.groups import read_groups
    from gsm_model.confusion.significance import class_groups, compare, named_groups, pair_groups
    from gsm_model.exports.confusion import significance_files

    if groups is not None:
        masks = named_groups(paired, or_fail(lambda: read_groups(groups, paired.a.labels)))
    else:
        masks = pair_groups(paired, pairs) if test == "pairs" else class_groups(paired)
    of_clip = None if blocks is None else or_fail(lambda: _read_blocks(blocks, paired.a.ids))
    rows = compare(paired, masks, of_clip, seed)
    return significance_files(paired, rows, "" if blocks is None else f"blocks ({blocks.stem})")


def _read_blocks(path: Path, ids: tuple[str, ...]) -> list[str]:
    from gsm_model.errors import DataError
    from gsm_model.predictions.delimited import SEPARATORS
    from gsm_model.predictions.files import read_text

    lines = read_text(path, path.name, None, ids).text.splitlines()
    of: dict[str, str] = {}
    for separator in SEPARATORS:
        try:
            rows = list(csv.reader(lines, delimiter=separator))
        except csv.Error as error:
            raise DataError(f"{path.name}: not a CSV file that can be read ({error})") from None
        found = {row[0].strip(): row[1].strip() for row in rows if len(row) == 2}
        of = max(of, found, key=len)
    if missing := [id for id in ids if id not in of]:
        raise DataError(
            f"{path.name}: {len(missing)} clips have no block, the first is {missing[0]!r}; give"
            " lines of id,block"
        )
    return [of[id] for id in ids]


def _colors(given: Sequence[str] | None, count: int) -> tuple[str, ...] | None:
    """The colours of ``count`` models as ``--color`` gives them, ``None`` without it."""
    if not given:
        return None
    for color in given:
        if not re.fullmatch(r"#[0-9A-Fa-f]{6}", color):
            fail(f"--color {color}: write it as # and six hexadecimal digits, such as #0072B2")
    if len(given) != count or len({color.upper() for color in given}) != count:
        fail(f"--color: give each of the {count} models one of its own, {len(given)} given")
    return tuple(given)


def _matrix(model: Predictions, kind: MatrixName) -> bytes:
    from gsm_model.confusion.matrix import confusion, expected_confusion, topk_confusion
    from gsm_model.io.tables import csv_text

    if kind == "top5":
        values = topk_confusion(model, min(5, len(model.labels)))
    elif kind == "expected":
        values = expected_confusion(model)
    else:
        values = confusion(model, "none" if kind == "counts" else kind)
    rows = [
        {"true": label, **dict(zip(model.labels, row.tolist(), strict=True))}
        for label, row in zip(model.labels, values, strict=True)
    ]
    return csv_text(rows).encode()


def _recipe(
    predictions: list[tuple[Path, str]],
    options: Mapping[str, Any],
    more: list[str],
    cautions: Mapping[str, str],
) -> bytes:
    """The recipe of a comparison; ``predictions`` are the files with their hashes, ``cautions`` as
    in `caution_of_tables`.
    """
    from gsm_model.exports.provenance import Input, confusions_recipe, portable

    if Path(options["pairs"]).is_file():
        options = {**options, "pairs": Path(options["pairs"])}
    given = {
        name: portable(value) if isinstance(value, Path) else value
        for name, value in options.items()
        if value is not None
    }
    made = confusions_recipe(
        [Input.of(path, digest) for path, digest in predictions],
        {**given, "also": more},
        "out",
        [Input.of(value) for value in options.values() if isinstance(value, Path)],
    )
    return made.json({"options": given, **cautions})


def figures(
    recipe: Annotated[
        Path, typer.Argument(help="A recipe.json that another command wrote beside its results.")
    ],
    out: Annotated[Path, typer.Option(help="The folder to write.")],
) -> None:
    """Make the results of a recipe again, from the same inputs, into another folder: the same bytes
    with the same versions.
    """
    from gsm_model.bundled import find_asset
    from gsm_model.cli import app
    from gsm_model.io.hashing import sha256

    try:
        content = json.loads(recipe.read_text(encoding="utf-8"))
        parts, inputs = shlex.split(content["command"])[3:], dict(content["inputs"])
        place = parts.index("--out") + 1
        # One --out, which is replaced: a recipe from a stranger writes nowhere else.
        known = (
            parts[0] in REMAKES
            and place < len(parts)
            and sum(part.split("=")[0] == "--out" for part in parts) == 1
        )
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        known = False
    if not known:
        fail(
            f"{recipe.name}: not a recipe of {' or '.join(REMAKES)} that names its --out; of"
            " another command, run what the recipe holds as its command"
        )
    for name, digest in inputs.items():
        path = Path(find_asset(name))
        if path.is_file() and sha256(path) != digest:
            fail(
                f"{name}: has changed since the recipe was written (SHA-256 {sha256(path)[:12]}…,"
                f" not {str(digest)[:12]}…)"
            )
    table = parts[place].endswith(".parquet")
    parts[place] = str(out / Path(parts[place]).name if table else out)
    raise typer.Exit(app(parts, standalone_mode=False) or 0)

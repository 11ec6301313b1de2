"""A recipe beside a result: the command, the inputs with their hashes and the versions that make it
again. Every command and every page makes its recipes here.
"""

from __future__ import annotations

import json
import platform
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from gsm_model import __version__
from gsm_model.bundled import assets
from gsm_model.io.hashing import sha256
from gsm_model.models.caution import in_words
from gsm_model.predict import Prediction
from gsm_model.predictions.table import Provenance

PACKAGES = ("torch", "numpy", "matplotlib", "av", "pillow", "pyarrow")


def portable(path: Path, name: str | None = None) -> str:
    """How a recipe or a command names a file: those of the project from its folder, others as
    ``name`` or as they were given.
    """
    root = assets().resolve().parent
    full = path.resolve()
    if full.is_relative_to(root):
        return full.relative_to(root).as_posix()
    return name or str(path)


def command_line(parts: Sequence[str]) -> str:
    """``parts`` after ``python -m gsm_model`` as a line for a shell."""
    return "python -m gsm_model " + shlex.join(parts)


@dataclass(frozen=True)
class Input:
    """A file that a result is made from: how recipes and commands name it, and its SHA-256."""

    name: str
    sha256: str

    @classmethod
    def of(cls, path: Path, known: str | None = None, name: str | None = None) -> Input:
        """The file at ``path``; ``known`` is its hash where that was taken when it was read,
        ``name`` what it is called if it is not the project's (`portable`). Folders have no hash.
        """
        digest = known or (sha256(path) if path.is_file() else "a folder of frames")
        return cls(portable(path, name), digest)


@dataclass(frozen=True)
class Beside:
    """What a person said of models whose files do not: the label file, and one in how many channels
    a TSM shifts each way.
    """

    labels: Input | None = None
    shift_share: int | None = None

    def options(self) -> dict[str, object]:
        """The same as options of a command."""
        labels = None if self.labels is None else self.labels.name
        return {"labels": labels, "shift-share": self.shift_share}


@dataclass(frozen=True)
class Recipe:
    """How a result is made: the ``parts`` of the command after ``python -m gsm_model``, and the
    ``inputs`` that it reads.
    """

    parts: tuple[str, ...]
    inputs: tuple[Input, ...]

    @property
    def command(self) -> str:
        """The command as a line for a shell."""
        return command_line(self.parts)

    def after(self, given: Iterable[Input]) -> Recipe:
        """The same with inputs that are read before the others."""
        return replace(self, inputs=(*given, *self.inputs))

    def json(self, about: Mapping[str, object]) -> bytes:
        """The recipe as it is written; ``about`` says what the files hold."""
        return recipe(self.parts, {one.name: one.sha256 for one in self.inputs}, about)


def cautions_in(predictions: Iterable[Prediction]) -> dict[str, str]:
    """What a recipe says of answers that may mean little; nothing where nothing is to be said."""
    text = in_words([one.caution for one in predictions if one.caution is not None])
    return {"caution": text} if text else {}


def caution_of_tables(origins: Iterable[Provenance]) -> dict[str, str]:
    """`cautions_in` of tables of answers."""
    text = " ".join(dict.fromkeys(one.caution for one in origins if one.caution))
    return {"caution": text} if text else {}


NOTHING_BESIDE = Beside()


def explain_recipe(
    what: str,
    clip: Input,
    models: Sequence[Input],
    order: str,
    seed: int,
    segments: int | None,
    options: Mapping[str, object],
    out: str,
    beside: Beside = NOTHING_BESIDE,
) -> Recipe:
    """The recipe of ``explain gates``, ``gradcam`` or ``interventions`` for one clip; ``options``
    as in `_options`.
    """
    names = [model.name for model in models]
    options = {**beside.options(), **options}
    parts = explain_command(what, clip.name, names, order, seed, segments, options, out)
    labels = () if beside.labels is None else (beside.labels,)
    return Recipe(tuple(parts), (clip, *models, *labels))


def confusions_recipe(
    tables: Sequence[Input], options: Mapping[str, object], out: str, more: Iterable[Input] = ()
) -> Recipe:
    """The recipe of ``confusions`` for one or two tables; ``more`` are the lists that ``options``
    name.
    """
    parts = confusions_command([table.name for table in tables], options, out)
    return Recipe(tuple(parts), (*tables, *more))


def recipe(parts: Sequence[str], inputs: Mapping[str, str], about: Mapping[str, object]) -> bytes:
    """The JSON of a result made by ``python -m gsm_model`` with ``parts``: ``inputs`` are file →
    SHA-256, ``about`` says what the files hold.
    """
    content = {
        "command": command_line(parts),
        "inputs": dict(inputs),
        **about,
        "versions": {
            "gate-shift-lens": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in PACKAGES},
        },
    }
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def explain_command(
    what: str,
    clip: str,
    checkpoints: Sequence[str],
    order: str,
    seed: int,
    segments: int | None,
    options: Mapping[str, object],
    out: str,
) -> list[str]:
    """The parts of ``explain gates`` or ``explain interventions`` for one clip; ``options`` as in
    `_options`.
    """
    parts = [
        "explain",
        what,
        clip,
        *(part for path in checkpoints for part in ("--checkpoint", path)),
        "--order",
        order,
    ]
    if order == "shuffled":
        parts += ["--seed", str(seed)]
    return [*parts, *_options({"segments": segments, **options}), "--out", out]


def confusions_command(files: Sequence[str], options: Mapping[str, object], out: str) -> list[str]:
    """The parts of ``confusions`` for one or two files of answers; ``options`` as in `_options`."""
    return ["confusions", *files, *_options(options), "--out", out]


def _options(options: Mapping[str, object]) -> list[str]:
    """``{"layer": ("a", "b"), "seed": 3, "italics": True}`` → ``--layer a --layer b --seed 3
    --italics``; ``None`` and ``False`` are left out.
    """
    options = {name: value for name, value in options.items() if value is not False}
    repeated = {
        name: value if isinstance(value, (list, tuple)) else [value]
        for name, value in options.items()
        if value is not None
    }
    return [
        part
        for name, values in repeated.items()
        for value in values
        for part in ([f"--{name}"] if value is True else [f"--{name}", str(value)])
    ]

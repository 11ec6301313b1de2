"""Tables of predictions as text, as people and spreadsheets write them: any encoding and separator,
columns by name in any order. Every cell is text; nothing is guessed to be a number, a date or
missing but what stands in a column of scores.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gsm_model.errors import DataError
from gsm_model.predictions.classes import class_indices, place_in_list, places_of, spelling
from gsm_model.predictions.files import PredictionFile, file_text
from gsm_model.predictions.probabilities import logits_of
from gsm_model.predictions.table import Predictions, Provenance, checked

SEPARATORS = ",;\t|"
ROWS_AT_A_TIME = 2000
EXPECTED = "expected id, label, then predicted or a score a class"
# What a column of each kind is called, without case, spaces, dots, hyphens and underscores; of two,
# the one that comes first here.
ROLES = {
    role: tuple(names.split())
    for role, names in {
        "truth": "label labels truth target targets gt groundtruth gtlabel gtlabels true truelabel"
        " trueclass ytrue actual actuallabel actualclass reference class classlabel labelid"
        " classid",
        "predicted": "predicted prediction predictions pred preds predictedlabel predictedclass"
        " predlabel predlabels predclass ypred yhat output answer top1 top1prediction",
        "id": "id clip clipid video videoid videoname vid uid name file filename path filepath"
        " sample sampleid key narrationid segmentid youtubeid",
    }.items()
}
_BESIDE = """start end starttime endtime startframe stopframe endframe frames numframes fps duration
length split fold index rank correct confidence score loss probability prob time views"""
NO_SCORES = frozenset(_BESIDE.split())  # columns of numbers that tables have beside scores
# Columns that may hold all scores of a clip as a list.
LISTS = frozenset(
    ("score", "scores", "logit", "logits", "prob", "probs", "probability", "probabilities")
)
_THOUSANDS = re.compile(r"[-+]?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]*)?")
_MISSING = frozenset(("", "na", "n/a", "#n/a", "nan", "none", "null", "nil", "-"))
_PREFIX = re.compile(
    r"(?:scores?|prob(?:s|ability|abilities)?|logits?|conf(?:idence)?|p|class|pred|output)"
    r"[ _:.\-]+",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Sheet:
    """A table of text: its ``heads``, its ``separator``, and ``rows`` to be gone through once, each
    with its line in the file.
    """

    heads: tuple[str, ...]
    separator: str
    rows: Iterator[tuple[int, list[str]]]


def plain_head(head: str) -> str:
    """A column's name as names of columns are compared."""
    return re.sub(r"[\s_\-.]+", "", spelling(head)).casefold()


def open_sheet(text: str, name: str) -> Sheet:
    """The table in ``text``, separated by what makes of its first line the name of a column of true
    classes, or else by what makes the most columns of it.

    Raises:
        DataError: if there is no table in it. Going through its rows raises one for a row of
            another length, or a quote that is not closed.
    """
    marked = re.match(r"\s*sep=(.)\r?\n", text)  # how a spreadsheet is told
    if marked:
        text = text[marked.end() :]
    if not text.strip():
        raise DataError(f"{name}: not a CSV file that can be read (it is empty)")
    first = {}
    for separator in (marked[1],) if marked else SEPARATORS:
        try:
            head = next(row for row in _reader(text, separator) if any(map(str.strip, row)))
        except (csv.Error, StopIteration):
            continue
        while head and not head[-1].strip():
            head.pop()
        named = any(plain_head(cell) in ROLES["truth"] for cell in head) and len(head) > 1
        first[separator] = (named, len(head), [spelling(cell) for cell in head])
    if not first:
        raise DataError(f"{name}: not a CSV file that can be read (its quotes do not close)")
    separator = max(first, key=lambda one: first[one][:2])
    heads = tuple(first[separator][2])
    return Sheet(heads, separator, _rows(text, separator, len(heads), name))


def _reader(text: str, separator: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)


def _rows(text: str, separator: str, width: int, name: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    begun = False
    try:
        for row in reader:
            while len(row) > width and not row[-1].strip():
                row.pop()
            if not any(map(str.strip, row)):
                continue
            if not begun:  # the names of the columns
                begun = True
                continue
            if len(row) != width:
                raise DataError(
                    f"{name}: line {reader.line_num} has {len(row)} cells, the first line {width}"
                )
            yield reader.line_num, row
    except csv.Error as error:
        raise DataError(
            f"{name}: not a CSV file that can be read (line {reader.line_num}: {error})"
        ) from None


def is_sheet(file: PredictionFile) -> bool:
    """Whether ``file`` is text whose first line names a column of true classes."""
    try:
        heads = open_sheet(file_text(file).text, file.name).heads
    except DataError:
        return False
    return any(plain_head(head) in ROLES["truth"] for head in heads)


def read_delimited(file: PredictionFile) -> Predictions:
    """Columns of clips, true classes, and predicted classes or a score for every class, named as in
    `ROLES`, in any order.

    Raises:
        DataError: if there is no such table in it, or it can be read in two ways.
    """
    decoded = file_text(file)
    sheet = open_sheet(decoded.text, file.name)
    return read_sheet(sheet, file, [decoded.note] if decoded.note else [])


def read_sheet(sheet: Sheet, file: PredictionFile, notes: list[str]) -> Predictions:
    """The predictions in a table of text of ``file``, as `read_delimited`; ``notes`` are what was
    said of it before.

    Raises:
        DataError: as `read_delimited`.
    """
    sheet = _with_lists_apart(sheet, file.name)
    roles = _roles(sheet.heads, file)
    rest = [place for place in range(len(sheet.heads)) if place not in roles.values()]
    content = _Content.read(sheet, roles, _candidates(sheet.heads, rest, roles, file), file.name)
    return _table(content, sheet, roles, rest, file, notes)


def _with_lists_apart(sheet: Sheet, name: str) -> Sheet:
    """``sheet`` with a column for each number where one column, called *scores* or the like, holds
    all scores of a clip as a list, as pandas writes it.
    """
    places = [at for at, head in enumerate(sheet.heads) if plain_head(head) in LISTS]
    first = next(sheet.rows, None)
    if len(places) != 1 or first is None or not first[1][places[0]].lstrip().startswith("["):
        rows = sheet.rows if first is None else itertools.chain([first], sheet.rows)
        return Sheet(sheet.heads, sheet.separator, rows)
    [at] = places
    count = len(_listed(first[1][at]))

    def apart() -> Iterator[tuple[int, list[str]]]:
        for line, row in itertools.chain([first], sheet.rows):
            numbers = _listed(row[at])
            if numbers and len(numbers) != count:
                raise DataError(
                    f"{name}: row {line} has {len(numbers)} scores, the first row {count}; a list"
                    " with '...' was cut short when it was written"
                )
            yield line, [*row[:at], *row[at + 1 :], *(numbers or [""] * count)]

    heads = (*sheet.heads[:at], *sheet.heads[at + 1 :], *map(str, range(count)))
    return Sheet(heads, sheet.separator, apart())


def _listed(cell: str) -> list[str]:
    return [part for part in re.split(r"[\s,\[\]]+", cell) if part]


def _roles(heads: Sequence[str], file: PredictionFile) -> dict[str, int]:
    """Which column is what."""
    if not any(plain_head(head) in ROLES["truth"] for head in heads):
        shown = ", ".join(heads[:3])[:120]
        raise DataError(f"{file.name}: its columns begin with {shown}; {EXPECTED}, in a first line")
    twice = [head for head, count in Counter(heads).items() if count > 1 and head]
    if twice:
        raise DataError(f"{file.name}: two columns are called {twice[0]!r}")
    names = places_of(file.labels or ())
    roles: dict[str, int] = {}
    for role, known in ROLES.items():
        found = [
            place
            for word in known
            for place, head in enumerate(heads)
            if plain_head(head) == word and place not in roles.values()
        ]
        # A class may be called as a column is: "true" beside "label" is a score.
        found.sort(key=lambda place: heads[place] in names)
        if found and (role == "truth" or heads[found[0]] not in names):
            roles[role] = found[0]
    if "truth" not in roles or len(heads) < 2:
        shown = ", ".join(heads[:3])[:120]
        raise DataError(f"{file.name}: its columns begin with {shown}; {EXPECTED}")
    if "id" not in roles and "" in heads and heads.index("") == 0:
        roles["id"] = 0  # row names
    return roles


def _candidates(
    heads: Sequence[str], rest: Sequence[int], roles: dict[str, int], file: PredictionFile
) -> list[int]:
    """The columns of ``rest`` that may be scores."""
    if file.labels is not None:
        names = places_of(file.labels)
        for form in _forms([heads[place] for place in rest]):
            if {names.get(head) for head in form} >= set(range(len(file.labels))):
                return [place for place, head in zip(rest, form, strict=True) if head in names]
        if "predicted" in roles:
            return []
    else:
        doubtful = [
            heads[place]
            for place in rest
            if plain_head(heads[place]) in NO_SCORES and "predicted" not in roles
        ]
        if doubtful:
            raise DataError(
                f"{file.name}: column {doubtful[0]!r} may be a class or not; give a label file, or"
                " leave it out"
            )
    if "predicted" not in roles:
        double = [
            heads[place]
            for place in rest
            if plain_head(heads[place]) in ROLES["truth"]
            and heads[place] not in places_of(file.labels or ())
        ]
        if double and len(rest) < 2:
            raise DataError(
                f"{file.name}: columns {heads[roles['truth']]!r} and {double[0]!r} may both be the"
                " true classes; call the other 'predicted'"
            )
    return [place for place in rest if heads[place]]


def _forms(heads: Sequence[str]) -> Iterator[list[str]]:
    """``heads``, and what is left of them without what they all begin with, such as *score_*."""
    yield list(heads)
    if heads and all(_PREFIX.match(head) for head in heads):
        yield [_PREFIX.sub("", head, count=1) for head in heads]


@dataclass
class _Content:
    """What stands in the rows: text by role, and scores by column, NaN where a cell is empty;
    ``text`` are columns that hold something else than numbers, with the first such cell.
    """

    cells: dict[str, list[str]]
    columns: list[int]
    scores: np.ndarray
    text: dict[int, str]
    commas: bool

    @classmethod
    def read(cls, sheet: Sheet, roles: dict[str, int], columns: list[int], name: str) -> _Content:
        cells: dict[str, list[str]] = {role: [] for role in roles}
        parts, text = [np.empty((0, len(columns)), np.float32)], dict[int, str]()
        comma = point = False
        thousands: bool | None = None
        while chunk := list(itertools.islice(sheet.rows, ROWS_AT_A_TIME)):
            for role, place in roles.items():
                cells[role] += [spelling(row[place]) for _, row in chunk]
            for line, row in chunk:
                for place in roles.values():
                    if "\n" in row[place]:
                        raise DataError(
                            f"{name}: a cell that ends on line {line} has a line break in it; is a"
                            " quote not closed?"
                        )
            values = [[row[place] for place in columns] for _, row in chunk]
            joined = "\n".join("\n".join(row) for row in values)
            comma, point = comma or "," in joined, point or "." in joined
            raw = values
            if "," in joined or "\u2212" in joined:
                with_comma = [cell.strip() for row in values for cell in row if "," in cell]
                if with_comma:
                    thousands = thousands is not False and all(
                        map(_THOUSANDS.fullmatch, with_comma)
                    )
                values = [
                    [cell.replace(",", ".").replace("\u2212", "-") for cell in row]
                    for row in values
                ]
            if "%" in joined:
                values = [[cell.strip().removesuffix("%") for cell in row] for row in values]
            parts.append(_numbers(values, raw, columns, "_" in joined, text))
        if thousands:
            raise DataError(
                f"{name}: its scores may have decimal commas or commas between thousands, as in"
                " '1,234'; write them with a decimal point and nothing between thousands"
            )
        if comma and point and not text:
            raise DataError(
                f"{name}: some scores have a decimal comma and some a decimal point; write all with"
                " a point"
            )
        return cls(cells, columns, np.concatenate(parts), text, comma)


def _numbers(
    rows: list[list[str]],
    written: list[list[str]],
    columns: list[int],
    doubtful: bool,
    text: dict[int, str],
) -> np.ndarray:
    """``rows`` as numbers, NaN where a cell is empty; the first cell of each column that is none
    goes into ``text`` as it is ``written``.
    """
    try:
        if doubtful:  # Python reads 1_0 as ten
            raise ValueError
        with np.errstate(over="ignore"):
            return np.array(rows, dtype=object).reshape(len(rows), -1).astype(np.float32)
    except ValueError:
        pass
    found = np.full((len(rows), len(columns)), np.nan, np.float32)
    for place, row in enumerate(rows):
        for at, (column, cell) in enumerate(zip(columns, row, strict=True)):
            cell = cell.strip()
            if cell.casefold() in _MISSING:
                continue
            try:
                if "_" in cell:
                    raise ValueError
                found[place, at] = float(cell)
            except ValueError:
                text.setdefault(column, written[place][at].strip())
    return found


def _table(
    content: _Content,
    sheet: Sheet,
    roles: dict[str, int],
    rest: list[int],
    file: PredictionFile,
    notes: list[str],
) -> Predictions:
    name, heads = file.name, sheet.heads
    truths = content.cells["truth"]
    scores, names, used = _scores(content, heads, roles, file, notes)
    known = places_of(names)
    asked = np.array([bool(cell) or cell in known for cell in truths], dtype=bool)
    if scores is None:
        answered = np.array(
            [
                cell in known or cell.casefold() not in _MISSING
                for cell in content.cells["predicted"]
            ],
            dtype=bool,
        )
    else:
        answered = ~np.isnan(scores).all(axis=1)
    for mask, what in ((asked, "true class"), (answered | ~asked, "prediction")):
        if missing := int((~mask).sum()):
            notes.append(f"{missing:,} of {len(truths):,} rows have no {what} and are left out")
    unused = [heads[place] for place in rest if place not in used and heads[place]]
    if unused:
        shown = ", ".join(map(repr, unused[:5])) + (" …" if len(unused) > 5 else "")
        notes.append(f"columns that are not used: {shown}")
    rows = np.flatnonzero(asked & answered)
    if not len(rows):
        raise DataError(f"{name}: no clip in it was scored")
    columns = {heads[roles["truth"]]: [truths[row] for row in rows]}
    if "predicted" in roles:
        predicted = [content.cells["predicted"][row] for row in rows]
        if scores is None or all(cell.casefold() not in _MISSING for cell in predicted):
            columns[heads[roles["predicted"]]] = predicted
    indices, said = class_indices(columns, names, name)
    notes += said
    truth, *others = indices.values()
    likeliest = others[0] if others else None
    if scores is not None:
        scores = logits_of(scores[rows], name, notes)
        if likeliest is not None:
            other = int((likeliest != scores.argmax(1)).sum())
            if other:
                notes.append(
                    f"{other:,} predicted classes have not the largest score; the column"
                    f" {heads[roles['predicted']]!r} is taken"
                )
    ids, numbered = _ids(content, rows, bool("id" in roles and heads[roles["id"]]))
    origin = Provenance(names, file.stem, "", name, "", "forward", "as in the file")
    found = Predictions(
        origin,
        ids,
        truth,
        scores,
        ("",) * len(ids),
        likeliest,
        numbered,
        source=name,
        notes=tuple(notes),
    )
    return checked(found, name)


def _ids(content: _Content, rows: np.ndarray, named: bool) -> tuple[tuple[str, ...], bool]:
    """The clips' names, and whether they are only their places, as row numbers of a column that has
    no name are.
    """
    given = content.cells.get("id")
    places = [str(place) for place in range(len(content.cells["truth"]) + 1)]
    if given is None or (not named and given in (places[:-1], places[1:])):
        return tuple(places[row] for row in rows), True
    return tuple(given[row] for row in rows), False


def _scores(
    content: _Content,
    heads: Sequence[str],
    roles: dict[str, int],
    file: PredictionFile,
    notes: list[str],
) -> tuple[np.ndarray | None, tuple[str, ...], set[int]]:
    """The scores (n, K), if there are any, the class names, and which columns they are of."""
    name, labels, columns = file.name, file.labels, content.columns
    shown = [heads[column] for column in columns]
    values = set(content.cells["truth"]) | set(content.cells.get("predicted", ()))
    if "predicted" in roles and labels is None:
        spelt = values - {""}
        if not any(spelt <= set(form) for form in _forms(shown)) or not columns:
            raise DataError(
                f"{name}: has no scores, so it does not say which classes there are; give a label"
                " file"
            )
    if not columns:
        if "predicted" in roles:
            assert labels is not None
            return None, labels, set()
        raise DataError(f"{name}: its columns begin with {', '.join(heads[:3])[:120]}; {EXPECTED}")
    if content.text:
        column, cell = next(iter(content.text.items()))
        raise DataError(
            f"{name}: some scores are no numbers, the first is {cell[:40]!r} in column"
            f" {heads[column]!r}"
        )
    if content.commas:
        notes.append("scores are read with decimal commas")
    names, order = _names(shown, labels, values, name, notes)
    return content.scores[:, order], names, set(columns)


def _names(
    heads: list[str],
    labels: tuple[str, ...] | None,
    values: set[str],
    name: str,
    notes: list[str],
) -> tuple[tuple[str, ...], list[int]]:
    """The class names in index order, and the place of each one's column."""
    k = len(heads)
    if k < 2:
        raise DataError(f"{name}: has one column of scores, {heads[0]!r}; {EXPECTED}")
    for form in _forms(heads):
        places = [place_in_list(head) for head in form]
        if labels is not None:
            known = places_of(labels)
            by_name = [known.get(head) for head in form]
            if len(labels) == k and set(by_name) == set(range(k)):
                return labels, [by_name.index(index) for index in range(k)]
        if set(places) == set(range(k)) and k == len(labels or heads):
            names = labels or tuple(f"class {index}" for index in range(k))
            return names, [places.index(index) for index in range(k)]
    if labels is None:
        forms = list(_forms(heads))
        fitting = [form for form in forms if values - {""} <= set(form)]
        return tuple((fitting or forms)[0]), list(range(k))
    if len(labels) != k:
        raise DataError(f"{name}: {k} scores a clip, but {len(labels)} class names")
    if shared := sorted(set(heads) & set(labels)):
        raise DataError(
            f"{name}: some columns are called as classes ({shared[0]!r}) and some are not"
            f" ({min(set(heads) - set(labels))!r}); give the label file they were made with"
        )
    notes.append(
        f"columns of scores are taken in the order of the class names: {heads[0]!r} is"
        f" {labels[0]!r}, {heads[-1]!r} is {labels[-1]!r}"
    )
    return labels, list(range(k))

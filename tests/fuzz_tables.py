"""Mutated tables of predictions, seeded: ``python -m tests.fuzz_tables --count 10000`` reads each
and counts what becomes of them.

Each must be a table that fits together or a message of the project's own: the formats are called
without the net under them that would turn any other exception into one.
"""

from __future__ import annotations

import argparse
import json
import pickle
import tempfile
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import feather

from gsm_model.errors import DataError
from gsm_model.predictions.read import PredictionFile, format_of
from gsm_model.predictions.write import write_predictions
from tests.fuzz import mutated
from tests.predictions import make_predictions

N, K = 12, 3
LABELS = ("Folding", "Öffnen", "打开")


def sources(folder: Path) -> dict[str, bytes]:
    """Small whole files of every format, some of a kind."""
    rng = np.random.default_rng(0)
    truth, scores = rng.integers(K, size=N), rng.normal(size=(N, K)).astype(np.float32)
    head = "id,label,predicted\n"
    named = head + "".join(
        f"v{i},{LABELS[t]},{LABELS[s.argmax()]}\n"
        for i, (t, s) in enumerate(zip(truth, scores, strict=True))
    )
    scored = "id;label;Folding;Öffnen;打开\n" + "".join(
        f"v{i};{t};" + ";".join(f"{v:.3f}".replace(".", ",") for v in s) + "\n"
        for i, (t, s) in enumerate(zip(truth, scores, strict=True))
    )
    found = {
        "named.csv": named.encode(),
        "chinese.csv": named.replace("Öffnen", "关闭").encode("gb18030"),
        "scored.csv": scored.encode(),
        "wide.tsv": named.replace(",", "\t").encode("utf-16"),
        "wide.txt": named.replace(",", "\t").encode("utf-16-le"),
        "slowfast.pkl": pickle.dumps([scores, truth], protocol=2),
        "mmaction.pickle": pickle.dumps(
            [
                {"pred_score": score, "gt_label": np.array([label])}
                for score, label in zip(scores, truth, strict=True)
            ]
        ),
        "submission.json": json.dumps({str(i): LABELS[t] for i, t in enumerate(truth)}).encode(),
    }
    for name in ("table.parquet", "scores.npz"):
        write_predictions(make_predictions(n=N, k=K), folder / name)
        found[name] = (folder / name).read_bytes()
    records = [
        {"id": f"v{i}", "label": LABELS[t], "scores": s.tolist()}
        for i, (t, s) in enumerate(zip(truth, scores, strict=True))
    ]
    found["records.json"] = json.dumps(records).encode()
    found["records.jsonl"] = "\n".join(map(json.dumps, records)).encode()
    pq.write_table(pa.Table.from_pylist(records), folder / "pandas.parquet")
    feather.write_feather(pa.Table.from_pylist(records), folder / "pandas.feather")
    for name in ("pandas.parquet", "pandas.feather"):
        found[name] = (folder / name).read_bytes()
    pairs = np.empty((N, 2), dtype=object)
    for row, (score, label) in enumerate(zip(scores, truth, strict=True)):
        pairs[row, 0], pairs[row, 1] = np.repeat(score[None, None], 3, 0), int(label)
    np.savez(folder / "pairs.npz", scores=pairs, labels=truth)
    found["pairs.npz"] = (folder / "pairs.npz").read_bytes()
    return found


def touched(content: bytes, rng: np.random.Generator) -> bytes:
    """``content`` with one byte another, left out, or one put in that tables are made of."""
    at, kind = int(rng.integers(len(content))), rng.integers(3)
    new = b",;\t|\"'\n\r\0-0.e1\xff"[int(rng.integers(15)) :][:1] if kind else b""
    return content[:at] + new + content[at + (kind != 1) :]


def read_mutated(folder: Path, whole: dict[str, bytes], number: int) -> str:
    """What becomes of mutation ``number``: *read*, or the format whose message it is."""
    rng = np.random.default_rng(number)
    name = sorted(whole)[number % len(whole)]
    path, listed = folder / name, folder / "listed.json"
    harm = mutated if rng.random() < 0.5 else touched
    path.write_bytes(harm(whole[name], rng))
    listed.write_text(
        json.dumps([{"id": str(i), "template": LABELS[i % K]} for i in range(N)]), encoding="utf-8"
    )
    labels = LABELS if rng.random() < 0.5 else None
    file = PredictionFile(path, name, labels, listed, listed.name)
    try:
        found = format_of(file).read(file)
    except DataError as error:
        text = str(error)
        assert text.startswith((name, listed.name)) and "Traceback" not in text, text
        return f"{path.suffix}: a message"
    k = len(found.labels)
    assert found.truth.shape == found.predicted.shape == (len(found.ids),)
    assert not len(found.ids) or 0 <= found.truth.min() <= found.truth.max() < k
    assert found.scores is None or found.scores.shape == (len(found.ids), k)
    return f"{path.suffix}: a table"


def fuzz(count: int, first: int = 0) -> Counter:
    """Read mutations ``first`` … ``first + count − 1``: how many became what."""
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("error")
        folder = Path(name)
        whole = sources(folder)
        found: Counter = Counter()
        for number in range(first, first + count):
            try:
                found[read_mutated(folder, whole, number)] += 1
            except Exception as error:
                raise AssertionError(f"mutation {number}: {error!r}") from error
        return found


def main() -> None:
    """Run as many as asked for and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    arguments = parser.parse_args()
    counts = fuzz(arguments.count, arguments.first)
    print(f"{arguments.count:,} mutated files\n\n| what became of it | files |\n|---|---:|")
    for outcome, number in sorted(counts.items()):
        print(f"| {outcome} | {number:,} |")


if __name__ == "__main__":
    main()

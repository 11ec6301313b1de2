"""The container's recipe: what it copies is all the app needs, and the app runs from it as nobody
in particular, with nothing to write to.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LINES = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()


def copied(folder: Path) -> None:
    """Do what the COPY lines say."""
    for line in LINES:
        if line.startswith("COPY "):
            *sources, target = line.split()[1:]
            for source in sources:
                place = (
                    folder / target
                    if len(sources) == 1 and target != "."
                    else folder / Path(target) / source
                )
                place.parent.mkdir(parents=True, exist_ok=True)
                (shutil.copytree if (ROOT / source).is_dir() else shutil.copy)(ROOT / source, place)


def test_it_runs_as_no_root_and_answers_for_its_health():
    text = "\n".join(LINES)
    assert LINES.index("USER lens") < next(
        i for i, line in enumerate(LINES) if line.startswith("CMD")
    )
    assert "/_stcore/health" in text and "ARG TORCH=cpu" in text


@pytest.mark.slow
def test_what_is_copied_is_enough(tmp_path):
    copied(tmp_path)
    pages = ", ".join(
        f"app.pages.{page.stem}"
        for page in (ROOT / "app" / "pages").glob("*.py")
        if page.stem != "__init__"
    )
    code = (
        f"import {pages}; from gsm_model.bundled import shipped_checkpoints;"
        " print(len(shipped_checkpoints()))"
    )
    environment = {
        **os.environ,
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(tmp_path / "nowhere"),
        "PYTHONPATH": "",
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and done.stdout.strip() == "3", done.stderr
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    sources = {
        source for line in LINES if line.startswith("COPY ") for source in line.split()[1:-1]
    }
    assert sources <= {line.removeprefix("!") for line in ignored if line.startswith("!")}

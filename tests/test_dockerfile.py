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


def test_what_is_copied_is_what_may_be_copied():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    sources = {
        source for line in LINES if line.startswith("COPY ") for source in line.split()[1:-1]
    }
    assert sources <= allowed


@pytest.mark.slow
@pytest.mark.thorough
def test_what_is_copied_is_enough(tmp_path):
    """The package is built of it alone, and runs with its pages and models from where it is
    installed.
    """
    copied(tmp_path / "copied")
    pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    pip += ["--no-deps", "--no-build-isolation", "--no-index", "--target", tmp_path / "installed"]
    subprocess.run([*pip, "."], cwd=tmp_path / "copied", check=True)
    pages = [f"app.pages.{path.parent.name}" for path in ROOT.glob("app/pages/*/page.py")]
    assert len(pages) == 7
    code = (
        "import sys; from gsm_model.bundled import product, bundled_checkpoints;"
        f" sys.path.insert(0, str(product())); import {', '.join(pages)};"
        " print(len(bundled_checkpoints()), product())"
    )
    environment = {
        **os.environ,
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(tmp_path / "nowhere"),
        "PYTHONPATH": str(tmp_path / "installed"),
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    product = tmp_path / "installed" / "gsm_model" / "_product"
    assert done.returncode == 0 and done.stdout.strip() == f"3 {product}", done.stderr

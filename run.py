"""Set up everything and start the app (``python3 run.py app``), run the cheap checks (``python3
run.py check``) or the tests (``python3 run.py test``; with ``--thorough`` all of them).

Needs Python 3.10 or newer and nothing else: it makes its own virtual environment in ``.venv`` and,
for the tests, brings Chromium.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy", "--num-workers", "2"),
    ("oxlint", "--deny-warnings", "app"),
    # That all tests can be imported; beside mypy, and what it compiles the tests find compiled.
    ("pytest", "--collect-only", "-qq"),
)
QUIET = ("pytest",)  # what it finds is of interest where it fails
# Three tests at a time, on two cores too: those in a browser wait for a third of their time. What
# shares something costly is kept together.
SIDE_BY_SIDE = ("-n", "3", "--dist", "loadgroup")
SYSTEM_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def install(requirements: str) -> None:
    """Bring the virtual environment up to ``requirements``, unless it is already."""
    if not PYTHON.exists():
        print("Making a virtual environment in .venv …", flush=True)
        venv.create(ENVIRONMENT, with_pip=True)
    listed = b"".join((ROOT / name).read_bytes() for name in ("requirements.txt", requirements))
    stamp, digest = ENVIRONMENT / f"{requirements}.installed", hashlib.sha256(listed).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    print(
        f"Installing {requirements} (PyTorch is large; this takes some minutes the first time) …",
        flush=True,
    )
    # --no-compile: Python compiles what it imports, and that is little of all this.
    pip = [PYTHON, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-compile"]
    # The pip that Python brings takes twice as long to choose among releases; it will do.
    subprocess.run([*pip, "--upgrade", "pip"], check=False)
    subprocess.run([*pip, "-r", ROOT / requirements], check=True)
    stamp.write_text(digest)


def check() -> int:
    """Run the checks side by side and say of each what it found; the worst exit status of all."""
    running = [
        subprocess.Popen(
            [PYTHON.with_name(name), *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for name, *options in CHECKS
    ]
    worst = 0
    for (name, *_), one in zip(CHECKS, running, strict=True):
        found, _ = one.communicate()
        if one.returncode or name not in QUIET:
            sys.stdout.buffer.write(found)
            sys.stdout.flush()
        worst = max(worst, abs(one.returncode))
    return worst


def find_browser() -> str | None:
    """A Chromium of the system's, or ``None``."""
    return next((path for name in SYSTEM_BROWSERS if (path := shutil.which(name))), None)


def bring_browser() -> dict[str, str]:
    """Chromium for the browser tests: the system's, Playwright's, or the distribution's package;
    returns the environment for pytest.

    Exits with a message if none can be had: a browser test is never silently left out.
    """
    if find_browser() is None:
        print("Fetching Chromium …", flush=True)
        fetched = (
            subprocess.run(
                [PYTHON, "-m", "playwright", "install", "chromium"], check=False
            ).returncode
            == 0
        )
        if not fetched and shutil.which("apt-get"):
            sudo = [] if os.geteuid() == 0 else ["sudo"]
            subprocess.run([*sudo, "apt-get", "update", "-qq"], check=False)
            subprocess.run([*sudo, "apt-get", "install", "-y", "-qq", "chromium"], check=False)
        if not fetched and find_browser() is None:
            sys.exit(
                "No Chromium: Playwright's could not be fetched and there is no package. Install"
                " Chromium and run this again."
            )
    browser = find_browser()
    return {**os.environ, "GATE_SHIFT_LENS_CHROMIUM": browser} if browser else dict(os.environ)


def main() -> int:
    if sys.version_info < (3, 10):  # noqa: UP036  (this file may be started with any Python)
        sys.exit(f"Python 3.10 or newer is needed; this is {sys.version.split()[0]}.")
    # Without what Python compiles kept, every process would compile PyTorch and Streamlit anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    command, *rest = sys.argv[1:] or [""]
    if command == "app":
        install("requirements.txt")
        return subprocess.run(
            [PYTHON, "-m", "streamlit", "run", ROOT / "streamlit_app.py", *rest],
            cwd=ROOT,
            check=False,
        ).returncode
    if command == "check":
        install("requirements-dev.txt")
        return check()
    if command == "test":
        install("requirements-dev.txt")
        environment = bring_browser()
        return subprocess.run(
            [PYTHON, "-m", "pytest", *SIDE_BY_SIDE, *rest], cwd=ROOT, env=environment, check=False
        ).returncode
    sys.exit(
        "Usage: python3 run.py app [options of streamlit]   or   python3 run.py test [--thorough]"
        " [options of pytest]   or   python3 run.py check"
    )


if __name__ == "__main__":
    raise SystemExit(main())

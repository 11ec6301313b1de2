"""A running app and a browser."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
]
PATIENCE = 60_000  # milliseconds

expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.slow)


def start_app(
    log: Path, script: str = "streamlit_app.py", **environment: str
) -> tuple[subprocess.Popen, str]:
    """Start the app on a free port, wait until it is healthy, return its process and address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.headless=true"]
    command += [f"--server.port={port}", "--server.address=127.0.0.1"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=log.open("w"),
        stderr=subprocess.STDOUT,
    )
    for _ in range(240):
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{port}/_stcore/health", timeout=1
            ) as answer:
                if answer.status == 200:
                    return process, f"http://127.0.0.1:{port}"
        except OSError:
            time.sleep(0.25)
    process.kill()
    raise RuntimeError(f"the app did not start: {log.read_text()}")


@pytest.fixture(scope="session")
def app(tmp_path_factory):
    """The app's address. Its folder of checkpoints is ``app_checkpoints``."""
    folder = tmp_path_factory.mktemp("app")
    (folder / "checkpoints").mkdir()
    process, address = start_app(
        folder / "log.txt", GATE_SHIFT_LENS_CHECKPOINTS=str(folder / "checkpoints")
    )
    yield address
    process.terminate()
    process.wait(20)
    assert "Traceback" not in (folder / "log.txt").read_text()


@pytest.fixture(scope="session")
def browser():
    path = os.environ.get("GATE_SHIFT_LENS_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(params=["light"])
def page(request, browser) -> Page:
    """A fresh page, whose log must hold no error at the end."""
    context = browser.new_context(
        viewport={"width": 1300, "height": 1100}, color_scheme=request.param
    )
    page = context.new_page()
    errors: list[str] = []

    def note(message) -> None:
        # Opened at a page's own address, streamlit looks for its server there before it looks at
        # the root.
        looks_for_its_server = any(
            f"/{page}/_stcore/" in message.location.get("url", "")
            for page in ("models", "order", "gates", "gradcam", "confusions", "server")
        )
        if message.type == "error" and not looks_for_its_server:
            errors.append(message.text)

    page.on("console", note)
    page.on(
        "requestfailed",
        lambda failed: (
            errors.append(f"{failed.url} failed") if "127.0.0.1" not in failed.url else None
        ),
    )
    yield page
    context.close()
    assert errors == []


def main_text(page: Page) -> str:
    return page.get_by_test_id("stMain").inner_text()


def wait_until_still(page: Page) -> None:
    """Wait until the app has finished what it was doing and what it shows has stopped changing."""
    before = None
    for _ in range(PATIENCE // 400):
        expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
        expect(page.get_by_test_id("stApp")).to_have_attribute(
            "data-test-script-state", "notRunning"
        )
        now = main_text(page)
        if now == before:
            return
        before = now
        page.wait_for_timeout(400)
    raise AssertionError("the page never came to rest")

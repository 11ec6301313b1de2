"""A running app and a browser."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, WebSocket, expect
from playwright.sync_api import TimeoutError as NotInTime
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from gsm_model.data.synthetic.dataset import FPS, draw_clip
from gsm_model.video.encode import to_mp4
from tests.server import running_app

PATIENCE = 120_000  # milliseconds
CLIP_UPLOAD = '[data-testid="stSidebar"] [data-testid="stFileUploaderDropzoneInput"]'

expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def app_checkpoints(tmp_path_factory) -> Path:
    """The folder of checkpoints that ``app`` offers."""
    folder = tmp_path_factory.mktemp("app") / "checkpoints"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def app(app_checkpoints):
    """The app's address."""
    folder = app_checkpoints.parent
    with running_app(folder, GATE_SHIFT_LENS_CHECKPOINTS=str(app_checkpoints)) as address:
        yield address


@pytest.fixture(scope="session")
def counted(tmp_path_factory):
    """An app that counts, with a function that says how many runs and forward passes there were."""
    folder = tmp_path_factory.mktemp("counted")

    def counts() -> tuple[int, int]:
        lines = (folder / "counts").read_text().splitlines()
        return lines.count("run"), lines.count("forward")

    script = "tests/browser/counted_app.py"
    with running_app(folder, script, COUNTS=str(folder / "counts")) as address:
        yield address, counts


@pytest.fixture(scope="session")
def drawn_clip(tmp_path_factory) -> Path:
    """An unfolding clip that is none of the samples, as a file."""
    clip = draw_clip("test", 12, label=1)
    path = tmp_path_factory.mktemp("clip") / "my clip.mp4"
    path.write_bytes(to_mp4(clip.frames(range(clip.num_frames), 180, 240), FPS, quality=20))
    return path


class Runs:
    """How far the app is with what a page asked of it, told from the messages between the two."""

    def __init__(self, page: Page) -> None:
        self.asked = 0
        self.waits = self.runs = False
        page.on("websocket", self._listen)

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framesent", self._sent)
        socket.on("framereceived", self._received)

    def _sent(self, payload: str | bytes) -> None:
        if isinstance(payload, bytes):
            message = BackMsg()
            message.ParseFromString(payload)
            if message.WhichOneof("type") == "rerun_script":
                self.asked += 1
                self.waits = True

    def _received(self, payload: str | bytes) -> None:
        if isinstance(payload, bytes):
            message = ForwardMsg()
            message.ParseFromString(payload)
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self.waits, self.runs = False, True
            elif kind == "script_finished":
                self.runs = False
                if message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    self.waits = True


_runs: weakref.WeakKeyDictionary[Page, Runs] = weakref.WeakKeyDictionary()


def watch(page: Page) -> None:
    """Have `wait_until_still` know what ``page`` asks of the app; before the page is opened."""
    if page not in _runs:
        _runs[page] = Runs(page)


@pytest.fixture(scope="session")
def contexts(browser):
    """``contexts(color_scheme)``: one a scheme for all tests, so that what the browser has fetched
    and compiled of the app serves them all. What a page keeps between visits is cleared.
    """
    made: dict[str, BrowserContext] = {}

    def context(color_scheme: str) -> BrowserContext:
        if color_scheme not in made:
            made[color_scheme] = browser.new_context(
                viewport={"width": 1300, "height": 1100},
                color_scheme=color_scheme,
                reduced_motion="reduce",  # fading in and out is half of what a visit costs
            )
            made[color_scheme].set_default_timeout(PATIENCE)
        made[color_scheme].clear_cookies()
        return made[color_scheme]

    yield context
    for one in made.values():
        one.close()


@pytest.fixture
def new_page(contexts):
    """``new_page(color_scheme)``: a fresh page of its own session, whose log must hold no error at
    the end, nor that of any tab opened beside it.
    """
    used: list[BrowserContext] = []
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

    def failed(request) -> None:
        if "127.0.0.1" not in request.url:
            errors.append(f"{request.url} failed")

    listeners = {"page": watch, "console": note, "requestfailed": failed}

    def make(color_scheme: str = "light") -> Page:
        context = contexts(color_scheme)
        if context not in used:
            used.append(context)
            for event, listener in listeners.items():
                context.on(event, listener)
        page = context.new_page()
        watch(page)
        return page

    yield make
    for context in used:
        for page in context.pages:
            page.close()
        for event, listener in listeners.items():
            context.remove_listener(event, listener)
    assert errors == []


@pytest.fixture(params=["light"])
def page(request, new_page) -> Page:
    """A fresh page, whose log must hold no error at the end."""
    return new_page(request.param)


def main_text(page: Page) -> str:
    return page.get_by_test_id("stMain").inner_text()


def wait_until_still(page: Page) -> None:
    """Wait until the app has done all that the page asked of it and what it shows has stopped
    changing.
    """
    runs, before = _runs[page], None
    end = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < end:
        expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
        expect(page.get_by_test_id("stApp")).to_have_attribute(
            "data-test-script-state", "notRunning"
        )
        now = None if runs.waits or runs.runs else main_text(page)
        if now is not None and now == before:
            return
        before = now
        page.wait_for_timeout(400)
    raise AssertionError("the page never came to rest")


def drop(page: Page, target: Locator, *paths: Path | str) -> None:
    """Put files on an uploader and wait until the app has done what it does with them."""
    wait_until_still(page)
    before = _runs[page].asked
    target.set_input_files([str(path) for path in paths])
    until(page, lambda: _runs[page].asked > before, "the files never came to the app")
    wait_until_still(page)


def drop_clip(page: Page, path: Path) -> None:
    """Drop a clip on the sidebar's uploader; the app has done what it does with it."""
    drop(page, page.locator(CLIP_UPLOAD), path)


def choose(page: Page, box: Locator, option: str) -> None:
    """Choose from a list, and wait until the app has done what it does then."""
    pick(page, box, option)
    wait_until_still(page)


def pick(page: Page, box: Locator, option: str) -> None:
    """Choose from a list.

    A list closes again when the page is scrolled or shown anew while it is open; then it is opened
    again.
    """
    entry = page.get_by_role("option", name=option, exact=True)
    for _ in range(20):
        wait_until_still(page)
        box.scroll_into_view_if_needed()
        page.wait_for_timeout(300)
        box.click()
        try:
            if box.is_editable():
                box.fill(option)
            entry.click(timeout=5_000)
        except NotInTime:
            page.keyboard.press("Escape")
            continue
        return
    raise AssertionError(f"the list never showed {option!r}")


def until(page: Page, condition: Callable[[], bool], otherwise: str) -> None:
    """Wait for something that is not on the page, while the page goes on."""
    end = time.monotonic() + PATIENCE / 1000
    while not condition():
        assert time.monotonic() < end, otherwise
        page.wait_for_timeout(100)

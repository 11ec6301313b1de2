"""A running app and a browser."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Request, WebSocket, expect
from playwright.sync_api import TimeoutError as NotInTime
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from gsm_model.data.synthetic.dataset import FPS, draw_clip
from gsm_model.video.encode import to_mp4
from tests.file_server import serving
from tests.load import Session
from tests.published_catalogue import write_catalogue
from tests.server import running_app

PATIENCE = 300_000  # milliseconds: a step may share two cores with much else
VIEWPORT = {"width": 1300, "height": 1100}
SESSION_MEGABYTES = 8
CLIP_UPLOAD = '[data-testid="stSidebar"] [data-testid="stFileUploaderDropzoneInput"]'

expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def app_folder(tmp_path_factory) -> Path:
    """Where the app keeps what it is given and writes."""
    return tmp_path_factory.mktemp("app")


@pytest.fixture(scope="session")
def app_checkpoints(app_folder) -> Path:
    """The folder of checkpoints that ``app`` offers."""
    folder = app_folder / "checkpoints"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def app(app_folder, app_checkpoints):
    """The address of the one app for all tests, for a start costs as much as many of them: with the
    operator's page and little room for uploads, a catalogue whose first pair is on a server of the
    tests, and counters (`counts`).
    """
    with serving() as server:
        settings = {
            "GATE_SHIFT_LENS_CHECKPOINTS": str(app_checkpoints),
            "GATE_SHIFT_LENS_OPERATOR_PAGE": "1",
            "GATE_SHIFT_LENS_MAX_SESSION_MB": str(SESSION_MEGABYTES),
            "GATE_SHIFT_LENS_CACHE": str(app_folder / "cache"),
            "CATALOGUE": str(write_catalogue(app_folder, server)),
            "COUNTS": str(app_folder / "counts"),
        }
        with running_app(app_folder, "tests/browser/counted_app.py", **settings) as address:
            # The first page of all takes longest: on a busy machine longer than a test waits.
            with closing(Session(int(address.rpartition(":")[2]))) as first:
                first.run("")
            yield address


@pytest.fixture
def counts(app, app_folder) -> Callable[[], tuple[int, int]]:
    """How many runs of its script and forward passes of a model there were in the app so far."""

    def count() -> tuple[int, int]:
        lines = (app_folder / "counts").read_text().splitlines()
        return lines.count("run"), lines.count("forward")

    return count


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
        self.waits = self.runs = self.opens = False
        page.on("request", self._requested)
        page.on("websocket", self._listen)

    def _requested(self, request: Request) -> None:
        if request.is_navigation_request() and request.frame.parent_frame is None:
            self.waits = self.opens = True  # a page that opens asks for a run as soon as it can

    def _listen(self, socket: WebSocket) -> None:
        self.waits = self.opens  # what was asked through the last one is asked no more
        self.runs = self.opens = False
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
def context(browser) -> Iterator[BrowserContext]:
    """One for all tests, so that what the browser has fetched of the app serves them all."""
    made = browser.new_context(
        viewport=VIEWPORT,
        color_scheme="light",
        reduced_motion="reduce",  # fading in and out is half of what a visit costs
    )
    made.set_default_timeout(PATIENCE)
    yield made
    made.close()


@pytest.fixture(scope="session")
def first_tab(context) -> Page:
    """A tab for all tests, so that what the browser has compiled of the app serves them all; half
    of what a visit in a new tab costs. Each visit is a session of its own.
    """
    page = context.new_page()
    watch(page)
    return page


@pytest.fixture
def new_page(context, first_tab, app):
    """``new_page()``: a page that shows nothing yet, whose log must hold no error at the end, nor
    that of any tab opened beside it.
    """
    errors: list[str] = []
    free = [first_tab]

    def note(message) -> None:
        # Opened at a page's own address, streamlit looks for its server there before it looks at
        # the root.
        looks_for_its_server = any(
            f"/{page}/_stcore/" in message.location.get("url", "")
            for page in ("models", "order", "gates", "gradcam", "confusions", "systems", "server")
        )
        if message.type == "error" and not looks_for_its_server:
            errors.append(message.text)

    def failed(request) -> None:
        if "127.0.0.1" not in request.url:
            errors.append(f"{request.url} failed")

    listeners = {"page": watch, "console": note, "requestfailed": failed}

    def make() -> Page:
        return free.pop() if free else context.new_page()

    context.clear_cookies()
    for event, listener in listeners.items():
        context.on(event, listener)
    yield make
    for event, listener in listeners.items():
        context.remove_listener(event, listener)
    for page in context.pages:
        if page is not first_tab:
            page.close()
    first_tab.goto(f"{app}/_stcore/health")  # leaves the session, stays in the process
    first_tab.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
    first_tab.set_viewport_size(VIEWPORT)
    first_tab.emulate_media(color_scheme="light")
    assert errors == []


@pytest.fixture
def page(new_page) -> Page:
    """A page that shows nothing yet, whose log must hold no error at the end."""
    return new_page()


def main_text(page: Page) -> str:
    """What the page says once it has come to rest: a text read before would be half of it."""
    wait_until_still(page)
    return _text_now(page)


def _text_now(page: Page) -> str:
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
        now = None if runs.waits or runs.runs else _text_now(page)
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

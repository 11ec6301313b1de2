"""Limits on what a session may keep, in a real browser."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import drop_clip, main_text, wait_until_still
from tests.server import running_app


@pytest.fixture
def small_app(tmp_path):
    with running_app(tmp_path, GATE_SHIFT_LENS_MAX_SESSION_MB="1") as address:
        yield address


def test_a_file_that_a_session_has_no_room_for_is_said_and_costs_nothing_else(
    small_app, page, drawn_clip, tmp_path
):
    (tmp_path / "large.mp4").write_bytes(drawn_clip.read_bytes() + bytes(2**21))
    page.goto(small_app)
    wait_until_still(page)
    before = main_text(page)
    drop_clip(page, tmp_path / "large.mp4")
    expect(
        page.get_by_text(
            "large.mp4: 2 MB more than the 0 MB of this session are over its limit of 1 MB"
        )
    ).to_be_visible()
    wait_until_still(page)
    assert main_text(page) == before
    drop_clip(page, drawn_clip)
    expect(page.get_by_test_id("stSidebar").get_by_text(drawn_clip.name).first).to_be_visible()

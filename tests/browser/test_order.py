"""Order in a real browser: a clip of one's own in other orders, and tables of a whole data set."""

import re
from dataclasses import replace

import numpy as np
import pytest
from playwright.sync_api import expect

from gsm_model.predictions.table import Predictions, Provenance
from gsm_model.predictions.write import write_parquet
from tests.browser.conftest import drop, drop_clip, main_text, wait_until_still


def test_an_uploaded_clip_is_shown_in_other_orders_with_the_flow_of_every_model(
    page, app, drawn_clip
):
    page.goto(f"{app}/?models=gsm%2Ctsm%2Ctsn")
    drop_clip(page, drawn_clip)
    page.get_by_role("link", name="Order").click()
    expect(page.get_by_role("heading", name="What if time ran otherwise?")).to_be_visible()
    expect(page.get_by_role("heading", name="How far does each layer reach?")).to_be_visible()
    wait_until_still(page)
    text = main_text(page)
    assert (
        "GSM ResNet-18 goes from Unfolding something" in text
        and "to Folding something, its time reversal" in text
    )
    assert "TSN ResNet-18 does not notice the order" in text
    assert "TSM ResNet-18 goes from Unfolding something" in text
    expect(page.get_by_test_id("stMetric")).to_have_count(3)
    assert page.locator(".heatmaplayer").count() >= 3 * 3
    page.get_by_text("by gradient").click()
    wait_until_still(page)
    assert "Traceback" not in main_text(page)


@pytest.fixture
def two_tables(tmp_path):
    names = ("Folding something", "Unfolding something")
    origin = Provenance(names, "My GSM", "abc", "my clips", "d", "forward", "1x1")
    forward = Predictions(
        origin, ("a", "b"), np.array([0, 1]), np.eye(2, dtype=np.float32), ("", "")
    )
    backward = replace(
        forward, origin=replace(origin, order="reversed"), scores=forward.scores[::-1].copy()
    )
    for name, table in (("forward", forward), ("reversed", backward)):
        write_parquet(table, tmp_path / f"{name}.parquet")
    return [str(tmp_path / "forward.parquet"), str(tmp_path / "reversed.parquet")]


def test_what_costs_much_starts_when_asked_for_and_tables_of_ones_own_become_a_figure(
    page, app, two_tables
):
    page.goto(f"{app}/order?clip=unfolding&models=gsm%2Ctsn&frames=4")
    frame_values_are_computed_and_add_up(page)
    a_report_card_says_what_it_costs_and_stops(page)
    tables_become_a_figure_and_a_missing_one_is_named(page, two_tables)


def frame_values_are_computed_and_add_up(page):
    expect(page.get_by_role("heading", name="What is each frame worth?")).to_be_visible()
    assert "forward passes" in main_text(page)
    page.get_by_role("button", name="Compute the frames' values").click()
    expect(page.get_by_text("4 frames take Unfolding something rather than")).to_have_count(1)
    wait_until_still(page)
    text = main_text(page)
    assert "TSN ResNet-18: 4 frames take" in text and "Traceback" not in text
    expect(page.get_by_role("button", name="of the frame values (ZIP)")).to_be_visible()
    expect(page.get_by_role("heading", name="Temporal report card")).to_be_visible()


def a_report_card_says_what_it_costs_and_stops(page):
    start = page.get_by_role("button", name="Make the report card")
    expect(start).to_be_visible()
    # 200 clips in order, reversed, frozen, shuffled 20 times and frame by frame by two models, and
    # by the one with eight layers that exchange, cut from each on.
    expect(page.get_by_text("Drawing the clips and about 14,000 forward passes")).to_be_visible()
    wait_until_still(page)
    start.click()
    stop = page.get_by_role("button", name="Cancel")
    expect(page.get_by_text(re.compile(r"clips are drawn|clip \d+ of 200"))).to_be_visible()
    stop.click()
    expect(stop).to_have_count(0)
    expect(start).to_be_visible()
    expect(page.get_by_role("img", name="Temporal report card of")).to_have_count(0)
    wait_until_still(page)


def tables_become_a_figure_and_a_missing_one_is_named(page, two_tables):
    expect(page.get_by_role("heading", name="Results on a data set")).to_be_visible()
    tables = page.locator('[data-testid="stMain"] [data-testid="stFileUploaderDropzoneInput"]')
    drop(page, tables, *two_tables[:1])
    expect(page.get_by_text("no table of the order 'reversed'")).to_be_visible()
    drop(page, tables, *two_tables[1:])
    expect(page.get_by_text("of 2 answers become their time reversal")).to_be_visible()
    expect(page.get_by_role("button", name="Figure (PDF)")).to_be_visible()
    assert "My GSM: 100 % of 2 answers" in main_text(page)

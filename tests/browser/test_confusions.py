"""Confusions in a real browser: from two files of answers to figures, tests and a zip."""

import csv
import io
import json
import zipfile

import numpy as np
import pytest
from playwright.sync_api import expect

from gsm_model.bundled import prediction_files
from gsm_model.data.labels import something_something
from gsm_model.predictions.read import read_parquet
from gsm_model.predictions.table import Predictions, Provenance
from gsm_model.predictions.write import write_parquet
from tests.browser.conftest import drop, main_text, wait_until_still

HEADING = "Which classes does each model mix up, and is the difference real?"
DROP = '[data-testid="stMain"] [data-testid="stFileUploaderDropzoneInput"]'


def open_confusions(page, app, query=""):
    page.goto(f"{app}/confusions?{query}")
    expect(page.get_by_role("heading", name=HEADING)).to_be_visible()
    expect(page.get_by_role("heading", name="The whole matrix")).to_be_visible()
    wait_until_still(page)


def click_cell(page, row, column):
    """Click a cell of the matrix, counted from its upper left."""
    chart = page.locator(".js-plotly-plot", has=page.locator(".heatmaplayer .hm"))
    chart.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    box = chart.evaluate(
        "(node, [row, column]) => { const {xaxis, yaxis} = node._fullLayout;"
        " const r = node.getBoundingClientRect(); return [r.left + xaxis._offset +"
        " xaxis.d2p(column), r.top + yaxis._offset + yaxis.d2p(row)]; }",
        [row, column],
    )
    page.mouse.move(*box)
    # A click is of what is hovered over.
    expect(chart.locator(".hoverlayer .hovertext").first).to_be_visible()
    page.mouse.click(*box)


def test_it_opens_on_the_shipped_answers_and_a_clicked_cell_lists_its_clips_which_play_and_open(
    page, app
):
    open_confusions(page, app, "models=tsm%2Cgsm")
    assert (
        "TSN ResNet-18 (A) is right on 48.8 % and GSM ResNet-18 (B) on 99.3 %: 1,013 clips only B"
        " gets right, 2 only A." in main_text(page)
    )
    expect(page.get_by_test_id("stImage")).to_be_visible()
    table = read_parquet(
        next(
            path for path in prediction_files() if path.name == "tsn_resnet18_test_forward.parquet"
        )
    )
    answers = table.scores.argmax(1)
    click_cell(page, row=1, column=0)  # unfolding taken for folding
    clips = np.flatnonzero((table.truth == 1) & (answers == 0))
    expect(
        page.get_by_text(
            f"{len(clips)} clips of Unfolding something are taken for Folding something"
        )
    ).to_be_visible()
    expect(page.get_by_test_id("stVideo")).to_be_visible()
    the_clip_plays_on_a_narrow_page(page)
    page.get_by_role("button", name="Open it in Compare").click()
    expect(
        page.get_by_role("heading", name="What does each model say about this clip?")
    ).to_be_visible()
    wait_until_still(page)
    assert "GSM ResNet-18 says Unfolding something" in main_text(page)
    assert "models=tsm%2Cgsm" in page.url, "the models stay"


def the_clip_plays_on_a_narrow_page(page):
    page.set_viewport_size({"width": 390, "height": 844})
    film = page.get_by_test_id("stVideo")
    expect(film).to_be_visible()
    wait_until_still(page)
    expect(film).to_have_js_property("readyState", 4)  # all of it can be played
    box = film.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.locator('[class*="st-key-printed"] img')).to_have_css("width", "640px")
    buttons = page.locator(".stPlotlyChart").first
    expect(buttons.get_by_role("button", name="Fullscreen")).to_be_visible()
    expect(buttons.get_by_role("button", name="Zoom", exact=True)).to_be_hidden()


@pytest.fixture
def two_tables(tmp_path):
    """A and B on 60 clips of 3 classes, with features and properties: A is right on the bright
    half alone, and both take the first clip for another class than it is labelled.
    """
    truth, bright = np.arange(60) % 3, np.arange(60) < 30
    labels = ("folding", "unfolding", "waving")
    for name, right in (("a", bright), ("b", np.ones(60, bool))):
        scores = np.zeros((60, 3), np.float32)
        scores[np.arange(60), np.where(right, truth, (truth + 1) % 3)] = 4
        scores[0] = 0, 9, 0
        origin = Provenance(labels, name.upper(), name, "my clips", "d", "forward", "1x1")
        table = Predictions(
            *(origin, tuple(f"clip {row}" for row in range(60)), truth, scores, ("",) * 60),
            features=np.eye(60, 4, dtype=np.float16),
            properties={"brightness": np.where(bright, 0.9, 0.1)},
        )
        write_parquet(table, tmp_path / f"{name}.parquet")
    return [tmp_path / "a.parquet", tmp_path / "b.parquet"]


def test_features_slices_and_likely_label_errors_of_ones_own_tables_are_shown(
    page, app, two_tables
):
    open_confusions(page, app)
    page.get_by_text("Your own answers").click()
    drop(page, page.locator(DROP).first, *two_tables)
    expect(page.get_by_role("heading", name="Embedding of the scores")).to_be_visible()
    wait_until_still(page)
    page.get_by_role("radio", name="features", exact=True).click()
    expect(page.get_by_role("heading", name="Embedding of the features")).to_be_visible()
    expect(page.get_by_role("heading", name="On which clips is B better?")).to_be_visible()
    expect(page.get_by_text("B beats A on 2 of 4 slices by more than chance")).to_be_visible()
    expect(page.get_by_role("heading", name="Which labels are likely wrong?")).to_be_visible()
    expect(page.get_by_text("Both put one clip into the same other class.")).to_be_visible()
    wait_until_still(page)


@pytest.fixture
def two_files(tmp_path):
    rng = np.random.default_rng(0)
    truth = rng.integers(3, size=60)
    for name, skill in (("weak", 0.3), ("strong", 3.0)):
        scores = rng.normal(size=(60, 3))
        scores[np.arange(60), truth] += skill
        with (tmp_path / f"{name}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(
                [
                    "id",
                    "label",
                    "Folding something",
                    "Unfolding something",
                    "<b>Waving</b> *loudly*",
                ]
            )
            writer.writerows(
                [f"clip {index}", label, *row]
                for index, (label, row) in enumerate(zip(truth, scores.tolist(), strict=True))
            )
    return [str(tmp_path / f"{name}.csv") for name in ("weak", "strong")]


def test_the_matrix_can_be_searched_and_two_files_of_ones_own_become_a_zip_for_the_paper(
    page, app, two_files, tmp_path
):
    open_confusions(page, app)
    the_matrix_can_be_searched(page)
    page.get_by_text("Your own answers").click()
    drop(page, page.locator(DROP).first, *two_files)
    expect(page.get_by_text("On the same 60 clips of weak.csv")).to_be_visible()
    wait_until_still(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Figure, tables, caption and recipe (ZIP)").click()
    archive = zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes()))
    names = ("confusion", "gains", "matrix", "calibration", "embedding", "embedding-pairs")
    figures = {f"{name}.{kind}" for name in names for kind in ("pdf", "svg", "png", "pgf")}
    tables = {f"significance.{kind}" for kind in ("csv", "tex", "md")} | {
        "caption.txt",
        "caption.tex",
    }
    assert set(archive.namelist()) == figures | tables | {"recipe.json"}
    rows = list(csv.DictReader(io.StringIO(archive.read("significance.csv").decode())))
    assert rows[0]["name"] == "all" and rows[0]["n"] == "60" and float(rows[0]["difference"]) > 0.2
    assert "strong (B) on the same 60 clips" in archive.read("caption.txt").decode()
    a_file_that_is_none_is_named_with_its_fault(page, tmp_path)


def the_matrix_can_be_searched(page):
    chart = page.locator(".js-plotly-plot", has=page.locator(".heatmaplayer .hm"))
    box = page.get_by_role("textbox", name="Find classes")
    box.scroll_into_view_if_needed()
    box.fill("burying")
    box.press("Enter")
    wait_until_still(page)
    rows = chart.locator(".ytick").all_text_contents()
    assert 1 < len(rows) < 20 and any("Burying" in row for row in rows)
    box.fill("somersault")
    box.press("Enter")
    expect(page.get_by_text("No class has these words in its name.")).to_be_visible()
    wait_until_still(page)


def a_file_that_is_none_is_named_with_its_fault(page, folder):
    (folder / "holiday.csv").write_text("just,words\n1,2\n")
    drop(page, page.locator(DROP).first, folder / "holiday.csv")
    expect(
        page.get_by_text("holiday.csv: its columns begin with just, words; expected id, label")
    ).to_be_visible()
    assert "Traceback" not in main_text(page)


@pytest.mark.thorough
def test_pairs_and_groups_of_ones_own_are_shown_tested_and_packed(page, app):
    open_confusions(page, app)
    page.get_by_text("my own", exact=True).click()
    wait_until_still(page)
    pairs = page.get_by_role("textbox", name="Two class names a line")
    pairs.fill("Folding something, Waving")
    pairs.press("Control+Enter")
    expect(
        page.get_by_text("your list: line 1: 'Waving' is none of the 20 classes")
    ).to_be_visible()
    wait_until_still(page)
    pairs.fill("Moving *, Pushing * to left")
    pairs.press("Control+Enter")
    expect(page.get_by_test_id("stImage")).to_be_visible()
    wait_until_still(page)
    page.get_by_text("my own groups", exact=True).click()
    wait_until_still(page)
    groups = page.get_by_role("textbox", name="A group a line")
    groups.fill("cloth: *olding something")
    groups.press("Control+Enter")
    wait_until_still(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Figure, tables, caption and recipe (ZIP)").click()
    archive = zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes()))
    assert archive.read("pairs.csv").decode() == "Moving *, Pushing * to left"
    assert archive.read("groups.txt").decode() == "cloth: *olding something"
    rows = list(csv.DictReader(io.StringIO(archive.read("significance.csv").decode())))
    assert [(row["name"], row["n"]) for row in rows] == [("all", "2000"), ("cloth", "200")]
    assert "--pairs pairs.csv" in archive.read("recipe.json").decode()


@pytest.mark.thorough
def test_a_submission_is_compared_with_the_list_of_its_true_classes(page, app, tmp_path):
    rng = np.random.default_rng(0)
    labels = something_something()[:4]
    truth = rng.integers(4, size=40)
    for name, right in (("weak", 0.4), ("strong", 0.9)):
        answers = np.where(rng.random(40) < right, truth, (truth + 1) % 4)
        (tmp_path / f"{name}.json").write_text(
            json.dumps({str(clip): [labels[answer]] for clip, answer in enumerate(answers)})
        )
    listed = [{"id": str(clip), "template": labels[label]} for clip, label in enumerate(truth)]
    (tmp_path / "validation.json").write_text(json.dumps(listed))
    open_confusions(page, app)
    page.get_by_text("Your own answers").click()
    files = [tmp_path / f"{name}.json" for name in ("weak", "strong")]
    drop(page, page.locator(DROP).first, *files)
    expect(
        page.get_by_text("weak.json: a submission does not say the true classes")
    ).to_be_visible()
    drop(page, page.locator(DROP).last, tmp_path / "validation.json")
    expect(page.get_by_text("On the same 40 clips of validation.json")).to_be_visible()


@pytest.mark.thorough
def test_tables_of_a_chinese_spreadsheet_are_read_said_and_tested_where_b_is_worse(
    page, app, tmp_path
):
    for name, wrong in (("good", (3, 9)), ("worse", (3, 9, 12, 15, 18, 21, 24))):
        rows = (
            f"v{i};{'折叠展开'[i % 2 * 2 :][:2]};{(i % 2 == 0) ^ (i in wrong):d},5;1,25\n"
            for i in range(30)
        )
        text = "id;label;折叠;展开\n" + "".join(rows)
        (tmp_path / f"{name}.csv").write_bytes(text.encode("gb18030"))
    open_confusions(page, app)
    page.get_by_text("Your own answers").click()
    drop(page, page.locator(DROP).first, tmp_path / "good.csv", tmp_path / "worse.csv")
    expect(page.get_by_text("good.csv: read as GB18030 (Chinese), for example")).to_be_visible()
    expect(page.get_by_text("worse.csv: scores are read with decimal commas.")).to_be_visible()
    wait_until_still(page)
    text = main_text(page)
    assert "good (A) is right on 93.3 % and worse (B) on 76.7 %: 0 clips only B gets right" in text
    expect(page.get_by_text("No two classes are mixed up that way.")).to_be_visible()
    expect(page.get_by_role("heading", name="Is the difference real?", level=3)).to_be_visible()
    assert "Traceback" not in text

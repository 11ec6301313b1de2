"""The Models page in a real browser: what is loaded, and loading more."""

import re

import torch
from playwright.sync_api import expect

from app.components.sentences import tenths
from gsm_model.bundled import bundled_checkpoints
from gsm_model.models.card import Card
from gsm_model.models.checkpoints.files import load_checkpoint, save_checkpoint
from tests.browser.conftest import choose, drop, main_text, wait_until_still
from tests.conftest import make_small

CHECKPOINT = (
    '[aria-label="Checkpoint"] [data-testid="stFileUploaderDropzoneInput"], [data-testid="stMain"]'
    ' [data-testid="stFileUploader"]:has-text("SAFETENSORS") input'
)

SERVERS_FOLDER = re.compile("Or one from this server's folder")


def open_models(page, app):
    page.goto(f"{app}/models")
    expect(page.get_by_role("heading", name="Load a checkpoint")).to_be_visible()
    wait_until_still(page)


def load(page, path):
    drop(page, page.locator(CHECKPOINT).first, path)
    press_load(page)


def press_load(page):
    button = page.get_by_test_id("stBaseButton-primary")
    expect(button).to_be_enabled()
    button.click()


def test_each_shipped_model_states_its_file_cost_input_and_accuracy_and_no_text_is_one(
    page, app, tmp_path
):
    open_models(page, app)
    text = main_text(page).replace("\u00a0", " ")
    for path in bundled_checkpoints().values():
        assert path.name in text
    assert re.search(r"2\.83 M parameters; 0\.7\d GMAC a clip", text)
    assert text.count("95 % interval") == 6 and "96 × 96 RGB" in text
    for split in ("test", "shifted"):
        assert text.count(f"Measured on 2,000 clips of Reversible Actions, {split} split") == 3
    for path in bundled_checkpoints().values():
        for measure in load_checkpoint(path).card.measures:
            assert (
                f"{measure.metric}\t{tenths(measure.value)}\t{tenths(measure.low)} to"
                f" {tenths(measure.high)}" in text
            )
    (tmp_path / "model.pth.tar").write_text("<html>404</html>")
    load(page, tmp_path / "model.pth.tar")
    expect(page.get_by_text("model.pth.tar: is not a PyTorch checkpoint")).to_be_visible()
    assert "Traceback" not in main_text(page)


def test_the_authors_layout_is_loaded_by_upload_and_answers_on_compare(page, app, tmp_path):
    path = tmp_path / "tiny_segment4_checkpoint.pth.tar"
    torch.save(
        {
            "epoch": 60,
            "state_dict": {
                f"module.{key}": value for key, value in make_small("gsm").state_dict().items()
            },
        },
        path,
    )
    open_models(page, app)
    load(page, path)
    expect(page.get_by_text("Loaded GSM ResNet-18")).to_be_visible()
    wait_until_still(page)
    assert "names not known" in main_text(page) and "4 frames a clip" in main_text(page)
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_role("heading", name="Probabilities")).to_be_visible()
    wait_until_still(page)
    assert "class " in main_text(page)


def test_a_model_that_was_never_trained_is_marked_wherever_it_answers(page, app, tmp_path):
    save_checkpoint(make_small("gsm"), tmp_path / "random.safetensors", Card("GSM tiny"))
    open_models(page, app)
    load(page, tmp_path / "random.safetensors")
    expect(page.get_by_text("Loaded GSM tiny (untrained)")).to_be_visible()
    page.get_by_role("link", name="Compare").click()
    expect(
        page.get_by_text("GSM tiny (untrained) has random weights: its answer means nothing.")
    ).to_be_visible()


def test_a_checkpoint_of_the_servers_folder_can_be_chosen(page, app, app_checkpoints):
    save_checkpoint(
        make_small("tsm"), app_checkpoints / "lab.safetensors", Card("TSM of the lab", "trained")
    )
    open_models(page, app)
    choose(page, page.get_by_role("combobox", name=SERVERS_FOLDER), "lab.safetensors")
    press_load(page)
    expect(page.get_by_text("Loaded TSM of the lab")).to_be_visible()

"""The Models page in a real browser: what is loaded, and loading more."""

import re

import torch
from playwright.sync_api import expect

from app.components.sentences import tenths
from gsm_model.bundled import bundled_checkpoints
from gsm_model.models.card import Card
from gsm_model.models.checkpoints.files import load_checkpoint, save_checkpoint
from tests.browser.conftest import drop, main_text, wait_until_still
from tests.conftest import make_small

CHECKPOINT = (
    '[aria-label="Checkpoint"] [data-testid="stFileUploaderDropzoneInput"], [data-testid="stMain"]'
    ' [data-testid="stFileUploader"]:has-text("SAFETENSORS") input'
)


def open_models(page, app):
    page.goto(f"{app}/models")
    expect(page.get_by_role("heading", name="Load a checkpoint")).to_be_visible()
    wait_until_still(page)


def load(page, path):
    drop(page, page.locator(CHECKPOINT).first, path)
    button = page.get_by_test_id("stBaseButton-primary")
    expect(button).to_be_enabled()
    button.click()


def test_shipped_models_state_what_they_are_and_others_are_loaded_by_upload_and_answer_on_compare(
    page, app, tmp_path
):
    open_models(page, app)
    shipped_models_state_their_file_cost_input_and_accuracy(page)
    no_text_is_a_model(page, tmp_path)
    save_checkpoint(make_small("gsm"), tmp_path / "random.safetensors", Card("GSM tiny"))
    load(page, tmp_path / "random.safetensors")
    expect(page.get_by_text("Loaded GSM tiny (untrained)")).to_be_visible()
    load(page, in_the_authors_layout(tmp_path))
    expect(page.get_by_text("Loaded GSM ResNet-18")).to_be_visible()
    text = main_text(page)
    assert "names not known" in text and "4 frames a clip" in text
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_role("heading", name="Probabilities")).to_be_visible()
    assert "class " in main_text(page)
    expect(
        page.get_by_text("GSM tiny (untrained) has random weights: its answer means nothing.")
    ).to_be_visible()


def shipped_models_state_their_file_cost_input_and_accuracy(page):
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


def no_text_is_a_model(page, folder):
    (folder / "model.pth.tar").write_text("<html>404</html>")
    load(page, folder / "model.pth.tar")
    expect(page.get_by_text("model.pth.tar: is not a PyTorch checkpoint")).to_be_visible()
    assert "Traceback" not in main_text(page)


def in_the_authors_layout(folder):
    path = folder / "tiny_segment4_checkpoint.pth.tar"
    weights = {f"module.{key}": value for key, value in make_small("gsm").state_dict().items()}
    torch.save({"epoch": 60, "state_dict": weights}, path)
    return path

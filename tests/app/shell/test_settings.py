"""Settings from the environment, and those of the server."""

import pytest
from streamlit import config

from app.shell.settings import read_settings


def test_limits_and_the_checkpoint_folder_come_from_the_environment(monkeypatch, tmp_path):
    assert read_settings().videos is None
    monkeypatch.setenv("GATE_SHIFT_LENS_VIDEOS", str(tmp_path / "videos"))
    assert read_settings().videos == tmp_path / "videos"
    monkeypatch.setenv("GATE_SHIFT_LENS_CHECKPOINTS", str(tmp_path))
    monkeypatch.setenv("GATE_SHIFT_LENS_MAX_CLIP_MB", "7")
    settings = read_settings()
    assert settings.checkpoints == tmp_path and settings.video.max_bytes == 7 * 2**20


@pytest.mark.parametrize("value", ["many", "0", "-3", "1.5"])
def test_a_setting_that_is_no_number_is_named(monkeypatch, value):
    monkeypatch.setenv("GATE_SHIFT_LENS_MAX_CLIP_SECONDS", value)
    with pytest.raises(ValueError, match="GATE_SHIFT_LENS_MAX_CLIP_SECONDS"):
        read_settings()


def test_the_server_tells_nobody_and_shows_no_traceback():
    assert config.get_option("browser.gatherUsageStats") is False
    assert config.get_option("server.enableXsrfProtection") is True
    assert config.get_option("client.showErrorDetails") == "none"


def test_precision_waiting_and_the_operators_page_can_be_set(monkeypatch):
    assert (read_settings().precision, read_settings().operator_page) == ("float32", False)
    for name, value in {
        "PRECISION": "bfloat16",
        "MAX_WAITING": "3",
        "MAX_WAIT_SECONDS": "9",
        "MAX_MODELS_MB": "10",
        "OPERATOR_PAGE": "1",
    }.items():
        monkeypatch.setenv(f"GATE_SHIFT_LENS_{name}", value)
    settings = read_settings()
    assert (
        settings.precision,
        settings.most_waiting,
        settings.longest_wait,
        settings.model_megabytes,
    ) == ("bfloat16", 3, 9.0, 10)
    assert settings.operator_page
    monkeypatch.setenv("GATE_SHIFT_LENS_PRECISION", "float8")
    with pytest.raises(
        ValueError, match="GATE_SHIFT_LENS_PRECISION must be one of float32, bfloat16, float16"
    ):
        read_settings()


def test_the_server_bounds_uploads_and_watches_no_files():
    assert config.get_option("server.maxUploadSize") == 2048
    assert config.get_option("server.fileWatcherType") == "none"


def test_streamlit_does_not_look_through_all_memory_after_every_run():
    assert config.get_option("runner.postScriptGC") is False

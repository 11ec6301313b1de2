"""Names that are made from names never come twice."""

from pathlib import Path

import pytest

from gsm_model.bundled import bundled_checkpoints
from gsm_model.io.names import short_names, unique_names


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], []),
        (["a", "b"], ["a", "b"]),
        (["a", "a", "b", "a"], ["a", "a-2", "b", "a-3"]),
        (["a", "a", "a-2"], ["a", "a-3", "a-2"]),
        (["a-2", "a", "a"], ["a-2", "a", "a-3"]),
    ],
)
def test_a_name_that_was_there_before_gets_a_number(names, expected):
    assert unique_names(names) == expected


def test_a_second_file_of_a_kind_goes_by_its_whole_name():
    paths = [Path(name) for name in ("gsm_a.st", "gsm_b.st", "tsm_a.st", "x/gsm_b.st")]
    assert short_names(paths) == dict(zip(("gsm", "gsm_b", "tsm", "gsm_b-2"), paths, strict=True))


def test_two_shipped_models_of_one_kind_are_both_there(tmp_path, monkeypatch):
    monkeypatch.setenv("GATE_SHIFT_LENS_ASSETS", str(tmp_path))
    (tmp_path / "models").mkdir()
    for name in ("gsm_resnet18", "gsm_resnet50", "tsn_resnet18"):
        (tmp_path / "models" / f"{name}.safetensors").touch()
    assert {key: path.stem for key, path in bundled_checkpoints().items()} == {
        "gsm": "gsm_resnet18",
        "gsm_resnet50": "gsm_resnet50",
        "tsn": "tsn_resnet18",
    }

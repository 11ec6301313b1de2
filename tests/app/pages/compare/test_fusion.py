"""Fusion on the Compare page: its sentence and its table say what the numbers say."""

import pytest

from app.pages.compare.fusion import sentence, table
from gsm_model.fusion import fuse
from tests.gsm_model.test_fusion import said


def test_the_table_has_each_models_part_and_they_add_up():
    fused = fuse([said([1, 2, 4], title="RGB"), said([4, 0, 2], title="flow")], (1, 1.5))
    shown = table(fused, 2)
    assert shown["class"] == ["a", "c"]
    parts = [shown["RGB × 0.40"], shown["flow × 0.60"]]
    assert shown["together"] == pytest.approx([sum(column) for column in zip(*parts, strict=True)])


def test_the_sentence_names_who_is_against():
    one, other = said([1, 2, 4], title="RGB"), said([4, 0, 2], title="flow")
    assert "*a*" in sentence(fuse([one, other], (1, 1.5)))
    assert "; RGB alone would put the runner-up first" in sentence(fuse([one, other], (1, 1.5)))
    assert "each of them" in sentence(fuse([one, one]))

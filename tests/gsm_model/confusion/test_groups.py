"""A person's own groups of classes."""

import pytest

from gsm_model.confusion.groups import parse_groups, read_groups
from gsm_model.confusion.significance import named_groups
from gsm_model.errors import DataError

LABELS = ("Folding something", "Unfolding something", "Pushing [something]", "Holding")


def test_a_line_is_a_group_and_a_star_stands_for_anything():
    text = "cloth: *olding something\n\nhands : Holding; Pushing [something];\n"
    assert parse_groups(text, LABELS, "mine") == {"cloth": [0, 1], "hands": [2, 3]}


def test_a_group_has_the_clips_of_all_its_classes(two_models):
    masks = named_groups(two_models, {"both": [1, 4], "none": []})
    assert (
        masks["both"].tolist() == [truth in (1, 4) for truth in two_models.a.truth.tolist()]
        and not masks["none"].any()
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "mine: no group in it"),
        ("Folding something", "mine: line 1 is not a name, a colon"),
        ("a: Holding\na: Holding", "mine: line 2 names the group 'a' again"),
        ("a: Waving", "mine: line 1: 'Waving' is none of the 4 classes"),
    ],
)
def test_what_is_no_list_of_groups_is_named_with_its_line(text, message):
    with pytest.raises(DataError, match=message):
        parse_groups(text, LABELS, "mine")


def test_a_file_that_is_no_text_or_too_long_is_refused(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="a.txt: not a list that can be read"):
        read_groups(tmp_path / "a.txt", LABELS)
    (tmp_path / "b.txt").write_bytes(b"x" * 4_000_001)
    with pytest.raises(DataError, match="more than a list of classes has"):
        read_groups(tmp_path / "b.txt", LABELS)

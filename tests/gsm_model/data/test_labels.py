"""Labels: those that ship, and files of a user's own."""

import pytest

from gsm_model.data.label_reader import read_labels
from gsm_model.data.labels import (
    label_list,
    label_lists,
    reversed_class,
    reversed_classes,
    reversed_pairs,
    something_something,
)
from gsm_model.errors import DataError


def test_the_174_labels_are_in_alphabetical_order_with_the_mirrored_classes_where_the_release_swaps_them():  # noqa: E501
    labels = something_something()
    assert len(labels) == len(set(labels)) == 174
    for left, right in ((86, 87), (93, 94), (166, 167)):
        assert labels[left].replace("left to right", "right to left") == labels[right] or {
            "left",
            "right",
        } & set(labels[left].split())


def test_every_reversed_pair_is_made_of_labels_and_stacking_is_in_none():
    labels = something_something()
    for first, second in reversed_pairs():
        assert first in labels and second in labels
        assert reversed_class(first) == second and reversed_class(second) == first
    assert reversed_class("Stacking number of something") is None


def test_the_class_lists_have_the_sizes_of_their_sets_and_something_something_comes_in_two_orders():
    sizes = {name: len(label_list(name)) for name in label_lists()}
    assert sizes == {
        "diving48": 48,
        "hmdb51": 51,
        "jester": 27,
        "jester_tsm": 27,
        "kinetics400": 400,
        "kinetics600": 600,
        "something_something": 174,
        "something_something_v1_mmaction2": 174,
        "ucf101": 101,
    }
    other = label_list("something_something_v1_mmaction2")
    assert set(other) == set(something_something()) and other != something_something()
    online = label_list("jester_tsm")  # the demo's, which is sorted
    assert set(online) == set(label_list("jester")) and online == tuple(sorted(online))
    with pytest.raises(DataError, match="kinetics9000"):
        label_list("kinetics9000")


def test_jesters_gestures_have_their_reversed_gestures():
    labels = label_list("jester")
    indices = reversed_classes(labels)
    assert (indices >= 0).sum() == 2 * len(reversed_pairs("jester")) == 20
    assert [labels[indices[place]] for place in (0, 13, 16)] == [
        "Swiping Right",
        "Rolling Hand Forward",
        "Zooming Out With Full Hand",
    ]
    # mmaction2's map of mirrored classes: a swipe to the left becomes one to the right
    assert [indices[place] for place in (0, 1, 6, 7)] == [1, 0, 7, 6]
    assert reversed_class("Thumb Up") is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no labels"),
        (b"a\n\nb\n", "line 2 is blank"),
        (b"a\nb\na\n", "line 1 and again on line 3"),
        (b"\xff\xfe\x00", "not a readable text file"),
    ],
)
def test_a_bad_label_file_is_refused_with_its_line(tmp_path, content, message):
    (tmp_path / "labels.txt").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_labels(tmp_path / "labels.txt")


def test_windows_line_ends_and_byte_order_marks_are_no_part_of_a_name(tmp_path):
    (tmp_path / "labels.txt").write_bytes("\ufeffé one\r\ntwo\r\n".encode())
    assert read_labels(tmp_path / "labels.txt") == ("é one", "two")

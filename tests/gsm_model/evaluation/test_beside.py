"""The published accuracy beside the measured one, and when the two are no comparison."""

import pytest

from gsm_model.evaluation.beside import published_beside
from gsm_model.evaluation.intervals import measure_share
from gsm_model.models.card import Card
from gsm_model.models.protocol import EvalProtocol

# Its authors give 45.6 % of one clip, and 47.2 % of two clips and three crops.
FILE = "TSM_something_RGB_resnet50_shift8_blockres_avg_segment8_e45.pth"
CARD = Card("TSM ResNet-50", file=FILE, sha256="0" * 64)


@pytest.mark.parametrize(
    ("used", "top1", "words"),
    [
        (EvalProtocol(), 0.456, "the same protocol"),
        (EvalProtocol(2, 3), 0.472, "the same protocol"),
        (EvalProtocol(2, 3, average="probabilities"), 0.456, "not to be compared"),
        (EvalProtocol(1, 10), 0.456, "another protocol than here (1 × 10 views"),
        (EvalProtocol(1, 1, 16), 0.456, "of 16 frames"),
    ],
)
def test_the_accuracy_of_the_same_protocol_is_taken_where_there_is_one(used, top1, words):
    found = published_beside(CARD, used, measure_share("top-1", 45, 100, "list"))
    assert found.top1 == pytest.approx(top1) and words in found.in_words()
    assert "Something-Something V1" in found.in_words() and "TSM release" in found.source
    assert found.within  # Wilson's interval of 45 of 100 is 0.356 to 0.548


def test_a_published_figure_outside_of_the_interval_is_said_to_be():
    measured = measure_share("top-1", 5, 100, "list")
    found = published_beside(CARD, EvalProtocol(), measured)
    assert not found.within and "outside the interval" in found.in_words()


def test_a_file_of_no_publisher_has_nothing_beside_it():
    measured = measure_share("top-1", 5, 100, "list")
    assert published_beside(Card("m", file="my.pth"), EvalProtocol(), measured) is None

"""The chart and the sentence of what channels carry."""

import numpy as np
import pytest

from app.components.sentences import carried
from app.pages.gates.charts import channels
from gsm_model.data.synthetic.factors import FactorClip
from gsm_model.explain.channels.contrast import contrast_of
from gsm_model.explain.channels.features import Pooled
from gsm_model.explain.channels.report import channel_report
from gsm_model.models.card import Card

LAYERS = ("layer1.0", "layer1.1")


def made(direction):
    """Two layers of two channels, of the second layer one that is the direction, or none."""
    clips = [FactorClip(None, (0, 0, 0, way), scene) for scene in range(8) for way in range(2)]
    rng = np.random.default_rng(0)
    values = {(layer, "output"): np.repeat(rng.random((8, 1, 2)), 2, 0) for layer in LAYERS}
    if direction:
        values["layer1.1", "output"][:, :, 0] = np.tile([0.0, 1.0], 8)[:, None]
    report = channel_report(
        Card("Made", "trained"), LAYERS, clips, Pooled(values, {}), permutations=20
    )
    changes = {layer: np.stack([values[layer, "output"].mean(1)] * 3) for layer in LAYERS}
    changes["layer1.1"][2] += 5
    return report, contrast_of(Card("Made", "trained"), [changes], "clips")


def test_cells_are_shares_of_channels_by_layer_and_the_contrast_is_beside_them():
    report, contrast = made(True)
    [cells] = channels(report, contrast, "output").data
    assert list(cells.y) == list(LAYERS)
    at = list(cells.x).index("direction, mean")
    assert [row[at] for row in cells.z] == [0, 0.5]
    assert list(cells.x[-2:]) == ["changed when reversed", "changed when frozen"]
    assert [list(row[-2:]) for row in cells.z] == [[0, 0], [0, 1]]
    assert cells.text[1][at] == "50"


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        (
            True,
            "carry the direction from *layer1\\.1* on, most at *layer1\\.1*: 50 %.",
        ),
        (False, "averaged over time, no channel of any block carries the direction."),
    ],
)
def test_the_sentence_says_from_which_block_on(direction, expected):
    report, _ = made(direction)
    assert carried(report).startswith("**Made**: averaged over time, ")
    assert carried(report).endswith(expected)

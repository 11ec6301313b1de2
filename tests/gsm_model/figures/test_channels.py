"""What the figure of channels shows, panel by panel."""

import numpy as np
import pytest

from gsm_model.data.synthetic.factors import FACTORS, FactorClip
from gsm_model.explain.channels.contrast import contrast_of
from gsm_model.explain.channels.features import Pooled
from gsm_model.explain.channels.report import channel_report
from gsm_model.figures.channels import channels_figure
from gsm_model.models.card import Card

LAYERS = ("first", "second")


@pytest.fixture
def found():
    """Two layers of two channels: of the second, one is the direction."""
    clips = [FactorClip(None, (0, 0, 0, way), scene) for scene in range(8) for way in range(2)]
    rng = np.random.default_rng(0)
    values = {(layer, "output"): rng.standard_normal((16, 4, 2)) for layer in LAYERS}
    values["second", "output"][:, :, 0] = np.tile([0.0, 1.0], 8)[:, None]
    report = channel_report(Card("Made"), LAYERS, clips, Pooled(values, {}), permutations=20)
    changes = {layer: np.stack([values[layer, "output"].mean(1)] * 3) for layer in LAYERS}
    changes["second"][1] += 5
    return report, contrast_of(Card("Made"), [changes], "clips")


def test_a_panel_a_factor_has_the_shares_and_the_last_one_what_changes(found):
    report, contrast = found
    *panels, last = channels_figure(report, contrast).axes
    assert [axes.get_title() for axes in panels] == list(FACTORS)
    mean, slope = panels[-1].lines
    assert list(mean.get_xdata()) == [0, 0.5] and list(slope.get_xdata()) == [0, 0]
    assert last.get_title() == "contrast"
    assert [line.get_xdata().tolist() for line in last.lines[:1]] == [[0, 1]]


def test_without_known_factors_there_is_the_contrast_alone(found):
    [axes] = channels_figure(None, found[1]).axes
    assert axes.get_title() == "contrast"
    assert [text.get_text() for text in axes.get_yticklabels()] == list(LAYERS)

"""A filmed clip is never answered by a model that has only seen drawn ones without a line that says
so: in the answer, in every table, caption and recipe.
"""

from dataclasses import replace

import pytest

from gsm_model.explain.cam.report import report_cams
from gsm_model.explain.gates.report import report_gates
from gsm_model.explain.gates.tables import gate_rows
from gsm_model.explain.order.report import report_order
from gsm_model.explain.order.tables import clip_table
from gsm_model.exports.cam import frame_rows
from gsm_model.exports.provenance import cautions_in
from gsm_model.figures.gates import gates_figure
from gsm_model.predict import predict

SAID = "Small has only seen drawn clips, and this clip counts as filmed"


@pytest.fixture
def model(drawn_model):
    drawn_model.card = replace(drawn_model.card, domain="drawn")
    return drawn_model


def test_the_answer_and_the_recipe_say_so(model, video):
    answer = predict(model, video)
    assert answer.caution.text.startswith(SAID)
    assert cautions_in([answer])["caution"].startswith(SAID)
    drawn = replace(video, drawn=model.card.labels[0])
    assert predict(model, drawn).caution is None and not cautions_in([predict(model, drawn)])


def test_every_row_of_every_table_says_so(model, video):
    gates, order = report_gates(model, video), report_order(model, video, shuffles=2)
    [layer] = list(model.feature_points())[-1:]
    cams = report_cams(model, video, layers=[layer])
    for rows in (
        gate_rows("a clip", gates),
        clip_table("a clip", order),
        frame_rows("a clip", cams, layer),
    ):
        assert rows and all(row["caution"].startswith(SAID) for row in rows)


def test_a_figure_has_it_under_all_of_it(model, video):
    report = report_gates(model, video)
    frames = video.frames[: len(report.prediction.frame_indices)]
    written = gates_figure(report, frames).get_supxlabel().replace("\n", " ")
    assert written.startswith(SAID)

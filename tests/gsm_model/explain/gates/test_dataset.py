"""The gates of a data set: the same numbers as from all its clips at once, and what a table of them
says.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gsm_model.errors import DataError
from gsm_model.evaluation.dataset import batches, drawn_clips, listed_clips
from gsm_model.explain.gates import dataset
from gsm_model.explain.gates.dataset import (
    data_gates_table,
    data_means,
    gates_of_clips,
    histogram_regimes,
    read_data_gates,
    write_data_gates,
)
from gsm_model.explain.gates.layers import REGIMES, regime_shares
from gsm_model.explain.gates.report import layer_gates, record_routing

CLIPS = 5


@pytest.fixture
def gates(drawn_model, monkeypatch):
    monkeypatch.setattr(dataset, "BATCH_CLIPS", 2)
    return gates_of_clips(drawn_model, drawn_clips(drawn_model, "test", CLIPS))


@pytest.fixture
def layers(drawn_model):
    """Every clip's layers, from one batch."""
    [batch] = batches(drawn_model, drawn_clips(drawn_model, "test", CLIPS), 0, CLIPS)
    with torch.inference_mode(), record_routing(drawn_model) as found:
        drawn_model(batch.clips)
    return [layer_gates(drawn_model, found, clip) for clip in range(CLIPS)]


def test_one_pass_in_batches_gives_the_figures_of_all_clips_at_once(gates, layers):
    rows = data_gates_table(gates)
    assert len(rows) == 1 + 2 * 8 and rows[0]["layer"] == "all" and rows[1]["title"] == "layer1.0"
    whole = np.stack([[clip[layer].gate.mean((2, 3)).T for layer in range(8)] for clip in layers])
    assert rows[0]["gate_mean"] == pytest.approx(whole.mean(), abs=1e-6)
    for number, row in enumerate(rows[1:]):
        layer, way = divmod(number, 2)
        values = np.concatenate([clip[layer].gate[:, way].ravel() for clip in layers])
        assert row["gate_mean"] == pytest.approx(values.mean(), abs=1e-5)
        assert row["adaptivity"] == pytest.approx(values.std(), abs=1e-4)
        assert sum(
            row[f"variance_{level}"] for level in ("class", "clip", "frame", "place")
        ) == pytest.approx(values.var(), abs=1e-4)
        # Float32 values just beside a bin's end may fall on the other side of it.
        assert [row[name] for name in REGIMES] == pytest.approx(regime_shares(values), abs=2e-3)
        arrives = np.array(
            [(clip[layer].shares().next, clip[layer].shares().previous)[way] for clip in layers]
        )
        assert (
            row["arrives"] == pytest.approx(arrives.mean())
            and row["arrives_low"] < arrives.mean() < row["arrives_high"]
        )
        assert sum(row["histogram"]) == values.size and row["n"] == CLIPS
        assert row["reach_back"] == row["reach_ahead"] == min(2 * (layer + 1), 3)


def test_the_table_comes_back_from_its_file_and_gives_the_means_that_its_own_models_gates_are_held_at(  # noqa: E501
    gates, drawn_model, tmp_path
):
    write_data_gates(gates, tmp_path / "gates.parquet")
    rows = read_data_gates(tmp_path / "gates.parquet")
    assert rows == data_gates_table(gates)
    means = data_means(rows, drawn_model)
    assert list(means) == list(gates.layers)
    np.testing.assert_allclose(
        means[gates.layers[3]], gates.moments.frame_means[:, 3].mean((0, 2)), rtol=1e-6
    )
    drawn_model.card = replace(drawn_model.card, sha256="another")
    with pytest.raises(DataError, match="the table of gates is of Small"):
        data_means(rows, drawn_model)


def test_regimes_of_counted_values_are_those_of_the_values():
    values = np.random.default_rng(0).uniform(-1, 1, 4000)
    counts = np.histogram(values, dataset.BINS)[0]
    for edges in ((-0.25, 0.25, 0.75), (-0.5, 0.0, 0.9)):
        np.testing.assert_allclose(
            histogram_regimes(counts, edges), regime_shares(values, edges), atol=1e-12
        )


def test_a_clip_that_cannot_be_read_is_counted_and_left_out_and_none_at_all_is_an_error(
    tmp_path, small_gsm, moving_bar
):
    from gsm_model.data.lists import read_video_list
    from tests.videos import constant_rate

    (tmp_path / "broken.mp4").write_text("no video")
    (tmp_path / "list.txt").write_text("broken.mp4 24 1\n")
    with pytest.raises(DataError, match="no clip could be read"):
        gates_of_clips(small_gsm, listed_clips(small_gsm, read_video_list(tmp_path)))
    constant_rate(tmp_path / "good.mp4", moving_bar)
    (tmp_path / "list.txt").write_text("broken.mp4 24 1\ngood.mp4 24 0\n")
    seen = []
    gates = gates_of_clips(
        small_gsm,
        listed_clips(small_gsm, read_video_list(tmp_path)),
        lambda done, total: seen.append((done, total)),
    )
    assert (gates.undecodable, gates.labels.tolist(), seen) == (1, [0], [(2, 2)])
    assert np.isnan(data_gates_table(gates)[1]["arrives_low"])


@pytest.mark.parametrize("content", [b"", b"PAR1 not really", None])
def test_what_is_no_such_table_is_refused(tmp_path, content):
    path = tmp_path / "gates.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match="not a table of gates"):
        read_data_gates(path)


def test_a_table_of_predictions_is_not_taken_for_one(tmp_path):
    from gsm_model.bundled import prediction_files

    with pytest.raises(DataError, match="not a table of gates"):
        read_data_gates(prediction_files()[0])

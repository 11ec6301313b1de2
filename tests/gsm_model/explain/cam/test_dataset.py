"""Maps over drawn clips: resumable, each number as computed by hand, and the table's way to a file
and back.
"""

import numpy as np
import pytest

from gsm_model.data.labels import reversed_class
from gsm_model.data.synthetic.actions import LABELS
from gsm_model.data.synthetic.dataset import draw_clip
from gsm_model.data.synthetic.scene import MASK_ROLES
from gsm_model.errors import DataError
from gsm_model.evaluation.dataset import HEIGHT, WIDTH
from gsm_model.explain.cam import dataset
from gsm_model.explain.cam.dataset import (
    MOVING,
    block_layers,
    cam_scores,
    read_cam_table,
    score_cams,
    write_cam_table,
)
from gsm_model.explain.cam.evidence import Target
from gsm_model.explain.cam.faithfulness import centre_blob
from gsm_model.explain.cam.pointing import point_at
from gsm_model.explain.cam.report import cams_of_clips
from gsm_model.explain.cam.sanity import rank_correlation
from gsm_model.video.sampling import segment_indices
from gsm_model.video.transforms import masks_as_seen, to_views

METHODS, LAYERS = ("gradcam", "eigencam"), ("layer2.1", "layer4.1")


@pytest.fixture
def table(drawn_model, tmp_path):
    return score_cams(drawn_model, "test", 4, tmp_path / "cams.parquet", METHODS, LAYERS)


def test_every_row_is_what_a_map_of_that_clip_gives(drawn_model, table):
    clip = draw_clip("test", 3)
    indices = segment_indices(clip.num_frames, 4)
    kinds = masks_as_seen(clip.masks(indices, HEIGHT, WIDTH), drawn_model.input)
    views = to_views(clip.frames(indices, HEIGHT, WIDTH), drawn_model.input)
    column = table.origin.columns.index(("class", "gradcam", "layer2.1"))
    own, other = (
        cams_of_clips(drawn_model, views, Target(label), "gradcam", ["layer2.1"])[2][0].maps[0]
        for label in (3, 2)
    )
    expected = point_at(own, kinds, len(MASK_ROLES))
    assert table.hits[3, column] == expected.hit
    np.testing.assert_allclose(table.energies[3, column], expected.energy, rtol=1e-4)
    np.testing.assert_allclose(table.areas[3], expected.area, rtol=1e-5)
    assert table.others[3, column] == pytest.approx(rank_correlation(own, other), abs=1e-5)
    centre = point_at(centre_blob(4, 6, 6), kinds, len(MASK_ROLES))
    np.testing.assert_allclose(
        table.guesses[3, 0], [centre.hit in MOVING, centre.energy[list(MOVING)].sum()], rtol=1e-5
    )
    contrast = table.origin.columns.index(("contrast", "gradcam", "layer2.1"))
    assert np.isnan(table.others[:, contrast]).all() and len(table.origin.columns) == 8


def test_scores_are_shares_of_clips_in_which_something_moves(table):
    row = next(
        row
        for row in cam_scores(table)
        if (row["target"], row["method"], row["layer"]) == ("class", "gradcam", "layer4.1")
    )
    column = table.origin.columns.index(("class", "gradcam", "layer4.1"))
    moving = table.areas[:, MOVING].sum(1) > 0
    assert row["n"] == moving.sum() and row["hit"] == pytest.approx(
        np.isin(table.hits[moving, column], MOVING).mean()
    )
    assert row["energy"] == pytest.approx(
        np.nanmean(table.energies[moving, column][:, MOVING].sum(1)), rel=1e-5
    )
    assert (
        row["centre_hit"] == pytest.approx(table.guesses[moving, 0, 0].mean())
        and 0 <= row["change_energy"] <= 1
    )
    assert row["hit_low"] <= row["hit"] <= row["hit_high"] and row["tried"] is None


def test_a_table_comes_back_from_its_file_and_anything_else_is_refused(table, tmp_path):
    back = read_cam_table(tmp_path / "cams.parquet")
    assert back.origin == table.origin and back.ids == table.ids
    for name in dataset.ARRAYS:
        np.testing.assert_array_equal(getattr(back, name), getattr(table, name))
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match="x.parquet: not a table of maps"):
        read_cam_table(tmp_path / "x.parquet")


def test_a_run_that_was_stopped_goes_on_and_gives_the_same(
    drawn_model, table, tmp_path, monkeypatch
):
    monkeypatch.setattr(dataset, "BLOCK_CLIPS", 2)

    class Stopped(Exception):
        pass

    def stop(done, total):
        raise Stopped

    out = tmp_path / "again.parquet"
    with pytest.raises(Stopped):
        score_cams(drawn_model, "test", 4, out, METHODS, LAYERS, progress=stop)
    told = []
    again = score_cams(
        drawn_model, "test", 4, out, METHODS, LAYERS, progress=lambda *done: told.append(done)
    )
    assert told == [(4, 4)], "the first two clips are not done again"
    np.testing.assert_allclose(again.energies, table.energies, rtol=1e-4)


def test_maps_can_be_tried_as_well(drawn_model, tmp_path):
    table = score_cams(
        drawn_model, "test", 2, tmp_path / "t.parquet", ("gradcam",), ("layer4.1",), trials=True
    )
    rows = cam_scores(table)
    assert (
        np.isfinite(table.tried[:, 0]).all()
        and np.isnan(table.tried[:, 1]).all()
        and table.blind.shape == (2, 3)
    )
    assert (
        rows[0]["tried"] == pytest.approx(table.tried[:, 0].mean())
        and rows[0]["beats"] == (table.tried[:, 0] > table.blind.max(1)).mean()
    )
    assert rows[1]["tried"] is None
    write_cam_table(table, tmp_path / "again.parquet")
    assert read_cam_table(tmp_path / "again.parquet").origin.trials


def test_slow_methods_unknown_layers_and_other_classes_are_refused(
    drawn_model, small_gsm, tmp_path
):
    with pytest.raises(ValueError, match="no fast method 'scorecam'"):
        score_cams(drawn_model, "test", 1, tmp_path / "a.parquet", ("scorecam",))
    with pytest.raises(ValueError, match="no layer 'layer9'"):
        score_cams(drawn_model, "test", 1, tmp_path / "b.parquet", ("gradcam",), ("layer9",))
    with pytest.raises(DataError, match="its classes are others"):
        score_cams(small_gsm, "test", 1, tmp_path / "c.parquet")


def test_the_layers_are_all_blocks_and_either_side_of_the_last_two_gates(drawn_model):
    layers = block_layers(drawn_model)
    assert [name for name in layers if ":" in name] == [
        "layer4.0:before",
        "layer4.0:after",
        "layer4.1:before",
        "layer4.1:after",
    ]
    assert len(layers) == 12


def test_the_reversed_class_is_that_of_the_name_wherever_it_stands(drawn_model, monkeypatch):
    apart = (*LABELS[::2], *LABELS[1::2])  # no two of a pair side by side
    monkeypatch.setattr(dataset, "LABELS", apart)
    asked = []

    def note(model, views, targets, layers):
        asked.extend(targets)
        raise StopIteration

    monkeypatch.setattr(dataset, "evidence_of_clips", note)
    with pytest.raises(StopIteration):
        dataset._of_clip(drawn_model, "test", 3, ("gradcam",), ["layer4.1"], False)
    assert asked == [Target(3), Target(3, 13), Target(13)]
    assert reversed_class(apart[3]) == apart[13]

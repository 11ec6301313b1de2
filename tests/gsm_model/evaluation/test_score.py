"""Scoring a list: resumable, complete, the same as scoring each video alone."""

import signal
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from gsm_model.data.lists import Entry, read_video_list
from gsm_model.errors import DataError
from gsm_model.evaluation.loader import Views, feed, wanted_views
from gsm_model.evaluation.score import score_list
from gsm_model.predict import predict
from gsm_model.predictions.join import concatenate
from gsm_model.predictions.read import read_parquet
from gsm_model.video import pool
from gsm_model.video.isolate import read_video
from gsm_model.video.transforms import normalise, to_views
from gsm_model.video.views import read_views
from tests.conftest import make_small
from tests.forked_decoder import start_worker


@pytest.mark.slow
def test_every_clip_is_a_row_and_its_scores_are_those_of_the_video_alone(folder, small_gsm):
    table = score_list(small_gsm, read_video_list(folder), folder / "p.parquet", order="reversed")
    assert table.ids == (
        "clip 0.mp4",
        "clip 1.mp4",
        "broken.mp4",
        "clip 2.mp4",
        "clip 3.mp4",
        "clip 4.mp4",
    )
    assert [bool(error) for error in table.errors] == [False, False, True, False, False, False]
    assert table.errors[2].startswith("broken.mp4: not a video") and np.isnan(table.scores[2]).all()
    for row in (0, 5):
        alone = predict(small_gsm, read_video(folder / table.ids[row], (4,)), "reversed")
        np.testing.assert_allclose(table.scores[row], alone.logits, atol=1e-5)
    back = read_parquet(folder / "p.parquet")
    np.testing.assert_array_equal(back.scores, table.scores)
    assert back.origin.order == "reversed" and not (folder / "p.parquet.parts").exists()


@pytest.mark.slow
def test_a_stopped_run_goes_on_and_gives_the_same_table(folder, small_gsm, monkeypatch):
    from gsm_model.evaluation import score

    monkeypatch.setattr(score, "PART_CLIPS", 2)
    videos = read_video_list(folder)
    whole = score_list(small_gsm, videos, folder / "whole.parquet", order="shuffled", seed=3)

    class Killed(Exception):
        pass

    def kill(done, n):
        if done == 4:
            raise Killed

    with pytest.raises(Killed):
        score_list(small_gsm, videos, folder / "p.parquet", order="shuffled", seed=3, progress=kill)
    started = []
    resumed = score_list(
        small_gsm,
        videos,
        folder / "p.parquet",
        order="shuffled",
        seed=3,
        progress=lambda done, n: started.append(done),
    )
    assert started == [6]
    assert resumed.ids == whole.ids and resumed.errors == whole.errors
    np.testing.assert_array_equal(resumed.scores, whole.scores)
    with pytest.raises(Killed):
        score_list(small_gsm, videos, folder / "p.parquet", progress=kill)
    with pytest.raises(DataError, match="part of another run"):
        score_list(small_gsm, videos, folder / "p.parquet", order="reversed")


@pytest.mark.slow
def test_views_of_two_clips_and_three_crops_are_averaged(folder, small_gsm, moving_bar):
    videos = read_video_list(folder)
    table = score_list(small_gsm, videos, folder / "p.parquet", Views(2, 3))
    from gsm_model.video.decode import decode
    from gsm_model.video.sampling import segment_indices

    logits = []
    for clip in (0, 1):
        frames = decode(
            folder / "clip 0.mp4",
            lambda info, clip=clip: segment_indices(info.num_frames, 4, clip, 2),
        )[2]
        with torch.inference_mode():
            logits.append(small_gsm(to_views(frames, small_gsm.input, 3)))
    np.testing.assert_allclose(table.scores[0], torch.cat(logits).mean(0), atol=1e-5)


def test_averaging_probabilities_is_what_the_table_says_and_a_run_of_its_own(folder, small_gsm):
    videos = read_video_list(folder)
    tables = {
        average: score_list(
            small_gsm, videos, folder / f"{average}.parquet", Views(2, 3), average=average
        )
        for average in ("logits", "probabilities")
    }
    views = read_views(
        wanted_views(videos.entries[0], 4, small_gsm.input, Views(2, 3))
    )  # two clips of three crops
    with torch.inference_mode():
        logits = small_gsm(normalise(views, small_gsm.input)).double()
    assert len(logits) == 6
    expected = (logits.exp() / logits.exp().sum(1, keepdim=True)).mean(0)
    found = np.exp(tables["probabilities"].scores[0])
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(tables["logits"].scores[0], logits.mean(0), atol=1e-5)
    for average, table in tables.items():
        assert table.origin.average == average
        assert read_parquet(folder / f"{average}.parquet").origin.average == average
    with pytest.raises(DataError, match="of the same model, data, order and views"):
        concatenate(list(tables.values()))


def test_features_are_what_the_classifier_is_given_averaged_over_frames_and_views(
    folder, small_gsm
):
    videos = read_video_list(folder)
    plain, table = (
        score_list(small_gsm, videos, folder / f"{kept}.parquet", Views(2, 1), features=kept)
        for kept in (False, True)
    )
    assert plain.features is None
    np.testing.assert_allclose(table.scores, plain.scores, atol=1e-5)
    assert table.features.dtype == np.float16
    assert np.isnan(table.features).all(axis=1).tolist() == [bool(one) for one in table.errors]
    views = read_views(wanted_views(videos.entries[0], 4, small_gsm.input, Views(2, 1)))
    given = []
    hook = small_gsm.new_fc.register_forward_pre_hook(lambda module, x: given.append(x[0]))
    with torch.inference_mode():
        small_gsm(normalise(views, small_gsm.input))
    hook.remove()
    expected = given[0].reshape(-1, table.features.shape[1]).mean(0)
    np.testing.assert_allclose(table.features[0], expected, rtol=2e-3, atol=2e-3)
    # The classifier is linear, so that the mean features give the mean logits.
    linear = small_gsm.new_fc(torch.from_numpy(table.features[[0]]).float())[0].detach()
    np.testing.assert_allclose(linear, table.scores[0], rtol=1e-2, atol=1e-2)


def test_a_run_with_features_does_not_go_on_from_one_without(folder, small_gsm):
    videos = read_video_list(folder)

    def stop(done, n):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_list(small_gsm, videos, folder / "p.parquet", progress=stop)
    with pytest.raises(DataError, match="part of a run without --features"):
        score_list(small_gsm, videos, folder / "p.parquet", features=True)


def test_a_table_says_how_its_clips_look_and_where_they_lie(folder, small_gsm):
    table = score_list(small_gsm, read_video_list(folder), folder / "p.parquet")
    assert table.origin.videos == str(folder)
    assert table.properties["file"].tolist() == list(table.ids)
    assert table.properties["frames"][[0, 1, 3]].tolist() == [24, 21, 18]
    assert np.isnan(table.properties["frames"][2]) and "broken" in table.errors[2]
    assert (table.scored().properties["brightness"] > 0).all()


def test_the_part_that_a_list_names_is_the_part_that_is_scored(folder, small_gsm):
    entry = Entry("part", folder / "clip 0.mp4", 0, first=8, stop=16)
    [(_, views)] = feed([entry], 4, small_gsm.input, Views(), 1)
    from gsm_model.video.decode import decode
    from gsm_model.video.transforms import view_bytes

    frames = decode(folder / "clip 0.mp4", lambda info: [9, 11, 13, 15])[2]
    np.testing.assert_array_equal(views, view_bytes(frames, small_gsm.input))
    [(_, message)] = feed(
        [Entry("long", folder / "clip 0.mp4", 0, first=8, stop=99)], 4, small_gsm.input, Views(), 1
    )
    assert "names frames up to 99, the video has 24" in message


# A decoding process that a certain file takes down.
DIES_ON_CLIP_1 = """
import os, signal
from gsm_model.video import worker
answer = worker.answer_views
def answer_views(request):
    if request["name"] == "clip 1.mp4":
        os.kill(os.getpid(), signal.SIGKILL)
    return answer(request)
worker.ANSWERS["views"] = answer_views
worker.main()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no such signal")
def test_a_file_that_takes_its_process_down_is_named_and_the_others_go_on(
    folder, small_gsm, monkeypatch
):
    monkeypatch.setattr(pool, "start_worker", start_worker)
    monkeypatch.setattr(pool, "worker_command", lambda: [sys.executable, "-c", DIES_ON_CLIP_1])
    entries = read_video_list(folder).entries
    results = {entry.id: result for entry, result in feed(entries, 4, small_gsm.input, Views(), 2)}
    assert list(results) == [entry.id for entry in entries]
    assert results["clip 1.mp4"].startswith(
        "clip 1.mp4: the decoder stopped while reading it: it was ended from outside (SIGKILL)"
    )
    assert results["broken.mp4"].startswith("broken.mp4: not a video")
    assert all(isinstance(results[f"clip {index}.mp4"], np.ndarray) for index in (0, 2, 3, 4))


def test_a_list_of_other_classes_is_refused(folder, small_gsm):
    (folder / "labels.txt").write_text("\n".join("vwxyz"))
    from dataclasses import replace

    small_gsm.card = replace(small_gsm.card, labels=tuple("abcde"))
    with pytest.raises(DataError, match="its classes are not those of"):
        score_list(small_gsm, read_video_list(folder), folder / "p.parquet")
    with pytest.raises(DataError, match="has class 4, but .* knows 3 classes"):
        score_list(
            make_small("gsm", num_classes=3),
            read_video_list(folder / "list.txt"),
            Path(folder / "p.parquet"),
        )


@pytest.mark.parametrize(
    ("text", "views"),
    [
        ("1", Views(1, 1)),
        ("2x1", Views(2, 1)),
        ("1x3", Views(1, 3)),
        ("2x3", Views(2, 3)),
        ("1x10", Views(1, 10)),
    ],
)
def test_views_are_written_as_clips_by_crops(text, views):
    assert Views.parse(text) == views


@pytest.mark.parametrize("text", ["", "11", "1x2", "x", "-1x1", "two"])
def test_other_views_are_refused(text):
    with pytest.raises(DataError, match="clips x crops"):
        Views.parse(text)

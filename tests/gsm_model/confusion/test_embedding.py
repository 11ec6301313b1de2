"""Scores as points: scikit-learn's numbers, the same each time, bounded."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.decomposition import PCA

from gsm_model.confusion import embedding
from gsm_model.confusion.embedding import MOST_CLIPS, embed, mark_pairs, mark_right, mark_wrong
from gsm_model.errors import DataError
from tests.predictions import make_predictions


def test_pca_is_scikit_learns_and_says_its_share_of_the_variance():
    answers = make_predictions(n=200)
    found = embed(answers, "pca")
    reference = PCA(2, svd_solver="full").fit(answers.scores.astype(float))
    np.testing.assert_allclose(
        np.abs(found.points), np.abs(reference.transform(answers.scores.astype(float))), atol=1e-6
    )
    assert f"{reference.explained_variance_ratio_[0]:.0%}" in found.about


def test_tsne_keeps_clips_of_one_class_together_and_comes_out_the_same_each_time():
    answers = make_predictions(n=200, skill=12.0)
    found = embed(answers, "tsne")
    np.testing.assert_array_equal(found.points, embed(answers, "tsne").points)
    distance = np.linalg.norm(found.points[:, None] - found.points[None], axis=2) + 1e9 * np.eye(
        200
    )
    assert (answers.truth[distance.argmin(1)] == answers.truth).mean() > 0.95


def test_of_many_clips_some_are_drawn_the_same_each_time():
    answers = make_predictions(n=MOST_CLIPS + 500)
    rows = embed(answers, "pca").rows
    assert (
        len(rows) == MOST_CLIPS == len(set(rows.tolist()))
        and (rows == embed(answers, "pca").rows).all()
    )


def test_without_umap_learn_umap_says_what_to_install(monkeypatch):
    monkeypatch.setattr(embedding, "find_spec", lambda name: None)
    with pytest.raises(DataError, match="umap-learn is not installed"):
        embed(make_predictions(), "umap")


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (make_predictions(scores=False), "only the predicted classes"),
        (make_predictions(n=3), "3 clips are too few"),
    ],
)
def test_answers_without_scores_or_of_too_few_clips_are_refused(answers, message):
    with pytest.raises(DataError, match=message):
        embed(answers)
    with pytest.raises(ValueError, match="no embedding 'isomap'"):
        embed(answers, "isomap")


def test_a_clip_is_marked_by_who_is_right_and_by_its_class(two_models):
    rows = np.arange(300)
    a, b = two_models.a.right, two_models.b.right
    kinds = mark_right(two_models, rows).kinds
    assert [(kinds == kind).sum() for kind in (-1, 0, 1, 2)] == [
        (a & b).sum(),
        (a & ~b).sum(),
        (~a & b).sum(),
        (~a & ~b).sum(),
    ]
    assert ((mark_wrong(two_models.a, rows).kinds == 0) == ~a).all()
    marked = mark_pairs(two_models.a, [(2, 5), (0, 1), (3, 4)], rows)
    assert marked.names == ("class 2", "class 5", "class 0", "class 1")
    assert [(marked.kinds == kind).sum() for kind in range(4)] == [
        (two_models.a.truth == index).sum() for index in (2, 5, 0, 1)
    ]


def test_features_are_embedded_as_scores_are():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(200, 80)).astype(np.float16)
    features[:, 3] *= 20
    model = replace(make_predictions(n=200), features=features)
    found = embed(model, "pca", of="features")
    # Nearly all variance is along one feature.
    correlation = np.corrcoef(found.points[:, 0], features[:, 3].astype(float))[0, 1]
    assert abs(correlation) > 0.99 and found.of == "features"
    reference = PCA(2, svd_solver="full").fit(features.astype(float))
    share = reference.explained_variance_ratio_[0]
    assert f"{share:.0%} and" in found.about
    points = embed(model, "tsne", of="features").points
    assert points.shape == (200, 2) and np.isfinite(points).all()
    with pytest.raises(DataError, match="evaluate --features"):
        embed(make_predictions(), of="features")

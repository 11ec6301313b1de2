"""Frame values as rows for a table, and as one object for a program."""

from __future__ import annotations

import math

from gsm_model.explain.shapley.frames import FrameShapley


def frame_rows(clip: str, found: FrameShapley) -> list[dict]:
    """One row a frame: its value with the ends of its 95 % interval, its worth alone, Grad-CAM's
    evidence, and what it is of.
    """
    game = found.game
    return [
        {
            "clip": clip,
            "model": found.card.name,
            "sha256": found.card.sha256,
            "order": found.order,
            "target": found.target_name,
            "filling": found.filling,
            "place": place + 1,
            "frame": int(frame),
            "value": float(game.values[place]),
            "low": float(game.low[place]),
            "high": float(game.high[place]),
            "alone": float(game.alone[place]),
            "gradcam": float(found.evidence[place]),
            "empty": game.empty,
            "full": game.full,
            "exact": game.is_exact,
        }
        for place, frame in enumerate(found.frame_indices)
    ]


def pair_rows(clip: str, found: FrameShapley) -> list[dict]:
    """One row for every two frames, i before j in the clip: their interaction, and the value of i
    coming before j with the ends of its 95 % interval.
    """
    t, relations = len(found.frame_indices), found.relations
    return [
        {
            "clip": clip,
            "model": found.card.name,
            "target": found.target_name,
            "filling": found.filling,
            "i": i + 1,
            "j": j + 1,
            "interaction": float(found.game.interactions[i, j]),
            "order": None if relations is None else float(relations.values[i, j]),
            "order_low": None if relations is None else float(relations.low[i, j]),
            "order_high": None if relations is None else float(relations.high[i, j]),
        }
        for i in range(t)
        for j in range(i + 1, t)
    ]


def shapley_object(found: FrameShapley) -> dict:
    """All numbers of one clip and model, as JSON can hold them. The ``values`` add up to ``full`` −
    ``empty``, in logits.
    """
    game, relations = found.game, found.relations
    return {
        "model": found.card.name,
        "sha256": found.card.sha256,
        "target": found.target_name,
        "order": found.order,
        "filling": found.filling,
        "players": len(found.frame_indices),
        "frames": found.frame_indices.tolist(),
        "values": game.values.tolist(),
        "low": game.low.tolist(),
        "high": game.high.tolist(),
        "alone": game.alone.tolist(),
        "empty": game.empty,
        "full": game.full,
        "interactions": game.interactions.tolist(),
        "exact": game.is_exact,
        "relations": None
        if relations is None
        else {
            "values": relations.values.tolist(),
            "low": relations.low.tolist(),
            "high": relations.high.tolist(),
            "exact": relations.is_exact,
        },
        "gradcam": found.evidence.tolist(),
        "deletion": [
            {
                "attribution": test.attribution,
                "filling": test.filling,
                "correlation": test.correlation if math.isfinite(test.correlation) else None,
                "area": test.area,
            }
            for test in found.tests
        ],
        "passes": found.passes,
        "caution": None if found.caution is None else found.caution.text,
    }

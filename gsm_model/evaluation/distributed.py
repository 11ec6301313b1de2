"""Scoring one list with several processes, on this machine or on several: each takes every
so-manyth video, the first joins the tables.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric

from gsm_model.data.lists import VideoList
from gsm_model.errors import DataError
from gsm_model.evaluation.dataset import list_origin
from gsm_model.evaluation.loader import Views
from gsm_model.evaluation.score import order_name, score_list
from gsm_model.models.recognizer import Recognizer
from gsm_model.predict import Average
from gsm_model.predictions.join import concatenate
from gsm_model.predictions.read import read_parquet
from gsm_model.predictions.table import Predictions, Provenance
from gsm_model.predictions.write import write_parquet
from gsm_model.video.sampling import Order
from gsm_model.video.source import DATA_SET, Limits


def score_list_together(
    fabric: Fabric,
    model: Recognizer,
    videos: VideoList,
    out: Path,
    views: Views | None = None,
    order: Order = "forward",
    seed: int = 0,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
    limits: Limits = DATA_SET,
    average: Average = "logits",
    features: bool = False,
) -> Predictions | None:
    """As `score_list`, by all processes of a launched ``fabric``, whose ``out`` lies where all can
    write; ``None`` in all but the first.

    Stopped, it goes on with the same number of processes. On a CPU each process takes its share of
    the threads.

    Raises:
        DataError: as `score_list`, or if there are fewer videos than processes.
    """
    views, world, rank = views or Views(), fabric.world_size, fabric.global_rank
    if world == 1:
        return score_list(
            *(model, videos, out, views, order, seed, workers, progress, limits, average, features)
        )
    if len(videos.entries) < world:
        raise DataError(
            f"{videos.name}: has {len(videos.entries)} videos, too few for {world} processes"
        )
    origin = list_origin(model, videos, str(views), order_name(order, seed), average)
    if fabric.device.type == "cpu":
        here = world // int(getattr(fabric.strategy, "num_nodes", 1) or 1)
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // max(1, here)))
    mine = replace(videos, entries=videos.entries[rank::world])
    parts = [out.with_name(f"{out.name}.{part + 1}of{world}") for part in range(world)]
    if not parts[rank].exists():
        score_list(
            *(model, mine, parts[rank], views, order, seed, workers, progress, limits, average),
            features,
        )
    fabric.barrier()
    if rank:
        return None
    whole = _dealt_back([read_parquet(path) for path in parts], origin)
    write_parquet(whole, out)
    for path in parts:
        path.unlink()
    return whole


def _dealt_back(tables: list[Predictions], origin: Provenance) -> Predictions:
    """The tables of all processes as one, in the list's order."""
    world, n = len(tables), sum(len(table.ids) for table in tables)
    places = np.argsort(np.concatenate([np.arange(rank, n, world) for rank in range(world)]))
    whole = concatenate([replace(table, origin=origin) for table in tables])
    return whole.take(places)

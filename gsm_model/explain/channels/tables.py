"""What channels carry as rows for a table, and as one object for a program."""

from __future__ import annotations

import math

import numpy as np

from gsm_model.data.synthetic.factors import FACTORS, LEVELS
from gsm_model.explain.channels.contrast import Contrast
from gsm_model.explain.channels.features import SUMMARIES
from gsm_model.explain.channels.report import ChannelReport


def channel_rows(report: ChannelReport) -> list[dict]:
    """One row a layer, side, summary and factor: how many channels there are, the share that
    carries the factor, the mean, the 95th percentile and the largest of their bits (corrected for
    chance), what chance gives at most (``threshold``, in bits as counted), the factor's entropy,
    and what it is of.
    """
    rows = []
    for (layer, side, summary, factor), found in report.information.items():
        bits = found.bits
        rows.append(
            {
                "model": report.card.name,
                "sha256": report.card.sha256,
                "layer": layer,
                "side": side,
                "summary": summary,
                "factor": factor,
                "channels": len(bits),
                "share": float(found.carries.mean()),
                "bits_mean": float(bits.mean()),
                "bits_95": float(np.percentile(bits, 95)),
                "bits_most": float(bits.max()),
                "threshold": found.threshold,
                "entropy": found.entropy,
                "n": report.n,
            }
        )
    return rows


def moved_rows(report: ChannelReport) -> list[dict]:
    """One row a temporal operator: how much of its channels' energy other frames change (mean,
    least, most), and for each factor and summary Spearman's correlation over the channels with what
    they carry behind it.
    """
    rows = []
    for layer, moved in report.moved.items():
        row: dict = {
            "model": report.card.name,
            "layer": layer,
            "channels": len(moved),
            "moved_mean": float(moved.mean()),
            "moved_least": float(moved.min()),
            "moved_most": float(moved.max()),
        }
        for factor in FACTORS:
            for summary in SUMMARIES:
                correlation, _ = report.moved_with(layer, summary, factor)
                row[f"with_{factor}_{summary}"] = (
                    correlation if math.isfinite(correlation) else None
                )
        rows.append(row)
    return rows


def contrast_rows(found: Contrast) -> list[dict]:
    """One row a layer: the share of its output's channels that change with reversal and with
    freezing, with 95 % intervals, and how many of them are of which kind (`Contrast.kinds`).
    """
    rows = []
    for layer in found.layers:
        values, low, high = found.shares[layer]
        row: dict = {"model": found.card.name, "sha256": found.card.sha256, "layer": layer}
        for place, name in enumerate(("reversed", "frozen")):
            row |= {
                name: float(values[place]),
                f"{name}_low": float(low[place]),
                f"{name}_high": float(high[place]),
            }
        rows.append(
            row
            | found.kinds(layer)
            | {
                "reversed_median": float(np.median(found.reversed[layer])),
                "frozen_median": float(np.median(found.frozen[layer])),
                "channels": len(found.reversed[layer]),
                "least": found.least,
                "n": found.n,
                "data": found.data,
            }
        )
    return rows


def channels_object(report: ChannelReport | None, found: Contrast) -> dict:
    """All of it as JSON can hold it; without a report, of clips whose factors are not known, the
    contrast alone.
    """
    said: dict = {"model": found.card.name, "sha256": found.card.sha256}
    if report is not None:
        said |= {
            "clips": report.n,
            "frames": report.frames,
            "factors": {factor: list(levels) for factor, levels in LEVELS.items()},
            "channels": channel_rows(report),
            "moved": moved_rows(report),
        }
    return said | {"contrast": contrast_rows(found)}

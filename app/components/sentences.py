"""The sentences that read a picture for a newcomer: made of its numbers, saying no more than they
do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gsm_model.confusion.system_differences import SystemDifference
from gsm_model.data.labels import reversed_class
from gsm_model.evaluation.reversal import Flips
from gsm_model.evaluation.system_probes import ORDERED_BY, probed, share_of
from gsm_model.evaluation.systems import measured
from gsm_model.explain.cam.report import CamReport
from gsm_model.explain.cam.trials import MapTrial
from gsm_model.explain.channels.report import ChannelReport
from gsm_model.explain.gates.adaptivity import GateMoments, decompose
from gsm_model.explain.gates.layers import REGIMES, LayerExchange, LayerGates, regime_shares
from gsm_model.explain.gates.report import GateReport
from gsm_model.explain.order.report import OrderReport
from gsm_model.explain.patching.clips import Patching
from gsm_model.explain.patching.features import Side
from gsm_model.explain.report_card.card import TemporalCard
from gsm_model.explain.shapley.frames import FrameShapley, logit_text
from gsm_model.predict import Prediction
from gsm_model.predictions.join import PairedPredictions
from gsm_model.predictions.table import Predictions

TELLING = 0.1  # a probability that moves less, whatever is taken away, tells nothing of a map
TORN = 0.6  # the runner-up has at least this share of the winner's probability
SAME_MAP = 1e-4  # share of the largest value; float32 leaves a thousandth of this


def escape(text: str) -> str:
    """``text`` with every character that Markdown or HTML would take for its own made plain."""
    text = text.replace("&", "&amp;")
    for character in "\\`*_{}[]()<>#+-.!|$~:":
        text = text.replace(character, {"<": "&lt;", ">": "&gt;"}.get(character, "\\" + character))
    return text


def percent(share: float) -> str:
    """``0.734`` → ``73 %``; never 0 % or 100 % of what is neither."""
    if 0 < share < 0.005:
        return "under 1 %"
    if 0.995 <= share < 1:
        return "over 99 %"
    return f"{share:.0%}".replace("%", " %")


def answer(prediction: Prediction) -> str:
    """What one model says: its answer, or the two classes it is torn between."""
    (_, first, p), *rest = prediction.top(2)
    title = f"**{escape(prediction.card.name)}**"
    if rest and rest[0][2] >= TORN * p:
        second, q = rest[0][1], rest[0][2]
        opposite = (
            ", which are each other's time reversal" if reversed_class(first) == second else ""
        )
        return (
            f"{title} is torn between *{escape(first)}* ({percent(p)}) and *{escape(second)}*"
            f" ({percent(q)}){opposite}"
        )
    return f"{title} says *{escape(first)}* ({percent(p)})"


def compare(predictions: Sequence[Prediction]) -> str:
    """What all models say about one clip, and whether they agree."""
    text = "; ".join(answer(prediction) for prediction in predictions) + "."
    if len(predictions) < 2:
        return text
    answers = {prediction.top(1)[0][1] for prediction in predictions}
    verdict = (
        "Their likeliest answers agree." if len(answers) == 1 else "Their likeliest answers differ."
    )
    if len({prediction.card.labels for prediction in predictions}) > 1:
        verdict += " They choose among different classes."
    return f"{text} {verdict}"


def moved(forward: Prediction, now: Prediction) -> str:
    """How one model's answer moved when the same frames came in another order."""
    title = f"**{escape(now.card.name)}**"
    before, after = forward.top(1)[0], now.top(1)[0]
    largest = float(np.abs(forward.probabilities - now.probabilities).max())
    change = (
        "no probability moves by more than 0.1 %"
        if largest <= 0.001
        else f"a probability moves by up to {percent(largest)}"
    )
    if before[1] == after[1]:
        return (
            f"{title} keeps *{escape(after[1])}* ({percent(before[2])} → {percent(after[2])};"
            f" {change})"
        )
    reversal = ", its time reversal" if reversed_class(before[1]) == after[1] else ""
    return (
        f"{title} changes from *{escape(before[1])}* ({percent(before[2])}) to"
        f" *{escape(after[1])}*{reversal} ({percent(after[2])})"
    )


def order_changed(order: str, forward: Sequence[Prediction], now: Sequence[Prediction]) -> str:
    """How every model's answer moved under ``order``."""
    return (
        f"Frames {order}: "
        + "; ".join(moved(a, b) for a, b in zip(forward, now, strict=True))
        + "."
    )


def order_matters(reports: Sequence[OrderReport]) -> str:
    """How much the order of the frames matters to each model."""
    return "; ".join(_matters(report) for report in reports) + "."


def _matters(report: OrderReport) -> str:
    title, answer = f"**{escape(report.card.name)}**", escape(report.card.label(report.answer))
    orders = np.concatenate([report.reversed[None], report.shuffled])
    moved = float(np.abs(orders - report.forward).max())
    if moved <= 0.001:
        return (
            f"{title} does not notice the order: *{answer}* stays at"
            f" {percent(report.forward[report.answer])} reversed and in every shuffle"
        )
    text = f"{title} goes from *{answer}* ({percent(report.forward[report.answer])})"
    after = int(report.reversed.argmax())
    if after == report.answer:
        text = (
            f"{title} keeps *{answer}* ({percent(report.forward[after])} →"
            f" {percent(report.reversed[after])}) when time is reversed"
        )
    else:
        reversal = ", its time reversal" if after == report.reversed_class else ""
        text += (
            f" to *{escape(report.card.label(after))}*{reversal}"
            f" ({percent(report.reversed[after])}) when time is reversed"
        )
    kept = int(np.sum(report.shuffled.argmax(axis=1) == report.answer))
    return f"{text}, and keeps its answer in {kept} of {len(report.shuffled)} shuffles"


def frame_worth(found: FrameShapley) -> str:
    """Which frame is worth most to the target, that the values add up, and whether Grad-CAM's
    evidence or they agree better with deletion.
    """
    game, title = found.game, f"**{escape(found.card.name)}**"
    best = int(game.values.argmax())
    text = (
        f"{title}: {len(game.values)} frames take *{escape(found.target_name)}* from"
        f" {_two(game.empty)} to {_two(game.full)} logits"
    )
    if found.shown(game.values)[best] > 0 and _two(game.values[best]) != "0.00":
        text += f"; frame {found.frame_indices[best]} adds most ({_two(game.values[best])})"
    better = found.agrees_better(found.filling)
    if better is None:
        return text + "."
    return text + f". {better} agrees better with deletion."


def flips(models: Sequence[tuple[str, Sequence[Flips]]]) -> str:
    """What becomes of each model's answers on a data set when the frames are reversed."""
    parts = []
    for name, (every, *_) in models:
        share = every.to_reversed_class
        interval = f"95 % interval {percent(share.low)} to {percent(share.high)}"
        parts.append(
            f"**{escape(name)}**: {percent(share.value)} of {share.n:,} answers become their time"
            f" reversal ({interval})"
        )
    return "; ".join(parts) + "."


def what_moves(reports: Sequence[GateReport]) -> str:
    """How much each model moves between frames, and whether its gates are more than a fixed
    shift.
    """
    return "; ".join(_moves(report) for report in reports) + "."


def _moves(report: GateReport) -> str:
    title = f"**{escape(report.card.name)}**"
    # Blocks without a module cannot move anything: they would only make the mean smaller.
    layers = [layer for layer in report.layers if layer.has_module]
    shares = [layer.shares().moves for layer in layers]
    if max(shares, default=0) == 0:
        return f"{title} moves nothing: every frame is seen alone"
    most, modules = int(np.argmax(shares)), "module" if len(layers) == 1 else "modules"
    text = (
        f"{title} moves {percent(float(np.mean(shares)))} of its features' energy between frames"
        f" (mean over its {len(layers)} temporal {modules}"
    )
    text += f"; most in *{escape(layers[most].title)}*, {percent(shares[most])})"
    if not report.is_gated:
        return text + ", without gates"
    spread = decompose(
        GateMoments.of_maps([layer.maps for layer in layers]), np.zeros(1, np.int64)
    ).adaptivity
    if spread == 0:
        return text + ", by a fixed shift"
    return (
        text
        + f", by gates that depart from a fixed shift by {spread:.2f} (0 would be a fixed shift, 1"
        " is the most there is)"
    )


def layer_moves(report: GateReport, layer: LayerExchange, focus: float) -> str:
    """What one layer does with the clip; ``focus`` is its `motion_focus`."""
    shares, title = layer.shares(), f"**{escape(report.card.name)}**"
    if shares.moves == 0:
        return f"{title} moves nothing here."
    larger, smaller = max(shares.next, shares.previous), min(shares.next, shares.previous)
    side = "next" if shares.next > shares.previous else "previous"
    way = (
        f"mostly from the {side} frame"
        if larger >= 1.5 * smaller
        else "about as much from the next frame as from the previous"
    )
    text = f"{title} moves {percent(shares.moves)} of this layer's energy, {way}"
    if focus >= 1.3:
        text += f", {focus:.1f} times as much as on average where the picture changes most"
    elif focus <= 0.77:
        text += f", only {focus:.1f} times as much as on average where the picture changes most"
    if isinstance(layer, LayerGates):
        text += _regime(layer)
    back, ahead = layer.reach
    return f"{text}. What it passes on can depend on {back} frames back and {ahead} ahead."


def _regime(layer: LayerGates) -> str:
    """What most of its gate values do, if most do one thing."""
    regimes = regime_shares(layer.gate)
    likeliest = int(regimes.argmax())
    does = {
        "difference": "take a difference",
        "leave": "leave features where they are",
        "average": "average two frames",
        "swap": "swap features in",
    }
    if regimes[likeliest] < 0.6:
        return ""
    return f"; {percent(float(regimes[likeliest]))} of its gate values {does[REGIMES[likeliest]]}"


def as_it_is(name: str, clamps: Sequence[str]) -> str:
    """That no experiment acts on a model on which ``clamps`` can act: all of them where it has
    gates, one where it has something else that crosses time.
    """
    title = f"**{escape(name)}**"
    if not clamps:
        return f"{title} has no temporal module that could be changed."
    if len(clamps) == 1:
        return f"{title}: its temporal exchange is as it is."
    return f"{title}: its gates are as they are."


def experiment(before: Prediction, after: Prediction) -> str:
    """How one model's answer moved under an experiment on its temporal modules."""
    return moved(before, after) + "."


def patched_most(found: Patching, side: Side) -> str:
    """Where copying a clip's reversal moves a prediction most, and how well the estimate agrees
    with patching in truth.
    """
    title = f"**{escape(found.card.name)}**"
    if not found.moves:
        return (
            f"{title} gives a clip and its reversal the same scores: there is nothing to move, and"
            " every effect is 0."
        )
    effects = found.effect(side)
    at, frame = divmod(int(effects.argmax()), effects.shape[1])
    text = (
        f"{title}: *{escape(found.target.name(found.card))}* is {_two(found.before)} logits here"
        f" and {_two(found.donor)} reversed; the largest effect of one copy is"
        f" {_two(float(effects[at, frame]))}, at *{found.layers[at]}*, frame"
        f" {found.frame_indices[frame]}"
    )
    correlation, cells = found.agreement(side)
    if not cells:
        return text + " (estimated)."
    text += f". Over {cells} cells the estimate agrees by ρ {_two(correlation)}"
    whole = found.whole[side]
    best = int(whole.argmax())
    return text + (
        f"; of all frames of a layer at once, *{found.layers[best]}* moves most"
        f" ({_two(float(whole[best]))})."
    )


def needs_order(card: TemporalCard) -> str:
    """How right a model is in order and shuffled, and how many classes need the order."""
    forward, shuffled = card.measure("forward"), card.measure("shuffled")
    assert forward is not None and shuffled is not None
    return (
        f"**{escape(card.origin.model)}** is right on {tenths(forward.value)} of {card.n:,} clips"
        f" of {escape(card.origin.data)} in order and on {tenths(shuffled.value)} shuffled;"
        f" {len(card.need_time)} of {len(card.classes)} classes need the order."
    )


def closed_gates(name: str, rows: Sequence[dict]) -> str:
    """What closing all gates does to a model on a data set; ``rows`` are those of
    `effects_table`.
    """
    by_name = {row["intervention"]: row for row in rows}
    before, after = by_name["none"], by_name.get("closed")
    if after is None:
        return ""
    key, what, n = ("within_pair", "right within the pair", before["n_within_pair"])
    if before[key] is None:
        key, what, n = "top1", "right", before["n"]
    shares = [
        f"{tenths(row[key])} ({tenths(row[f'{key}_low'])} to {tenths(row[f'{key}_high'])})"
        for row in (before, after)
    ]
    chance = ", where a guess gives 50 %" if key == "within_pair" else ""
    return (
        f"**{escape(name)}** is {what} for {shares[0]} of {n:,} clips of {escape(before['data'])}"
        f" as it is, and for {shares[1]} with all its gates closed{chance}."
    )


def looks(reports: Sequence[CamReport], layers: Sequence[str]) -> str:
    """In which frame each model's evidence for the target is largest, at each one's layer."""
    parts = []
    for report, layer in zip(reports, layers, strict=True):
        values = report.layer(layer).evidence
        name, total = f"**{escape(report.card.name)}**", float(np.abs(values).sum())
        if not values.max() > 0:
            parts.append(f"in no frame of {name}")
            continue
        place = int(values.argmax())
        even = f", where an even spread would be {percent(1 / len(values))}" if not parts else ""
        parts.append(
            f"in frame {report.prediction.frame_indices[place]} of {name}"
            f" ({percent(float(values[place]) / total)} of all{even})"
        )
    return f"Evidence for *{escape(reports[0].target_name)}* is largest " + "; ".join(parts) + "."


def compared_with_package(found: MapTrial) -> str:
    """Whether the package grad-cam makes the same map, or why that is not known; empty for a method
    that the package computes otherwise.
    """
    if found.package is None:
        return ""
    if isinstance(found.package, str):
        return f"Not compared with the package grad-cam: {escape(found.package)}"
    same = "the same map" if found.package.difference < SAME_MAP else "**another map**"
    return (
        f"The package grad-cam {found.package.version} makes {same} of the same features and"
        f" gradients (largest difference {found.package.difference:.0e} of its largest value)."
    )


def believable(name: str, found: MapTrial) -> str:
    """Whether a map is to be believed, by the tests it was put to."""
    trial = found.trial
    blind = {
        "a blob in the centre": trial.centre.area,
        "the change between frames": trial.change.area,
    }
    blind["random maps"] = max(one.area for one in trial.random)
    better = [what for what, area in blind.items() if area >= trial.ours.area]
    title = f"**{escape(name)}**: "
    low, high = trial.span
    if high - low < TELLING:
        text = (
            f"{title}**inconclusive**: no deletion changes the probability by more than"
            f" {100 * (high - low):.0f} points ({percent(low)} to {percent(high)})"
        )
    elif better:
        text = (
            f"{title}**not better than {' and '.join(better)}** at finding what the answer rests on"
        )
    else:
        text = (
            f"{title}what it marks matters more to the prediction than any model-independent"
            " baseline"
        )
    text += (
        f" (area {_two(trial.ours.area)}; "
        + ", ".join(f"{what} {_two(area)}" for what, area in blind.items())
        + ")."
    )
    if found.sanity is None:
        return text + " This method is too slow for the tests of weights, class and moment."
    weights = found.sanity.randomised[-1][1]
    changed = (
        "changes with the weights"
        if abs(weights) < 0.5
        else "hardly changes when all weights are random"
    )
    text += f" It {changed} (ρ {_two(weights)} with all of them random)"
    other = found.sanity.other_class
    if other is not None:
        same = (
            "is another one"
            if other < 0.5
            else "is nearly the same"
            if other > 0.9
            else "is much alike"
        )
        text += f"; the map for *{escape(found.other)}* {same} (ρ {_two(other)})"
    if found.jitter is not None:
        steady = "stays" if found.jitter > 0.5 else "does not stay"
        text += (
            f"; it {steady} the same when the clip is sampled one frame earlier or later (ρ"
            f" {_two(found.jitter)})"
        )
    return text + "."


def measured_maps(name: str, row: Mapping[str, str]) -> str:
    """What was measured of a model's maps on drawn clips, a row of `cam_scores` as text."""
    hit, low, high, area, centre, change = (
        float(row[key])
        for key in ("hit", "hit_low", "hit_high", "area", "centre_hit", "change_hit")
    )
    text = (
        f"**{escape(name)}**, measured on {int(row['n']):,} clips of {escape(row['data'])}: the"
        f" largest place of such a map lies on what moves in {percent(hit)} (95 % interval"
        f" {percent(low)} to {percent(high)}); the centre does in {percent(centre)}, the largest"
        f" change between frames in {percent(change)}, a place at random in {percent(area)}"
    )
    if row["other_class"]:
        text += (
            f". The map for the time reversal correlates by {_two(float(row['other_class']))} on"
            " average"
        )
    return text + "."


def systems_tell(
    rows: Sequence[Mapping], split: str, differences: Mapping[str, SystemDifference]
) -> str:
    """Which of the systems trained alike is most often right within pairs, beside GSM and TSN, and
    how many differ from GSM; of systems that were not trained, that they were not.
    """
    shown = measured(rows, split)
    if not shown:
        return (
            f"**{len(rows)} systems** put time into a 2D network, each at its price."
            f" {_of_probes(rows)}"
        )
    best, n = shown[0], shown[0][split]["within_pair"]["n"]
    others = [row for row in shown[1:] if row["name"] in ("gsm", "none")]
    text = (
        f"Of **{len(shown)} systems trained alike**, **{escape(best['title'])}** is right most"
        f" often within pairs of an action and its reversal, in {_with_interval(best, split)} of"
        f" {n:,} {'drawn' if split == 'test' else 'shifted drawn'} clips"
    )
    for row in others:
        text += f"; {escape(row['title'])} in {_with_interval(row, split)}"
    text += "."
    if differences:
        better = sum(one.is_real and one.difference > 0 for one in differences.values())
        worse = sum(one.is_real and one.difference < 0 for one in differences.values())
        text += (
            f" By exact paired tests, corrected for their number, {better} of {len(differences)}"
            f" are better than GSM and {worse} worse."
        )
    missing = len(rows) - len(shown)
    return text + (f" Not trained or not measured: {missing}." if missing else "")


def _of_probes(rows: Sequence[Mapping]) -> str:
    """What is known of systems of which none was trained on the actions."""
    found = probed(rows)
    if not found:
        return (
            "None of them has been trained by the common recipe yet, so nothing is known of what"
            " they tell."
        )
    best, worst = (share_of(row, ORDERED_BY) for row in (found[0], found[-1]))
    return (
        f"{len(found)} of them were trained alike on the temporal probes: which of two events came"
        f" first is told by **{escape(found[0]['title'])}** in {tenths(best['value'])} and by"
        f" **{escape(found[-1]['title'])}** in {tenths(worst['value'])} of the clips, 50 % being a"
        " guess. On actions, none has been trained by the common recipe yet."
    )


def _with_interval(row: Mapping, split: str) -> str:
    share = row[split]["within_pair"]
    ends = f"{100 * share['low']:.1f} to {100 * share['high']:.1f}"
    return f"{tenths(share['value'])} ({ends})"


def carried(report: ChannelReport) -> str:
    """How many of the channels of a model's blocks carry the direction averaged over time, and
    from which block on; the mean of a channel does not depend on the order of what it is of.
    """
    shares = [report.share(layer, "output", "mean", "direction") for layer in report.layers]
    name = f"**{escape(report.card.name)}**"
    if not any(shares):
        return f"{name}: averaged over time, no channel of any block carries the direction."
    first = next(layer for layer, share in zip(report.layers, shares, strict=True) if share > 0)
    most = max(range(len(shares)), key=shares.__getitem__)
    return (
        f"{name}: averaged over time, channels carry the direction from *{escape(first)}* on, most"
        f" at *{escape(report.layers[most])}*: {percent(shares[most])}."
    )


def _two(value: float) -> str:
    return logit_text(value).replace("-", "−")


def compared(paired: PairedPredictions | None, alone: Predictions) -> str:
    """How many clips each model gets right, and on how many they differ; of one model, its
    accuracy.
    """
    if paired is None:
        return (
            f"**{escape(alone.model)}** is right on {tenths(float(alone.right.mean()))} of"
            f" {len(alone.ids):,} clips of {escape(alone.data)}."
        )
    a, b = paired.a, paired.b
    only_a, only_b = int((a.right & ~b.right).sum()), int((b.right & ~a.right).sum())
    text = (
        f"On the same {len(a.ids):,} clips of {escape(a.data)}, **{escape(a.model)}** (A) is right"
        f" on {tenths(float(a.right.mean()))} and **{escape(b.model)}** (B) on"
        f" {tenths(float(b.right.mean()))}: {only_b:,} clips only B gets right, {only_a:,} only A."
    )
    missing = [
        f"{count:,} only {escape(file.source)} has"
        for count, file in ((paired.only_in_a, a), (paired.only_in_b, b))
        if count
    ]
    return text + (f" Left out: {' and '.join(missing)}." if missing else "")


def taken_for(count: int, label: str, answer: str) -> str:
    """How many clips of the class ``label`` a model answers ``answer`` to."""
    clips = "1 clip" if count == 1 else f"{count:,} clips"
    verb = "is" if count == 1 else "are"
    return f"{clips} of *{escape(label)}* {verb} taken for *{escape(answer)}*"


def tenths(share: float) -> str:
    """``0.7346`` → ``73.5 %``; never 0 % or 100 % of what is neither."""
    if 0.9995 <= share < 1:
        return "over 99.9 %"
    return f"{100 * share:.1f} %" if share == 0 or share >= 0.0005 else "under 0.1 %"

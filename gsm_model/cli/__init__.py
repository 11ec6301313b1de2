"""The command line: every answer a page gives, as text, tables or figures."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from gsm_model.cli import (
    ablations,
    benchmark,
    benchmark_attribution,
    checkup,
    confusions,
    evaluate,
    explain_channels,
    explain_gates,
    explain_gradcam,
    explain_interventions,
    explain_patching,
    fuse,
    models,
    order,
    order_shapley,
    predict,
    report_card,
    start,
    synthetic,
    systems,
    training,
    vectors,
)
from gsm_model.cli.common import RecordedGroup, say
from gsm_model.cli.shared import with_shared_options
from gsm_model.errors import LensError
from gsm_model.training.config import describe

app = typer.Typer(
    cls=RecordedGroup,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help=(
        "Gate-Shift Lens: run gate-shift networks for action recognition, look into them, compare"
        " them."
    ),
)
app.command(
    "app",
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)(start.open_app)
app.command()(with_shared_options(predict.predict))
app.command()(predict.convert)
app.command(epilog="Keys of CONFIG.\n\n" + describe())(training.train)
app.command()(with_shared_options(evaluate.evaluate))
app.command()(with_shared_options(checkup.check))
app.command()(with_shared_options(order.order))
app.command("order shapley")(with_shared_options(order_shapley.shapley))
app.command("report-card")(with_shared_options(report_card.report_card))
explain = typer.Typer(
    no_args_is_help=True,
    help="What a model's gates do, what experiments on them change, and where a model looks.",
)
explain.command()(with_shared_options(explain_gates.gates))
explain.command()(with_shared_options(explain_interventions.interventions))
explain.command()(with_shared_options(explain_patching.patching))
explain.command()(with_shared_options(explain_channels.channels))
explain.command()(with_shared_options(explain_gradcam.gradcam))
app.add_typer(explain, name="explain")
app.command()(with_shared_options(benchmark.benchmark))
app.command("benchmark attribution")(with_shared_options(benchmark_attribution.attribution))
app.command()(confusions.confusions)
app.command()(confusions.figures)
app.command()(fuse.fuse)
app.command()(vectors.vectors)
app.command()(training.curves)
app.command()(systems.systems)
app.command("train-alike")(systems.train_alike)
app.command("measure-systems")(systems.measure_systems)
app.command("train-ablations")(ablations.train_ablations)
published = typer.Typer(
    no_args_is_help=True, help="Published checkpoints: list them, get one by its name."
)
published.command("list")(models.list_models)
published.command("get")(models.get_models)
app.add_typer(published, name="models")
app.command("make-dataset")(synthetic.make_dataset)
app.command("make-samples")(synthetic.make_samples)


def run(arguments: Sequence[str], name: str) -> None:
    """Run the command that ``arguments`` give and exit: status 0, or 2 for bad input with one line
    about it. ``name`` is what help calls the program.
    """
    try:
        app(list(arguments), prog_name=name)
    except LensError as error:  # what no command expected, such as a full disk while a film is made
        say(str(error))
        sys.exit(2)


def main() -> None:
    """``gate-shift-lens``: `run` with what was typed; nothing typed opens the app."""
    run(sys.argv[1:] or ["app"], "gate-shift-lens")

"""Options that every command has which takes models (``--checkpoint``) or a list (``--data``). They
are added to the commands and read here, so that none can lack them or take them another way.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

import typer

if TYPE_CHECKING:
    from gsm_model.motion.stored import Zero

ShiftShare = Annotated[
    int | None,
    typer.Option(
        min=2,
        help=(
            "A TSM shifts one in so many channels each way; without it what the file's name"
            " (shift8) or its settings say, else 8."
        ),
    ),
]
Columns = Annotated[
    str | None,
    typer.Option(
        help="The columns of a list of another form, such as path,start_frame,stop_frame,label."
    ),
]
FirstLabel = Annotated[
    int | None, typer.Option(min=0, help="The index of the list's first class: 0 or 1.")
]
Series = Annotated[
    str | None,
    typer.Option(help="Which pictures of a folder with several series, such as img_%05d.jpg."),
]
FlowZero = Annotated[
    Literal["127", "128"] | None,
    typer.Option(
        help=(
            "The byte of no motion in folders of optical flow: 128 of dense_flow, 127 of"
            " mmaction2; without it, it is read off them."
        )
    ),
]
# The parameters that a command must have → what it gets, by the names of the parameters.
_SHARED: dict[frozenset[str], dict[str, Any]] = {
    frozenset(["checkpoint"]): {"shift_share": ShiftShare},
    frozenset(["data", "skip_bad"]): {
        "columns": Columns,
        "first_label": FirstLabel,
        "series": Series,
        "flow_zero": FlowZero,
    },
}
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_given: ContextVar[Mapping[str, Any]] = ContextVar("given", default=_NOTHING)


def with_shared_options(command: Callable[..., None]) -> Callable[..., None]:
    """``command`` with the options that go with those it has."""
    signature = inspect.signature(command)
    hints = get_type_hints(command, include_extras=True)
    added = {
        name: kind
        for needed, options in _SHARED.items()
        if needed <= set(signature.parameters)
        for name, kind in options.items()
        if name not in signature.parameters
    }
    if not added:
        return command

    @functools.wraps(command)
    def run(**values: Any) -> None:
        token = _given.set({name: values.pop(name) for name in added})
        try:
            command(**values)
        finally:
            _given.reset(token)

    more = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
        for name, kind in added.items()
    ]
    own = [
        one.replace(annotation=hints.get(one.name, one.annotation))
        for one in signature.parameters.values()
    ]
    run.__signature__ = signature.replace(parameters=[*own, *more])  # type: ignore[attr-defined]
    run.__annotations__ = {**hints, **added}
    del run.__wrapped__
    return run


def shift_share() -> int | None:
    """What ``--shift-share`` says in the command that runs."""
    return _given.get().get("shift_share")


def flow_zero() -> Zero | None:
    """What ``--flow-zero`` says in the command that runs."""
    return zero_named(_given.get().get("flow_zero"))


def zero_named(name: str | None) -> Zero | None:
    """The byte of no motion that a person named; ``None`` leaves it to be read off."""
    by_name: dict[str, Zero] = {"127": 127, "128": 128}
    return None if name is None else by_name[name]


def list_options() -> dict[str, Any]:
    """What ``--columns``, ``--first-label`` and ``--series`` say in the command that runs, as
    `gsm_model.data.lists.read_video_list` takes it.
    """
    given = _given.get()
    columns = given.get("columns")
    return {
        "columns": columns.split(",") if columns else None,
        "first_label": given.get("first_label"),
        "series": given.get("series"),
    }

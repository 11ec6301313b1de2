"""The frame around every page: navigation, and the sidebar with what all pages share."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app.components.chart_style import model_color
from app.components.sentences import escape
from app.queries import clip_results
from app.shell import session
from app.shell.permalink import apply_link, write_link
from app.shell.uploads import Upload
from gsm_model.errors import LensError, MemoryFullError
from gsm_model.figures.model_colors import KnownModel, table_colors
from gsm_model.models.caution import Caution, in_words
from gsm_model.models.inference.out_of_memory import is_out_of_memory, release_memory
from gsm_model.models.protocol import UNSTATED, EvalProtocol
from gsm_model.models.video_networks.network import VideoNetwork
from gsm_model.predictions.table import Predictions
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.sampling import ORDERS, Order

ICON = Path(__file__).resolve().parents[2] / "assets" / "icon.png"
VIDEO_TYPES = [
    "mp4",
    "webm",
    "mov",
    "avi",
    "mkv",
    "m4v",
    "mpg",
    "mpeg",
    "gif",
    "webp",
    "jpg",
    "jpeg",
    "png",
]
FIRST_MODELS = (
    "gsm",
    "tsn",
)  # the two that differ in whether they can tell an action from its reverse
ORDER_NAMES: dict[Order, str] = {
    "forward": "→ forward",
    "reversed": "← reversed",
    "shuffled": "⤮ shuffled",
    "frozen": "■ frozen",
}
OTHER_ORDER: dict[Order, Order] = {
    "forward": "reversed",
    "reversed": "forward",
    "shuffled": "forward",
    "frozen": "forward",
}  # to stand beside it
COLLECT_EVERY = 30.0  # seconds
MOST_TOLD = 3  # names of an address that are not here
FRAME_CHOICES = ("auto", "4", "8", "12", "16", "24")


@dataclass(frozen=True)
class PageEntry:
    """One page: its file in ``app/pages`` and address, its name, its icon."""

    module: str
    title: str
    icon: str


# Streamlit leaves 70 to 100 pixels between the bar with the pages' names and what is below it.
# The primary colour carries white text; as the colour of text itself, on the dark ground, it would
# be too dim to read. Which ground it is, the browser knows at once; the server with the next run.
# So it is with charts: one that was still being drawn when the ground changed stays as it was.
# On a phone a chart's buttons would lie on its title: those that fingers do without are not shown.
# What is shown as it prints can be moved sideways there, as its letters are small.
STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding-top: 4rem; }
button[role="radio"][aria-checked="true"] *, [data-testid="stSliderThumbValue"] {
  color: light-dark(#0060A0, #7CC4F0) !important;
}
.stPlotlyChart .main-svg { background: transparent !important; }
.stPlotlyChart :is(.bglayer, .legend) .bg { fill: transparent !important; }
.stPlotlyChart text:not(.heatmap-label text, .hoverlayer text) {
  fill: light-dark(#0B1420, #E8EEF4) !important;
}
.stPlotlyChart :is(.xgrid, .ygrid, .xzl, .yzl) {
  stroke: light-dark(#D9DFE6, #35404C) !important;
}
@media (max-width: 640px) {
  .stPlotlyChart .modebar-btn[data-attr] { display: none; }
  [class*="st-key-printed"] [data-testid="stImageContainer"] { overflow-x: auto; }
  [class*="st-key-printed"] img { max-width: none !important; width: 640px !important; }
}
</style>"""
OPERATOR = PageEntry(
    "server", "Server", ":material/monitor_heart:"
)  # for whoever runs the app for others


@dataclass(frozen=True)
class TableColors:
    """A colour for each of some tables of predictions. ``named`` are those that a command must be
    told to give them the same; none where it gives them by itself.
    """

    shown: tuple[str, ...]
    named: tuple[str, ...]


@dataclass(frozen=True)
class Choices:
    """What the sidebar holds. ``names``: what each model that can be chosen is called, by key.
    ``segments``: frames a model is given, or ``None`` for as many as it was trained with.
    """

    clip: session.ClipRef | None
    models: tuple[session.ModelRef, ...]
    names: dict[str, str]
    segments: int | None

    def color(self, ref: session.ModelRef) -> str:
        """The colour of a model, the same on every page."""
        return model_color(list(session.models()).index(ref.key))

    def table_colors(self, tables: Sequence[Predictions]) -> TableColors:
        """The colours of the models that ``tables`` are of, as on the other pages; others have ones
        of their own.
        """
        known = {
            key: KnownModel(ref.sha256, (key, Path(ref.name).stem, self.names.get(key, key)))
            for key, ref in session.models().items()
        }
        loaded = st.session_state.get("loaded_models", {})
        usual = table_colors(tables, [one for key, one in known.items() if key not in loaded])
        colors = table_colors(tables, list(known.values()))
        return TableColors(colors, () if colors == usual else colors)


def run(*entries: PageEntry) -> None:
    """Show the page of the address, with the sidebar beside it. The first entry is the front
    page.
    """
    session.ready_decoder()
    session.user_session()
    st.set_page_config(page_title="Gate-Shift Lens", page_icon=str(ICON), layout="wide")
    entries = (*entries, *([OPERATOR] if session.settings().operator_page else []))
    pages = [
        st.Page(
            shower(entry.module),
            title=entry.title,
            icon=entry.icon,
            url_path=entry.module,
            default=number == 0,
        )
        for number, entry in enumerate(entries)
    ]
    st.session_state["pages"] = dict(zip((entry.module for entry in entries), pages, strict=True))
    page = st.navigation(pages, position="top")
    st.session_state["page_now"] = page.url_path
    st.html(STYLE)
    st.session_state["choices"] = _sidebar()
    page.run()
    write_link()
    _collect_garbage()


@st.cache_resource(show_spinner=False, ttl=COLLECT_EVERY)
def _collect_garbage() -> None:
    """Free what only refers to itself, such as a chart that is no longer kept; not after every run
    of a page, as Streamlit would.

    Python has to look at every object for that, and kept charts are of very many: with forty
        sessions it took most of the time.
    """
    gc.collect()


def shower(module: str) -> Callable[[], None]:
    """What shows the page in ``app/pages`` of that name; what goes wrong on it is said in words."""

    def show() -> None:
        try:
            import_module(f"app.pages.{module}").show(st.session_state["choices"])
        except LensError as error:
            explain_error(
                error,
                "Try again, or choose something else in the sidebar; nothing else was changed.",
            )
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            release_memory()
            full = MemoryFullError(f"The memory of {device_name()} is full.")
            explain_error(
                full,
                "Choose fewer frames or one model in the sidebar, or try again in a minute; nothing"
                " else was changed.",
            )

    return show


def _sidebar() -> Choices:
    with st.sidebar:
        st.markdown("### Gate-Shift Lens")
        _take_upload()
        session.offer_systems(st.query_params.get("models", "").split(","))
        clips, models = session.clips(), session.models()
        st.session_state.setdefault(
            "models", [key for key in FIRST_MODELS if key in models] or list(models)[:2]
        )
        apply_link(list(clips), list(models), FRAME_CHOICES)
        clip_names = distinct({key: ref.name for key, ref in clips.items()})
        model_names = distinct({key: _model_name(ref) for key, ref in models.items()})
        if "choose_clip" in st.session_state:
            st.session_state["clip"] = st.session_state.pop("choose_clip")
        clip = st.selectbox(
            "Clip",
            list(clips),
            format_func=lambda key: clip_names.get(key, key),
            key="clip",
            help="A sample that came with the project, or a file of your own.",
        )
        if "choose_models" in st.session_state:
            st.session_state["models"] = st.session_state.pop("choose_models")
        chosen = st.multiselect(
            "Models",
            list(models),
            format_func=lambda key: model_names.get(key, key),
            key="models",
            help="Two or more to compare. More can be loaded on the Models page.",
        )
        _tell_not_here(clip, chosen)
        frames = st.selectbox(
            "Frames",
            FRAME_CHOICES,
            key="frames",
            format_func=lambda choice: "as trained" if choice == "auto" else choice,
            help=(
                "How many frames, one from the middle of each equal span of the video, a model is"
                " given."
            ),
        )
        st.caption(
            f"Runs on {device_name()} in {session.settings().precision}.", help=how_it_runs()
        )
    return Choices(
        clips.get(clip),
        tuple(models[key] for key in chosen if key in models),
        model_names,
        int(frames) if frames.isdigit() else None,
    )


def _tell_not_here(clip: str, models: Sequence[str]) -> None:
    """What the address asked for and could not have, until clip or models are chosen anew."""
    missing, told_of = st.session_state.get("not_here", ([], None))
    now = (clip, tuple(models))
    if not missing or told_of not in (None, now):
        st.session_state.pop("not_here", None)
        return
    st.session_state["not_here"] = missing, now
    more = f" and {len(missing) - MOST_TOLD} more" if len(missing) > MOST_TOLD else ""
    names = ", ".join(map(escape, missing[:MOST_TOLD])) + more
    st.warning(
        f"Not here: {names}, which the address names. What others have uploaded or loaded is theirs"
        " alone; choose another, upload the clip, or load the checkpoint on the Models page."
    )


def _take_upload() -> None:
    """Keep a newly dropped file and choose it."""
    max_bytes = session.settings().video.max_bytes
    limit = None if max_bytes is None else max_bytes // 2**20
    size = "" if limit is None else f" up to {limit} MB"
    file = st.file_uploader(
        "Upload a clip",
        type=VIDEO_TYPES,
        key="clip_file",
        max_upload_size=limit,
        help=(f"A video, GIF or picture{size}. It stays in this session and is deleted with it."),
    )
    if file is None or st.session_state.get("taken_file") == file.file_id:
        return
    st.session_state["taken_file"] = file.file_id
    upload = keep(file)
    if upload is not None:
        session.choose_clip(upload)


def keep(file: UploadedFile | None, suffix: str = "") -> Upload | None:
    """The file of a file uploader on disk; ``None`` where there is none, or no room for it, which
    the page then says.
    """
    return None if file is None else keep_content(file.name, file.getvalue(), suffix)


def keep_content(name: str, content: bytes, suffix: str = "") -> Upload | None:
    """``content`` on disk as a file called ``name``; ``None`` where there is no room for it, which
    the page then says.
    """
    try:
        return session.uploads().keep(name, content, suffix)
    except LensError as error:
        explain_error(error, "Nothing else was changed.")
        return None


def _model_name(ref: session.ModelRef) -> str:
    """A model's name; its file's where it cannot be loaded, which the pages then explain."""
    try:
        return session.load_model(ref).card.name
    except LensError:
        return ref.name


def distinct(names: dict[str, str]) -> dict[str, str]:
    """``names`` with the key added to those that come more than once: streamlit tells options apart
    by what they show.
    """
    counts = Counter(names.values())
    return {key: name if counts[name] == 1 else f"{name} ({key})" for key, name in names.items()}


def open_clip(
    choices: Choices, question: str, protocols: Sequence[EvalProtocol] = ()
) -> tuple[list[int], DecodedVideo] | None:
    """How many frames each chosen model is given, and the chosen clip with the frames of them all:
    one clip, or those of ``protocols``, one a model.

    ``None`` where there is nothing to show: the page then has ``question`` as its heading and says
    what to do next.
    """
    if not choices.models or choices.clip is None:
        heading(question, "Choose a clip and at least one model in the sidebar on the left.")
        return None
    try:
        models = [session.load_model(ref) for ref in choices.models]
        tested = protocols or [UNSTATED] * len(models)
        counts = [
            choices.segments or own.segments or model.architecture.num_segments
            for model, own in zip(models, tested, strict=True)
        ]
        segments = tuple(sorted(set(counts)))
        neighbours = max(model.architecture.modality.neighbours for model in models)
        clips = {
            (model.input.sampling, own.clips) for model, own in zip(models, tested, strict=True)
        }
        return counts, clip_results.read_clip(
            choices.clip, segments, (0,), neighbours, tuple(sorted(clips))
        )
    except LensError as error:
        st.markdown(f"## {question}")
        explain_error(
            error,
            "Choose a sample clip or drop another file in the sidebar; nothing else was changed.",
        )
        return None


def own_protocols(choices: Choices) -> list[EvalProtocol]:
    """How the authors of each chosen model test it; as if nothing were stated where a model cannot
    be loaded, which the page then says.
    """
    try:
        return [session.load_model(ref).card.protocol for ref in choices.models]
    except LensError:
        return [UNSTATED] * len(choices.models)


def frame_models(choices: Choices) -> tuple[Choices, str]:
    """``choices`` without the whole video networks among its models, and the sentence on those;
    empty where there are none. Whoever cannot be loaded is left for the page to explain.
    """
    try:
        loaded = {ref: session.load_model(ref) for ref in choices.models}
    except LensError:
        return choices, ""
    kept = [ref for ref, model in loaded.items() if not model.is_video_network]
    left = [escape(choices.names[ref.key]) for ref in choices.models if ref not in kept]
    if not left:
        return choices, ""
    bases = [model.base_model for model in loaded.values()]
    whole = [base for base in bases if isinstance(base, VideoNetwork)]
    verbs: set[str] = {base.verb for base in whole}
    works = (verbs.pop() if len(verbs) == 1 else "work") + ("s" if len(left) == 1 else "")
    once = not any(base.keeps_time for base in whole)
    answer = f" and {'answers' if len(left) == 1 else 'answer'} once per clip" if once else ""
    return replace(choices, models=tuple(kept)), (
        f"{' and '.join(left)} {works} over time throughout{answer}: no layer works on single"
        " frames, so there is nothing to show here."
    )


def say_protocols(choices: Choices) -> None:
    """Say what a page shows of models whose authors test them with more than one view."""
    several = [
        f"{escape(choices.names[ref.key])}: {own.clips} × {own.crops}"
        for ref, own in zip(choices.models, own_protocols(choices), strict=True)
        if own.views > 1
    ]
    if several:
        st.caption(
            "This page shows one clip, its centre crop, sampled as each model was trained. Its"
            f" authors test with more clips × crops ({'; '.join(several)}), as Compare does."
        )


def link_to(module: str, text: str, query: dict[str, str] | None = None) -> None:
    """A link to another page of the app; what is chosen stays chosen, but for what ``query``
    names.
    """
    st.page_link(st.session_state["pages"][module], label=text, query_params=query)


def current_order() -> Order:
    """The order of the frames that is chosen, the same on every page that has `choose_order`."""
    return st.session_state.setdefault("order", "forward")


def choose_order() -> None:
    """The control of `current_order`."""
    st.segmented_control(
        "Order of the frames",
        ORDERS,
        format_func=lambda order: ORDER_NAMES.get(order, order),
        key="order",
        required=True,
        persist_state="session",
        wrap=True,
        help=(
            "The same frames in another order, or the middle one repeated. A model that averages"
            " frames cannot notice an order."
        ),
    )


def device_name() -> str:
    """The device in words."""
    kind = session.device().type
    if kind == "cuda":
        import torch

        return f"the GPU {torch.cuda.get_device_name()}"
    return {"mps": "the GPU (Apple MPS)", "cpu": "the CPU"}[kind]


def how_it_runs() -> str:
    """How passes through the networks are made quick, and what that costs in exactness."""
    precision = session.settings().precision
    exact = (
        "logits to four digits"
        if precision == "float32"
        else "not exact; gates and the classifier stay in float32"
    )
    return (
        f"{precision}, channels last, batch normalisations folded into the convolutions ({exact});"
        " maps are made in float32"
    )


def heading(question: str, answer: str, cautions: Iterable[Caution | str | None] = ()) -> None:
    """A page's question, what is to be said of its models before they are believed (a `Caution`, or
    what a table of their answers says), and the one sentence that answers it.
    """
    st.markdown(f"## {question}")
    given = [one for one in cautions if one]
    _warn([one for one in given if isinstance(one, Caution)])
    for said in dict.fromkeys(one for one in given if isinstance(one, str)):
        st.warning(escape(said), icon=":material/warning:")
    st.markdown(answer)


def _warn(cautions: Sequence[Caution]) -> None:
    """Say in one line where models' answers to the clip may mean nothing, and where to get one that
    can judge it.
    """
    grave = [one for one in cautions if one.kind != "unknown"]
    if grave:
        st.warning(escape(in_words(grave)), icon=":material/warning:")
    if any(one.wants_film for one in grave):
        _offer_randomised()
        link_to("models", "**Get a published model** that was trained on film")
    if mild := [one for one in cautions if one.kind == "unknown"]:
        st.caption(escape(in_words(mild)))


def _offer_randomised() -> None:
    """The way to the bundled models that were trained on randomised clips, where there are such to
    ask in place of the chosen ones.
    """
    chosen: list[str] = st.session_state["models"]
    if any(session.randomised_successor(key) for key in chosen):
        st.button(
            "Ask those trained on randomised clips",
            icon=":material/model_training:",
            on_click=_choose_randomised,
            help=(
                "The same networks, trained further on clips that vary in all they can; in place of"
                " those of the Systems page, the GSM. Where they were measured on filmed clips,"
                " that stands above their answers."
            ),
        )


def _choose_randomised() -> None:
    chosen: list[str] = st.session_state["models"]
    asked = [session.randomised_successor(key) or key for key in chosen]
    session.offer_systems(asked)
    st.session_state["choose_models"] = list(dict.fromkeys(asked))  # one may be chosen already


def explain_error(error: Exception, next_step: str) -> None:
    """An error on a page: what was wrong, and what to do next."""
    st.error(escape(str(error)), icon=":material/error:")
    st.markdown(next_step)

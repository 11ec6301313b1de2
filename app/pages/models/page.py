"""Models: what is loaded, from which file, what does it cost, how good is it and on what?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app.components.sentences import escape, tenths
from app.pages.models import published
from app.queries import precomputed
from app.shell import session
from app.shell.layout import Choices, device_name, explain_error, heading, how_it_runs
from gsm_model.bundled import randomised_checkpoints
from gsm_model.data.label_reader import read_label_file
from gsm_model.errors import LensError
from gsm_model.models.card import Card, Measure
from gsm_model.models.caution import narrow_kind
from gsm_model.models.checkpoints.files import SUFFIXES
from gsm_model.models.recognizer import Recognizer
from gsm_model.models.video_networks.network import VideoNetwork

QUESTION = "What is loaded, what does it cost, how good is it?"
METRICS = """
- **top-1**: the likeliest class is the right one. **top-5**: the right one is among the five likeliest.
- **class mean**: the mean over the classes of each class's top-1.
- **within pair**: the class scores higher than its time reversal; a guess gives 50 %.
- **pair**: the likeliest class is the right one or its time reversal.
- **reversed to reversed class**: with the frames reversed, the likeliest class is the reversed one.
- **95 % interval**: Wilson's, for a share of that many clips; of a class mean, from resampling the clips of each class.
"""  # noqa: E501
WORDS = f"""
- **segment**: one of the equal spans a video is cut into; the model is given one frame from each.
- **temporal module**: what mixes neighbouring frames inside the network: *gsm* a gate-shift module, *tsm* a fixed shift, *none* nothing (a TSN).
- **GMAC**: thousand million multiply-adds of convolutions and linear layers, for one clip of that many frames.
{METRICS.strip()}
"""  # noqa: E501
PROVENANCE = {
    "trained": ":material/check_circle: trained",
    "unknown": ":material/help: the file does not record whether or how it was trained",
    "untrained": ":material/warning: **not trained: its answers mean nothing**",
}


def show(choices: Choices) -> None:
    """A card a model, and ways to load more."""
    published.take_what_came()
    refs = session.models()
    heading(
        QUESTION,
        f"{len(refs)} models can be chosen in this session; {len(choices.models)} are."
        f" [{published.TITLE}](#{published.ANCHOR})",
    )
    if not refs:
        st.info("No model came with this installation. Get or load one below.")
    _offer_randomised(refs)
    columns = st.columns(2)
    for number, ref in enumerate(refs.values()):
        with columns[number % 2]:
            _card(choices, ref)
    with st.expander("What do these words mean?"):
        st.markdown(WORDS)
    published.show()
    _load()
    if message := st.session_state.pop("model_added", None):
        st.success(message, icon=":material/check_circle:")


def _offer_randomised(refs: Mapping[str, session.ModelRef]) -> None:
    """The bundled models of randomised clips, where this session cannot choose them yet."""
    missing = [path.stem for path in randomised_checkpoints().values() if path.stem not in refs]
    if missing:
        st.button(
            "Add those trained on randomised clips",
            icon=":material/model_training:",
            on_click=_add_randomised,
            args=(missing,),
            help=(
                "They come with the project too. Of filmed clips ask the GSM or the TSM; the TSN"
                " stands beside them to compare with."
            ),
        )


def _add_randomised(keys: Sequence[str]) -> None:
    session.offer_systems(keys)
    st.session_state["choose_models"] = [*st.session_state.get("models", []), *keys]


def _card(choices: Choices, ref: session.ModelRef) -> None:
    with st.container(border=True, key=f"card-{ref.key}"):
        try:
            model = session.load_model(ref)
        except LensError as error:
            explain_error(error, "Put the file back, or reload the page without this model.")
            return
        card, a, spec = model.card, model.architecture, model.input
        cost = precomputed.cost(ref)
        st.markdown(
            f"### <span style='color:{choices.color(ref)}'>●</span>"
            f" {escape(choices.names[ref.key])}",
            unsafe_allow_html=True,
        )
        st.markdown(PROVENANCE[card.provenance])
        rows = {
            "file": f"`{ref.name.replace('`', '')}`, {ref.origin}",
            "SHA-256": f"`{ref.sha256[:16]}…`",
            "network": (
                f"{a.backbone}, "
                + _what_crosses_time(model)
                + (f", width {a.width:g}" if a.width != 1 else "")
                + (f", {a.shift.place}, 1/{a.shift.share} each way" if a.shift else "")
            ),
            "classes": (
                f"{a.num_classes}"
                + (
                    ""
                    if card.labels
                    else "; names not known, so they show as *class 17*: load it with a label file"
                )
            ),
            "segments": f"{a.num_segments} frames a clip",
            "cost": f"{cost.parameters / 1e6:.2f} M parameters; {cost.macs / 1e9:.2f} GMAC a clip",
            "input": (
                f"{spec.size} × {spec.size} {spec.channels}, 0…{spec.scale:g}, mean"
                f" {_numbers(spec.mean)}, deviation {_numbers(spec.std)}"
            ),
            "runs on": f"{device_name()}, {how_it_runs()}",
            "trained on": _trained_on(card),
            "recipe": escape(card.recipe) or "not recorded in the file",
        }
        if card.reading:
            rows["how it was read"] = escape(card.reading)
        st.markdown(
            "| property | value |\n|---|---|\n"
            + "\n".join(f"| {key} | {value} |" for key, value in rows.items())
        )
        _show_measures(card.measures)
        if card.labels:
            with st.expander(f"The {len(card.labels)} classes"):
                st.dataframe({"class": list(card.labels)}, height=240)


def _trained_on(card: Card) -> str:
    """What the model was trained on, and which clips it can judge therefore."""
    if card.domain == "unknown":
        return (
            f"{escape(card.training_data) or 'not recorded in the file'}; drawn or filmed: unknown"
        )
    kind = narrow_kind(card)
    narrow = f": {kind} only" if kind else ""
    return f"**{card.domain} clips**{narrow}; {escape(card.training_data) or 'which, unknown'}"


def _what_crosses_time(model: Recognizer) -> str:
    """Of a network's modules."""
    base = model.base_model
    if not isinstance(base, VideoNetwork):
        return f"temporal module {model.architecture.temporal}"
    return {"convolve": "3D convolutions", "attend": "attention"}[base.verb] + " throughout"


def _numbers(values: tuple[float, ...]) -> str:
    return " ".join(f"{value:g}" for value in values)


def _show_measures(measures: Sequence[Measure]) -> None:
    """A table for each data the model was measured on: every figure with its interval."""
    if not measures:
        st.markdown("No measured accuracy is recorded in the file.")
    for (data, n), found in groupby(measures, lambda measure: (measure.data, measure.n)):
        st.markdown(f"Measured on {n:,} clips of {escape(data)}", help=METRICS)
        rows = "\n".join(
            f"| {escape(m.metric)} | {_percent(m.value)} | {_percent(m.low)} to"
            f" {_percent(m.high)} |"
            for m in found
        )
        st.markdown(f"| figure | value | 95 % interval |\n|---|---|---|\n{rows}")


def _percent(share: float) -> str:
    return tenths(share).replace(" %", "\u00a0%")


def _load() -> None:
    st.markdown("### Load a checkpoint")
    st.markdown(
        "The GSM release's `.pth.tar`, TSM's and mmaction2's TSN and TSM ResNets, the same networks"
        " saved by your own training (`.pth`, `.pt`, Lightning's `.ckpt`), or `.safetensors` of"
        " this project. The network is read off the weights; nothing in the file is run."
    )
    left, right = st.columns(2)
    with left:
        labels_file = st.file_uploader(
            "Label file, if the names are not known",
            type=["txt", "csv", "json"],
            key="labels_file",
            max_upload_size=4,
            help="One class name a line, in index order.",
        )
        segments = st.number_input(
            "Segments, if the file's name does not say",
            min_value=1,
            max_value=64,
            value=None,
            key="segments",
            help="Frames a clip; 8 if left empty.",
        )
        shift_share = st.number_input(
            "Shift share of a TSM, if the file's name does not say",
            min_value=2,
            max_value=64,
            value=None,
            key="shift_share",
            help=(
                "One in so many channels moves each way: 8 is an eighth, which is also taken if"
                " left empty. A name such as `shift4` says it."
            ),
        )
    with right:
        limit = session.settings().checkpoint_megabytes
        file = st.file_uploader(
            "Checkpoint",
            type=sorted({suffix.rpartition(".")[2] for suffix in SUFFIXES}),
            key="checkpoint_file",
            max_upload_size=limit,
        )
        from_folder = _choose_from_folder()
    if st.button(
        "Load",
        type="primary",
        icon=":material/upload:",
        disabled=file is None and from_folder is None,
    ):
        _add(file, from_folder, labels_file, segments, shift_share)


def _choose_from_folder() -> Path | None:
    folder = session.settings().checkpoints
    if folder is None:
        st.caption(
            "The administrator can offer a folder of checkpoints here: GATE_SHIFT_LENS_CHECKPOINTS."
        )
        return None
    files = {}
    if folder.is_dir():
        files = {
            path.name: path
            for path in sorted(folder.iterdir())
            if path.name.endswith(SUFFIXES) and path.is_file()
        }
    name = st.selectbox(
        "Or one from this server's folder",
        list(files),
        index=None,
        placeholder="none" if files else "the folder is empty",
    )
    return None if name is None else files.get(name)


def _add(
    file: UploadedFile | None,
    from_folder: Path | None,
    labels_file: UploadedFile | None,
    segments: int | None,
    shift_share: int | None,
) -> None:
    """Load the checkpoint that was dropped, or else the one of the server's folder."""
    try:
        labels = named = None
        if labels_file is not None:
            kept = session.uploads().keep(labels_file.name, labels_file.getvalue(), ".txt")
            read = read_label_file(kept.path)
            labels, named = read.names, (kept.name, kept.sha256)
            for note in read.notes:
                st.caption(escape(f"{labels_file.name}: {note}"))
        if file is not None:
            suffix = next((s for s in SUFFIXES if file.name.endswith(s)), ".pth")
            kept = session.uploads().keep(file.name, file.getvalue(), suffix)
            ref = session.ModelRef(
                "", kept.path, kept.sha256, kept.name, "uploaded in this session", private=True
            )
        elif from_folder is not None:
            ref = session.ModelRef(
                "",
                from_folder,
                session.digest(from_folder),
                from_folder.name,
                "from this server's folder",
            )
        else:
            return
        slug = re.sub(r"[^a-z0-9]+", "-", ref.name.lower()).strip("-")[:24]
        key = f"{slug}-{ref.sha256[:6]}" + (f"-shift{shift_share}" if shift_share else "")
        ref = replace(ref, key=key, labels=labels, num_segments=segments, shift_share=shift_share)
        ref = replace(ref, labels_file=named)
        with st.spinner("Reading the checkpoint …"):
            model = session.add_model(ref)
    except LensError as error:
        explain_error(error, "Nothing was loaded. Choose another file.")
        return
    st.session_state["model_added"] = (
        f"Loaded {escape(model.card.name)} from {escape(ref.name)}; it is chosen in the sidebar,"
        " ready on Compare."
    )
    st.rerun()

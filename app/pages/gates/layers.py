"""The layers of the Gates page: the viewer, and what the page says of the layer that is chosen in
it.
"""

from __future__ import annotations

import streamlit as st

from app.cache.charts import drawn
from app.components.panels import PanelView, layer_titles
from app.components.sentences import escape, layer_moves
from app.components.viewer import show_viewer
from app.pages.gates import charts
from app.pages.gates.readings import show_channel_readings
from app.pages.gates.view import gates_data
from app.shell.permalink import write_link
from gsm_model.explain.gates.layers import REGIME_EDGES, LayerExchange, motion_focus
from gsm_model.exports.gates import chosen_layer, interest


@st.fragment
def show_layers(seen: list[PanelView], seconds: float, key: str) -> None:
    """The viewer, and what the page says of the layer that is chosen in it: another layer runs this
    again and no model.
    """
    titles, gated = layer_titles(seen), seen[0].report.is_gated
    first = max((chosen_layer(one.report, None) for one in seen), key=interest)
    wanted = [st.session_state.get("layer_at_start"), first.title]
    start = next((title for title in wanted if title in titles), titles[0])
    title = show_viewer(gates_data(seen, start, seconds), f"viewer-{key}")
    st.session_state["layer"] = title
    write_link()
    st.markdown(f"### {escape(title)}", help="The layer that is chosen above.")
    layers = [one.layer(title, titles) for one in seen]
    for one, layer in zip(seen, layers, strict=True):
        st.markdown(layer_moves(one.report, layer, motion_focus(layer, one.frames)))
    show_channel_readings(seen, title, key)
    if gated:
        _show_gate_values(seen, layers, title, titles, key)


def _show_gate_values(
    seen: list[PanelView], layers: list[LayerExchange], title: str, titles: list[str], key: str
) -> None:
    """What the gates of the chosen layer do, and how far all layers' are from a fixed shift."""
    edges = _choose_edges(key)
    names = [one.name for one in seen]
    st.plotly_chart(
        drawn(charts.regimes, names, layers, edges),
        key=f"regimes-{key}",
        alt=f"How many gate values of {title} do what, for each model",
    )
    st.markdown(
        "### Is it more than a fixed shift?",
        help="A constant gate would be a Temporal Shift Module. What varies, and over what?",
    )
    panels = [[one.layer(other, titles) for other in titles] for one in seen]
    st.plotly_chart(
        drawn(charts.adaptivity, names, panels, titles),
        key=f"adaptivity-{key}",
        alt="The variance of each layer's gates between frames and places",
    )


def _choose_edges(key: str) -> tuple[float, float, float]:
    """Where the regimes part; the page says so."""
    with st.popover("Thresholds of the regimes", icon=":material/tune:"):
        low, high = st.slider(
            "leave lies between",
            -1.0,
            1.0,
            (REGIME_EDGES[0], REGIME_EDGES[1]),
            0.05,
            key=f"edges-{key}",
        )
        swap = st.slider("swap begins at", -1.0, 1.0, REGIME_EDGES[2], 0.05, key=f"swap-{key}")
    edges = (low, high, max(high, swap))
    st.caption(
        f"Regimes of a gate g: difference, g < {edges[0]:.2f}; leave, up to {edges[1]:.2f};"
        f" average, up to {edges[2]:.2f}; swap, from there on.".replace("-", "−")
    )
    return edges

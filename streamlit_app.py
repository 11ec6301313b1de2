"""Gate-Shift Lens: names the pages, nothing else. Start with ``streamlit run streamlit_app.py``."""

from app.shell.layout import PageEntry, run

run(
    PageEntry("compare", "Compare", ":material/compare_arrows:"),
    PageEntry("order", "Order", ":material/swap_horiz:"),
    PageEntry("gates", "Gates", ":material/conversion_path:"),
    PageEntry("gradcam", "Grad-CAM", ":material/visibility:"),
    PageEntry("confusions", "Confusions", ":material/grid_on:"),
    PageEntry("systems", "Systems", ":material/leaderboard:"),
    PageEntry("models", "Models", ":material/deployed_code:"),
)

"""What the stored known-answer test says on the page."""

from app.pages.gradcam.known_answers import described, shown_rows

MEASURE = {"metric": "within pair", "value": 0.9, "low": 0.8, "high": 0.95, "n": 40, "data": "x"}
ROW = {
    "method": "Grad-CAM",
    **{"where": 0.3, "where_low": 0.2, "where_high": 0.4},
    **{"when": 0.9, "when_low": 0.8, "when_high": 1.0},
    **{"which_way": 0.95, "which_way_low": 0.85, "which_way_high": 0.99},
    **{"same": 0.0, "correlation": -0.5, "cost": 2.96},
}
FOUND = {
    "clips": 40,
    "data": "drawn_clips",
    "frames": 8,
    "frames_with_action": 5,
    "chance": {"where": 0.16, "when": 0.625},
    "measures": [MEASURE],
    "rows": [
        ROW,
        ROW | {"method": "even", "where": None, "same": 1.0, "correlation": None, "cost": 0.01},
    ],
}


def test_the_table_has_intervals_and_says_where_class_and_reversal_have_one_map():
    first, second = shown_rows(FOUND)
    assert first == {
        "method": "Grad-CAM",
        "where": "30 % (20 % to 40 %)",
        "when": "90 % (80 % to 100 %)",
        "which way": "95 % (85 % to 99 %)",
        "ρ": "−0.50",
        "passes": "3.0",
    }
    assert second["which way"] == "one map for both" and second["ρ"] == ""
    assert second["where"] == "no positive value"


def test_it_says_what_chance_and_the_model_itself_reach():
    text = described("GSM", FOUND)
    assert "40 clips of drawn\\_clips, the action in 5 of 8 frames" in text
    assert "where 16 %, when 62 %, which way 50 %" in text and "on 90 % (80 % to 95 %)" in text

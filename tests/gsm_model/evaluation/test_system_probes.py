"""What systems tell of time: measured on clips as they were trained on."""

from gsm_model.data.synthetic_sets import Looks, synthetic_set
from gsm_model.evaluation.system_probes import columns_of, measure_on_probes
from gsm_model.models.card import Card
from gsm_model.models.recognizer import build_recognizer


def test_rows_are_shown_by_the_probes_that_all_were_measured_on():
    def row(*columns: tuple[str, int | None]) -> dict:
        results = [{"probe": probe, "distance": apart} for probe, apart in columns]
        return {"probes": {"results": results}}

    one = row(("which first", None), ("which first", 1), ("which first", 2), ("speed", None))
    other = row(("speed", None), ("which first", None), ("which first", 1), ("count", None))
    assert columns_of([one, other]) == [("which first", None), ("which first", 1), ("speed", None)]
    assert columns_of([one]) == [
        (each["probe"], each["distance"]) for each in one["probes"]["results"]
    ]


def test_distances_are_those_of_clips_as_long_as_the_models_take_and_the_camera_is_named():
    model = build_recognizer("resnet18", "gsm", 16, 12, width=0.125, input_size=32).eval()
    model.card = Card("m", "trained", synthetic_set("probes").labels, domain="drawn")
    found = measure_on_probes({"gsm": model}, 2 * 8 * 11, Looks(clutter=0.25, camera=0.5))["gsm"]
    apart = [one["distance"] for one in found["results"] if one["probe"] == "which first"]
    assert apart == [None, *range(1, 12)]
    assert found["data"].endswith("clutter 0.25, camera 0.5") and found["clutter"] == 0.25
    assert all(one["n"] == 1 for one in found["results"] if one["distance"])

"""Tables and captions: nothing that LaTeX or Markdown would take for its own, every number with
what it is of.
"""

from dataclasses import replace

from gsm_model.confusion.significance import Comparison, compare
from gsm_model.confusion.tables import caption, comparison_rows, latex_table, markdown_table, p_text

ROW = Comparison(
    "A & B_1 | 50%", 1200, 0.5, 0.625, 3, 153, 0.00002, 0.04, 0.0004, 0.125, -0.01, 0.26
)


def test_latex_is_a_booktabs_table_with_plain_names():
    text = latex_table([replace(ROW, name="all"), ROW])
    assert text.startswith(
        "\\begin{tabular}{p{0.3\\linewidth}rrrrrrlrrr}\n\\toprule\n"
    ) and text.endswith("\\bottomrule\n\\end{tabular}\n")
    assert (
        "A \\& B\\_1 | 50\\% & 1,200 & 50.0 & 62.5 & 3 & 153 & +12.5 & $-$1.0 to +26.0 & < 0.001 &"
        " 0.040 & < 0.001 \\\\" in text
    )
    assert text.count("\\midrule") == 2
    columns = {
        line.count(" & ")
        for line in text.splitlines()
        if line.endswith("\\\\") and "A \\&" not in line
    }
    assert columns == {10}


def test_markdown_escapes_bars_and_keeps_its_columns():
    lines = markdown_table([ROW]).splitlines()
    assert "A & B_1 \\| 50%" in lines[2]
    assert {line.replace("\\|", "").count("|") for line in lines} == {12}


def test_a_small_p_is_a_bound_and_never_zero():
    assert (p_text(0.00099), p_text(0.001), p_text(1.0)) == ("< 0.001", "0.001", "1.000")


def test_the_caption_says_who_on_what_by_which_test_and_what_is_left_out(two_models):
    rows = compare(two_models, {"few": two_models.a.truth == 0, "many": two_models.a.truth > 0})
    text = caption(
        replace(two_models, only_in_a=4),
        [rows[0], replace(rows[1], only_a_right=1, only_b_right=2), rows[2]],
    )
    assert text.startswith("A (A) and B (B) on the same 300 clips of my clips. Accuracy ")
    assert "10,000 resamples of the clips" in text and "McNemar's exact test" in text
    assert (
        "The other 2 tests are corrected" in text
        and "On 1 of the 3 groups the models disagree on fewer than 6 clips" in text
    )
    assert "4 clips that only A's file has and 0 that only B's has are left out" in text
    assert "interval of no width" not in text
    assert "agree on every clip there is" in caption(
        two_models, [rows[0], replace(rows[1], low=0.0, high=0.0)]
    )
    assert "resamples of whole people" in caption(two_models, rows, "people")


def test_rows_have_the_columns_of_the_file():
    assert list(comparison_rows([ROW])[0]) == [
        *(
            "name",
            "n",
            "accuracy_a",
            "accuracy_b",
            "only_a_right",
            "only_b_right",
            "p",
            "p_holm",
            "p_bh",
            "difference",
            "low",
            "high",
        )
    ]

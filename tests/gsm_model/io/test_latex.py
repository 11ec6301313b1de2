"""Text for LaTeX."""

from gsm_model.io.latex import latex_escape


def test_every_character_of_latexs_own_is_escaped():
    assert (
        latex_escape("\\{}~^&%$#_")
        == r"\textbackslash{}\{\}\textasciitilde{}\textasciicircum{}\&\%\$\#\_"
    )

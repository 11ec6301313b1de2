"""What the project says of itself agrees in all places."""

import re
from pathlib import Path

import gsm_model

ROOT = Path(__file__).resolve().parents[1]


def test_changelog_and_citation_are_of_the_version_of_the_package():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    released = re.findall(r"^## (\d\S*) – \d{4}-\d\d-\d\d$", changelog, re.MULTILINE)
    assert released[0] == gsm_model.__version__
    assert re.findall(r"^version: (.+)$", citation, re.MULTILINE) == [gsm_model.__version__]


def test_the_citation_names_the_paper_that_the_readme_links():
    [address] = re.findall(
        r"https://openaccess\S+?\.html", (ROOT / "README.md").read_text(encoding="utf-8")
    )
    assert f'url: "{address}"' in (ROOT / "CITATION.cff").read_text(encoding="utf-8")

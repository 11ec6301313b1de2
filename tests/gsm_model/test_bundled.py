"""Files that came with the project, found from any folder."""

from gsm_model.bundled import READERS, assets, find_given

TABLE = "assets/predictions/gsm_resnet18_test_forward.parquet"


def test_only_what_a_command_reads_is_looked_for_among_the_assets(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    there = str(assets() / "predictions" / "gsm_resnet18_test_forward.parquet")
    for command in READERS:
        found = find_given([command, TABLE, "--out", TABLE, "-c", TABLE, "--json"])
        assert found == [command, there, "--out", TABLE, "-c", there, "--json"]
    for given in (["curves", TABLE], ["predict", "assets/../README.md"], ["predict", "assets"], []):
        assert find_given(given) == given


def test_a_file_of_the_working_folder_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / TABLE).parent.mkdir(parents=True)
    (tmp_path / TABLE).write_text("mine")
    assert find_given(["order", TABLE]) == ["order", TABLE]

"""Lists of videos: each public format, each of its awkward cases, all faults at once."""

import shutil
from pathlib import Path

import pytest

from gsm_model.data.lists import read_video_list
from gsm_model.data.synthetic.actions import LABELS
from gsm_model.data.synthetic.export import write_dataset
from gsm_model.errors import DataError

LISTS = Path(__file__).resolve().parents[2] / "data" / "lists"


@pytest.fixture
def videos(tmp_path):
    """A folder of files that stand for videos; only their names and sizes are looked at."""

    def make(*names: str) -> Path:
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"video")
        return tmp_path

    return make


def faults(found):
    return {fault.place.rsplit(" ", 1)[1]: fault.message for fault in found.faults}


def test_the_releases_list_with_spaces_and_windows_line_ends(videos):
    folder = videos("a clip with spaces.mp4", "plain.mp4", "plain2.mp4", "short.mp4")
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "labels.txt").write_text("\n".join(f"class {index}" for index in range(3)))
    found = read_video_list(LISTS / "release.txt", folder, folder / "labels.txt")
    assert [(entry.id, entry.label) for entry in found.entries] == [
        ("a clip with spaces.mp4", 0),
        ("plain.mp4", 1),
    ]
    assert found.too_short == 1
    assert faults(found) == {
        "5": "there is no video or folder of frames for 'missing.mp4'",
        "6": "'empty.mp4' is empty",
        "7": "'plain.mp4' came before, at release.txt, line 2",
        "8": "'plain2.mp4' has no frames",
        "9": "'plain2.mp4' came before, at release.txt, line 8",
        "10": "is not 'path num_frames label'",
    }


def test_all_faults_are_reported_at_once_with_file_and_line(videos):
    with pytest.raises(
        DataError,
        match=(
            r"^release.txt has 9 faults: release.txt, line 1: .*; release.txt, line 10:"
            r" .*--skip-bad"
        ),
    ):
        read_video_list(LISTS / "release.txt", videos("nothing.mp4")).require_clean()


def test_something_something_v2(videos):
    found = read_video_list(
        LISTS / "something_v2.json",
        videos("101.webm", "102.mp4", "103.webm"),
        LISTS / "something_v2_labels.json",
    )
    assert found.labels == ("Folding something", "Unfolding something")
    assert [(entry.id, entry.path.name, entry.label) for entry in found.entries] == [
        ("101", "101.webm", 0),
        ("102", "102.mp4", 1),
    ]
    assert faults(found) == {
        "3": "has the unknown label 'Juggling something'",
        "4": "'101' came before, at something_v2.json, entry 1",
        "5": "has no 'id' and 'template'",
    }
    with pytest.raises(DataError, match="give its label file"):
        read_video_list(LISTS / "something_v2.json", videos())


def test_diving48_with_its_folders_of_frames(videos):
    folder = videos("frames/dive_1/00001.jpg", "dive_2.mp4", "dive_3.mp4")
    found = read_video_list(LISTS / "diving48.json", folder)
    assert [(entry.path, entry.label) for entry in found.entries] == [
        (folder / "frames" / "dive_1", 26)
    ]
    assert faults(found) == {
        "2": "'dive_2' has no frames",
        "3": "has no 'vid_name' and whole 'label'",
    }


def test_epic_kitchens_by_verb_noun_and_action(videos):
    folder = videos("P01_01.mp4", "P01_02.mp4")
    verbs = read_video_list(LISTS / "epic.csv", folder, target="verb")
    assert [(entry.id, entry.label, entry.first, entry.stop) for entry in verbs.entries] == [
        ("P01_01_0", 3, 8, 203),
        ("P01_01_1", 6, 262, 370),
        ("P01_01_3", 4, 499, 540),
        ("P01_02_0", 3, 0, 60),
    ]
    assert faults(verbs) == {"4": "has frames 400 to 390"}
    nouns = read_video_list(LISTS / "epic.csv", folder, target="noun")
    assert [entry.label for entry in nouns.entries] == [3, 114, 3] and faults(nouns)[
        "5"
    ] == "has no whole noun class"
    actions = read_video_list(LISTS / "epic.csv", folder, target="action")
    assert actions.labels == ("verb 3, noun 3", "verb 4, noun 3", "verb 6, noun 114")
    assert [entry.label for entry in actions.entries] == [0, 2, 0]


def test_a_folder_written_by_make_dataset_is_taken_as_it_is(tmp_path):
    folder = write_dataset(tmp_path / "set", "test", 1, "frames", height=16, width=16).parent
    found = read_video_list(folder).require_clean()
    assert (
        len(found.entries) == len(found.labels) == len(LABELS)
        and found.entries[0].path == folder / "000000"
    )


def test_labels_outside_the_label_file_are_faults(videos, tmp_path):
    folder = videos("a.mp4", "b.mp4")
    (folder / "list.txt").write_text("a.mp4 9 0\nb.mp4 9 5\n")
    (folder / "labels.txt").write_text("only\ntwo\n")
    assert faults(read_video_list(folder)) == {"2": "label 5 is none of the 2 classes"}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("l.json", "{", "not JSON"),
        ("l.json", '{"a": 1}', "not a JSON list"),
        ("l.csv", "a,b\n1,2\n", "not an EPIC-Kitchens list"),
        ("l.txt", "", "no clip in it"),
        ("l.txt", "\n\n", "no clip in it"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=message):
        read_video_list(tmp_path / name)


def test_missing_and_binary_files_are_named(tmp_path):
    with pytest.raises(DataError, match=r"nowhere.txt: No such file"):
        read_video_list(tmp_path / "nowhere.txt")
    shutil.copyfile(__file__, tmp_path / "b.txt")
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="not a text file in UTF-8"):
        read_video_list(tmp_path / "b.txt")

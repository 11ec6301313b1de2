"""Lists as people have them: every form gives the same clips, what contradicts itself is said, and
random lists give the project's own errors at most.
"""

import json
import random

import pytest
from PIL import Image

from gsm_model.data.list_row import seconds, whole
from gsm_model.data.lists import read_video_list
from gsm_model.errors import DataError, LensError
from gsm_model.evaluation.loader import read_frames
from gsm_model.video.sampling import segment_indices

NAMES = ("Folding something", "shaking hands", "Archery")
EPIC = "uid,participant_id,video_id,start_timestamp,stop_timestamp,start_frame,stop_frame,"
EPIC += "verb,verb_class,noun,noun_class\n"


@pytest.fixture
def folder(tmp_path):
    """A folder in which files that stand for videos, folders of frames and lists are put."""

    class Folder:
        path = tmp_path

        def videos(self, *names):
            for name in names:
                file = tmp_path / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(b"video")

        def frames(self, name, numbers, pattern="img_{:05d}.png"):
            (tmp_path / name).mkdir(parents=True, exist_ok=True)
            for number in numbers:
                Image.new("L", (4, 4), number).save(tmp_path / name / pattern.format(number))

        def read(self, text, name="list.txt", names=None, **options):
            (tmp_path / name).write_text(text, encoding="utf-8")
            if names:
                (tmp_path / "names.txt").write_text("\n".join(names))
                options["labels"] = tmp_path / "names.txt"
            return read_video_list(tmp_path / name, **options)

    return Folder()


def clips(found):
    assert found.faults == ()
    root = found.entries[0].path
    while root.name and not (root / "list.txt").exists() and not list(root.glob("l.*")):
        root = root.parent
    return [(entry.path.relative_to(root).as_posix(), entry.label) for entry in found.entries]


@pytest.mark.parametrize(
    "form",
    [
        *("{p} {c}", "{p} 60 {c}", "{p}\t{c}", "{p}\t60\t{c}", "{p},{c}", "{p}, 60, {c}"),
        *("{p};{c}", '"{p}" {c}', '"{p}",60,{c}', "./{p} {c}", "'{p}' 60 {c}", "{p}  {c}.0"),
    ],
)
@pytest.mark.parametrize("path", ["a/000.mp4", "a b/clip 3 1.MP4", "c,d/x, y.avi"])
def test_paths_and_labels_between_any_separators(folder, form, path):
    folder.videos(path, "b/001.mp4")
    if "{p}," in form and "," in path:
        form = form.replace("{p}", '"{p}"')
    for written in (path, path.replace("/", "\\")):
        text = f"{form.format(p=written, c=2)}\r\n\r\n{form.format(p='b/001.mp4', c=0)}\r\n"
        assert clips(folder.read(text)) == [(path, 2), ("b/001.mp4", 0)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("l.csv", "file,label\na/0.mp4,1\na/1.mp4,2\n"),
        ("l.csv", "label;video path;num frames\n1;a/0.mp4;60\n2;a/1.mp4;60\n"),
        ("l.tsv", "path\tlabel\tlabel_id\na/0.mp4\tx\t1\na/1.mp4\ty\t2\n"),
        ("l.txt", "path label\na/0.mp4 1\na/1.mp4 2\n"),
        ("l.json", '[{"path": "a/0.mp4", "label": 1}, {"path": "a/1.mp4", "label": "2"}]'),
        ("l.jsonl", '{"video": "a/0", "label": 1}\n{"video": "a/1", "label": 2}\n'),
        ("l.csv", "path,label\na/0.mp4,shaking hands\na/1.mp4,archery\n"),
        ("l.txt", "a/0.mp4 shaking hands\na/1.mp4 Archery\n"),
        ("l.csv", "a/0;Shaking_hands\na/1;Archery\n"),
        ("l.json", '[{"id": "a/0", "template": "Shaking [hands]"},{"id": "a/1", "tag":"Archery"}]'),
    ],
)  # fmt: skip
def test_columns_and_records_with_names(folder, name, text):
    folder.videos("a/0.mp4", "a/1.mp4")
    assert clips(folder.read(text, name, NAMES)) == [("a/0.mp4", 1), ("a/1.mp4", 2)]


def test_names_are_looked_up_among_the_models_classes_or_asked_for(folder):
    folder.videos("a.mp4")
    found = folder.read("a.mp4,Archery\n", classes=lambda: NAMES)
    assert found.entries[0].label == 2 and "model's class names" in found.notes[0]
    with pytest.raises(DataError, match="its labels are names; give its label file .*--labels"):
        folder.read("a.mp4,Archery\n", classes=lambda: None)
    assert (
        "unknown label 'Juggling'" in folder.read("a.mp4,Juggling\n", names=NAMES).faults[0].message
    )


def test_kinetics_clips_by_their_times_cut_or_whole(folder):
    folder.videos("shaking hands/abc_000010_000020.mp4", "def.mp4")
    text = "label,youtube_id,time_start,time_end,split\n"
    text += "shaking hands,abc,10,20,test\nArchery,def,0,10,test\n"
    found = folder.read(text, "l.csv", NAMES)
    assert [(e.id, e.path.name, e.begin, e.end, e.maybe_cut) for e in found.entries] == [
        ("abc_000010_000020", "abc_000010_000020.mp4", 10, 20, True),
        ("def_000000_000010", "def.mp4", 0, 10, True),
    ]
    assert found.notes == ("1 videos were found by their names in other folders than the list's",)
    records = {"def": {"annotations": {"label": "Archery", "segment": [0.0, 10.0]}, "subset": "t"}}
    assert folder.read(json.dumps(records), "k.json", NAMES).entries == found.entries[1:]


@pytest.mark.parametrize(
    ("video", "lies"),
    [
        ("P01_01", "P01_01.MP4"),
        ("P01_01", "P01/videos/P01_01.MP4"),
        ("P01_01", "videos/train/P01/P01_01.MP4"),
        ("P01_01", "somewhere/else/P01_01.MP4"),
    ],
)
def test_epics_folders_as_downloaded(folder, video, lies):
    folder.videos(lies)
    text = EPIC + f"7,P01,{video},00:00:00.20,00:00:00.68,11,40,open,3,door,5\n"
    [entry] = folder.read(text, "l.csv").entries
    assert entry.path == folder.path / lies
    assert (entry.id, entry.label, entry.first, entry.stop) == ("7", 3, 10, 40)
    assert (entry.begin, entry.end) == (0.2, 0.68)


def test_epics_frames_are_numbers_in_names_and_what_is_not_there_is_an_error(folder):
    folder.frames("P01/rgb_frames/P01_01", [*range(20, 40), *range(45, 60)], "frame_{:010d}.png")
    rows = ((0, 30, 37), (1, 36, 49), (2, 10, 25), (3, 41, 44))
    text = EPIC + "".join(f"{id},P01,P01_01,,,{a},{b},,3,,5\n" for id, a, b in rows)
    whole, gap, outside, missing = folder.read(text, "l.csv").require_clean().entries
    sample = lambda n: segment_indices(n, 4)  # noqa: E731
    assert [int(f.mean()) for f in read_frames(whole, sample)] == [31, 33, 35, 37]
    assert [int(f.mean()) for f in read_frames(gap, sample)] == [37, 39, 46, 48]
    for entry, said in (
        (outside, "10 to 25, the folder has 20 to 59$"),
        (missing, "without these"),
    ):
        with pytest.raises(LensError, match=said):
            read_frames(entry, sample)
    notes = folder.read(text, "l.csv").notes
    assert any("of frames 36 to 49 only 9 of 14 are there" in note for note in notes)
    assert any("5 of its numbers are missing (40 to 44)" in note for note in notes)


@pytest.mark.parametrize("said", [117, 25, 10])
def test_another_number_of_frames_than_the_folders_is_a_fault_and_read_on_request(folder, said):
    folder.frames("clip", range(24))
    found = folder.read(f"clip {said} 1\n")
    assert found.faults[0].message == f"says {said} frames, the folder 'clip' has 24"
    with pytest.raises(DataError, match="--skip-bad reads the frames that are there"):
        found.require_clean()
    [entry] = found.entries
    assert len(read_frames(entry, lambda n: segment_indices(n, n))) == 24


def test_a_folder_whose_name_ends_in_a_number_is_no_count(folder):
    folder.frames("clip 24", range(5))
    folder.frames("clip 25", range(7))
    assert clips(folder.read("clip 24 1\nclip 25 0\n")) == [("clip 24", 1), ("clip 25", 0)]
    assert clips(folder.read("clip 24 5 1\nclip 25 7 0\n")) == [("clip 24", 1), ("clip 25", 0)]


def test_which_of_several_series_is_asked_and_chosen(folder):
    for cam in (1, 2):
        folder.frames("clip", range(1, 6), f"cam{cam}_{{:03d}}.png")
    assert "say which is the video" in folder.read("clip 5 1\n").faults[0].message
    for found in (
        folder.read("clip 5 1\n", series="cam2_%03d.png"),
        folder.read("clip/cam2_%03d.png 5 1\n"),
    ):
        assert found.require_clean().entries[0].path.name == "cam2_%03d.png"


def test_ucf101_with_and_without_indices(folder):
    names = ("ApplyEyeMakeup", "Archery", "Walking")
    files = [f"{name}/v_{name}_g01_c0{n}.avi" for name in names for n in (1, 2)]
    folder.videos(*files)
    (folder.path / "classInd.txt").write_text("1 ApplyEyeMakeup\n2 Archery\n3 Walking\n")
    expected = [(file, names.index(file.split("/")[0])) for file in files]
    assert clips(folder.read("\n".join(files))) == expected
    one = "".join(f"{file} {label + 1}\n" for file, label in expected)
    zero = "".join(f"{file} {label}\n" for file, label in expected)
    found = folder.read(one, names=names)
    assert clips(found) == expected and "count from 1" in found.notes[0]
    assert clips(folder.read(zero, names=names)) == clips(folder.read(zero)) == expected
    assert clips(folder.read(one)) == expected  # as classInd.txt beside it says
    (folder.path / "classInd.txt").unlink()
    with pytest.raises(DataError, match="say which with --first-label 1 or --first-label 0"):
        folder.read(one)
    assert clips(folder.read(one, first_label=1)) == expected
    wrong = folder.read(zero.replace("c01.avi 2", "c01.avi 0"), names=names).faults
    assert wrong[0].message == "lies in the folder of class 2 ('Walking'), its label is 0"


def test_hmdb51s_splits_are_the_test_clips_of_all_classes(folder):
    for name in ("brush_hair", "wave"):
        folder.videos(f"{name}/{name}_1.avi", f"{name}/{name}_2.avi")
        (folder.path / f"{name}_test_split1.txt").write_text(f"{name}_1.avi 1\n{name}_2.avi 2 \n")
    (folder.path / "names.txt").write_text("brush hair\nwave\n")
    found = read_video_list(folder.path / "wave_test_split1.txt", labels=folder.path / "names.txt")
    assert [(entry.path.name, entry.label) for entry in found.entries] == [
        ("brush_hair_2.avi", 0),
        ("wave_2.avi", 1),
    ]
    assert found.notes == ("HMDB51: the 2 test clips of 2 classes",)


@pytest.mark.parametrize("suffix", [".avi", ".MP4", "", ".webm"])
def test_a_converted_or_unpacked_file_is_found_and_two_are_asked(folder, suffix):
    folder.videos(f"a/clip{suffix}")
    assert folder.read("a/clip.avi 1\n").entries[0].path.name == f"clip{suffix}"
    folder.videos("x/other.mp4", "y/other.mp4")
    assert "may be" in folder.read("other 1\n").faults[0].message
    folder.videos("packed.tar")
    assert folder.read("packed 1\n").faults[0].message == "'packed.tar' is packed; unpack it"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "its columns: a, b.* Known are .*--columns path,label"),
        ("id,subject,scene,actions,length\nX,Y,Z,c1 0 1,3\n", "a list of Charades, whose clips"),
        ("video_id frame_id path labels\nx 0 x/1.jpg 3\n", "a row for each frame"),
        ("clip 1 24 0\nother 5 30 1\n", "an offset, a count and a label, or .*--columns"),
        ("once upon a time\nthere was a list\n", "Known are"),
        ("[" * 100_000, "not JSON"),
    ],
)  # fmt: skip
def test_an_unknown_form_is_refused_with_those_that_are_known(folder, text, message):
    with pytest.raises(DataError, match=message):
        folder.read(text, "l.csv")


def test_columns_of_another_form_are_named(folder):
    folder.frames("clip", range(1, 31))
    for columns, span in (("path,start_frame,stop_frame,label", (4, 24)),
                          ("path,offset,num_frames,label", (5, 29))):  # fmt: skip
        [entry] = folder.read("clip 5 24 1\n", columns=columns.split(",")).entries
        assert (entry.first, entry.stop, entry.label) == (*span, 1)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        *(("7", 7), ("7.0", 7), (" 7 ", 7), (7.0, 7), (10**9, 10**9), ("+7", 7)),
        *(("7.5", None), ("-1", None), ("1_000", None), ("1e3", None), ("٣", None), (True, None)),
        *((float("nan"), None), (float("inf"), None), (10**400, None), ("9" * 30, None)),
    ],
)
def test_numbers_are_written_out_and_bounded(value, number):
    assert whole(value) == number


@pytest.mark.parametrize(
    ("value", "found"),
    [("00:03:20.50", 200.5), ("3:20", 200), ("1:00:00", 3600), ("12.5", 12.5), ("x:y", None)],
)
def test_times_are_clocks_or_seconds(value, found):
    assert seconds(value) == found


def test_random_lists_give_clips_or_the_projects_own_errors(folder):
    rng = random.Random(0)
    folder.videos("a/0.mp4", "b c.avi")
    folder.frames("f 1", range(4))
    whole = [
        "a/0.mp4 60 0\nb c.avi 60 1\nf 1 4 2\n",
        "path,label\na/0.mp4,1\n",
        EPIC + "7,P01,a/0,0:01,0:02,11,40,open,3,door,5\n",
        json.dumps([{"vid_name": "a/0", "label": 1, "start_frame": 0, "end_frame": 4}]),
        json.dumps([{"id": "a/0", "template": "Archery"}]),
    ]
    inserts = ["\n", ",", " ", "0", "-1", '"', "\0", "{", "]", "٣", "\u2028", "9" * 400, "x" * 300]
    inserts += ["1e999", "NaN", "true", "../", "\\", "%d", "*", "/", ":", ";", "\t", "\ud7ff"]
    for round in range(300):
        text = rng.choice(whole)
        for _ in range(rng.randrange(1, 6)):
            at = rng.randrange(len(text) + 1)
            text = text[:at] + rng.choice(inserts) + text[at + rng.randrange(5) :]
        try:
            found = folder.read(text, rng.choice(["l.txt", "l.csv"]), classes=lambda: NAMES)
            for entry in found.entries:
                assert entry.path.exists() or entry.path.parent.is_dir()
                assert 0 <= entry.label <= 10**9, (round, text)
        except LensError as error:
            assert str(error).startswith("l."), (round, text)

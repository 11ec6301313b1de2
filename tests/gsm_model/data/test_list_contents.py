"""What a list says in several ways at once: which class, which part, which split; lists of several
labels a clip and files that are no text.
"""

import json
import time

import pytest

from gsm_model.data.lists import read_video_list
from gsm_model.errors import DataError
from gsm_model.io.text import decode_text


@pytest.fixture
def read(tmp_path):
    """Reads a list of clips 0.mp4, 1.mp4, …, which are there."""
    for index in range(6):
        (tmp_path / f"{index}.mp4").write_bytes(b"video")

    def read(text, name="l.csv", names=None, **options):
        (tmp_path / name).write_text(text, encoding="utf-8")
        if names:
            (tmp_path / "names.json").write_text(json.dumps(names))
            options["labels"] = tmp_path / "names.json"
        return read_video_list(tmp_path / name, **options)

    return read


def labels(found):
    assert found.faults == ()
    return [entry.label for entry in found.entries]


def of(found_labels):
    return "".join(f"{at}.mp4 {label}\n" for at, label in enumerate(found_labels))


@pytest.mark.parametrize(
    ("given", "classes", "expected", "said"),
    [
        ([0, 1, 2, 3, 4, 5], 6, [0, 1, 2, 3, 4, 5], ""),
        ([1, 2, 3, 4, 5, 6], 6, [0, 1, 2, 3, 4, 5], "labels count from 1"),
        ([6, 6, 3, 3, 2, 2], 6, [5, 5, 2, 2, 1, 1], "labels count from 1"),
        ([1, 2, 3, 1, 2, 3], 9, [1, 2, 3, 1, 2, 3], "1 to 3, are taken as counted from 0"),
        ([7, 7, 7, 7, 7, 7], 9, [7] * 6, "all 7, are taken as counted from 0"),
        ([1, 1, 1, 1, 1, 1], 2, None, "--first-label 1 or --first-label 0"),
    ],
)  # fmt: skip
def test_labels_without_names_are_counted_from_what_the_models_classes_allow(
    read, given, classes, expected, said
):
    if expected is None:
        with pytest.raises(DataError, match=said):
            read(of(given), num_classes=lambda: classes)
        return
    found = read(of(given), num_classes=lambda: classes)
    assert labels(found) == expected
    assert said in " ".join(found.notes) and bool(said) == bool(found.notes)
    chosen = read(of(given), num_classes=lambda: classes, first_label=0)
    assert labels(chosen) == given


@pytest.mark.parametrize("given", [{"names": ["cat", "dog"]}, {"classes": lambda: ["cat", "dog"]}])
def test_a_name_beside_an_index_counts_where_the_classes_are_known(read, given):
    text = "video_id,label,label_id\n0,dog,0\n1,cat,1\n"  # numbered in another order
    found = read(text, **given)
    assert labels(found) == [1, 0]
    assert "'dog', which the list numbers 0, is the model's class 1" in found.notes[0]
    assert labels(read(text)) == [0, 1]
    assert labels(read(text.replace("dog", "a dog"), **given)) == [0, 0]


def test_classes_that_are_called_by_numbers_are_found_by_their_names(read):
    text = "path,label\n0.mp4,2\n1.mp4,0\n2.mp4,1\n"
    found = read(text, names=["2", "0", "1"])
    assert labels(found) == [0, 1, 2] and "classes' names" in found.notes[0]
    assert read(text, names=["0", "1", "2"]).notes == ()


@pytest.mark.parametrize(
    ("head", "row", "span"),
    [
        ("start,end", "1.5,3.5", (1.5, 3.5)),
        ("begin,stop", "00:00:01.5,3", (1.5, 3.0)),
        ("start_ms,end_ms", "1500,3500", (1.5, 3.5)),
        ("start_time,duration", "1.5,2", (1.5, 3.5)),
        ("start_time,end_time", '"1,5","3,5"', (1.5, 3.5)),
    ],
)
def test_parts_are_read_whatever_their_columns_are_called(read, head, row, span):
    [entry] = read(f"path,{head},label\n0.mp4,{row},1\n").entries
    assert (entry.begin, entry.end) == span


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,start,end,label\n0.mp4,1,3,0\n", "'start' and 'end' may be frames or seconds"),
        ("path,frames,label\n0.mp4,10-40,0\n", "'frames' holds a start and an end"),
        ('[{"path": "0.mp4", "segment": [1, 3.5], "label": 0}]', "'segment' holds a start"),
        ("label,youtube_id,time_start\n", "no clip in it"),
        ("youtube_id,time_start,time_end\n0,1,2\n", "no column of labels .* of a test set"),
        ("0.mp4\n1.mp4\n", "has no labels behind its videos"),
        ("0.mp4 1 4\n1.mp4 2 5\n", "all its clips have fewer than 3 frames"),
        ("x-y_z01,0902,0.077,0.151,0.283,0.811,80,1\n", "AVA's boxes"),
        (
            "video,second,x1,y1,x2,y2,label\nx,902,10,20,30,40,3\n",
            "AVA's, with labels for each box",
        ),
        ('path,labels\n0.mp4,"1,2"\n1.mp4,3\n', "several labels each .*1,2"),
        ('[{"path": "0.mp4", "label": [1, 2]}]', "several labels each"),
    ],
)
def test_what_would_be_read_wrong_is_refused_by_its_cause(read, text, message):
    with pytest.raises(DataError, match=message):
        read(text)


def test_what_a_list_has_beside_is_said_or_passed_over(read):
    found = read(
        'sep=,\n# mine\npath,label,split,remark\n0.mp4,0,train,"two\nlines"\n1.mp4,1,val,x\n'
    )
    assert labels(found) == [0, 1]
    assert "several splits (train, val" in found.notes[0]
    assert found.notes[1] == "columns that are not used: remark"
    fault = read("path,label\n0.mp4,-1\n1.mp4,1\n").faults[0]
    assert fault.message == "has the label -1, which is no class"
    assert labels(read('{"0.mp4": 1, "1.mp4": 0}')) == [1, 0]
    moments = read("0.mp4,b,4,0\n1.mp4,a,3,1\n", names=["a", "b"])
    assert labels(moments) == [1, 0] and "not used" in moments.notes[0]
    assert labels(read("0.mp4,b, slowly\n1.mp4,a\n", names=["a", "b, slowly"])) == [1, 0]


def test_absolute_paths_of_another_machine_are_found_by_their_ends(read, tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b/7.mp4").write_bytes(b"video")
    found = read("/home/me/val/b/7.mp4 0\nD:\\val\\1.mp4 1\nfile:///val/2.mp4 2\n")
    assert [entry.path for entry in found.entries] == [
        tmp_path / name for name in ("b/7.mp4", "1.mp4", "2.mp4")
    ]
    assert "3 videos were found" in found.notes[-1]
    two = read("/x/a/1.mp4 0\n/x/b/1.mp4 1\n").faults
    assert "there is only" in two[0].message
    assert read("/x/../c/7.mp4 0\n").faults


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PK\x03\x04\x14", "a workbook or an archive"),
        (b"PAR1\x15\x04", "a parquet table"),
        (b"\x80\x04\x95", "a pickle"),
        (b"\x1f\x8b\x08", "compressed; unpack it"),
    ],
)
def test_files_that_are_no_text_are_called_what_they_are(content, what):
    with pytest.raises(DataError, match=f"f: is no text but {what}"):
        decode_text(content, "f")


def test_quotes_that_are_not_closed_do_not_swallow_a_list(read):
    started = time.perf_counter()
    found = read('path,label,remark\n0.mp4,0,5" wide\n1.mp4,1,x\n2.mp4,0,8"\n3.mp4,1,"open\n')
    assert labels(found) == [0, 1, 0, 1]
    read("path,label,remark\n" + '9.mp4,1,"\n' * 3000)
    assert time.perf_counter() - started < 10

"""Label files as people have them: every form gives the names in the order of the indices, what
cannot be decided is asked, and random files give the project's own errors at most.
"""

import json
import random

import pytest

from gsm_model.data.label_reader import parse_labels, read_label_file, read_labels
from gsm_model.errors import LensError

NAMES = ("Apply eye makeup", "Moving something, up", "Archery", "walk 7", "éclair")
ORDER = (2, 0, 4, 1, 3)  # of the lines of a file, which its indices put right
PLAIN = tuple(name.replace(", ", " ") for name in NAMES)


def lines(form, names=NAMES, first=0, order=ORDER):
    return "\n".join(form.format(i=index + first, n=names[index]) for index in order) + "\n"


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize(
    "form",
    [
        *("{i} {n}", "{i}\t{n}", "{i}  {n} ", "{i},{n}", "{i}, {n}", "{i};{n}", "{i}: {n}"),
        *("{n},{i}", "{n}, {i}", "{n}\t{i}", "{n};{i}", "{n} {i}", '"{n}",{i}', '{i} "{n}"'),
    ],
)
def test_an_index_before_or_behind_is_obeyed_and_no_part_of_the_name(form, first):
    found = parse_labels(lines(form, first=first), "labels.txt")
    assert found.names == NAMES
    assert [note[:30] for note in found.notes] == ["the indices count from 1: 'App"] * first


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize(
    "make",
    [
        lambda pairs: json.dumps({name: index for index, name in pairs}),
        lambda pairs: json.dumps({name: str(index) for index, name in pairs}, indent=1),
        lambda pairs: json.dumps({f'"{name}"': index for index, name in pairs}),  # SlowFast's
        lambda pairs: json.dumps({index: name for index, name in pairs}),
        lambda pairs: json.dumps({"id2label": {index: name for index, name in pairs}}),
        lambda pairs: json.dumps([{"id": index, "name": name} for index, name in pairs]),
        lambda pairs: "id,name\n" + "".join(f'{index},"{name}"\n' for index, name in pairs),
        lambda pairs: "name;id\n" + "".join(f"{name};{index}\n" for index, name in pairs),
        lambda pairs: "id,key,instances\n" + "".join(f'{i},"{n}",["a"]\n' for i, n in pairs),
    ],
)
def test_json_either_way_and_tables_with_a_header(make, first):
    text = make([(index + first, NAMES[index]) for index in ORDER])
    found = parse_labels(text, "labels")
    assert found.names == NAMES and len(found.notes) == first


def test_names_alone_keep_their_order_numbers_and_commas():
    for names in (NAMES, PLAIN, ("walk 1", "walk 2", "walk 3"), ("2 people", "3 people")):
        assert parse_labels("\n".join(names) + "\n\n", "l").names == names
        assert parse_labels(json.dumps(names), "l").names == names


def test_diving48s_vocabulary_has_a_name_of_four_parts():
    vocabulary = [["Back", "15som", "05Twis", "FREE"], ["Back", "15som", "15Twis", "FREE"]]
    names = parse_labels(json.dumps(vocabulary), "vocab.json").names
    assert names == ("Back, 15som, 05Twis, FREE", "Back, 15som, 15Twis, FREE")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 a\n1 b\n1 c\n", "index 1 is 'b' on line 2 and 'c' on line 3"),
        ("a,0\nb,1\na,2\n", "'a' is on line 1 and again on line 3"),
        ("0,a\n1,b\n4,c\n", "go from 0 to 4, without 2 to 3; every class needs its name"),
        ("5 a\n6 b\n", "go from 5 to 6, without 1 to 4; .* write them as a JSON list"),
        ("1 a\n2 b\nc\n4 d\n", "line 3, 'c', has no index, as the other lines have"),
        ("0,a,x\n1,b,y\n", "has 3 columns and no header"),
        ('{"a": 0, "b": 0}', "index 0 is 'a' on entry 'a' and 'b' on entry 'b'"),
        ('{"a": 0, "b": 2}', "without 1;"),
        ('{"a": -1, "b": 0}', "has no index from 0 on"),
        ('{"1": "2"}', "names and its indices are both numbers"),
        ('{"a": "b"}', "not a JSON object of class names and their indices"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1, 2]", "entry 1 is no class name: 1"),
        ('["a", "a"]', "'a' is on entry 1 and again on entry 2"),
        ("[]", "no labels in it"),
        ("id,name\nx,a\n", "line 2 has no whole 'id'"),
    ],
)
def test_what_is_doubled_missing_or_undecided_is_named(text, message):
    with pytest.raises(LensError, match=f"^labels: .*{message}"):
        parse_labels(text, "labels")


@pytest.mark.parametrize(
    "text",
    [
        *("1. a\n2. b\n", "(0) a\n(1) b\n", "[0] a\n[1] b\n", "0 -> a\n1 -> b\n", "b=1\na=0\n"),
        *("label\na\nb\n", "# mine\na\nb\n", "sep=;\nid;name\n1;b\n0;a\n", "- a\n- b\n"),
        "id,key,instances,category\n0,a,x,kitchen\n1,b,y,kitchen\n",
    ],
)
def test_marks_of_indices_headers_and_comments_are_no_part_of_names(text):
    assert parse_labels(text, "l").names == ("a", "b")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_a_label_file_is_read_in_its_encoding(tmp_path, encoding):
    path = tmp_path / "labels.txt"
    path.write_bytes(lines("{i} {n}", ("Café, crème brûlée", *NAMES[1:])).encode(encoding))
    assert read_labels(path) == ("Café, crème brûlée", *NAMES[1:])
    assert bool(read_label_file(path).notes) == (encoding not in ("utf-8", "utf-8-sig"))


def test_random_files_give_names_or_the_projects_own_error():
    rng = random.Random(0)
    whole = lines("{i} {n}"), lines("{n},{i}"), json.dumps({n: i for i, n in enumerate(NAMES)})
    inserts = ["\n", ",", " ", "0", "7", '"', "\0", "{", "]", "٣", "\u2028", "9" * 30]
    for _ in range(500):
        text = rng.choice(whole)
        for _ in range(rng.randrange(1, 6)):
            at = rng.randrange(len(text) + 1)
            text = text[:at] + rng.choice(inserts) + text[at + rng.randrange(4) :]
        try:
            found = parse_labels(text, "labels")
        except LensError as error:
            assert str(error).startswith("labels: ")
        else:
            assert len(set(found.names)) == len(found.names) > 0 and all(found.names)

"""Text of every encoding: the names that were written come back, or a message, never others."""

import random

import pytest

from gsm_model.errors import DataError
from gsm_model.io.text import decode_text

# Words that Python's codecs put into each code page.
WORDS = {
    "cp1252": (
        "Ouvrir|Fermé|Lumière|Être assis",
        "Öffnen|Schließen|Tür drücken",
        "Niño|Señal|Abrir|Acción",
        "Mão|Ação|Fechar",
        "Åpne dør|Løpe|Gå",
        "ALLUMÉ|ÉTEINT",
    ),
    "mac_roman": ("Fermé|Lumière|Père", "Öffnen|Schließen", "Niño|Señal"),
    "cp850": ("Fermé|Lumière", "Öffnen|Schließen"),
    "cp1250": ("Zavřít dveře|Otevřít|oči|čaj", "Otwórz|pić wodę|łyżka", "Kinyitás|közben ülő|fű"),
    "cp1254": ("Aç|Kapı|Işık|Yürüyüş",),
    "cp1251": ("Открыть|Закрыть|Бежать", "Відкрити|Закрити|Бігти", "ОТКРЫТЬ|ЗАКРЫТЬ"),
    "koi8_r": ("Открыть|Закрыть|Бежать",),
    "cp866": ("Открыть|Закрыть|Бежать",),
    "mac_cyrillic": ("Открыть|Закрыть|Бежать",),
    "cp1253": ("Άνοιγμα|Κλείσιμο|Τρέξιμο",),
    "cp1255": ("פתיחה|סגירה|ריצה",),
    "cp1256": ("فتح|إغلاق|جري",),
    "cp874": ("เปิด|ปิด|วิ่ง",),
    "gb18030": ("折叠|展开", "打开|关闭|举起", "跑步|跳绳|打篮球|游泳", "T恤 折叠|cup杯"),
    "big5": ("折疊|展開", "打開|關閉|跑步"),
    "cp932": ("折る|開く|ドアを閉める", "走る|歩く|泳ぐ"),
    "euc_jp": ("折る|開く|ドアを閉める",),
    "cp949": ("접기|펼치기", "열기|닫기|달리기"),
}
CASES = [(codec, words) for codec, lists in WORDS.items() for words in lists]


def table(words, seed=0, separator=","):
    drawn = random.Random(seed)
    names = words.split("|")
    rows = (
        f"v{i}{separator}{name}{separator}{drawn.choice(names)}" for i, name in enumerate(names * 3)
    )
    return f"id{separator}label{separator}predicted\n" + "\n".join(rows) + "\n"


@pytest.mark.parametrize(("codec", "words"), CASES)
def test_a_code_page_is_found_by_its_words_and_said(codec, words):
    found = decode_text(table(words).encode(codec), "x.csv")
    assert found.text == table(words)
    assert found.note.startswith("read as ")


# Of DOS, whose é is another letter in every later code page, one word is too little.
@pytest.mark.parametrize(("codec", "words"), [case for case in CASES if case[0] != "cp850"])
def test_one_name_alone_is_read_right_or_asked_about(codec, words):
    for word in words.split("|"):
        text = f"id,label\n1,{word}\n"
        try:
            assert decode_text(text.encode(codec), "x.csv").text == text
        except DataError as error:
            assert "may be" in str(error) and "save it as UTF-8" in str(error)


@pytest.mark.parametrize("words", sorted({words for _, words in CASES}))
@pytest.mark.parametrize("separator", ["\t", ";"])
def test_unicode_of_every_kind_is_read_with_and_without_a_mark(words, separator):
    text = table(words, separator=separator)
    assert decode_text(text.encode(), "x").note == ""
    for codec in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"):
        assert decode_text(text.encode(codec), "x").text == text
    marked = b"\xfe\xff" + text.encode("utf-16-be")
    assert decode_text(marked, "x").text == text


def test_what_may_be_two_encodings_is_asked_and_the_answer_or_the_class_names_decide():
    content = "id,label\n1,Père\n".encode("cp1252")
    with pytest.raises(DataError, match=r"Windows-1252 .*'Père'.* or Windows-1250 .*'Pčre'"):
        decode_text(content, "x.csv")
    assert decode_text(content, "x.csv", "cp1250").text.endswith("Pčre\n")
    assert decode_text(content, "x.csv", expected=("Père",)).text.endswith("Père\n")
    assert decode_text(content, "x.csv", expected=("Pčre",)).text.endswith("Pčre\n")


@pytest.mark.parametrize(
    ("content", "encoding", "message"),
    [
        (b"\xff\xfea\0b", None, "begins as UTF-16, but is cut short"),
        (b"\0\1\2\3", None, "is no text"),
        (bytes(range(128, 256)), None, "no text in an encoding"),
        ("é".encode(), "ascii", "not written in ascii"),
        (b"a", "klingon", "'klingon' is no encoding"),
        (b"a", "base64", "'base64' is no encoding"),
    ],
)
def test_what_is_no_text_is_refused(content, encoding, message):
    with pytest.raises(DataError, match=message):
        decode_text(content, "x.csv", encoding)

"""Which code page bytes that are no Unicode are written in, by what they would say in each.

A reading is as likely as its letters are in one of the languages of its code page: letters of
another language, a capital after a small letter, two scripts in one word or a sign inside a word
speak against it. Detectors made for web pages take most tables of class names, which have a dozen
words, for something else.
"""

from __future__ import annotations

import itertools
import math
import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

FLOOR = math.log(3e-5)  # of a letter, on average: below it bytes are no text in any known way
MOST_CELLS = 4000  # distinct cells that are looked at
_CELLS = re.compile(rb"[\n\r,;\t]")  # none is the second byte of a character in any code page here
_WORDS = re.compile(r"[^\W\d_]+(?:[^\x00-\x7f][^\W\d_]*)*|[^\x00-\x7f]+")
_TYPOGRAPHY = frozenset("–—‘’“”„«»…°€·×²³¿¡№、。，；：（）「」『』・！？　ー")
_NO_TEXT = ("Cc", "Cn", "Co")  # categories of control characters and of those that nobody uses
_ALONE = frozenset("àèéáóíôåöøαηо") | set("аиуявксояё")  # that are words of one letter
_UNHEARD_OF, _ODD = math.log(1e-7), math.log(1e-3)

# Letters per 10,000 of a language beyond ASCII, rounded; from tables of letter frequencies.
_LATIN = {
    "cp1252": (
        "é190 à49 è27 ê22 ç9 ù6 â5 î5 ô4 û6 ë1 ï1 œ2",
        "ü100 ä58 ö44 ß31",
        "ó83 í73 á50 é43 ñ31 ú17 ü2",
        "ã73 ç53 ê45 é34 ó30 ú21 í13 á12 à7 â6 ô6 õ4",
        "à64 è26 ù17 ì3 ò2 é1",
        "ä180 å134 ö131",
        "å119 ø94 æ87",
        "ð439 á180 í157 þ145 ó99 æ87 ö78 é65 ú61 ý23",
    ),
    "cp1250": (
        "í164 ě122 ý107 á87 ž72 š69 é63 č46 ř38 ů20 ú4 ó2 ď2 ň1 ť1 ô1 ľ1 ä1",
        "ł211 ó114 ę104 ś81 ć74 ż71 ą70 ń36 ź8",
        "é390 á337 ó110 ő88 ö82 ü62 í50 ú24 ű18",
        "č90 š90 ć70 ž50 đ20",
        "ă240 ş155 î140 ţ100 â90",
    ),
    "cp1254": ("ı511 ü185 ş178 ğ125 ç116 ö78 â5",),
    "cp1257": (
        "ė155 š130 ų130 ž80 ą70 į60 ū50 č40 ę20",
        "ā390 ē170 ī160 š100 ū60 ņ60 ļ40 ž30 ķ20 č10 ģ5",
    ),
}
# Alphabets from the most frequent letter to the least.
_ALPHABETS = {
    "cyrillic": (
        "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё",
        "оанвіиертслкудмпязьбгйчхцжшющєїфґ'",
        "аоеинтрсвлкдпмузбъяйгчцшхжщфюь",
        "аиоенртсјкувлдмпгзбћчшцжљњхђфџ",
    ),
    "greek": ("ατοιεηνσρκπυςμλωίόέάγήδύχθώφβξζψϊϋ",),
    "hebrew": ("יוהלאתרבשמנחדכעקפגסםטזןצךףץ",),
    "arabic": ("اليمنورتبةعدسفهكقحأجشطصىخإذزثئضظغآءؤ",),
    "thai": ("านรอกเงมยลวดทสตะปบคหแจพชขใไโผถซณฟธศษภญฐฉฏึืัี่้าิุูำ์็",),
}
_SIMPLIFIED = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么"
    "去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又"
    "关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海"
    "通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管"
    "期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北"
    "边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运推闭折叠拿举落跑跳坐站转翻倒握抓扔投割洗擦穿脱吃喝写读按压拍踢球游"
    "泳骑车弹奏唱舞左右挥盖撕滚摇杯瓶纸盒桌"
)
_TRADITIONAL = (
    "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作里用道行所然家種事成方多經麼"
    "去法學如都同現當沒動面起看定天分還進好小部其些主樣理心她本前開但因只從想實日軍者意無力它與長把機十民第公此已工使情明性知全三又"
    "關點正業外將兩高間由問很最重並物手應戰向頭文體政美相見被利什二等產新己制身果加西月話合回特代內信表化老給世位次度門任常先海通教"
    "兒原東聲提立及比員解水名真論處走義各入幾口認條平系氣題活更別打女變四神總何電數安少報才結反受目太量再感建務做接必場件計管推拉閉"
    "折疊展拿放舉落跑跳坐站轉翻倒握抓扔投切割洗擦穿脫吃喝寫讀按壓拍踢球游泳騎車彈奏唱舞左右揮蓋撕滾搖"
)
_JAPANESE = (
    "日一国人年大十二本中長出三時行見月分後前生五間上東四今金九入学高円子外八六下来気小七山話女北午百書先名川千水半男西電校語土木聞"
    "食車何南万毎白天母火右読友左休父雨開閉折畳展押引取置持走歩跳投打切洗飲回転倒起立座手足頭体動作物落会社自者地事場方合業部内新実"
    "現同定性的力対全明通理発着当不言思要用員成関表度"
)
_KOREAN = (
    "이다는을의에가고하지를은한로기도어사자인나시리아대서정있수해그들라일스으부전보장과원주게공제만상면세구성우조비소여동마국신와선문화개"
    "관년경계거내물미용무것오안유연생었실모중위까던적진치요산호교할되발민방영통분히러행재학단회업말트저심입식현강드력며열람같명당속작건점"
    "없받때쓰더운결형출월남향불간음타양바후외법약질차노각금등특목손달걸최준배직반두번체알려감길집터평초펼접닫돌밀기뛰걷앉"
)


@dataclass(frozen=True)
class CodePage:
    """One way to read bytes: Python's ``codec``, what people call it, how common it is for tables
    (relative), and what is written in it: a Latin code page's name in `_LATIN`, an alphabet, or
    *chinese*, *traditional*, *japanese*, *korean*.
    """

    codec: str
    name: str
    weight: float
    script: str


CODE_PAGES = (
    CodePage("cp1252", "Windows-1252 (Western)", 8, "cp1252"),
    CodePage("cp1250", "Windows-1250 (Central European)", 1, "cp1250"),
    CodePage("cp1254", "Windows-1254 (Turkish)", 0.7, "cp1254"),
    CodePage("cp1257", "Windows-1257 (Baltic)", 0.4, "cp1257"),
    CodePage("mac_roman", "Mac Roman", 1, "cp1252"),
    CodePage("cp850", "DOS 850", 0.3, "cp1252"),
    CodePage("iso8859_2", "ISO 8859-2 (Central European)", 0.3, "cp1250"),
    CodePage("cp1251", "Windows-1251 (Cyrillic)", 3, "cyrillic"),
    CodePage("koi8_u", "KOI8 (Cyrillic)", 0.2, "cyrillic"),
    CodePage("cp866", "DOS 866 (Cyrillic)", 0.2, "cyrillic"),
    CodePage("mac_cyrillic", "Mac Cyrillic", 0.2, "cyrillic"),
    CodePage("iso8859_5", "ISO 8859-5 (Cyrillic)", 0.1, "cyrillic"),
    CodePage("cp1253", "Windows-1253 (Greek)", 1, "greek"),
    CodePage("cp1255", "Windows-1255 (Hebrew)", 1, "hebrew"),
    CodePage("cp1256", "Windows-1256 (Arabic)", 1, "arabic"),
    CodePage("cp874", "Windows-874 (Thai)", 1, "thai"),
    CodePage("gb18030", "GB18030 (Chinese)", 4, "chinese"),
    CodePage("big5hkscs", "Big5 (Chinese)", 1.5, "traditional"),
    CodePage("cp932", "Shift-JIS (Japanese)", 3, "japanese"),
    CodePage("euc_jp", "EUC-JP (Japanese)", 0.5, "japanese"),
    CodePage("cp949", "EUC-KR (Korean)", 2, "korean"),
)


@dataclass(frozen=True)
class Reading:
    """What bytes say in a code page: how likely (log), and its distinct words beyond ASCII."""

    page: CodePage
    likelihood: float
    words: tuple[str, ...]

    def example(self, other: Reading | None = None) -> str:
        """The longest word, of those that are none of ``other`` if there are some."""
        known = set() if other is None else set(other.words)
        return max(set(self.words) - known or self.words, key=lambda word: (len(word), word))


def decided(found: Sequence[Reading]) -> bool:
    """Whether the first of ``found`` is likely enough beside the next: three times among Windows'
    Latin code pages, which differ in few letters, fifty times elsewhere.
    """
    if len(found) < 2:
        return bool(found)
    near = all(reading.page.codec in _LATIN for reading in found[:2])
    return found[0].likelihood - found[1].likelihood > math.log(3 if near else 50)


def readings(content: bytes, expected: Collection[str] = ()) -> list[Reading]:
    """The ways ``content`` can be read, the likeliest first; of those that say the same, one.

    ``expected`` are names that are likely to come in it, such as those of the classes.
    """
    cells = sorted({cell for cell in _CELLS.split(content) if not cell.isascii()})[:MOST_CELLS]
    found: dict[str, Reading] = {}
    for page in CODE_PAGES:
        try:
            text = "\n".join(cell.decode(page.codec) for cell in cells)
        except UnicodeDecodeError:
            continue
        words = sorted({word for word in _WORDS.findall(text) if not word.isascii()})
        if not words or any(
            unicodedata.category(letter) in _NO_TEXT for letter in set(text) - {"\n"}
        ):
            continue
        length = sum(not letter.isascii() for word in words for letter in word)
        likelihood = _likelihood(words, page.script)
        if likelihood < FLOOR * length:
            continue
        likelihood += math.log(page.weight)
        likelihood += math.log(1000) * sum(not name.isascii() and name in text for name in expected)
        if text not in found or found[text].likelihood < likelihood:
            found[text] = Reading(page, likelihood, tuple(words))
    return sorted(found.values(), key=lambda reading: -reading.likelihood)


def _likelihood(words: Sequence[str], script: str) -> float:
    """The log likelihood of ``words`` in the language of ``script`` that fits them best."""
    odd = sum(_odd(word, script) for word in words)
    if all(len(word) == 1 or word.isupper() for word in words):
        odd += math.log(0.05)
    letters = [letter for word in words for letter in _folded(word, script) if not letter.isascii()]
    return odd + max(
        sum(table.get(letter, _of_sign(letter)) for letter in letters) for table in _tables(script)
    )


def _folded(word: str, script: str) -> Iterator[str]:
    for letter in word:
        small = letter.lower()
        # The capital İ of Turkish folds to an i with a dot above it.
        yield "ı" if letter == "İ" and script == "cp1254" else small if len(small) == 1 else letter


def _of_sign(letter: str) -> float:
    return math.log(0.002) if letter in _TYPOGRAPHY else _UNHEARD_OF


def _odd(word: str, script: str) -> float:
    """What speaks against ``word`` whatever its letters are."""
    pairs = list(itertools.pairwise(word))
    faults = sum(a.islower() and b.isupper() for a, b in pairs)
    if script in _ALPHABETS:
        faults += sum(a.isascii() != b.isascii() and a.isalpha() and b.isalpha() for a, b in pairs)
    faults += sum(
        unicodedata.category(letter)[0] in "SP" and letter not in "’・"
        for letter in word[1:-1]
        if not letter.isascii()
    )
    faults += (
        len(word) == 1
        and word.isalpha()
        and ((script in _LATIN or script in _ALPHABETS) and word.lower() not in _ALONE)
    )
    return _ODD * faults


@cache
def _tables(script: str) -> tuple[dict[str, float], ...]:
    """For each language of ``script`` its letters with the logarithms of their shares."""
    if script in _LATIN:
        return tuple(
            {item[0]: math.log(float(item[1:]) / 10_000) for item in language.split()}
            for language in _LATIN[script]
        )
    if script in _ALPHABETS:
        return tuple(
            {letter: -math.log(9) - rank / 9 for rank, letter in enumerate(alphabet)}
            for alphabet in _ALPHABETS[script]
        )
    return (_ideographs(script),)


def _ideographs(script: str) -> dict[str, float]:
    """Characters of the first level of a national standard, the most common ones first."""
    rows, codec, common, usual = {
        "chinese": (range(0xB0, 0xD8), "gb2312", _SIMPLIFIED, 0.6),
        "traditional": (range(0xA4, 0xC7), "big5", _TRADITIONAL, 0.6),
        "japanese": (range(0xB0, 0xD0), "euc_jp", _JAPANESE, 0.3),
        "korean": (range(0xB0, 0xC9), "euc_kr", _KOREAN, 0.7),
    }[script]
    found: dict[str, float] = {}
    for row in rows:
        for cell in (*range(0x40, 0x7F), *range(0xA1, 0xFF)):
            character = bytes((row, cell)).decode(codec, "ignore")
            if len(character) == 1 and not character.isascii():
                found[character] = math.log((1 - usual) / 4000)
    frequent = set(common)
    found |= dict.fromkeys(frequent, math.log(usual / len(frequent)))
    if script == "japanese":
        kana = [chr(code) for code in (*range(0x3041, 0x3094), *range(0x30A1, 0x30F7), 0x30FC)]
        found |= dict.fromkeys(kana, math.log(0.4 / len(kana)))
    found |= dict.fromkeys("，。、；：（）「」・！？　", math.log(0.002))
    return found

"""Names of people: a form for display, what was beside the name in its cell, and keys for comparison."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from childdb.cleaning.syllables import is_syllable, mend_misplaced_tone, tone_form
from childdb.cleaning.text import (
    APOSTROPHES,
    LOOK_ALIKES,
    RULE_LOOK_ALIKE,
    RULE_SCRIPT,
    SPACES,
    SUSPICIONS,
    VIETNAMESE_LOWER,
    VIETNAMESE_UPPER,
    clean_text,
    fold,
)

RULE_CASE = "NAME-001"
RULE_TONE = "NAME-002"
RULE_NOTE = "NAME-003"
RULE_PLACEHOLDER = "NAME-004"
RULE_MISSING = "NAME-005"
RULE_NO_MARKS = "NAME-006"
RULE_JOINED = "NAME-007"
RULE_SHORTENED = "NAME-008"
RULE_SIGNS = "NAME-009"

_WORD = f"[{VIETNAMESE_UPPER}][{VIETNAMESE_LOWER}]*"
PLAIN_NAME = f"^{_WORD}(?: {_WORD})*$"
# A name that looks plain and still needs a look: a tone on the u of qu or the i of gi, a dummy, lost marks. Three
# patterns, because each alone is found fast: by its letters, from the end, from the beginning.
ODD_NAMES = (
    "Qú|Qù|Qủ|Qũ|Qụ|Gí|Gì|Gỉ|Gĩ|Gị",
    " (?:Văn|Thị) [A-DXZ]$",
    "^(?:Nguyen|Tran|Pham|Huynh|Vuong|Truong|Luong|Duong|Dang|Bui) ",
)
_LONE_PLACEHOLDERS = frozenset(
    ["trai", "gai", "be", "be trai", "be gai", "con trai", "con gai", "chua dat ten", "chua co ten", "chua ro ten",
     "chua ten", "so sinh", "tre so sinh", "moi sinh", "em be", "tre em", "cu ti", "chau be", "chau trai", "chau gai",
     "khong ten", "khong ro ten", "vo danh", "chua dat", "chua khai sinh", "be moi sinh", "ten", "ho va ten", "test",
     "be so sinh", "nam", "nu", "x", "xx", "xxx", "abc"]
)  # fmt: skip
# E and Y are given names of their own, or Ê and Ý without their mark.
_DUMMY = re.compile(r"(?:^|\s)(?:Văn|Thị|Van|Thi)\s+[A-DXZ]$")
_KIND = "bé|em bé|em|trẻ em|trẻ|cháu bé|cháu|con|be|em be|tre em|tre"
_NO_NAME = (
    "(?:chưa|không|chua|khong)(?: (?:đặt|có|rõ|biết|dat|co|ro|biet))? (?:họ |ho )?(?:tên|ten)"
    "|(?:chưa|chua) (?:có |làm |co |lam )?khai sinh"
)
_PLACEHOLDER = re.compile(
    rf"(?:{_KIND})?(?: ?(?:trai|gái|gai|nam|nữ|nu))?(?: ?(?:sơ sinh|mới sinh|so sinh|moi sinh))?(?:[ (]*(?:{_NO_NAME})\)?)?"
)
# A child named after whose it is has no name yet: "con bà Lan".
_CHILD_OF = re.compile(r"(?:con|cháu) (?:bà|ông|chị|anh|cô|mẹ|bố|ba|ong|chi|co|me|bo) ")
_NOBODY = re.compile(
    r"(?:khong|ko|chua|k)(?: (?:co|ro|biet|xac dinh|xac dinh duoc))?(?: (?:cha|me|bo|ma|thong tin|ai|nguoi giam ho))+"
)
_MISSING = frozenset(
    ["khong", "khong co", "khong ro", "khong biet", "khong xac dinh", "khong ro ho ten", "khong ten", "chua ro",
     "chua co", "chua xac dinh", "ko", "ko ro", "ko co", "ko biet", "null", "none", "nan", "n/a",
     "trong", "khuyet", "k ro", "k co", "khong khai", "bo trong"]
)  # fmt: skip
_NOTE_WORDS = (
    "con|chau|ba|ong|da|chuyen|chet|mat|o|tam|sinh|song|khuyet|dang|di|theo|me|bo|cha|anh|chi|em|nuoi|ghi|xem|"
    "trung|moi|chua|khong|nghi|hoc|benh|ten|goi|tuc|mo coi|quoc tich|nam|nu"
)
_NOTE_START = re.compile(rf"^(?:{_NOTE_WORDS})\b", re.IGNORECASE)
_PARENTHESIS = re.compile(r"^([^()\[\]]{2,}?)\s*[(\[]([^()\[\]]*)[)\]]?\s*$")
_SEPARATED = re.compile(r"^(.{2,}?)(?:\s+[-–—]+\s*|\s*[-–—]+\s+|\s*[,;/]\s*|\s+:\s+)(\S.*)$")
_TIGHT = re.compile(
    rf"^(.{{2,}}?)[-–—]((?:{_NOTE_WORDS}|bà|ông|đã|chị|mẹ|bố|chết|mất|ở|tạm|đang|cháu|chuyển)\s.+)$"
)
_LETTER_WORDS = re.compile(r"[^\W\d_]+(?:['’ʼ][^\W\d_]+)*['’ʼ]?\.?")
_HUMPED = re.compile(
    rf"^(?:[{VIETNAMESE_UPPER}](?=[{VIETNAMESE_UPPER}]))?(?:[{VIETNAMESE_UPPER}][{VIETNAMESE_LOWER}]+)+$"
)
_WORD_OF_NAME = re.compile(r"(?:[^\W\d_]|['’ʼ.\-?\ufffd\u0300-\u036f])+")
_SURNAMES = re.compile(r"^(?:Nguyễn|Trần|Phạm|Hoàng|Huỳnh|Phan|Vũ|Võ|Đặng|Bùi|Dương|Trương)(?=[^\W\d_])")
_ASCII_SURNAMES = ("nguyen", "tran", "pham", "huynh", "vuong", "truong", "luong", "duong", "dang", "bui")


@dataclass(frozen=True, slots=True)
class NameResult:
    """A name for display (None if there is none), the note split off it, and the rules that applied."""

    value: str | None
    note: str | None = None
    rules: tuple[str, ...] = ()


@lru_cache(maxsize=262144)
def clean_name(value: str) -> NameResult:
    """Return the name of a person for display; marks and letters are never guessed.

    >>> clean_name("NGUYỄN  THỊ HÒA (đã chuyển đi)").value
    'Nguyễn Thị Hòa'
    >>> clean_name("H'Linh Niê").value
    "H'Linh Niê"
    """
    text, rules = clean_text(value)
    if text is None:
        return NameResult(None, None, rules)
    mapped = text.translate(LOOK_ALIKES)
    found = [*rules, *([RULE_LOOK_ALIKE] if mapped != text else [])]
    if is_missing_word(mapped):
        return NameResult(None, None, (*found, RULE_MISSING))
    if any(rule in SUSPICIONS for rule in found):
        # Text that looks like an instruction is stored as received; nothing of it is read or moved.
        return NameResult(mapped, None, tuple(found))
    if _has_foreign_sign(mapped):
        return NameResult(None, None, (*found, RULE_SCRIPT))
    name, note = _without_notes(mapped)
    found += [RULE_NOTE] if note else []
    name = _display(name, found)
    return NameResult(name or None, note, tuple(found))


def _without_notes(text: str) -> tuple[str, str | None]:
    """Return a name and all its notes: what one leaves behind may be the sign of another."""
    name, notes = text, list[str]()
    while True:
        shorter, note = split_note(name)
        notes = [note, *notes] if note else notes
        if shorter == name:
            return name, "; ".join(notes) or None
        name = shorter


def clean_child_name(value: str) -> NameResult:
    """Return the name of a child; a word for a name not yet given is no name, it stays beside as received."""
    result = clean_name(value)
    if result.value is None or not (is_placeholder(result.value) or _says_no_name(result.note)):
        return result
    rules = tuple(rule for rule in result.rules if rule != RULE_CASE)
    return NameResult(None, result.note, (*rules, RULE_PLACEHOLDER))


def _says_no_name(note: str | None) -> bool:
    return bool(note and re.fullmatch(_NO_NAME, note.lower().strip(" .")))


def _display(name: str, found: list[str]) -> str:
    words = [_display_word(word) for word in name.split(" ")]
    for rule in (RULE_TONE, RULE_CASE):
        if any(rule in rules for _, rules in words):
            found.append(rule)
    text = " ".join(word for word, _ in words)
    found += _remarks(text)
    return text


@lru_cache(maxsize=65536)
def _display_word(word: str) -> tuple[str, tuple[str, ...]]:
    """Return a word as a name shows it, with the rules for its tone and capitals."""
    mended = mend_misplaced_tone(word)
    cased = title_word(mended)
    rules = ((RULE_TONE,) if mended != word else ()) + ((RULE_CASE,) if cased != mended else ())
    return cased, rules


LETTERS_ONLY = rf"^[{VIETNAMESE_UPPER}{VIETNAMESE_LOWER}]+(?: [{VIETNAMESE_UPPER}{VIETNAMESE_LOWER}]+)*$"
_FIRST_WORDS_OF_REMARKS = frozenset(
    "trai gái bé con chưa không sơ mới em cu cháu vô nam nữ tên họ test trẻ ko trống khuyết bỏ null none nan x xx xxx abc "
    "gai be chua khong so moi chau vo nu ten ho tre trong khuyet bo".split()
)


def quick_word(word: str) -> str | None:
    """Return a word of letters as a name shows it, or None where its name needs a closer look."""
    shown, rules = _display_word(word)
    return None if RULE_TONE in rules or shown[1:] != shown[1:].lower() else shown


def opens_a_remark(word: str) -> bool:
    """Return whether a cell that begins with a word may be a remark or a word for no name."""
    return word.lower() in _FIRST_WORDS_OF_REMARKS


def _remarks(name: str) -> list[str]:
    remarks = []
    if name.isascii() and name.split(" ")[0].lower() in _ASCII_SURNAMES and " " in name:
        remarks.append(RULE_NO_MARKS)
    if any(_SURNAMES.match(word) and not is_syllable(word) for word in name.split(" ")):
        remarks.append(RULE_JOINED)
    if "." in name:
        remarks.append(RULE_SHORTENED)
    if re.search(r"[^\w\s.'’ʼ\-?\ufffd]|[\d_]", name):
        remarks.append(RULE_SIGNS)
    return remarks


@lru_cache(maxsize=65536)
def title_word(word: str) -> str:
    """Return a word with a capital in front and the rest small; words with several humps stay as written.

    >>> title_word("NGUYỄN"), title_word("RơChâm"), title_word("H'LINH"), title_word("NguyễN")
    ('Nguyễn', 'RơChâm', "H'Linh", 'Nguyễn')
    """
    if _HUMPED.match(word) or not _WORD_OF_NAME.fullmatch(word):
        return word
    if word[0].isupper() and word[1:] == word[1:].lower():
        # H'linh and H'Linh are both written; which one is the family's business.
        return word
    parts = re.split(r"(['’ʼ.\-])", word)
    return "".join(_title_part(part) for part in parts)


def _title_part(part: str) -> str:
    if not part or _HUMPED.match(part):
        return part
    lowered = unicodedata.normalize("NFC", part[1:].lower())
    head = part[0].upper()
    return (head if len(head) == 1 else part[0]) + lowered


def split_note(text: str) -> tuple[str, str | None]:
    """Return the name and the note written behind it in parentheses or after a dash or comma.

    >>> split_note("Nguyễn Thị Hòa - con bà Lan")
    ('Nguyễn Thị Hòa', 'con bà Lan')
    """
    note: list[str] = []
    match = _PARENTHESIS.match(text)
    if match and _LETTER_WORDS.search(match[1]):
        text = match[1].strip()
        note = [match[2].strip()]
    match = _SEPARATED.match(text) or _TIGHT.match(text)
    if match and _LETTER_WORDS.search(match[1]) and _is_note(match[2]):
        text = match[1].strip()
        note.insert(0, match[2].strip())
    text = text.strip(" ,;:-–—") if note else text
    joined = "; ".join(part for part in note if part)
    return text, joined or None


def _is_note(text: str) -> bool:
    """Return whether text behind a separator is a remark: it starts small and with a word remarks start with."""
    return text[0].islower() or bool(_NOTE_START.match(fold(text)) and not text.istitle())


def is_placeholder(name: str) -> bool:
    """Return whether a name stands for one not yet given (Trai, Gái, Chưa đặt tên, Nguyễn Văn A)."""
    text = name.lower().rstrip(" .")
    if fold(name).rstrip(".") in _LONE_PLACEHOLDERS or _DUMMY.search(name):
        return True
    return bool(text) and bool(_PLACEHOLDER.fullmatch(text) or _CHILD_OF.match(text))


def is_missing_word(text: str) -> bool:
    """Return whether a cell says in words or signs that there is no name; NA is a name, not a NULL."""
    plain = fold(text).strip(" .-–—_/*?0")
    if not plain:
        return not any(letter.isalpha() for letter in text)
    if _NOBODY.fullmatch(plain):
        return True
    return plain in _MISSING and not (plain in ("nan", "none") and text.istitle())


def _has_foreign_sign(text: str) -> bool:
    """Return whether a name holds letters of another script, emoji or private signs."""
    if text.isascii():
        return False
    return any(_is_foreign(letter) for letter in text if not letter.isascii())


@lru_cache(maxsize=8192)
def _is_foreign(letter: str) -> bool:
    category = unicodedata.category(letter)
    if category in ("So", "Sk", "Co", "Cn", "Cs", "Cf", "No", "Sm", "Nl", "Nd"):
        return letter not in "´¨`°ºª\ufffd"
    return category.startswith("L") and not unicodedata.name(letter, "").startswith(
        ("LATIN", "MODIFIER LETTER")
    )


@lru_cache(maxsize=262144)
def match_key(name: str) -> str:
    """Return a name without case, marks, apostrophes or spare spaces; for comparison only, never for display.

    >>> match_key("Nguyễn Thị  Ánh"), match_key("H’Linh Niê")
    ('nguyen thi anh', 'hlinh nie')
    """
    return SPACES.sub(" ", re.sub(r"[^\w\s?]|_", "", APOSTROPHES.sub("", fold(name)))).strip()


@lru_cache(maxsize=262144)
def tone_key(name: str) -> str:
    """Return a name in lower case with its marks, equal for both styles of tone placement."""
    lowered = APOSTROPHES.sub("", unicodedata.normalize("NFC", name)).casefold()
    return " ".join(tone_form(word) for word in lowered.split())


def joined_key(name: str) -> str:
    """Return letters and digits of a name without marks or spaces: H Linh, HLinh and H'Linh are one."""
    return re.sub(r"[\W_]+", "", APOSTROPHES.sub("", fold(name)))


def population_key(name: str) -> str:
    """Return the key the population service compares: upper case, no marks, letters and digits only."""
    return joined_key(name).upper()

"""Spellings of code lists: each becomes its code, or nothing and a finding; none is guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from childdb.cleaning.text import folded_key, marked_key
from childdb.reference import SeedFolder, mapping_rows, seed_rows

RULE_UNMAPPED = "CODE-001"
RULE_SEX_BARE = "CODE-002"
RULE_ETHNIC_BARE = "CODE-003"
RULE_ETHNIC_AMBIGUOUS = "CODE-004"
RULE_SPELLING = "CODE-005"
RULE_UNDECIDED_MARK = "CODE-006"
RULE_ETHNIC_LIST = "CODE-007"
RULE_SEX_PROFILE = "CODE-008"
RULE_MISSING_WORD = "CODE-009"

_MISSING = frozenset(
    ["", "chuaro", "khongro", "chuaxacdinh", "chuaco", "null", "none", "nan", "na", "koro", "khongbiet"]
)
_NONE_WORDS = frozenset(["khong", "ko", "khongco", "binhthuong", "khongthuoc", "0", "k"])
_SIGNS = re.compile(r"[-–—_.*?\s/]*")


@dataclass(frozen=True, slots=True)
class CodeResult:
    """A code, or None with the rule that says why."""

    value: str | None
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CodeList:
    """The spellings of one list: with marks, and without marks where that leaves a single code."""

    marked: dict[str, str]
    folded: dict[str, str]
    plain: frozenset[str]
    codes: frozenset[str]


def _key(text: str) -> str:
    return marked_key(text) or text.strip()


@cache
def code_list(name: str) -> CodeList:
    """Return the spellings of one list of the commune export, as the seed has them."""
    marked: dict[str, str] = {}
    folded: dict[str, set[str]] = {}
    plain: set[str] = set()
    for row in mapping_rows(name):
        marked.setdefault(_key(row["spelling"]), row["code"])
        folded.setdefault(folded_key(row["spelling"]), set()).add(row["code"])
        plain.add(row["spelling"])
    single = {key: next(iter(codes)) for key, codes in folded.items() if key and len(codes) == 1}
    return CodeList(marked, single, frozenset(plain), frozenset(marked.values()))


@lru_cache(maxsize=65536)
def map_code(value: str, list_name: str) -> CodeResult:
    """Return the code of a spelling in one list.

    >>> map_code("Hộ cận nghèo", "poverty_statuses").value
    'near_poor'
    """
    code = find_code(value, list_name)
    if code is not None:
        return CodeResult(code)
    if _SIGNS.fullmatch(value) or folded_key(value) in _MISSING | _NONE_WORDS:
        return CodeResult(None, (RULE_MISSING_WORD,))
    return CodeResult(None, (RULE_UNMAPPED,))


def find_code(value: str, list_name: str) -> str | None:
    """Return the code of a spelling, with its marks or typed without any; None if the list has no such spelling."""
    spellings = code_list(list_name)
    code = spellings.marked.get(_key(value))
    if code is None and value.isascii():
        code = spellings.folded.get(folded_key(value))
    return code


@lru_cache(maxsize=65536)
def map_codes(value: str, list_name: str) -> CodeResult:
    """Return the codes of a cell that lists several, joined by a semicolon in the order of the list of codes."""
    whole = map_code(value, list_name)
    if whole.value is not None or RULE_MISSING_WORD in whole.rules:
        return whole
    results = [map_code(part, list_name) for part in _list_parts(value, list_name)]
    codes = sorted({result.value for result in results if result.value is not None})
    rules = tuple(sorted({rule for result in results for rule in result.rules}))
    return CodeResult(";".join(codes) or None, rules or whole.rules if not codes else rules)


def _list_parts(value: str, list_name: str) -> list[str]:
    """Return the parts of a list; a comma divides only what is no wording of the list as a whole."""
    parts: list[str] = []
    for part in re.split(r"[;\n|]", value):
        if find_code(part, list_name):
            parts.append(part)
        else:
            parts += re.split(r"[,/+]|\svà\s", part)
    return [part.strip(" .-+") for part in parts if part.strip(" .-+")]


# --- ethnic groups -------------------------------------------------------------------------------------------------

_LIST_1979, _LIST_2009 = "tctk_1979", "census_2009"
_ETHNIC_CODE = re.compile(r"0*([0-9]{1,2})(?:\.0)?")
_ETHNIC_LABELLED = re.compile(
    r"([0-9]{1,2})\s*[-–.:)]?\s*([^\W\d].*)|([^\W\d].*?)\s*[(\-–:]\s*([0-9]{1,2})\)?"
)


@cache
def _ethnic_spellings() -> tuple[dict[str, set[str]], dict[str, set[str]], dict[str, str]]:
    marked: dict[str, set[str]] = {}
    folded: dict[str, set[str]] = {}
    official: dict[str, str] = {}
    for row in mapping_rows("ethnic_groups"):
        marked.setdefault(marked_key(row["spelling"]), set()).add(row["code"])
        folded.setdefault(folded_key(row["spelling"]), set()).add(row["code"])
        if row["provenance"] == "official name":
            official[marked_key(row["spelling"])] = row["code"]
    return marked, folded, official


@cache
def _ethnic_codes() -> tuple[frozenset[str], dict[str, str]]:
    rows = seed_rows(SeedFolder.CODES, "codes_ethnic_groups")
    by_2009 = {
        row["census_list_2009_code"]: row["ethnic_group_code"] for row in rows if row["census_list_2009_code"]
    }
    return frozenset(row["ethnic_group_code"] for row in rows), by_2009


@lru_cache(maxsize=65536)
def map_ethnic_group(value: str, stated_list: str | None = None) -> CodeResult:
    """Return the 1979 code of an ethnic group; a bare code counts only where its list is known or both agree.

    >>> (
    ...     map_ethnic_group("H'Mông").value,
    ...     map_ethnic_group("06").value,
    ...     map_ethnic_group("06", "tctk_1979").value,
    ... )
    ('08', None, '06')
    """
    whole = _named_ethnic(value)
    if whole.value is not None:
        return whole
    text = re.sub(r"(?i)^\s*(?:dân\s*tộc|dan\s*toc|người|dt\.?)\s+(?=\S)", "", value).strip(" .,;:")
    bare = _ETHNIC_CODE.fullmatch(text)
    if bare:
        return _bare_ethnic(bare[1].zfill(2), stated_list)
    named = _named_ethnic(text)
    if named.value is None and (match := _ETHNIC_LABELLED.fullmatch(text)):
        labelled = _named_ethnic(match[2] or match[3])
        return labelled if labelled.value else named
    if RULE_UNMAPPED in named.rules and (_SIGNS.fullmatch(value) or folded_key(value) in _MISSING):
        return CodeResult(None, (RULE_MISSING_WORD,))
    return named


def _bare_ethnic(code: str, stated_list: str | None) -> CodeResult:
    codes, by_2009 = _ethnic_codes()
    if stated_list == _LIST_1979:
        return CodeResult(code) if code in codes else CodeResult(None, (RULE_UNMAPPED,))
    other = by_2009.get(code)
    if stated_list == _LIST_2009 and other:
        return CodeResult(other, (RULE_ETHNIC_LIST,))
    if code == other:
        return CodeResult(code)
    return CodeResult(None, (RULE_ETHNIC_BARE,) if code in codes else (RULE_UNMAPPED,))


def _named_ethnic(text: str) -> CodeResult:
    marked, folded, official = _ethnic_spellings()
    key = marked_key(text)
    if key in official:
        return CodeResult(official[key])
    found = marked.get(key) or (folded.get(folded_key(text)) if text.isascii() else None) or set()
    if len(found) == 1:
        return CodeResult(next(iter(found)))
    return CodeResult(None, (RULE_ETHNIC_AMBIGUOUS,) if found else (RULE_UNMAPPED,))


def ethnic_list_votes(value: str) -> str | None:
    """Return which list a cell with both code and label follows, or None where it does not tell."""
    match = _ETHNIC_LABELLED.fullmatch(value.strip(" ."))
    if not match:
        return None
    code = (match[1] or match[4]).zfill(2)
    named = _named_ethnic(match[2] or match[3]).value
    by_2009 = _ethnic_codes()[1].get(code)
    if named is None or code == by_2009:
        return None
    return _LIST_1979 if named == code else _LIST_2009 if named == by_2009 else None


# --- special circumstances -----------------------------------------------------------------------------------------

_CIRCUMSTANCE = re.compile(
    r"(?:SC|nhóm|nhom|mục|muc)?\s*0?([0-9]{1,2})(?:[.]0?([0-9]{1,2}))?[.)]?", re.IGNORECASE
)


@cache
def _circumstance_codes() -> frozenset[str]:
    return frozenset(
        row["circumstance_code"] for row in seed_rows(SeedFolder.CODES, "codes_special_circumstances")
    )


@lru_cache(maxsize=65536)
def map_circumstances(value: str, is_number: bool = False) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    """Return the codes of the special circumstances a cell names (empty if it says none) and the rules.

    >>> map_circumstances("4; 13")[0], map_circumstances("Trẻ em khuyết tật")[0]
    (('SC04', 'SC13'), ('SC04',))
    """
    if folded_key(value) in _NONE_WORDS or _SIGNS.fullmatch(value):
        return (), ()
    if is_number and "." in value.removesuffix(".0"):
        # 4.13 in a number cell may be the list 4,13 or the sub-group 4.13.
        return None, (RULE_UNDECIDED_MARK,)
    whole = _one_circumstance(value)
    if whole:
        return (whole,), ()
    found: set[str] = set()
    rules: set[str] = set()
    for part in re.split(r"[;\n|]", value.removesuffix(".0") if is_number else value):
        _read_circumstances(part.strip(), found, rules)
    return (tuple(sorted(found)) or None, tuple(sorted(rules)))


def _read_circumstances(part: str, found: set[str], rules: set[str]) -> None:
    """Add the codes of one part of a list; commas split it only where the whole part is no known wording."""
    if not part:
        return
    code = _one_circumstance(part)
    if code:
        found.add(code)
        return
    pieces = [piece.strip() for piece in re.split(r"[,+/&]|\svà\s|\s-\s", part) if piece.strip()]
    codes = [_one_circumstance(piece) for piece in pieces]
    if len(pieces) == 1 or not any(codes):
        numbers = (
            [_one_circumstance(piece) for piece in part.split()] if re.fullmatch(r"[0-9. ]+", part) else []
        )
        codes = numbers if numbers and all(numbers) else [None]
    found.update(code for code in codes if code)
    if None in codes:
        rules.add(RULE_UNMAPPED)


def _one_circumstance(text: str) -> str | None:
    match = _CIRCUMSTANCE.fullmatch(text)
    if match:
        code = f"SC{int(match[1]):02d}" + (f".{int(match[2]):02d}" if match[2] else "")
        return code if code in _circumstance_codes() else None
    wording = re.sub(r"^\s*(?:[0-9]{1,2}\s*[.):-]|SC[0-9.]+\s*[-:.])\s*", "", text)
    for candidate in (wording, re.sub(r"(?i)^(?:trẻ em|trẻ|tre em|tre)\s+", "", wording)):
        found = find_code(candidate, "special_circumstances")
        if found:
            return found
    return None


def forget_answers() -> None:
    """Forget what was answered from the lists of spellings; the next answers read them anew."""
    for cached in (code_list, map_code, map_codes, map_ethnic_group, map_circumstances, _ethnic_spellings):
        cached.cache_clear()

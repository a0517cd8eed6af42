"""The fields of a row by family: texts, names, codes, measures. Each returns columns and marks."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from childdb.cleaning import codes, measures, names
from childdb.cleaning.encodings import (
    NOT_ASCII,
    UNICODE_ONLY,
    UNICODE_ONLY_1258,
    CodePage,
    Decision,
    Encoding,
    convert_cell,
    is_unread,
)
from childdb.cleaning.text import PLAIN_TEXT, clean_text
from childdb.cleaning.vectors import (
    Mark,
    distinct,
    in_order,
    judge_all,
    judge_odd,
    judge_rows,
    mark_where,
    matches,
    present,
    replace_rows,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from childdb.cleaning.facts import FileFacts

NAME_COLUMNS = ("ho_ten_tre", "ten_goi_khac", "ho_ten_chu_ho", "ho_ten_cha", "ho_ten_me", "ho_ten_giam_ho")
CODE_LISTS: Mapping[str, str] = {
    "da_dang_ky_khai_sinh": "binary_answers",
    "nguy_co": "binary_answers",
    "quoc_tich": "nationalities",
    "tinh_trang_cu_tru": "residence_statuses",
    "quan_he_chu_ho": "household_relations",
    "ho_ngheo": "poverty_statuses",
    "muc_do_khuyet_tat": "disability_levels",
    "tinh_trang_hoc_tap": "school_statuses",
    "tiem_chung": "vaccination_statuses",
    "bien_dong": "change_types",
}
SEVERAL_CODES: Mapping[str, str] = {"dang_tat": "disability_types", "ho_tro": "assistance_types"}
PLAIN_COLUMNS = (
    "stt", "ma_ho", "ma_tre", "ton_giao", "so_khai_sinh", "noi_dang_ky_khai_sinh", "the_bhyt", "noi_sinh", "que_quan",
    "thon", "dia_chi", "thuong_tru", "noi_o_hien_tai", "quan_he_giam_ho", "lop", "truong", "ly_do", "nguoi_nhap", "ghi_chu",
)  # fmt: skip
_ENCODING_RULES = {
    Encoding.TCVN3: "ENC-001",
    Encoding.VNI: "ENC-002",
    Encoding.VISCII: "ENC-003",
    Encoding.CP1258: "ENC-004",
    Encoding.MOJIBAKE: "ENC-005",
    Encoding.VIQR: "ENC-008",
}
RULE_UNREAD, RULE_MIXED = "ENC-006", "ENC-007"
_OLD_SIGNS = r"\p{L}[¡¢£¤¥¦§¨©ª«¬®¯±²³µ¶¸¹º»¼½¾¿×÷€ƒ„†‡‰‹œ]|[¡¢£¤¥¦§¨©ª«¬®¯±²³µ¶¸¹»¼½¾¿×÷€ƒ†‡‰œ]\p{L}|¾¾"
_MOJIBAKE_HINT = r"á[º»]|Ã|Ä|Æ|Å"


def decode_column(
    column: str, cells: pa.Array, decision: Decision | None, is_suspect: bool = True
) -> tuple[pa.Array, list[Mark]]:
    """Return a column in Unicode as its file was decided; cells that stay unreadable are marked."""
    marks: list[Mark] = []
    if decision is not None and decision.encoding is not None:
        rows = np.flatnonzero(_may_be_old(cells, decision))
        before = distinct(cells.take(pa.array(rows)))
        after = [convert_cell(value, decision) for value in before.values]
        rule = _ENCODING_RULES[decision.encoding]
        changed = [(rule,) if new != old else () for new, old in zip(after, before.values, strict=True)]
        marks = [Mark(column, rule, rows[mark.rows]) for mark in before.marks(column, changed)]
        cells = replace_rows(cells, rows, before.spread(after, pa.string()))
    return _empty_unread(column, cells, marks, is_suspect)


def _may_be_old(cells: pa.Array, decision: Decision) -> NDArray[np.bool_]:
    """Return which cells can be of the encoding of their column: none that holds a letter only Unicode has."""
    if decision.encoding is Encoding.VIQR:
        return ~matches(cells, NOT_ASCII) & matches(cells, r"[AEIOUYaeiouy][\^(+*'`?~.]|[Dd][Dd-]")
    unicode_only = UNICODE_ONLY if decision.page is CodePage.WINDOWS_1252 else UNICODE_ONLY_1258
    return matches(cells, NOT_ASCII) & ~matches(cells, unicode_only)


def _empty_unread(
    column: str, cells: pa.Array, marks: list[Mark], is_suspect: bool
) -> tuple[pa.Array, list[Mark]]:
    if not is_suspect:
        return cells, marks
    suspect = matches(cells, _MOJIBAKE_HINT)
    unread = np.zeros(len(cells), dtype=bool)
    for row in np.flatnonzero(suspect):
        unread[row] = is_unread(cells[int(row)].as_py())
    mixed = np.zeros(len(cells), dtype=bool)
    if column in NAME_COLUMNS:
        mixed = matches(cells, _OLD_SIGNS) & ~unread
    marks = [*marks, *mark_where(column, RULE_UNREAD, unread), *mark_where(column, RULE_MIXED, mixed)]
    rows = np.flatnonzero(unread | mixed)
    return replace_rows(cells, rows, pa.nulls(len(rows), pa.string())), marks


def clean_plain(column: str, cells: pa.Array) -> tuple[pa.Array, list[Mark]]:
    """Return a free text with single spaces and composed letters; its content is not judged."""
    return judge_odd(column, cells, PLAIN_TEXT, clean_text)


def clean_names(column: str, cells: pa.Array) -> tuple[pa.Array, pa.Array, list[Mark]]:
    """Return names for display, the notes split off them, and marks."""
    if cells.null_count == len(cells):
        return cells, cells, []
    judge = names.clean_child_name if column == "ho_ten_tre" else names.clean_name
    notes: dict[str, str] = {}

    def answer(value: str) -> tuple[str | None, tuple[str, ...]]:
        result = judge(value)
        if result.note:
            notes[value] = result.note
        return result.value, result.rules

    is_child = column == "ho_ten_tre"
    is_plain = matches(cells, names.PLAIN_NAME)
    quick, cased = set_capitals(cells, is_plain)
    is_plain[cased] = True
    is_odd = present(quick) & ~is_plain
    for pattern in names.ODD_NAMES:
        is_odd |= matches(quick, pattern)
    values, marks = judge_rows(column, quick, np.flatnonzero(is_odd), answer)
    values, more = _judge_words(column, values, _WORDS_OF_CHILD if is_child else _WORDS_OF_ADULT, answer)
    marks = in_order([Mark(column, names.RULE_CASE, cased), *marks, *more])
    return values, _notes(cells, notes), marks


def set_capitals(cells: pa.Array, is_plain: NDArray[np.bool_]) -> tuple[pa.Array, NDArray[np.int64]]:
    """Return names of plain letters with capitals set, and the rows changed; each distinct word is judged once."""
    rows = np.flatnonzero(present(cells) & ~is_plain)
    rows = rows[matches(cells.take(pa.array(rows)), names.LETTERS_ONLY)]
    if not len(rows):
        return cells, rows
    lists = pc.split_pattern(cells.take(pa.array(rows)), " ")
    words = distinct(lists.flatten())
    shown = [names.quick_word(word) for word in words.values]
    refused = np.array([word is None for word in shown])[words.places]
    offsets = lists.offsets.to_numpy()
    begins = np.array([names.opens_a_remark(word) for word in words.values])[words.places]
    firsts = offsets[:-1] - offsets[0]
    keep = ~(np.logical_or.reduceat(refused, firsts) | begins[firsts])
    spread = pa.array([word or "" for word in shown], pa.string()).take(pa.array(words.places))
    starts = pa.array(offsets - offsets[0], pa.int32())
    joined = pc.binary_join(pa.ListArray.from_arrays(starts, spread), " ")
    return replace_rows(cells, rows[keep], joined.filter(pa.array(keep))), rows[keep]


_WORDS_OF_CHILD = (
    r"(?i)^(?:con|cháu|em|trẻ|tre|bé|be|mới|moi|sơ|so|cu|chưa|chua|không|khong|ko|vô|vo|trai|gái|gai|nam|nữ|nu|danh|test|x+|abc|tên|ten)"
    r"(?: \p{L}+){0,6}$"
)
_WORDS_OF_ADULT = r"(?i)^(?:không|khong|chưa|chua|ko|k|null|none|nan|trống|khuyết|bỏ)(?: \p{L}+){0,5}$"


def _judge_words(column: str, values: pa.Array, words: str, answer: object) -> tuple[pa.Array, list[Mark]]:
    """Judge names that look plain and may be a word for no name."""
    rows = np.flatnonzero(matches(values, words))
    if not len(rows) or not callable(answer):
        return values, []
    found = distinct(values.take(pa.array(rows)))
    answers = [answer(value) for value in found.values]
    marks = [Mark(m.column, m.rule_id, rows[m.rows]) for m in found.marks(column, [a[1] for a in answers])]
    return replace_rows(values, rows, found.spread([a[0] for a in answers], pa.string())), marks


def _notes(cells: pa.Array, notes: Mapping[str, str]) -> pa.Array:
    if not notes:
        return pa.nulls(len(cells), pa.string())
    found = distinct(cells)
    return found.spread([notes.get(value) for value in found.values], pa.string())


def clean_sexes(cells: pa.Array, sex_marks: Mapping[str, str]) -> tuple[pa.Array, list[Mark]]:
    """Return sexes; bare marks count only as the file showed them."""

    def judge(value: str) -> tuple[str | None, tuple[str, ...]]:
        result = codes.map_code(value, "sexes")
        mark = value.strip().upper().removesuffix(".0")
        if result.value is not None or mark not in ("0", "1", "2", "3", "N"):
            return result.value, result.rules
        sex = sex_marks.get(mark)
        return sex, (codes.RULE_SEX_PROFILE if sex else codes.RULE_SEX_BARE,)

    return judge_all("gioi_tinh", cells, judge)


def clean_codes(column: str, cells: pa.Array, facts: FileFacts) -> tuple[pa.Array, list[Mark]]:
    """Return a column of codes by its list."""

    def judge(value: str) -> tuple[str | None, tuple[str, ...]]:
        text = clean_text(value)[0]
        if text is None:
            return None, clean_text(value)[1]
        if column == "dan_toc":
            result = codes.map_ethnic_group(text, facts.ethnic_list)
        elif column in SEVERAL_CODES:
            result = codes.map_codes(text, SEVERAL_CODES[column])
        else:
            result = codes.map_code(text, CODE_LISTS[column])
        return result.value, result.rules

    return judge_all(column, cells, judge)


def holds_ethnic_group(cells: pa.Array) -> NDArray[np.bool_]:
    """Return which cells hold the name of an ethnic group and cannot be a sex."""
    found = distinct(cells)
    held = [
        any(letter.isalpha() for letter in value)
        and codes.find_code(value, "sexes") is None
        and codes.map_ethnic_group(value).value is not None
        for value in found.values
    ]
    return np.array([*held, False])[found.places]


def clean_circumstances(cells: pa.Array, kinds: pa.Array, place: int) -> tuple[pa.Array, list[Mark]]:
    """Return the special circumstances as lists of codes."""
    is_number = (pl.Series(kinds).str.slice(place, 1) == "n").fill_null(False)
    keyed = text_with_kind(cells, is_number)
    found = distinct(keyed)
    answers = [codes.map_circumstances(value[1:], value[0] == "n") for value in found.values]
    values = found.spread([None if a[0] is None else list(a[0]) for a in answers], pa.list_(pa.string()))
    return values, found.marks("hoan_canh_dac_biet", [answer[1] for answer in answers])


def text_with_kind(cells: pa.Array, is_number: pl.Series) -> pa.Array:
    """Return texts with one letter in front that says whether the cell was a number."""
    text = pl.Series("cell", cells)
    flagged = pl.DataFrame({"cell": text, "number": is_number}).select(
        pl.when(pl.col("number")).then("n" + pl.col("cell")).otherwise("t" + pl.col("cell"))
    )
    return flagged.to_series().to_arrow().cast(pa.string())


def _restore_phone_zeros(column: str, cells: pa.Array) -> tuple[pa.Array, list[Mark]]:
    rows = np.flatnonzero(matches(cells, "^[2-9][0-9]{8}$"))
    values = ("0" + pl.Series(cells.take(pa.array(rows)))).to_arrow().cast(pa.string())
    return replace_rows(cells, rows, values), in_order([Mark(column, measures.RULE_PHONE_ZERO, rows)])


def clean_measure(column: str, cells: pa.Array, latest: date | None) -> tuple[pa.Array, list[Mark]]:
    """Return weights, heights, years of birth of adults and telephone numbers."""

    def judge(value: str) -> tuple[str | None, tuple[str, ...]]:
        if column == "can_nang":
            result = measures.read_weight(value)
        elif column == "chieu_cao":
            result = measures.read_height(value)
        elif column.startswith("dien_thoai"):
            result = measures.read_phone(value)
        else:
            result = measures.read_birth_year(value, latest.year if latest else None)
        return result.value, result.rules

    if column.startswith("dien_thoai"):
        cells, restored = _restore_phone_zeros(column, cells)
        values, marks = judge_odd(column, cells, "^0[1-9][0-9]{8,9}$", judge)
        return values, [*restored, *marks]
    return judge_all(column, cells, judge)

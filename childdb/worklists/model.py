"""Values of the work lists. Records of children hide their values when printed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class ItemClass(StrEnum):
    """The three classes of letter 2513/LĐTBXH-TTTT, in the order of the letter."""

    NO_NUMBER = "no_number"
    WRONG_FORMAT = "wrong_format"
    BASIC_DATA = "basic_data"


class Reason(StrEnum):
    """Why a child stands in a list."""

    NUMBER_MISSING = "number_missing"
    NUMBER_MALFORMED = "number_malformed"
    NUMBER_UNCONFIRMED = "number_unconfirmed"
    NAME_MISSING = "name_missing"
    BIRTH_DATE_MISSING = "birth_date_missing"
    BIRTH_DATE_INCOMPLETE = "birth_date_incomplete"
    SEX_MISSING = "sex_missing"
    ETHNIC_GROUP_MISSING = "ethnic_group_missing"
    GUARDIAN_MISSING = "guardian_missing"


class Result(StrEnum):
    """What the police may answer; the words are those of the drop-down."""

    PROVIDED = "Cung cấp số"
    CONFIRMED = "Xác nhận đúng"
    CORRECTED = "Sửa"
    NOT_FOUND = "Không tìm thấy"
    DUPLICATE = "Trùng"
    NOT_RESIDENT = "Không cư trú"
    MOVED = "Chuyển đi"
    DIED = "Đã chết"

    @property
    def brings_number(self) -> bool:
        """Whether the answer may carry a number."""
        return self in (Result.PROVIDED, Result.CONFIRMED, Result.CORRECTED)


class AnswerOutcome(StrEnum):
    """What became of one answered row."""

    APPLIED = "applied"
    HELD = "held"
    REFUSED = "refused"


class ItemState(StrEnum):
    """Where an item is in its life; the last two are its ends."""

    OPEN = "open"
    SENT = "sent"
    ANSWERED = "answered"
    APPLIED = "applied"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, repr=False)
class ListedChild:
    """One counted child with the columns a list shows; `commune_id` is where the list goes."""

    child_id: str
    record_id: str
    commune_id: str | None
    birth_date: date | None
    birth_date_precision: str
    birth_year: int | None
    sex: str | None
    is_number_confirmed: bool
    number: str | None
    shown: tuple[str, ...]
    """Texts of `SHOWN_COLUMNS`, in their order."""
    name: str | None = None
    ethnic_group: str | None = None
    has_guardian: bool = True
    has_number_text: bool = False

    def __repr__(self) -> str:
        return f"ListedChild(record_id={self.record_id!r})"


SHOWN_COLUMNS = (
    "ho_ten_tre",
    "ngay_sinh",
    "gioi_tinh",
    "dan_toc",
    "so_dinh_danh",
    "ho_ten_cha",
    "ho_ten_me",
    "ho_ten_giam_ho",
    "thon",
    "dia_chi",
)
"""The child's columns of a request list: enough for the police to know who is meant, no more."""

KEY_COLUMN = "ma_dong"
REASON_COLUMN = "ly_do"
INPUT_COLUMNS = ("so_dinh_danh_cung_cap", "ket_qua", "ghi_chu")
LIST_COLUMNS = (KEY_COLUMN, *SHOWN_COLUMNS, REASON_COLUMN, *INPUT_COLUMNS)


@dataclass(frozen=True, slots=True)
class Item:
    """One defect of one child, open until it is healed; the id tells nobody who the child is."""

    item_id: str
    child_id: str
    commune_id: str
    item_class: ItemClass
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, repr=False)
class ListRow:
    """One row of a request list."""

    row_key: str
    row_hash: str
    item: Item
    child: ListedChild

    def __repr__(self) -> str:
        return f"ListRow(item_id={self.item.item_id!r})"

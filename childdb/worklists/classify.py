"""Which lists a child belongs to, and why: pure, from the standardised record and the matching decision."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date, timedelta

from childdb.worklists.model import Item, ItemClass, ListedChild, Reason

REASONS_VI = {
    Reason.NUMBER_MISSING: "Chưa có số định danh cá nhân",
    Reason.NUMBER_MALFORMED: "Số định danh sai định dạng",
    Reason.NUMBER_UNCONFIRMED: "Số đã nhập chưa xác nhận được với dữ liệu dân cư",
    Reason.NAME_MISSING: "Thiếu hoặc sai họ và tên",
    Reason.BIRTH_DATE_MISSING: "Thiếu hoặc sai ngày sinh",
    Reason.BIRTH_DATE_INCOMPLETE: "Ngày sinh chưa đủ ngày, tháng, năm",
    Reason.SEX_MISSING: "Thiếu hoặc sai giới tính",
    Reason.ETHNIC_GROUP_MISSING: "Thiếu hoặc sai dân tộc",
    Reason.GUARDIAN_MISSING: "Thiếu cha, mẹ hoặc người giám hộ",
}
_NUMBER_CLASS = {
    Reason.NUMBER_MISSING: ItemClass.NO_NUMBER,
    Reason.NUMBER_MALFORMED: ItemClass.WRONG_FORMAT,
    Reason.NUMBER_UNCONFIRMED: ItemClass.WRONG_FORMAT,
}


def is_newborn(child: ListedChild, as_of: date, deadline_days: int) -> bool:
    """Return whether a child's birth may still be registered in time, so that no number is no defect yet."""
    if child.birth_date is None:
        return False
    return as_of - child.birth_date < timedelta(days=deadline_days)


def number_reason(child: ListedChild) -> Reason | None:
    """Return why the child's number is asked for; None where it is confirmed."""
    if child.is_number_confirmed:
        return None
    if child.number is not None:
        return Reason.NUMBER_UNCONFIRMED
    return Reason.NUMBER_MALFORMED if child.has_number_text else Reason.NUMBER_MISSING


def basic_reasons(child: ListedChild) -> tuple[Reason, ...]:
    """Return which of the fields named in the letter are missing or wrong."""
    found = []
    if not child.name:
        found.append(Reason.NAME_MISSING)
    if child.birth_date_precision == "unknown":
        found.append(Reason.BIRTH_DATE_MISSING)
    elif child.birth_date_precision != "day":
        found.append(Reason.BIRTH_DATE_INCOMPLETE)
    if child.sex is None:
        found.append(Reason.SEX_MISSING)
    if child.ethnic_group is None:
        found.append(Reason.ETHNIC_GROUP_MISSING)
    if not child.has_guardian:
        found.append(Reason.GUARDIAN_MISSING)
    return tuple(found)


def item_id(child_id: str, item_class: ItemClass) -> str:
    """Return the id of a child's defect of one class; the same at every export."""
    return hashlib.sha256(f"item|{child_id}|{item_class.value}".encode()).hexdigest()[:24]


def items_of(child: ListedChild) -> Iterable[Item]:
    """Yield the items of one child that has an addressee."""
    if child.commune_id is None:
        return
    reason = number_reason(child)
    if reason is not None:
        yield _item(child, child.commune_id, _NUMBER_CLASS[reason], (reason,))
    basic = basic_reasons(child)
    if basic:
        yield _item(child, child.commune_id, ItemClass.BASIC_DATA, basic)


def _item(child: ListedChild, commune_id: str, item_class: ItemClass, reasons: tuple[Reason, ...]) -> Item:
    return Item(item_id(child.child_id, item_class), child.child_id, commune_id, item_class, reasons)

"""Lists to the commune police: items opened and closed by evidence, workbooks written, the batch recorded.

Two passes over the children, so that memory does not grow with their number: the first lays out who stands in which list,
the second fetches the children of some communes at a time and writes their workbooks.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from psycopg import Connection

from childdb.errors import UsageError
from childdb.worklists import store
from childdb.worklists.classify import is_newborn, items_of
from childdb.worklists.fixes import Defect, follow_defects
from childdb.worklists.form import Form, birth_registration_days, form_on
from childdb.worklists.letter import LETTER_SUFFIX, LetterHead, LetterList, write_letter
from childdb.worklists.model import Item, ItemClass, ListedChild, ListRow
from childdb.worklists.rowkeys import row_hash, row_key
from childdb.worklists.source import ChildListSource
from childdb.worklists.vietnamese import name_sort_key, short_date, sort_key
from childdb.worklists.workbook import ListHead, write_list

CHILDREN_AT_ONCE = 20_000
"""Children whose rows are in memory together while workbooks are written."""


@dataclass(frozen=True, slots=True)
class ExportedList:
    """One workbook that was written."""

    path: Path
    commune_code: str
    item_class: ItemClass
    row_count: int


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export did."""

    batch_id: str
    as_of: date
    due_date: date
    folder: Path
    lists: tuple[ExportedList, ...]
    row_count: int
    newborn_count: int
    without_addressee_count: int
    events: Mapping[str, int]


@dataclass(slots=True)
class _Survey:
    """Counts of the first pass; the items themselves lie in a temporary table."""

    newborns: dict[str, list[str]] = field(default_factory=dict)
    without_addressee: int = 0


def export_requests(
    connection: Connection,
    source: ChildListSource,
    list_key: bytes,
    requests_dir: Path,
    as_of: date | None,
    actor: str,
) -> ExportReport:
    """Write the lists of a day and return what was written; the same children give the same batch again."""
    day = as_of or source.newest_file_date()
    if day is None:
        raise UsageError(
            "No list of children has a date yet: give the day of the lists with --as-of YYYY-MM-DD.",
            "Chưa có danh sách trẻ em nào có ngày: hãy cho ngày bằng --as-of NĂM-THÁNG-NGÀY.",
        )
    survey = _Survey()
    classes = [entry.value for entry in ItemClass]
    events = follow_defects(
        connection, classes, _survey_children(source, day, survey), day, actor, counted=source.counted
    )
    form = form_on(day)
    batch = batch_id_of(day, store.listed_items(connection))
    head = store.BatchRecord(
        batch,
        day,
        day + timedelta(days=form.due_days),
        (sum(map(len, survey.newborns.values())), survey.without_addressee),
    )
    writer = _Writer(form, head, list_key, requests_dir / batch)
    is_new = store.open_batch(connection, head)
    for rows in writer.write(connection, source, survey.newborns):
        if is_new:
            store.record_rows(connection, head, rows)
    row_count = store.close_batch(connection, head, actor, is_new=is_new)
    return ExportReport(
        batch, day, head.due_date, requests_dir / batch, tuple(writer.lists), row_count, *head.counts, events
    )


def _survey_children(source: ChildListSource, day: date, survey: _Survey) -> Iterator[Defect]:
    """Yield the items of a day; a child still in time for registration is kept apart, not asked for.

    A child without an addressee keeps its open items: they wait.
    """
    days = birth_registration_days(day)
    for child in source.children():
        if child.commune_id is None:
            survey.without_addressee += 1
            continue
        newborn = is_newborn(child, day, days)
        for item in items_of(child):
            if newborn and item.item_class is ItemClass.NO_NUMBER:
                survey.newborns.setdefault(child.commune_id, []).append(child.child_id)
            else:
                yield _defect(item)


def _defect(item: Item) -> Defect:
    reasons = tuple(reason.value for reason in item.reasons)
    return Defect(item.item_id, item.commune_id, reasons, item.item_class.value, child_id=item.child_id)


def batch_id_of(day: date, listed: Iterable[str]) -> str:
    """Return the batch's id: a function of the day and of what is asked, so a repeat is the same batch."""
    digest = hashlib.sha256(day.isoformat().encode())
    for item in sorted(listed):
        digest.update(b"\n" + item.encode())
    return f"{day:%Y%m%d}-{digest.hexdigest()[:10]}"


class _Writer:
    """Writes into a folder beside, then puts it in place whole: a killed export leaves no half batch."""

    def __init__(self, form: Form, head: store.BatchRecord, list_key: bytes, folder: Path) -> None:
        self._form, self._head, self._key, self._folder = form, head, list_key, folder
        self._fresh = folder.with_name(f".{folder.name}.new")
        self.lists: list[ExportedList] = []

    def write(
        self, connection: Connection, source: ChildListSource, newborns: Mapping[str, list[str]]
    ) -> Iterator[list[ListRow]]:
        """Write all workbooks and letters; yield the rows of each group of communes for the record."""
        shutil.rmtree(self._fresh, ignore_errors=True)
        self._fresh.mkdir(parents=True, mode=0o700)
        for items in _groups(store.listed_rows(connection)):
            communes = sorted({item.commune_id for item in items})
            young = {child for commune in communes for child in newborns.get(commune, ())}
            children = source.children_by_id({item.child_id for item in items} | young)
            rows: list[ListRow] = []
            for commune in communes:
                apart = [children[child] for child in newborns.get(commune, ()) if child in children]
                rows += self._commune([item for item in items if item.commune_id == commune], children, apart)
            yield rows
        shutil.rmtree(self._folder, ignore_errors=True)
        os.replace(self._fresh, self._folder)

    def _commune(
        self, items: Sequence[Item], children: Mapping[str, ListedChild], newborns: list[ListedChild]
    ) -> list[ListRow]:
        written: list[ListRow] = []
        named: list[LetterList] = []
        for item_class in ItemClass:
            rows = [
                self._row(item, children[item.child_id]) for item in items if item.item_class is item_class
            ]
            if rows:
                rows.sort(key=_order)
                named.append(self._list(item_class, rows, newborns))
                written += rows
        commune = items[0].commune_id
        letter = write_letter(
            LetterHead(self._head.batch_id, commune, self._head.as_of, self._head.due_date), named
        )
        _write_private(self._fresh / f"{commune.split('@')[0]}{LETTER_SUFFIX}", letter)
        return written

    def _row(self, item: Item, child: ListedChild) -> ListRow:
        own = row_key(self._key, self._head.batch_id, item.item_id)
        digest = row_hash(self._key, own, item.commune_id, item.item_class.value, child.shown)
        return ListRow(own, digest, item, child)

    def _list(self, item_class: ItemClass, rows: list[ListRow], newborns: list[ListedChild]) -> LetterList:
        commune = rows[0].item.commune_id
        code = commune.split("@")[0]
        head = ListHead(
            self._head.batch_id,
            commune,
            item_class,
            short_date(self._head.as_of),
            short_date(self._head.due_date),
        )
        apart = newborns if item_class is ItemClass.NO_NUMBER else []
        apart = sorted(apart, key=lambda child: (name_sort_key(child.shown[0]), child.child_id))
        name = f"{code}_{item_class.value}.xlsx"
        _write_private(self._fresh / name, write_list(self._form, head, rows, apart))
        self.lists.append(ExportedList(self._folder / name, code, item_class, len(rows)))
        return LetterList(item_class, len(rows), name)


def _groups(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Yield items of whole communes, some thousand at a time; they come sorted by commune."""
    group: list[Item] = []
    for item in items:
        if len(group) >= CHILDREN_AT_ONCE and item.commune_id != group[-1].commune_id:
            yield group
            group = []
        group.append(item)
    if group:
        yield group


def _order(row: ListRow) -> tuple[object, ...]:
    hamlet = row.child.shown[8]
    return (sort_key(hamlet), name_sort_key(row.child.shown[0]), row.row_key)


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)

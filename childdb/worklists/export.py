"""Lists to the commune police: items opened and closed by evidence, workbooks written, the batch recorded."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from psycopg import Connection

from childdb.errors import UsageError
from childdb.worklists import store
from childdb.worklists.classify import is_newborn, items_of
from childdb.worklists.form import birth_registration_days, form_on
from childdb.worklists.letter import LETTER_SUFFIX, LetterHead, LetterList, write_letter
from childdb.worklists.model import Item, ItemClass, ItemState, ListedChild, ListRow
from childdb.worklists.rowkeys import row_hash, row_key
from childdb.worklists.source import ChildListSource
from childdb.worklists.vietnamese import name_sort_key, short_date, sort_key
from childdb.worklists.workbook import ListHead, write_list

ListKey = tuple[str, ItemClass]


@dataclass(slots=True)
class Survey:
    """What today's children need: items per list, children still in time, and who has no addressee."""

    items: dict[str, tuple[Item, ListedChild]] = field(default_factory=dict)
    newborns: dict[str, list[ListedChild]] = field(default_factory=dict)
    without_addressee: int = 0
    counted_children: set[str] = field(default_factory=set)
    unplaced_children: set[str] = field(default_factory=set)


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
    survey = survey_children(source.children(), day)
    known = store.item_states(connection)
    listed = {key: pair for key, pair in survey.items.items() if known.get(key) is not ItemState.APPLIED}
    events = store.follow_survey(
        connection, survey.items, (survey.counted_children, survey.unplaced_children), known, day, actor
    )
    form = form_on(day)
    due = day + timedelta(days=form.due_days)
    batch = batch_id_of(day, listed)
    rows = _rows(list_key, batch, listed.values())
    store.record_batch(connection, store.BatchRecord(batch, day, due, survey_counts(survey)), rows, actor)
    folder = requests_dir / batch
    lists = _write_files(folder, rows, survey, batch, day, due)
    newborn_count, unplaced = survey_counts(survey)
    return ExportReport(
        batch, day, due, folder, tuple(lists), sum(map(len, rows.values())), newborn_count, unplaced, events
    )


def survey_children(children: Iterable[ListedChild], day: date) -> Survey:
    """Return the items of a day; a child still in time for registration is kept apart, not asked for."""
    survey = Survey()
    days = birth_registration_days(day)
    for child in children:
        survey.counted_children.add(child.child_id)
        if child.commune_id is None:
            survey.without_addressee += 1
            survey.unplaced_children.add(child.child_id)
            continue
        newborn = is_newborn(child, day, days)
        for item in items_of(child):
            if newborn and item.item_class is ItemClass.NO_NUMBER:
                survey.newborns.setdefault(child.commune_id, []).append(child)
            else:
                survey.items[item.item_id] = (item, child)
    return survey


def survey_counts(survey: Survey) -> tuple[int, int]:
    """Return how many children are kept apart, and how many have no addressee."""
    return sum(map(len, survey.newborns.values())), survey.without_addressee


def batch_id_of(day: date, listed: Iterable[str]) -> str:
    """Return the batch's id: a function of the day and of what is asked, so a repeat is the same batch."""
    digest = hashlib.sha256("\n".join([day.isoformat(), *sorted(listed)]).encode()).hexdigest()
    return f"{day:%Y%m%d}-{digest[:10]}"


def _rows(key: bytes, batch: str, pairs: Iterable[tuple[Item, ListedChild]]) -> dict[ListKey, list[ListRow]]:
    lists: dict[ListKey, list[ListRow]] = {}
    for item, child in pairs:
        own = row_key(key, batch, item.item_id)
        digest = row_hash(key, own, item.commune_id, item.item_class.value, child.shown)
        lists.setdefault((item.commune_id, item.item_class), []).append(ListRow(own, digest, item, child))
    for rows in lists.values():
        rows.sort(key=_order)
    return dict(sorted(lists.items()))


def _order(row: ListRow) -> tuple[object, ...]:
    hamlet = row.child.shown[8]
    return (sort_key(hamlet), name_sort_key(row.child.shown[0]), row.row_key)


def _write_files(
    folder: Path, lists: Mapping[ListKey, list[ListRow]], survey: Survey, batch: str, day: date, due: date
) -> Iterable[ExportedList]:
    """Write into a folder beside, then put it in place whole: a killed export leaves no half batch."""
    fresh = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True, mode=0o700)
    written = []
    for (commune_id, item_class), rows in lists.items():
        head = ListHead(batch, commune_id, item_class, short_date(day), short_date(due))
        newborns = survey.newborns.get(commune_id, []) if item_class is ItemClass.NO_NUMBER else []
        newborns = sorted(newborns, key=lambda child: (name_sort_key(child.shown[0]), child.child_id))
        code = commune_id.split("@")[0]
        name = f"{code}_{item_class.value}.xlsx"
        _write_private(fresh / name, write_list(form_on(day), head, rows, newborns))
        written.append(ExportedList(folder / name, code, item_class, len(rows)))
    _write_letters(fresh, lists, batch, day, due)
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(fresh, folder)
    return written


def _write_letters(
    fresh: Path, lists: Mapping[ListKey, list[ListRow]], batch: str, day: date, due: date
) -> None:
    """Write one letter per commune; it names all lists of the commune and no child."""
    by_commune: dict[str, list[LetterList]] = {}
    for (commune_id, item_class), rows in lists.items():
        name = f"{commune_id.split('@')[0]}_{item_class.value}.xlsx"
        by_commune.setdefault(commune_id, []).append(LetterList(item_class, len(rows), name))
    for commune_id, named in by_commune.items():
        named.sort(key=lambda entry: list(ItemClass).index(entry.item_class))
        letter = write_letter(LetterHead(batch, commune_id, day, due), named)
        _write_private(fresh / f"{commune_id.split('@')[0]}{LETTER_SUFFIX}", letter)


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)

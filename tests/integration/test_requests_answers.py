"""Answers of the police in every shape: accepted, held or refused with a reason, nothing overwritten."""

from __future__ import annotations

import io
import shutil
import stat
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.worksheet.worksheet import Worksheet

from childdb.vault.keys import load_keys
from childdb.worklists.export import ExportedList, ExportReport
from childdb.worklists.imported import FileReport
from childdb.worklists.model import LIST_COLUMNS, ItemClass, Result
from childdb.worklists.service import (
    export_lists,
    import_lists,
    provided_numbers,
    request_status,
    reverse_answer,
)
from childdb.worklists.workbook import FIRST_DATA_ROW, NEWBORN_SHEET, SHEET
from childdb.workspace import Workspace
from tests.integration.gates_support import Warehouse
from tests.integration.requests_support import (
    AS_OF,
    answer_workbook,
    child,
    fill,
    last_row,
    nothing,
    open_lists,
    provide,
    refill,
    right_number,
    save,
    steward,
)

FIRST = FIRST_DATA_ROW + 1
NUMBER, RESULT, NOTE = (LIST_COLUMNS.index(name) + 1 for name in LIST_COLUMNS[-3:])


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    with open_lists() as opened:
        yield opened


def kids(count: int = 8) -> list[dict[str, Any]]:
    return [child(n) for n in range(count)]


def export(warehouse: Warehouse, children: list[dict[str, Any]], **more: Any) -> ExportReport:
    fill(warehouse, children, **more)
    return export_lists(warehouse.settings)


def the_list(
    report: ExportReport, code: str = "00004", kind: ItemClass = ItemClass.NO_NUMBER
) -> ExportedList:
    return next(entry for entry in report.lists if (entry.commune_code, entry.item_class) == (code, kind))


def take_in(warehouse: Warehouse, *paths: Path) -> list[FileReport]:
    return import_lists(warehouse.settings, list(paths))


def reasons(report: FileReport) -> list[str]:
    return [row.reason_code for row in report.rows]


def numbers(warehouse: Warehouse) -> dict[str, str]:
    with steward(warehouse) as connection:
        keys = load_keys(Workspace(warehouse.settings.home), may_create=False)
        return dict(provided_numbers(connection, keys))


def balances(warehouse: Warehouse) -> bool:
    """Recompute the balance of every item from its events alone."""
    rows = warehouse.rows(
        "select w.state, count(*) filter (where e.event in ('opened', 'reopened')), "
        "count(*) filter (where e.event = 'closed'), count(*) filter (where e.event = 'withdrawn') "
        "from quality.work_items as w join quality.work_item_events as e using (item_id) group by w.item_id, w.state"
    )
    return all(
        opened == closed + withdrawn + (state not in ("closed", "withdrawn"))
        for state, opened, closed, withdrawn in rows
    )


def test_list_has_the_promised_shape(warehouse: Warehouse) -> None:
    newborn = child(20, commune_id_2025="00004@2025-07-01", ngay_sinh="2026-02-01", birth_year=2026)
    report = export(warehouse, [*kids(), newborn])
    path = the_list(report).path
    assert path == warehouse.settings.home / "requests" / report.batch_id / "00004_no_number.xlsx"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    book = openpyxl.load_workbook(path)
    sheet = book[SHEET]
    assert [sheet.cell(FIRST_DATA_ROW, c + 1).value for c in range(len(LIST_COLUMNS))] == list(LIST_COLUMNS)
    assert sheet.row_dimensions[FIRST_DATA_ROW].hidden
    assert sheet.protection.sheet
    assert sheet.cell(FIRST, 2).protection.locked
    assert not sheet.cell(FIRST, NUMBER).protection.locked
    assert sheet.freeze_panes == f"C{FIRST}"
    assert {rule.type for rule in sheet.data_validations.dataValidation} == {"list", "textLength"}
    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in {cell.value for cell in sheet[1]}
    assert book[NEWBORN_SHEET].max_row == 4
    assert report.newborn_count == 1


def test_each_list_carries_only_its_communes_children(warehouse: Warehouse) -> None:
    children = kids(12)
    report = export(warehouse, children)
    for entry in report.lists:
        rows = openpyxl.load_workbook(entry.path)[SHEET].iter_rows(min_row=FIRST, values_only=True)
        mothers = {row[7] for row in rows if row[7]}
        own = {c["ho_ten_me"] for c in children if c["commune_id_2025"].startswith(entry.commune_code)}
        assert mothers <= own
        assert mothers


def test_names_are_sorted_the_vietnamese_way_and_never_become_formulas(warehouse: Warehouse) -> None:
    names = ["Thử Ý", "Thử Đào", "Thử Dung", "Thử An", "Thử Ân", "=cmd", "+1", "@x"]
    children = [child(2 * n, ho_ten_tre=name, thon="Thôn 1") for n, name in enumerate(names)]
    path = the_list(export(warehouse, children)).path
    book = openpyxl.load_workbook(path)
    found = [book[SHEET].cell(row, 2).value for row in range(FIRST, last_row(book[SHEET]) + 1)]
    letters = [name for name in found if name.startswith("Thử")]
    assert letters == ["Thử An", "Thử Ân", "Thử Dung", "Thử Đào", "Thử Ý"]
    types = {book[SHEET].cell(row, 2).data_type for row in range(FIRST, last_row(book[SHEET]) + 1)}
    assert types == {"s"}
    assert b"<f>" not in zipfile.ZipFile(path).read("xl/worksheets/sheet1.xml")


def test_same_children_give_the_same_batch_and_the_same_bytes(warehouse: Warehouse) -> None:
    report = export(warehouse, kids())
    before = {entry.path.name: entry.path.read_bytes() for entry in report.lists}
    again = export_lists(warehouse.settings)
    assert again.batch_id == report.batch_id
    assert {entry.path.name: entry.path.read_bytes() for entry in again.lists} == before
    assert warehouse.rows("select count(*) from quality.work_item_events where event = 'sent'") == [(8,)]


def test_classes_of_the_letter(warehouse: Warehouse) -> None:
    children = [
        child(0),
        child(2, so_dinh_danh_raw="12345"),
        child(4, so_dinh_danh=right_number(child(4)), so_dinh_danh_raw=right_number(child(4))),
        child(6, confirmed=True, gioi_tinh=None),
        child(8, confirmed=True),
        child(10, confirmed=True, ho_ten_me=None),
    ]
    report = export(warehouse, children)
    counts = {entry.item_class: entry.row_count for entry in report.lists}
    assert counts == {ItemClass.NO_NUMBER: 1, ItemClass.WRONG_FORMAT: 2, ItemClass.BASIC_DATA: 2}


def test_numbers_are_applied_sealed_and_not_asked_again(warehouse: Warehouse, tmp_path: Path) -> None:
    children = kids()
    entry = the_list(export(warehouse, children))
    answered = save(tmp_path, "a.xlsx", answer_workbook(entry.path.read_bytes(), provide(children)))
    (report,) = take_in(warehouse, answered)
    assert set(reasons(report)) == {"NUMBER-RECORDED"}
    assert numbers(warehouse) == {f"child-{c['n']}": right_number(c) for c in children if c["n"] % 2 == 0}
    stored = warehouse.rows("select number_sealed, number_index from vault.provided_numbers")
    assert not any(
        right_number(c).encode() in bytes(cell) for c in children for row in stored for cell in row
    )
    again = export_lists(warehouse.settings)
    assert {entry.commune_code for entry in again.lists} == {"00008"}
    assert balances(warehouse)


def test_item_closes_by_evidence_and_opens_again(warehouse: Warehouse) -> None:
    children = kids(2)
    export(warehouse, children)
    refill(warehouse, [children[0] | {"confirmed": True}, children[1]])
    assert export_lists(warehouse.settings).events["closed"] == 1
    refill(warehouse, children)
    assert export_lists(warehouse.settings).events["reopened"] == 1
    refill(warehouse, children[1:])
    assert export_lists(warehouse.settings).events["withdrawn"] == 1
    assert balances(warehouse)


def test_same_file_twice_is_one_answer(warehouse: Warehouse, tmp_path: Path) -> None:
    children = kids()
    entry = the_list(export(warehouse, children))
    content = answer_workbook(entry.path.read_bytes(), provide(children))
    first, second = take_in(warehouse, save(tmp_path, "a.xlsx", content), save(tmp_path, "b.xlsx", content))
    assert second.is_repeat
    assert [r.outcome for r in second.rows] == [r.outcome for r in first.rows]
    assert warehouse.rows("select count(*) from vault.provided_numbers") == [(4,)]


def test_partial_then_rest_then_contradiction(warehouse: Warehouse, tmp_path: Path) -> None:
    children = kids()
    content = the_list(export(warehouse, children)).path.read_bytes()
    full = provide(children)
    half = answer_workbook(content, lambda t: full(t) if t["thon"] == "Thôn 1" else nothing(t))
    (report,) = take_in(warehouse, save(tmp_path, "half.xlsx", half))
    applied = len(report.rows)
    assert 0 < applied < 4
    assert report.unanswered == 4 - applied
    (rest,) = take_in(warehouse, save(tmp_path, "full.xlsx", answer_workbook(content, full)))
    assert sorted(set(reasons(rest))) == ["ANSWER-REPEATED", "NUMBER-RECORDED"]
    before = numbers(warehouse)
    other = answer_workbook(content, lambda t: (full(t)[0][:-1] + "9", Result.PROVIDED.value, None))  # type: ignore[index]
    (late,) = take_in(warehouse, save(tmp_path, "other.xlsx", other))
    assert set(reasons(late)) == {"ANSWER-CONTRADICTS"}
    assert numbers(warehouse) == before


Change = Callable[[Worksheet], None]


def set_cell(row: int, column: int, value: Any) -> Change:
    def change(sheet: Worksheet) -> None:
        sheet.cell(row, column).value = value

    return change


def add_row(sheet: Worksheet) -> None:
    row = last_row(sheet) + 1
    sheet.cell(row, 2).value = "Trẻ Thêm Vào"
    sheet.cell(row, NUMBER).value = "001215000099"
    sheet.cell(row, RESULT).value = Result.PROVIDED.value


def edit_hash(sheet: Worksheet) -> None:
    text = str(sheet.cell(FIRST, 1).value)
    sheet.cell(FIRST, 1).value = text[:-1] + ("A" if text[-1] != "A" else "B")


def repeat_row_with_other_answer(sheet: Worksheet) -> None:
    row = last_row(sheet) + 1
    for column in range(1, len(LIST_COLUMNS) + 1):
        sheet.cell(row, column).value = sheet.cell(FIRST, column).value
    sheet.cell(row, NUMBER).value = None
    sheet.cell(row, RESULT).value = Result.DIED.value


def same_number_twice(sheet: Worksheet) -> None:
    # The two children of this test share sex and year of birth, so the number fits both.
    sheet.cell(FIRST + 1, NUMBER).value = sheet.cell(FIRST, NUMBER).value


ROW_CASES: dict[str, tuple[Change, str, str]] = {
    "edited name": (set_cell(FIRST, 2, "Tên Khác"), "held", "ROW-ALTERED"),
    "edited key": (set_cell(FIRST, 1, "khong phai ma"), "refused", "KEY-UNKNOWN"),
    "edited hash": (edit_hash, "refused", "KEY-ALTERED"),
    "added row": (add_row, "refused", "ROW-ADDED"),
    "short number": (set_cell(FIRST, NUMBER, "12345"), "refused", "NUMBER-MALFORMED"),
    "no result": (set_cell(FIRST, RESULT, None), "held", "RESULT-MISSING"),
    "unknown result": (set_cell(FIRST, RESULT, "OK"), "held", "RESULT-UNKNOWN"),
    "dead with a number": (set_cell(FIRST, RESULT, Result.DIED.value), "held", "RESULT-CONTRADICTS-NUMBER"),
    "no number": (set_cell(FIRST, NUMBER, None), "held", "NUMBER-EMPTY"),
    "other sex": (set_cell(FIRST, NUMBER, "001315000001"), "held", "NUMBER-CONTRADICTS-CHILD"),
    "row twice": (repeat_row_with_other_answer, "held", "ROW-TWICE"),
    "number twice": (same_number_twice, "held", "NUMBER-TWICE"),
}


@pytest.mark.parametrize("name", sorted(ROW_CASES))
def test_wrong_row_is_caught_and_the_others_go_on(warehouse: Warehouse, tmp_path: Path, name: str) -> None:
    change, outcome, reason = ROW_CASES[name]
    children = [
        child(4 * n, ngay_sinh=f"2015-0{1 + n}-05", birth_year=2015, gioi_tinh="male") for n in range(4)
    ]
    content = the_list(export(warehouse, children)).path.read_bytes()
    answered = answer_workbook(content, provide(children), change)
    (report,) = take_in(warehouse, save(tmp_path, "a.xlsx", answered))
    caught = [row for row in report.rows if row.reason_code == reason]
    assert caught
    assert {row.outcome.value for row in caught} == {outcome}
    good = {row.reason_code for row in report.rows} - {reason}
    assert good <= {"NUMBER-RECORDED"}
    assert good
    assert len(numbers(warehouse)) == reasons(report).count("NUMBER-RECORDED")
    assert balances(warehouse)


def test_number_of_another_child_is_held(warehouse: Warehouse, tmp_path: Path) -> None:
    children = [
        child(0, birth_year=2015, ngay_sinh="2015-01-05"),
        child(1, birth_year=2015, ngay_sinh="2015-02-05"),
    ]
    report = export(warehouse, children)
    number = right_number(children[0])
    paths = [
        save(
            tmp_path, f"{code}.xlsx",
            answer_workbook(the_list(report, code).path.read_bytes(), lambda _: (number, Result.PROVIDED.value, None)),
        )
        for code in ("00004", "00008")
    ]  # fmt: skip
    assert [reasons(entry) for entry in take_in(warehouse, *paths)] == [
        ["NUMBER-RECORDED"],
        ["NUMBER-OF-ANOTHER-CHILD"],
    ]


def test_number_that_the_register_gives_to_somebody_else_is_held(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    one = child(0)
    person = {
        "_batch_id": "population__persons@1",
        "person_id": "P1",
        "personal_id_no": right_number(one),
        "full_name": "NGUOI KHAC",
        "sex": "1",
        "birth_date": "2015-12-31",
    }
    content = the_list(export(warehouse, [one], persons=[person])).path.read_bytes()
    (report,) = take_in(warehouse, save(tmp_path, "a.xlsx", answer_workbook(content, provide([one]))))
    assert reasons(report) == ["NUMBER-CONTRADICTS-REGISTRY"]


def test_row_of_another_commune_is_refused(warehouse: Warehouse, tmp_path: Path) -> None:
    children = kids()
    report = export(warehouse, children)
    foreign = openpyxl.load_workbook(the_list(report, "00008").path)[SHEET]

    def paste(sheet: Worksheet) -> None:
        row = last_row(sheet) + 1
        for column in range(1, len(LIST_COLUMNS) + 1):
            sheet.cell(row, column).value = foreign.cell(FIRST, column).value
        sheet.cell(row, RESULT).value = Result.DIED.value

    content = answer_workbook(the_list(report).path.read_bytes(), provide(children), paste)
    (answer,) = take_in(warehouse, save(tmp_path, "a.xlsx", content))
    assert reasons(answer).count("WRONG-COMMUNE") == 1
    assert reasons(answer).count("NUMBER-RECORDED") == 4


def test_moved_columns_and_a_lost_head_are_read(warehouse: Warehouse, tmp_path: Path) -> None:
    children = kids()
    content = answer_workbook(the_list(export(warehouse, children)).path.read_bytes(), provide(children))
    source = openpyxl.load_workbook(io.BytesIO(content))[SHEET]
    order = [NUMBER - 1, RESULT - 1, 0, NOTE - 1, *range(1, NUMBER - 1)]
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in source.iter_rows(min_row=10, max_row=last_row(source), values_only=True):
        sheet.append([row[column] for column in order])
    sheet.delete_rows(3)  # the hidden names are gone too: only the captions tell the columns
    book.save(tmp_path / "moved.xlsx")
    (report,) = take_in(warehouse, tmp_path / "moved.xlsx")
    assert set(reasons(report)) == {"NUMBER-RECORDED"}


def test_taken_back_number_opens_the_item_again(warehouse: Warehouse, tmp_path: Path) -> None:
    one = child(0)
    content = the_list(export(warehouse, [one])).path.read_bytes()
    take_in(warehouse, save(tmp_path, "a.xlsx", answer_workbook(content, provide([one]))))
    ((answer_id,),) = warehouse.rows("select answer_id from vault.provided_numbers")
    with steward(warehouse) as connection:
        assert reverse_answer(connection, answer_id, reason="công an báo nhầm", day=AS_OF, actor="test")
        assert not reverse_answer(connection, answer_id, reason="công an báo nhầm", day=AS_OF, actor="test")
    assert numbers(warehouse) == {}
    told = warehouse.rows(
        "select distinct event_code from identity.number_requests where event_date = %s", AS_OF
    )
    assert {code for (code,) in told} == {"requested", "provided", "provision_reversed"}
    assert export_lists(warehouse.settings).row_count == 1
    assert balances(warehouse)


def test_whole_file_is_refused_with_one_sentence(warehouse: Warehouse, tmp_path: Path) -> None:
    children = kids()
    content = the_list(export(warehouse, children)).path.read_bytes()
    answered = answer_workbook(content, provide(children))
    save(tmp_path, "1_empty.xlsx", answer_workbook(content, nothing))
    save(tmp_path, "2_macros.xlsx", with_part(answered, "xl/vbaProject.bin", b"\xd0\xcf\x11\xe0macro"))
    save(tmp_path, "3_text.xlsx", b"khong phai bang tinh")
    save(tmp_path, "4_cut.xlsx", answered[: len(answered) // 2])
    book = openpyxl.Workbook()
    book.save(tmp_path / "5_other.xlsx")
    long_file(tmp_path / "6_long.xlsx")
    export(warehouse, [child(50)])
    save(tmp_path, "7_batch.xlsx", answered)
    reports = take_in(warehouse, *sorted(tmp_path.iterdir()))
    fill(warehouse, children)
    export_lists(warehouse.settings)
    (empty,) = take_in(warehouse, tmp_path / "1_empty.xlsx")
    assert empty.reason_code == "ANSWER-EMPTY"
    assert [report.reason_code for report in reports[1:]] == [
        "FILE-ACTIVE",
        "FILE-TYPE",
        "FILE-TRUNCATED",
        "ANSWER-NOT-A-LIST",
        "ANSWER-TOO-LONG",
        "BATCH-UNKNOWN",
    ]
    assert all(report.outcome == "refused" and not report.rows for report in reports)
    assert numbers(warehouse) == {}


def with_part(content: bytes, name: str, data: bytes) -> bytes:
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(name, data)
    return buffer.getvalue()


def long_file(path: Path) -> None:
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet(SHEET)
        for row in range(200_000):
            sheet.write_string(row, 0, "x")


def test_libreoffice_round_trip_loses_nothing(warehouse: Warehouse, tmp_path: Path) -> None:
    office = shutil.which("soffice")
    assert office, "LibreOffice is needed: apt-get install libreoffice-calc"
    children = [*kids(), child(8, ho_ten_tre="=1+1", dia_chi="Số 007")]
    entry = the_list(export(warehouse, children))
    filled = save(tmp_path, "list.xlsx", answer_workbook(entry.path.read_bytes(), provide(children)))
    out = tmp_path / "out"
    subprocess.run(
        [office, f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "xlsx",
         "--outdir", str(out), str(filled)],
        check=True, capture_output=True, timeout=240,
    )  # fmt: skip
    saved = out / "list.xlsx"
    sheet = openpyxl.load_workbook(saved)[SHEET]
    assert sheet.protection.sheet
    assert not sheet.cell(FIRST, NUMBER).protection.locked
    assert "list" in {rule.type for rule in sheet.data_validations.dataValidation}
    assert sheet.row_dimensions[FIRST_DATA_ROW].hidden
    (report,) = take_in(warehouse, saved)
    assert set(reasons(report)) == {"NUMBER-RECORDED"}
    assert numbers(warehouse) == {f"child-{c['n']}": right_number(c) for c in children if c["n"] % 2 == 0}


Step = tuple[int, int, str]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(
            st.integers(0, 3),
            st.integers(0, 3),
            st.sampled_from(["right", "wrong", "died", "moved", "altered", "export", "heal", "break"]),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_balance_holds_after_every_step_in_any_order(
    warehouse: Warehouse, tmp_path: Path, steps: list[Step]
) -> None:
    children = [child(2 * n) for n in range(4)]
    contents = [the_list(export(warehouse, children)).path.read_bytes()]
    accepted: dict[str, str] = {}
    for place, (first, second, kind) in enumerate(steps):
        _take_step(warehouse, tmp_path / f"{place}.xlsx", children, contents, (first, second, kind))
        assert balances(warehouse)
        now = numbers(warehouse)
        assert accepted.items() <= now.items()
        accepted = now
        truth = {f"child-{c['n']}": right_number(c) for c in children}
        wrong = {f"child-{c['n']}": right_number(c, 900 + c["n"]) for c in children}
        assert all(number in (truth[key], wrong[key]) for key, number in now.items())
        with steward(warehouse) as connection:
            assert all(line.holds for line in request_status(connection).balances)


def _take_step(
    warehouse: Warehouse, path: Path, children: list[dict[str, Any]], contents: list[bytes], step: Step
) -> None:
    first, second, kind = step
    if kind in ("heal", "break"):
        changed = [c | {"confirmed": kind == "heal" and i == first} for i, c in enumerate(children)]
        refill(warehouse, changed)
    if kind in ("heal", "break", "export"):
        written = export_lists(warehouse.settings).lists
        contents.extend(entry.path.read_bytes() for entry in written)
        return
    targets = {f"Mẹ Thử {children[i]['n']}" for i in (first, second)}
    by_mother = {c["ho_ten_me"]: c for c in children}

    def fill_in(texts: dict[str, Any]) -> tuple[str | None, str | None, str | None]:
        if texts["ho_ten_me"] not in targets:
            return None, None, None
        one = by_mother[texts["ho_ten_me"]]
        if kind in ("died", "moved"):
            return None, Result.DIED.value if kind == "died" else Result.MOVED.value, None
        return right_number(one, 900 + one["n"] if kind == "wrong" else None), Result.PROVIDED.value, None

    change = set_cell(FIRST, 3, "01/01/2001") if kind == "altered" else None
    content = contents[(first + second) % len(contents)]
    path.write_bytes(answer_workbook(content, fill_in, change))
    take_in(warehouse, path)

"""For each rule of each suite: one dataset that breaks it and one that just does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from childdb.database import Role, connect
from childdb.quality import judge_gate
from childdb.quality.model import GateResult, RuleOutcome, Severity, Suite
from childdb.quality.suites import load_suite, suite_names
from tests.integration.gates_support import FIGURE_COLUMNS, Warehouse, open_warehouse

Rows = list[dict[str, Any]]
Change = Callable[[dict[str, Rows]], None]

CHILDREN, PERSONS, BATCHES = "raw.treem__children", "raw.population__persons", "ops.batches"
LINKS, IDENTITIES, RECORDS = "identity.record_links", "identity.children", "clean.treem__children"
FIGURES = "marts.agg_release_figures"
LIST, EXTRACT = "treem__children@new", "population__persons@new"
REPORTS = ("sector__figures", "cases__figures", "helpline__figures", "activities__figures")
CHANGED = "raw.treem__changes"


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    with open_warehouse() as opened:
        yield opened


def children(count: int = 100) -> Rows:
    return [
        {
            "_batch_id": LIST,
            "_sheet": "DS",
            "_row_no": 6 + n,
            "_outcome": "accepted",
            "_row_reason": None,
            "ma_tre": f"T{n}",
            "ho_ten_tre": f"Nguyễn Thử {chr(65 + n % 26)}",
            "ngay_sinh": f"{1 + n % 28:02d}/03/2019",
            "gioi_tinh": ("Nam", "Nữ", "nữ", "NAM")[n % 4],
            "dan_toc": "Kinh",
            "so_dinh_danh": f"{n:012d}",
            "ho_ten_me": f"Trần Thử {n}",
            "thon": "Thôn 3",
        }
        for n in range(count)
    ]


def persons(count: int = 100) -> Rows:
    return [
        {
            "_batch_id": EXTRACT,
            "_row_no": n + 1,
            "person_id": f"P{n}",
            "personal_id_no": f"{n:012d}",
            "full_name": f"NGUYEN THU {n}",
            "sex": str(1 + n % 2),
            "birth_date": "2019-03-05",
            "commune_code": "00001",
        }
        for n in range(count)
    ]


def batch(batch_id: str, day: str, accepted: int, sender: str | None = None) -> dict[str, Any]:
    return {
        "batch_id": batch_id,
        "dataset": batch_id.split("@")[0],
        "file_sha256": batch_id,
        "size_bytes": 1,
        "file_name_text": "danh sach.xlsx",
        "sender_commune_id": sender,
        "file_date": day,
        "accepted": accepted,
        "quarantined": 0,
    }


def links(count: int = 200) -> Rows:
    return [
        {
            "record_id": f"R{n:03d}",
            "child_id": f"C{n:03d}",
            "person_id": f"P{n:03d}" if n % 10 else None,
            "decision": "accepted" if n % 10 else "none",
        }
        for n in range(count)
    ]


def records(count: int = 200) -> Rows:
    return [
        {
            "record_id": f"R{n:03d}",
            "_batch_id": LIST,
            "sheet": "DS",
            "row_no": n,
            "outcome": "accepted",
            "dan_toc": "01",
            "gioi_tinh": "male" if n < 100 else "female",
        }
        for n in range(count)
    ]


def identities(count: int = 200) -> Rows:
    return [
        {"child_id": f"C{n:03d}", "person_id": f"P{n:03d}" if n % 10 else None, "confirmed": n % 10 != 0}
        for n in range(count)
    ]


def figure(area_level: str, area_code: str, sex: str, age: str, numerator: int | None) -> dict[str, Any]:
    values: dict[str, Any] = dict.fromkeys(FIGURE_COLUMNS)
    values.update(
        release_id="r2026-test",
        cell_id=f"{area_level}-{area_code}-{sex}-{age}",
        indicator_set="tt13_2021_children",
        indicator_code="0101",
        definition_version="1",
        period="2026",
        geography="2025",
        area_level=area_level,
        area_code=area_code,
        sex=sex,
        age_group=age,
        ethnic_group="_T",
        breakdown="total",
        numerator=numerator,
        value=numerator,
        unit="người",
        status="hidden" if numerator is None else "published",
        coverage=0.9,
    )
    return values


def figures() -> Rows:
    share = figure("nation", "VN", "_T", "_T", 200) | {
        "cell_id": "share",
        "indicator_code": "0301",
        "numerator": 50,
        "denominator": 200,
        "value": 25.0,
        "unit": "%",
    }
    return [
        figure("nation", "VN", "_T", "_T", 200),
        figure("province", "01", "_T", "_T", 100),
        figure("province", "79", "_T", "_T", 95),
        figure("province", "96", "_T", "_T", None),
        figure("nation", "VN", "male", "_T", 105),
        figure("nation", "VN", "female", "_T", 95),
        figure("nation", "VN", "_T", "3-5", 120),
        figure("nation", "VN", "_T", "6-10", 80),
        share,
    ]


def base() -> dict[str, Rows]:
    """Invented data that keep every rule."""
    return {
        CHILDREN: children(),
        PERSONS: persons(),
        BATCHES: [
            batch(LIST, "2026-03-01", 100, "00001@2025-07-01"),
            batch("treem__children@old", "2025-09-01", 100, "00001@2025-07-01"),
            batch("treem__children@peer", "2026-06-01", 100, "00004@2025-07-01"),
            batch(EXTRACT, "2026-03-01", 100),
            batch("population__persons@old", "2025-03-01", 100),
        ],
        LINKS: links(),
        IDENTITIES: identities(),
        RECORDS: records(),
        FIGURES: figures(),
        **{f"raw.{name}": report(name) for name in REPORTS},
        CHANGED: [{"_batch_id": "treem__changes@new", "_row_no": 1, "_outcome": "accepted", "ma_tre": "T1"}],
    }


def report(dataset: str) -> Rows:
    return [
        {"_batch_id": f"{dataset}@new", "_row_no": n, "_outcome": "accepted", "don_vi_tinh": "người"}
        for n in (1, 2)
    ]


def fill(warehouse: Warehouse, data: dict[str, Rows]) -> None:
    warehouse.empty(*data, "quality.gate_runs")
    for table, rows in data.items():
        if rows:
            warehouse.insert(table, rows)


def set_first(table: str, count: int, **values: Any) -> Change:
    """Change the first `count` rows of a table."""

    def change(data: dict[str, Rows]) -> None:
        for row in data[table][:count]:
            row.update(values)

    return change


def repeat_first(count: int, *columns: str) -> Change:
    """Give the first `count` rows of the list the values of the very first one."""
    return lambda data: set_first(CHILDREN, count, **{c: data[CHILDREN][0][c] for c in columns})(data)


def set_last(table: str, count: int, **values: Any) -> Change:
    """Change the last `count` rows of a table."""

    def change(data: dict[str, Rows]) -> None:
        for row in data[table][-count:]:
            row.update(values)

    return change


def both(first: Change, second: Change) -> Change:
    """Make one change after the other."""

    def change(data: dict[str, Rows]) -> None:
        first(data)
        second(data)

    return change


def clear(table: str) -> Change:
    return lambda data: data[table].clear()


def keep(table: str, count: int) -> Change:
    def change(data: dict[str, Rows]) -> None:
        del data[table][count:]

    return change


def figure_change(cell_id: str, **values: Any) -> Change:
    def change(data: dict[str, Rows]) -> None:
        for row in data[FIGURES]:
            if row["cell_id"] == cell_id:
                row.update(values)

    return change


REPEATED = ("ho_ten_tre", "ngay_sinh", "ho_ten_me", "thon")

# rule: (a change that breaks it, the largest change of the kind that does not)
PLANTED: dict[str, tuple[Change, Change]] = {
    "TREEM-001": (clear(CHILDREN), keep(CHILDREN, 1)),
    "TREEM-002": (set_first(CHILDREN, 16, ho_ten_tre=None), set_first(CHILDREN, 15, ho_ten_tre=None)),
    "TREEM-003": (set_first(CHILDREN, 2, ho_ten_tre=None), set_first(CHILDREN, 1, ho_ten_tre=None)),
    "TREEM-004": (
        set_first(CHILDREN, 31, ho_ten_tre="05/03/2019"),
        set_first(CHILDREN, 30, ho_ten_tre="An 2"),
    ),
    "TREEM-005": (set_first(CHILDREN, 41, ngay_sinh=None), set_first(CHILDREN, 40, ngay_sinh=None)),
    "TREEM-006": (set_first(CHILDREN, 4, ngay_sinh=None), set_first(CHILDREN, 3, ngay_sinh=None)),
    "TREEM-007": (set_first(CHILDREN, 41, ngay_sinh="Kinh"), set_first(CHILDREN, 40, ngay_sinh="Kinh")),
    "TREEM-008": (set_first(CHILDREN, 3, ngay_sinh="Kinh"), set_first(CHILDREN, 2, ngay_sinh="Kinh")),
    "TREEM-009": (set_first(CHILDREN, 41, gioi_tinh=None), set_first(CHILDREN, 40, gioi_tinh=None)),
    "TREEM-010": (set_first(CHILDREN, 41, gioi_tinh="Thôn 3"), set_first(CHILDREN, 40, gioi_tinh="Thôn 3")),
    "TREEM-011": (set_first(CHILDREN, 3, gioi_tinh="Thôn 3"), set_first(CHILDREN, 2, gioi_tinh="Thôn 3")),
    "TREEM-012": (set_first(CHILDREN, 11, dan_toc=None), set_first(CHILDREN, 10, dan_toc=None)),
    "TREEM-013": (set_first(CHILDREN, 71, so_dinh_danh=None), set_first(CHILDREN, 70, so_dinh_danh=None)),
    "TREEM-014": (
        set_first(CHILDREN, 31, so_dinh_danh="12345"),
        set_first(CHILDREN, 30, so_dinh_danh="12345"),
    ),
    "TREEM-015": (
        repeat_first(4, "so_dinh_danh"),
        both(repeat_first(2, "so_dinh_danh"), set_last(CHILDREN, 30, so_dinh_danh="Chưa có")),
    ),
    "TREEM-016": (repeat_first(51, *REPEATED), repeat_first(50, *REPEATED)),
    "TREEM-017": (repeat_first(3, "ma_tre"), repeat_first(2, "ma_tre")),
    "TREEM-018": (set_first(BATCHES, 1, accepted=70), set_first(BATCHES, 1, accepted=71)),
    "TREEM-019": (set_first(BATCHES, 1, accepted=111), set_first(BATCHES, 1, accepted=110)),
    "TREEM-020": (set_first(BATCHES, 1, quarantined=101), set_first(BATCHES, 1, quarantined=100)),
    "TREEM-021": (
        set_first(BATCHES, 1, accepted=94, quarantined=6),
        set_first(BATCHES, 1, accepted=95, quarantined=5),
    ),
    "TREEM-022": (
        set_first(BATCHES, 1, file_date="2024-11-27"),
        set_first(BATCHES, 1, file_date="2024-11-28"),
    ),
    "POPULATION-001": (clear(PERSONS), keep(PERSONS, 1)),
    "POPULATION-002": (set_first(PERSONS, 1, person_id=None), set_first(PERSONS, 1, person_id="anything")),
    "POPULATION-003": (set_first(PERSONS, 2, person_id="P0"), set_first(PERSONS, 1, person_id="P0")),
    "POPULATION-004": (set_first(PERSONS, 6, personal_id_no="1"), set_first(PERSONS, 5, personal_id_no="1")),
    "POPULATION-005": (
        set_first(PERSONS, 2, personal_id_no="001319000001"),
        set_first(PERSONS, 1, personal_id_no="001319000001"),
    ),
    "POPULATION-006": (set_first(PERSONS, 3, full_name=None), set_first(PERSONS, 2, full_name=None)),
    "POPULATION-007": (
        set_first(PERSONS, 6, birth_date="05/03/2019"),
        set_first(PERSONS, 5, birth_date="05/03/2019"),
    ),
    "POPULATION-008": (set_first(PERSONS, 6, sex="Nam"), set_first(PERSONS, 5, sex="Nam")),
    "POPULATION-009": (set_first(PERSONS, 11, commune_code="1"), set_first(PERSONS, 10, commune_code="1")),
    "POPULATION-010": (
        lambda data: data[BATCHES][3].update(accepted=49),
        lambda data: data[BATCHES][3].update(accepted=50),
    ),
    "IDENTITY-001": (clear(LINKS), keep(LINKS, 1)),
    "IDENTITY-003": (
        set_first(LINKS, 1, decision="accepted", person_id=None),
        set_first(LINKS, 1, decision="accepted", person_id="P000"),
    ),
    "IDENTITY-005": (
        set_first(LINKS, 135, decision="none", person_id=None),
        set_first(LINKS, 134, decision="none", person_id=None),
    ),
    "IDENTITY-006": (
        set_first(LINKS, 31, decision="review", person_id="P999"),
        set_first(LINKS, 30, decision="review", person_id="P999"),
    ),
    "IDENTITY-007": (
        set_first(LINKS, 3, decision="accepted", person_id="P001"),
        set_first(LINKS, 3, decision="accepted", person_id="P001", child_id="C001"),
    ),
    "IDENTITY-008": (
        set_first(LINKS, 48, decision="none", person_id=None),
        set_first(LINKS, 43, decision="none", person_id=None),
    ),
    "IDENTITY-010": (
        set_first(LINKS, 3, child_id="C001"),
        set_first(LINKS, 3, child_id="C001", decision="accepted", person_id="P001"),
    ),
    "FIGURES-001": (clear(FIGURES), keep(FIGURES, 1)),
    "FIGURES-003": (
        lambda data: data[FIGURES][-1].update(cell_id=data[FIGURES][-2]["cell_id"]),
        lambda data: data[FIGURES][-1].update(cell_id="another"),
    ),
    "FIGURES-004": (
        figure_change("share", status="final"),
        figure_change("share", status="no_data", value=None),
    ),
    "FIGURES-005": (
        figure_change("province-96-_T-_T", numerator=15),
        figure_change("province-96-_T-_T", value=None),
    ),
    "FIGURES-006": (
        figure_change("province-79-_T-_T", numerator=94),
        figure_change("province-79-_T-_T", numerator=100),
    ),
    "FIGURES-007": (figure_change("share", denominator=5), figure_change("share", denominator=10)),
    "FIGURES-009": (figure_change("share", value=100.1), figure_change("share", value=100.0)),
    "FIGURES-010": (figure_change("share", value=None), figure_change("share", value=0.0)),
    "FIGURES-011": (figure_change("share", coverage=1.01), figure_change("share", coverage=1.0)),
    "FIGURES-012": (
        figure_change("province-79-_T-_T", numerator=120),
        figure_change("province-79-_T-_T", numerator=100),
    ),
}

for _name in REPORTS:
    _rule = _name.split("__", maxsplit=1)[0].upper()
    PLANTED[f"{_rule}-001"] = (clear(f"raw.{_name}"), keep(f"raw.{_name}", 1))
    PLANTED[f"{_rule}-002"] = (
        set_first(f"raw.{_name}", 1, don_vi_tinh=None),
        set_first(f"raw.{_name}", 1, don_vi_tinh="lượt"),
    )
PLANTED["CHANGES-001"] = (set_first(CHANGED, 1, ma_tre=None), set_first(CHANGED, 1, ma_tre="T2"))

ELSEWHERE = {"IDENTITY-009", "FIGURES-002", "FIGURES-008", "FIGURES-013"}
"""Rules that need another table or an earlier gate; each has a test of its own below."""


def alone(suite: Suite, rule_id: str) -> Suite:
    """The suite with one rule only: what the others say about the planted fault does not matter."""
    return replace(suite, rules=tuple(rule for rule in suite.rules if rule.rule_id == rule_id))


def judge(warehouse: Warehouse, suite: str, run_id: str = "run-1", rule_id: str | None = None) -> GateResult:
    ids = [f"{suite.removeprefix('raw/')}@new"] if suite.startswith("raw/") else []
    if suite == "raw/treem__children":
        ids = [LIST, "treem__children@peer"]
    release = "r2026-test" if suite.startswith("publication") else None
    return judge_gate(
        lambda: connect(Role.CHECKER, warehouse.settings),
        alone(SUITES[suite], rule_id) if rule_id else SUITES[suite],
        run_id=run_id,
        batch_ids=ids,
        release_id=release,
    )


def outcome_of(result: GateResult, rule_id: str) -> RuleOutcome:
    """What the rule said about the planted scope."""
    scopes = {entry.scope_key: entry.outcome for entry in result.rules if entry.rule_id == rule_id}
    planted = [key for key in scopes if key.endswith("@new")]
    return scopes[next(key for key in (*planted, "r2026-test", "*") if key in scopes)]


SUITES = {name: load_suite(name) for name in suite_names()}
SUITE_OF = {rule.rule_id: name for name, suite in SUITES.items() for rule in suite.rules}
SEVERITY_OF = {rule.rule_id: rule.severity for suite in SUITES.values() for rule in suite.rules}


def unshown(rules: set[str]) -> set[str]:
    """Rules without a planted fault, and planted faults without their rule."""
    return rules ^ (set(PLANTED) | ELSEWHERE)


def test_every_rule_has_a_planted_fault() -> None:
    assert unshown(set(SUITE_OF)) == set()


def test_removing_any_rule_turns_the_test_above_red() -> None:
    for rule_id in SUITE_OF:
        assert unshown(set(SUITE_OF) - {rule_id}) == {rule_id}


@pytest.mark.parametrize("suite", suite_names())
def test_clean_data_pass(warehouse: Warehouse, suite: str) -> None:
    data = base()
    if suite == "raw/treem__children":
        data[CHILDREN] += [row | {"_batch_id": "treem__children@peer"} for row in children(30)]
    fill(warehouse, data)
    result = judge(warehouse, suite)
    assert result.outcome == "passed", [r for r in result.rules if r.outcome in ("warned", "stopped")]


@pytest.mark.parametrize("rule_id", sorted(PLANTED))
def test_rule_breaks_and_just_does_not(warehouse: Warehouse, rule_id: str) -> None:
    breaks, keeps = PLANTED[rule_id]
    expected = RuleOutcome.STOPPED if SEVERITY_OF[rule_id] is Severity.CRITICAL else RuleOutcome.WARNED
    data = base()
    breaks(data)
    fill(warehouse, data)
    broken = judge(warehouse, SUITE_OF[rule_id], rule_id=rule_id)
    data = base()
    keeps(data)
    fill(warehouse, data)
    kept = judge(warehouse, SUITE_OF[rule_id], rule_id=rule_id)
    assert outcome_of(broken, rule_id) is expected
    assert outcome_of(kept, rule_id) in (RuleOutcome.PASSED, RuleOutcome.NOT_APPLICABLE)


@pytest.mark.parametrize(
    "change",
    [
        "update identity.record_links set decision = 'maybe' where record_id = 'R001'",
        "update identity.record_links set child_id = null where record_id = 'R001'",
        "update identity.children set person_id = 'P001' where child_id = 'C002'",
    ],
)
def test_the_tables_keep_what_no_rule_has_to_say(warehouse: Warehouse, change: str) -> None:
    fill(warehouse, base())
    with warehouse.admin() as connection, pytest.raises(psycopg.errors.IntegrityError):
        connection.execute(change)  # type: ignore[call-overload]


def test_group_linked_less_than_in_the_last_run_stops(warehouse: Warehouse) -> None:
    fill(warehouse, base())
    assert judge(warehouse, "identity/children", "run-1").outcome == "passed"
    with warehouse.admin() as connection:
        connection.execute(
            "update identity.record_links set decision = 'none', person_id = null where record_id < 'R009'"
        )
    assert outcome_of(judge(warehouse, "identity/children", "run-2"), "IDENTITY-009") is RuleOutcome.PASSED
    with warehouse.admin() as connection:
        connection.execute(
            "update identity.record_links set decision = 'none', person_id = null where record_id < 'R022'"
        )
    result = judge(warehouse, "identity/children", "run-3")
    assert outcome_of(result, "IDENTITY-009") is RuleOutcome.STOPPED
    failing = warehouse.rows("select row_key from quality.gate_failures where rule_id = 'IDENTITY-009'")
    assert failing == [("gioi_tinh=male",)]


def test_unknown_column_of_figures_stops(warehouse: Warehouse) -> None:
    fill(warehouse, base())
    with warehouse.admin() as connection:
        connection.execute("alter table marts.agg_release_figures add column ho_ten_tre text")
    try:
        result = judge(warehouse, "publication/figures")
    finally:
        with warehouse.admin() as connection:
            connection.execute("alter table marts.agg_release_figures drop column ho_ten_tre")
    assert outcome_of(result, "FIGURES-002") is RuleOutcome.STOPPED


def test_percentage_with_two_decimals_stops(warehouse: Warehouse) -> None:
    fill(warehouse, base())
    with warehouse.admin() as connection:
        connection.execute("alter table marts.agg_release_figures alter column value type numeric(14, 3)")
        connection.execute("update marts.agg_release_figures set value = 25.04 where cell_id = 'share'")
    try:
        result = judge(warehouse, "publication/figures")
    finally:
        with warehouse.admin() as connection:
            connection.execute("alter table marts.agg_release_figures alter column value type numeric(14, 1)")
    assert outcome_of(result, "FIGURES-008") is RuleOutcome.STOPPED


def test_national_figure_that_jumps_warns(warehouse: Warehouse) -> None:
    fill(warehouse, base())
    assert judge(warehouse, "publication/figures", "run-1").outcome == "passed"
    with warehouse.admin() as connection:
        connection.execute("update marts.agg_release_figures set numerator = numerator / 2 / 5 * 5")
    result = judge(warehouse, "publication/figures", "run-2")
    assert outcome_of(result, "FIGURES-013") is RuleOutcome.WARNED

"""dbt's unit tests of the rules of counting, and what reports and targets come out as."""

from __future__ import annotations

import pytest

from childdb.database import Database, Role
from childdb.flow.dbt import run_dbt
from childdb.settings import Settings
from tests.integration.warehouse_support import VARIABLES, Places, make_records, seeded, sha, store

__all__ = ["seeded"]


# Source, topic, unit, number, period as written, and what comes of it: kind, subject and why it is not counted.
REPORTED: list[tuple[str, str, str | None, int, str, tuple[str, str, str | None]]] = [
    ("cases", "Số vụ xâm hại tình dục trẻ em", "cases", 12, "Quý I/2025", ("cases", "sexual_abuse", None)),
    ("cases", "Trẻ em bị bạo lực", "children", 9, "Quý I/2025", ("victims", "violence", None)),
    ("cases", "Đối tượng xâm hại trẻ em", "people", 11, "Quý I năm 2025", ("offenders", "abuse", None)),
    ("cases", "Khởi tố hình sự", "cases", 7, "2025-Q1", ("case_handling", "criminal", None)),
    (
        "cases",
        "Trẻ em tử vong do đuối nước",
        "children",
        -3,
        "2025",
        ("injuries", "drowning", "negative_count"),
    ),
    ("helpline", "Cuộc gọi đến", "calls", 507861, "Năm 2021", ("helpline", "incoming_contacts", None)),
    (
        "helpline",
        "Ca hỗ trợ, can thiệp",
        "cases",
        100,
        "6 tháng đầu năm 2024",
        ("helpline", "interventions", None),
    ),
    (
        "sector",
        "Tỷ lệ tiêm chủng",
        "share_percent",
        103,
        "2024",
        ("sector_health", "health", "share_over_100"),
    ),
    ("activities", "Người dự tập huấn", "people", 383, "2024-S1", ("activities", "training", None)),
    ("activities", "Lớp tập huấn", "courses", 5, "6 tháng đầu năm 2024", ("activities", "training", None)),
    (
        "activities",
        "Truyền thông",
        "attendances",
        5,
        "2027",
        ("activities", "communication", "period_not_ended"),
    ),
    ("activities", "Bộ tài liệu", None, 3, "2024", ("activities", "other", "unknown_unit")),
    ("activities", "Việc khác", "people", 4, "không rõ", ("activities", "other", "unknown_period")),
    (
        "activities",
        "Xử phạt hành chính",
        "cases",
        4,
        "6 tháng cuối năm 2024",
        ("sanctions", "administrative", None),
    ),
]


def store_reports(database: Database) -> None:
    """Put figures of reports where their reading would have put them; the second report corrects two figures."""
    with database.connect(Role.CLEANER) as connection:
        for source in ("cases", "helpline", "sector", "activities"):
            connection.execute(f"delete from clean.{source}__figures")  # type: ignore[call-overload]
            for report, day in (("a", "2025-07-05"), ("b", "2025-08-05")):
                connection.execute(
                    "insert into clean.selected_batches values (%s, %s, %s, %s)",
                    [f"{source}@{report}", f"{source}__figures", sha(source + report), day],
                )
        for number, (source, topic, unit, value, period, _) in enumerate(REPORTED):
            for report in ("a", "b") if number in (0, 1) else ("a",):
                connection.execute(
                    f"insert into clean.{source}__figures (record_id, _batch_id, topic_vi, counted_unit_code, "  # type: ignore[call-overload]
                    "reported_value, province_code, period_vi) values (%s, %s, %s, %s, %s, '22', %s)",
                    [
                        f"{source}@{report}#1:{number}",
                        f"{source}@{report}",
                        topic,
                        unit,
                        value + (report == "b"),
                        period,
                    ],
                )


@pytest.fixture(scope="module")
def built(seeded: Database, warehouse_settings: Settings) -> Database:
    """A warehouse built from a few rows and no population extract."""
    records, confirmed = make_records(4, Places(), children=60)
    store(seeded, records, confirmed, [])
    store_reports(seeded)
    run_dbt(warehouse_settings, ["run", "--exclude", "path:models/staging"], VARIABLES)
    return seeded


def test_every_rule_of_counting_holds(built: Database, warehouse_settings: Settings) -> None:
    states = run_dbt(warehouse_settings, ["test", "--select", "test_type:unit"], {"unit_tests": "yes"})
    assert states == {"pass": 16}


def test_without_an_extract_there_is_no_coverage(built: Database) -> None:
    with built.connect(Role.CHECKER) as connection:
        rows = connection.execute(
            "select distinct status, coverage from marts.agg_release_figures where indicator_code = 'coverage' "
            "and release_id = %s",
            [VARIABLES["release_id"]],
        ).fetchall()
    assert rows == [("no_data", None)]


def test_the_half_year_of_quang_ninh_comes_out_kept_apart(built: Database) -> None:
    with built.connect(Role.CHECKER) as connection:
        rows = connection.execute(
            "select activity_code, counted_unit_code, reported_value::int, is_lower_bound, report_count "
            "from marts.agg_reported_activities where area_code = '22' and period_code = '2024-S1'"
        ).fetchall()
        documents = connection.execute(
            "select reported_value::int from core.fct_reported_activities "
            "where counted_unit_code = 'documents' order by 1"
        ).fetchall()
    found = {row[:2]: row[2:] for row in rows}
    assert found["guidance", "documents"] == (33, False, 2)
    assert [row[0] for row in documents] == [7, 26]
    assert found["training", "courses"] == (5, False, 1)
    assert found["training", "people"] == (383, False, 1)
    assert found["performance", "localities"] == (10, False, 1)
    assert found["performance", "people"] == (4000, True, 1)
    assert found["communication", "sessions"] == (68, False, 1)
    assert found["communication", "people"] == (14423, False, 1)
    assert found["media", "news_items"] == (200, True, 1)
    assert found["communication", "meetings"] == (82, False, 1)
    assert found["communication", "attendances"] == (83000, True, 1)
    assert found["children_council", "children"] == (55, False, 1)
    assert found["children_council", "districts"] == (13, False, 1)


def test_targets_of_the_plan_of_lang_son_stand_with_direction_and_base(built: Database) -> None:
    with built.connect(Role.CHECKER) as connection:
        rows = {
            row[0]: row[1:]
            for row in connection.execute(
                "select target_id, direction_code, lowest_value::int, highest_value::int, target_year "
                "from marts.agg_target_gaps where area_code = '20'"
            )
        }
        unsaid = connection.execute(
            "select distinct target_status_code, gap_value from marts.agg_target_gaps "
            "where target_id like 'QD-23-2021-abused-%%'"
        ).fetchall()
    assert rows == {
        "LANG-SON-2019-at_risk-2020": ("range", 12, 15, 2020),
        "LANG-SON-2019-special_circumstances_assisted-2020": ("at_least", 90, None, 2020),
        "LANG-SON-2019-districts_with_programme-2020": ("at_least", 100, None, 2020),
    }
    assert unsaid == [("base_unknown", None)]


def test_reports_come_out_as_facts_of_their_kind(built: Database) -> None:
    with built.connect(Role.CHECKER) as connection:
        rows = {
            row[0]: row[1:]
            for row in connection.execute(
                "select record_id, fact_code, subject_code, refusal_reason_code from core.fct_report_figures"
            )
        }
        refused = connection.execute(
            "select report_id, refusal_reason_code from quality.qa_refused_reports"
        ).fetchall()
    for number, (source, *_, wanted) in enumerate(REPORTED):
        assert rows[f"{source}@a#1:{number}"] == wanted, number
    assert dict(refused) == {
        f"{source}@a#1:{number}": wanted[2]
        for number, (source, *_, wanted) in enumerate(REPORTED) if wanted[2]
    }  # fmt: skip


def test_a_later_report_replaces_the_earlier_from_its_day_on(built: Database) -> None:
    with built.connect(Role.CHECKER) as connection:
        known = connection.execute(
            "select figure_value::int, known_from_date::text, known_to_date::text from core.fct_report_figures "
            "where fact_code = 'cases' order by known_from_date"
        ).fetchall()
        sums = {
            row[:3]: row[3:]
            for row in connection.execute(
                "select fact_code, subject_code, period_code, figure_value::int, lead_agency_code "
                "from marts.agg_report_figures"
            )
        }
    assert known == [(12, "2025-07-05", "2025-08-05"), (13, "2025-08-05", None)]
    assert sums["cases", "sexual_abuse", "2025-Q1"] == (13, "moh")
    assert sums["victims", "violence", "2025-Q1"] == (10, "moh")
    assert sums["helpline", "interventions", "2024-S1"] == (100, "molisa")
    assert not {key for key in sums if key[:2] == ("injuries", "drowning")}

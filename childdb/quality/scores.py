"""Scores per commune and month: what share of the cells that the scored rules look at keep them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from psycopg import Connection, sql

from childdb.quality.model import Rule, Suite
from childdb.quality.predicates import Predicate, row_predicate
from childdb.quality.suites import load_suite

SUITE = "raw/treem__children"
BATCHES_AT_ONCE = 200

DEFINITION_VI = (
    "Điểm = 1 − (số ô sai : số ô được kiểm tra), cộng trên các quy tắc tính điểm ({rules}) và trên các dòng đọc được của danh "
    "sách mới nhất trong tháng. Mỗi dòng thuộc về đơn vị hành chính hiện hành của nó, nên điểm trước và sau khi sáp nhập xã so "
    "sánh được: điểm của xã mới bằng điểm của các dòng gộp lại. Xã cũ bị chia mà chưa xác định được đơn vị mới thì đứng riêng."
)
DEFINITION_EN = (
    "Score = 1 - (cells that fail : cells looked at), summed over the scored rules and the readable rows of the month's newest "
    "list. Each row counts for the unit it belongs to now, so scores before and after the merger compare."
)

_ROWS = """
select
    c.*,
    k.commune_id as list_commune_id,
    coalesce(k.commune_id_2025, k.commune_id) as unit_commune_id
from raw.treem__children as c
inner join clean.treem__children as k
    on c._batch_id = k._batch_id and c._sheet is not distinct from k.sheet and c._row_no = k.row_no
where c._batch_id = any({batches}) and c._row_reason is null and k.commune_id is not null
"""


@dataclass(frozen=True, slots=True)
class Score:
    """One unit's score in one month."""

    commune_id: str
    month: date
    list_count: int
    evaluated: int
    failed: int

    @property
    def share(self) -> float | None:
        """The score; None where nothing could be looked at."""
        return None if not self.evaluated else (self.evaluated - self.failed) / self.evaluated


def scored_rules(suite: Suite) -> list[tuple[Rule, Predicate]]:
    """Return the rules a score is made of, each with its SQL; each looks at one row alone."""
    rules = [rule for rule in suite.rules if rule.rule_id in suite.scored]
    pairs = ((rule, row_predicate(rule, place)) for place, rule in enumerate(rules))
    return [(rule, predicate) for rule, predicate in pairs if predicate is not None]


def definition_vi() -> str:
    """Return the definition in words, with the rules of the suite in force."""
    return DEFINITION_VI.format(rules=", ".join(rule.rule_id for rule, _ in scored_rules(load_suite(SUITE))))


def count_scores(connection: Connection) -> int:
    """Count every judged list that was not counted under the suite's version, and return how many there were."""
    suite = load_suite(SUITE)
    waiting = [
        str(row[0])
        for row in connection.execute(
            "select b.batch_id from ops.batches as b left join quality.score_lists as s on b.batch_id = s.batch_id "
            "where b.dataset = %s and b.status = 'judged' and s.suite_version is distinct from %s order by b.batch_id",
            [suite.dataset, suite.version],
        )
    ]
    connection.execute("delete from quality.score_lists where batch_id = any(%s)", [waiting])
    for start in range(0, len(waiting), BATCHES_AT_ONCE):
        _count(connection, suite, waiting[start : start + BATCHES_AT_ONCE])
    return len(waiting)


def _count(connection: Connection, suite: Suite, batches: Sequence[str]) -> None:
    rules = scored_rules(suite)
    connection.execute(
        "insert into quality.score_lists (batch_id, suite_version) select b, %s from unnest(%s::text[]) as b",
        [suite.version, list(batches)],
    )
    # A lateral list of aggregates: one scan counts all rules, whatever their number.
    statement = sql.SQL(
        "insert into quality.score_counts (batch_id, list_commune_id, unit_commune_id, rule_id, evaluated_count, failed_count) "
        "select g._batch_id, g.list_commune_id, g.unit_commune_id, v.rule_id, v.evaluated, v.failed from ("
        "select _batch_id, list_commune_id, unit_commune_id, {columns} from ({rows}) as counted group by 1, 2, 3) as g "
        "cross join lateral (values {values}) as v (rule_id, evaluated, failed)"
    ).format(
        columns=sql.SQL(", ").join(_columns(rules)),
        values=sql.SQL(", ").join(
            sql.SQL("({}::text, g.{}, g.{})").format(
                sql.Literal(rule.rule_id), sql.Identifier(f"e_{place}"), sql.Identifier(f"f_{place}")
            )
            for place, (rule, _) in enumerate(rules)
        ),
        rows=sql.SQL(_ROWS).format(batches=sql.SQL("{}::text[]").format(sql.Literal(list(batches)))),
    )
    connection.execute(statement)


def _columns(rules: Sequence[tuple[Rule, Predicate]]) -> Iterable[sql.Composable]:
    for place, (_, predicate) in enumerate(rules):
        yield sql.SQL("count(*) filter (where {}) as {}").format(
            predicate.evaluated, sql.Identifier(f"e_{place}")
        )
        yield sql.SQL("count(*) filter (where {}) as {}").format(
            predicate.failed, sql.Identifier(f"f_{place}")
        )


def read_scores(connection: Connection) -> list[Score]:
    """Return all scores, by unit and month."""
    rows = connection.execute(
        "select commune_id, period_month, list_count, evaluated_count, failed_count from quality.commune_month_scores "
        "order by commune_id, period_month"
    )
    return [Score(*row) for row in rows]


def joined(scores: Iterable[Score], unit: str) -> list[Score]:
    """Return the scores of a wider unit, month by month: sums of the counts, never means of scores."""
    months: dict[date, Score] = {}
    for score in scores:
        known = months.get(score.month, Score(unit, score.month, 0, 0, 0))
        months[score.month] = replace(
            known,
            list_count=known.list_count + score.list_count,
            evaluated=known.evaluated + score.evaluated,
            failed=known.failed + score.failed,
        )
    return [months[month] for month in sorted(months)]

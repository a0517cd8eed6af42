"""Daily changes: a few rows are matched anew against what a full run left behind, and only what leans on them is decided again.

Under the frozen model a row's candidates hang on the row alone, a decision on the claims of the rows that share a candidate,
and a joined child on the rows that share a key. So the sum of increments is the full run, in any order and any batches.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from childdb.identity import assignment, children, deduplication, features, outputs, store
from childdb.identity.blocking import collect_pairs, key_of, known
from childdb.identity.candidates import Search
from childdb.identity.decisions import Decision, hold_apart, pin
from childdb.identity.engine import open_database
from childdb.identity.features import REGISTER, SideTable
from childdb.identity.inputs import open_input
from childdb.identity.key_store import KeyStore
from childdb.identity.model import Model, read_model
from childdb.identity.progress import Progress, Stage
from childdb.identity.rules import Block, Rules
from childdb.identity.rules_file import load_rules

_CHANGED = SideTable("register", "changed_file", "r")
_WORK = (
    *("changed", "changed_places", "removed", "rows_before", "fresh", "claims_now", "people_touched"),
    *(
        "rows_touched",
        "named_rows",
        "scored_part",
        "settled_part",
        "decided_now",
        "scored_now",
        "settled_now",
    ),
    *(
        "people_before",
        "open_again",
        "open_features",
        "fresh_rows",
        "crossed",
        "crossed_rows",
        "crossed_pairs",
    ),
    *("linked_pairs", "own_now", "labels_before", "told", "people_needed", "people_needed_bits"),
)


@dataclass(frozen=True)
class IncrementReport:
    """What an increment did."""

    rows: dict[str, int]
    stages: tuple[Stage, ...]
    model: str
    folder: Path

    def document(self) -> dict[str, Any]:
        """Return the report as plain values."""
        content = asdict(self)
        content.pop("folder")
        return content


@dataclass
class _Increment:
    connection: duckdb.DuckDBPyConnection
    rules: Rules
    model: Model
    folder: Path
    progress: Progress

    def run(self, sql: str) -> None:
        self.connection.execute(sql)

    def count(self, table: str) -> int:
        return int(self.connection.execute(f"select count(*) from {table}").fetchall()[0][0])


def match_changes(
    folder: Path,
    changed: Path,
    out: Path,
    *,
    removed: Sequence[str] = (),
    decisions: Sequence[Decision] = (),
    threads: int | None = None,
    memory: str = "4GB",
    rules: Path | None = None,
    tell: Callable[[str], None] | None = None,
) -> IncrementReport:
    """Match new and changed rows against a kept store and write links and persons of every row that was decided anew.

    All decisions of people in force are given each time. Broken off at any moment, the store is as before.
    """
    loaded = load_rules(rules)
    database = store.database_of(folder)
    model = read_model(folder / "model.json", loaded)
    out.mkdir(parents=True, exist_ok=True)
    connection = open_database(database, folder / ".spill", threads, memory)
    work = _Increment(connection, loaded, model, folder, Progress(tell or (lambda text: None)))
    try:
        connection.execute("begin")
        rows = _apply(work, changed, removed, decisions)
        with work.progress.stage("write"):
            told = "select no from told"
            outputs.write_links(connection, loaded, model, out / "links.parquet", only=told)
            outputs.write_persons(connection, loaded, out / "persons.parquet", only=told)
        for name in _WORK:
            connection.execute(f"drop table if exists {name}")
        connection.execute("drop view if exists changed_file")
        connection.execute("commit")
    finally:
        connection.close()
    report = IncrementReport(rows, tuple(work.progress.stages), model.version, out)
    (out / "report.json").write_text(json.dumps(report.document(), indent=1) + "\n", encoding="utf-8")
    return report


def write_all(folder: Path, out: Path, *, memory: str = "4GB", rules: Path | None = None) -> None:
    """Write the links and persons of the whole store, as a full run would."""
    loaded = load_rules(rules)
    model = read_model(folder / "model.json", loaded)
    connection = open_database(store.database_of(folder), folder / ".spill", None, memory)
    try:
        outputs.write_links(connection, loaded, model, out / "links.parquet")
        outputs.write_persons(connection, loaded, out / "persons.parquet")
    finally:
        connection.close()


def _apply(
    work: _Increment, changed: Path, removed: Sequence[str], decisions: Sequence[Decision]
) -> dict[str, int]:
    with work.progress.stage("read"):
        given = _read(work, changed, removed, decisions)
    with work.progress.stage("candidates"):
        _search(work, decisions)
    with work.progress.stage("decide"):
        _decide(work)
    with work.progress.stage("duplicates"):
        _join(work)
    return {
        "given": given,
        "removed": work.count("removed"),
        "decided_again": work.count("rows_touched"),
        "told": work.count("told"),
        "looked_up_again_for_duplicates": work.count("open_again"),
    }


def _read(work: _Increment, changed: Path, removed: Sequence[str], decisions: Sequence[Decision]) -> int:
    """Make ``changed`` (features) and ``fresh`` (rows whose past no longer holds), and put the rows into the register."""
    key = work.rules.register.key
    given = open_input(work.connection, changed, work.rules.register, _CHANGED).rows
    words = features.WordReader(work.rules)
    numbers = {
        path.name.split(".")[1]: np.load(path, mmap_mode="r")
        for path in sorted(work.folder.glob("numbers.*.npy"))
    }
    features.FeatureMaker(work.connection, work.rules, words, REGISTER).make(changed, "changed", numbers)
    words.close()
    work.run(
        f"create or replace table changed_places as with top as (select coalesce(max(file_row_number), -1) as no from register_names)"
        f' select c."{key}" as "{key}", c.file_row_number as place, coalesce(n.file_row_number, top.no + row_number() over (partition by n.file_row_number is null order by c."{key}"))::integer as no,'
        f' n.file_row_number is null as is_new from changed_file as c cross join top left join register_names as n on n."{key}" = c."{key}"'
    )
    work.run(
        "create or replace table changed as select w.* replace (c.no as no) from changed as w join changed_places as c on c.place = w.no"
    )
    work.connection.execute(
        f'create or replace table removed as select file_row_number as no from register_names where list_contains(?::varchar[], "{key}")'
        f' and "{key}" not in (select "{key}" from changed_places)',
        [sorted(removed)],
    )
    _add_pinned(work, decisions)
    work.run("create or replace table fresh as select no from changed union select no from removed")
    work.run(
        "create or replace table rows_before as select * from register where no in (select no from fresh)"
    )
    work.run("delete from register where no in (select no from fresh)")
    work.run("insert into register select * from changed")
    work.run("delete from register_names where file_row_number in (select no from removed)")
    work.run(f'insert into register_names select "{key}", no from changed_places where is_new')
    return given


def _add_pinned(work: _Increment, decisions: Sequence[Decision]) -> None:
    """Add the rows named by decisions, now or before: what they are tied to may be another today."""
    key = work.rules.register.key
    named = sorted(
        {item.record_id for item in decisions} | {i.other_record_id for i in decisions if i.other_record_id}
    )
    # The numbers first: a condition on the wide table itself would read all its columns for nobody.
    work.connection.execute(
        "create or replace table named_rows as (select r as no from pins union select other from pins where other is not null"
        f' union select file_row_number from register_names where list_contains(?::varchar[], "{key}"))'
        " except (select no from changed union select no from removed)",
        [named],
    )
    if work.count("named_rows"):
        work.run("insert into changed select * from register where no in (select no from named_rows)")


def _search(work: _Increment, decisions: Sequence[Decision]) -> None:
    pin(work.connection, work.rules, work.model, decisions, rows="changed", settled="settled_now")
    people = KeyStore(work.connection, work.folder / "keys")
    search = Search(work.connection, work.rules, work.model, people, "changed", "settled_now", "scored_now")
    for strong in work.rules.strong_keys:
        search.settle(strong)
    search.find()
    search.score()
    work.run("drop view residual")


def _decide(work: _Increment) -> None:
    """Decide again the rows that share a candidate with a fresh row, before or now."""
    assignment.make_claims(work.connection, "scored_now", "settled_now", "claims_now")
    work.run(
        "create or replace table people_touched as select p from claims where r in (select no from fresh) union select p from claims_now"
    )
    for name in ("claims", "scored", "settled"):
        work.run(f"delete from {name} where r in (select no from fresh)")
        work.run(f"insert into {name} select * from {name}_now")
    work.run(
        "create or replace table rows_touched as select no from changed union"
        " select r from scored where p in (select p from people_touched) union"
        " select r from settled where p in (select p from people_touched)"
    )
    for name in ("scored", "settled"):
        work.run(
            f"create or replace table {name}_part as select * from {name} where r in (select no from rows_touched)"
        )
    assignment.decide(work.connection, work.rules, work.model, "scored_part", "settled_part", "decided_now")
    accepted = f"chance >= {work.rules.thresholds.accept}"
    work.run(
        f"create or replace table people_before as select r, p from decided where {accepted} and r in (select no from rows_touched)"
    )
    work.run("delete from decided where r in (select no from rows_touched) or r in (select no from fresh)")
    work.run("insert into decided select * from decided_now")
    hold_apart(work.connection, work.rules)


def _join(work: _Increment) -> None:
    """Look again for rows of one child where a row, or whether it has a person, has changed."""
    accept = work.rules.thresholds.accept
    touched = "(select no from rows_touched union select no from fresh)"
    work.run(f"delete from open_numbers where no in {touched}")
    work.run(
        "insert into open_numbers select t.no from rows_touched as t"
        f" where t.no not in (select r from decided where chance >= {accept} and r in (select no from rows_touched))"
    )
    # Another person, or none any more: the row is told by others to those it is compared with.
    work.run(
        "insert into fresh select t.no from rows_touched as t left join people_before as b on b.r = t.no"
        f" left join (select r, p from decided where chance >= {accept}) as d on d.r = t.no"
        " where t.no not in (select no from fresh) and b.p is distinct from d.p"
    )
    _find_linked(work)
    work.run(
        "delete from own_scored where r in (select no from open_again) or r in (select no from fresh)"
        " or p in (select no from fresh)"
    )
    work.run(
        "create or replace table open_rows as select * from register where no in (select r from linked_pairs)"
    )
    work.run("create or replace table twice_pairs as select distinct r, p from linked_pairs")
    deduplication.weigh_pairs(work.connection, work.rules, work.model, "own_now")
    work.run("insert into own_scored select * from own_now")
    work.run("create or replace table labels_before as select * from labels")
    deduplication.join_pairs(work.connection, work.rules)
    children.label(work.connection, work.rules)
    work.run(
        "create or replace table told as select no from rows_touched union"
        " select coalesce(a.no, b.no) from labels_before as a full join labels as b on a.no = b.no where a.child_id is distinct from b.child_id"
    )


def _find_linked(work: _Increment) -> None:
    """Make ``open_again``, the open rows compared anew with everybody, and ``linked_pairs``, theirs and those of other open rows with fresh ones.

    A pair neither row of which is fresh stands as it was, unless a block of theirs came to the cap or fell below it.
    """
    keys = ", ".join(sorted({column for block in work.rules.blocks for column in block.register}))
    work.run(
        f"create or replace table open_features as select no, {keys} from register where no in (select no from open_numbers)"
    )
    work.run(
        "create or replace table fresh_rows as select * from register where no in (select no from fresh)"
    )
    work.run(
        "create or replace table open_again as select no from open_numbers where no in (select no from fresh)"
    )
    work.run("create or replace table crossed (no integer)")
    work.run("create or replace table linked_pairs (r integer, p integer)")
    for block in work.rules.blocks:
        _link_block(work, block)
    work.run("delete from crossed where no in (select no from open_again)")
    if work.count("crossed"):
        work.run(
            "create or replace table crossed_rows as select * from register where no in (select no from crossed)"
        )
        collect_pairs(work.connection, work.rules, "crossed_rows", "register", "crossed_pairs")
        work.run("insert into linked_pairs select r, p from crossed_pairs")
        work.run("insert into open_again select distinct no from crossed")


def _link_block(work: _Increment, block: Block) -> None:
    """Add what one block says: rows of a key that crossed the cap, and pairs of the other keys. The register is read once."""
    key, has = key_of("p", block.population), known("p", block.population)
    asks, asked_by = key_of("r", block.register), known("r", block.register)
    sides = {"now": "fresh_rows", "came": "changed", "went": "rows_before"}
    for name, source in sides.items():
        work.run(
            f"create or replace temp table keys_{name} as select p.no, {key} as key from {source} as p where {has}"
        )
    work.run(
        f"create or replace temp table keys_open as select r.no, {asks} as key, r.no in (select no from open_again) as is_fresh"
        f" from open_features as r where {asked_by}"
    )
    work.run(
        f"create or replace temp table keys_held as select p.no, {key} as key from register as p where {has} and {key} in"
        " (select key from keys_now union all select key from keys_went union all select key from keys_open where is_fresh)"
    )
    work.run(
        "create or replace temp table keys_sized as with moved as (select key, 1 as held, 0 as more from keys_held"
        " union all select key, 0, 1 from keys_came union all select key, 0, -1 from keys_went)"
        " select key, sum(held) as held, sum(held - more) as held_before from moved group by key"
    )
    cap = work.rules.cap
    work.run(
        "insert into crossed select o.no from keys_open as o join keys_sized as s using (key)"
        f" where (s.held > {cap}) <> (s.held_before > {cap})"
    )
    for rows, people in (("keys_open", "keys_now"), ("(from keys_open where is_fresh)", "keys_held")):
        work.run(
            f"insert into linked_pairs select o.no, n.no from {rows} as o join {people} as n using (key) join keys_sized as s using (key)"
            f" where s.held <= {cap} and o.no <> n.no"
        )
    for name in ("keys_now", "keys_came", "keys_went", "keys_held", "keys_sized", "keys_open"):
        work.run(f"drop table {name}")

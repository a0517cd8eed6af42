"""The identity step: staging out to Parquet, matching, child keys, links back in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import Connection

from childdb.database import Role, connect
from childdb.flow.child_keys import clusters_of, give_keys
from childdb.flow.decisions import decisions_in_force
from childdb.flow.exchange import copy_table, export_parquet
from childdb.flow.runs import Counts, Run
from childdb.quality.gates import run_gate
from childdb.releases.plan import planned_release
from childdb.settings import Settings
from childdb.vault.keys import Keys, open_keys
from childdb.vault.numbers import note_register_numbers, store_numbers
from childdb.worklists.service import provided_numbers
from childdb.workspace import Workspace

# Names are taken as cleaned, the number as typed: what stands in the cell is evidence of its own.
REGISTER = {
    "record_id": "children.record_id",
    "personal_id_no": "coalesce(provided.number, children.received_personal_id_text)",
    "full_name": "full_name",
    "birth_date_text": "coalesce(birth_date::text, received_birth_date_text)",
    "sex_text": "case sex_code when 'male' then 'Nam' when 'female' then 'Nữ' end",
    "ethnic_group_text": "ethnic_group_code",
    "province_code": "coalesce(places.province_code, children.province_code)",
    "commune_code": "split_part(coalesce(children.commune_id_2025, children.commune_id), '@', 1)",
    "hamlet_name": "hamlet_name",
    "household_no": "household_no",
    "mother_name": "mother_name",
    "mother_personal_id_no": "mother_personal_id_no",
    "father_name": "father_name",
    "father_personal_id_no": "father_personal_id_no",
    "phone_no": "phone_no",
    "birth_registration_no": "birth_registration_no",
    "entered_year": "extract(year from coalesce(entered_at::date, file_date))::int",
}
POPULATION = (
    "person_id personal_id_no full_name sex birth_date ethnic_group_text province_code commune_code hamlet_name "
    "household_no mother_name mother_personal_id_no father_name father_personal_id_no phone_no birth_registration_no"
).split()


def match_children(settings: Settings, run: Run) -> Counts:
    """Match the accepted rows of the build with the population extract and store links and keys."""
    from childdb.identity import match

    workspace = Workspace(settings.home)
    with connect(Role.MATCHER, settings) as connection:
        keys = open_keys(workspace, connection)
        plan = planned_release(connection)
        decisions = decisions_in_force(connection)
        _lay_out_provided(connection, keys)
        rows = _export(connection, workspace.identity)
    register, population = workspace.identity / "register.parquet", workspace.identity / "population.parquet"
    try:
        report = match(
            register,
            population,
            workspace.identity,
            threads=settings.threads,
            memory=settings.memory,
            decisions=decisions,
        )
        with connect(Role.MATCHER, settings) as connection:
            children = _store(
                connection, workspace.identity, run.run_id, plan.as_of, report.versions["model"]
            )
            numbers = connection.execute(NUMBERS).fetchall()
            store_numbers(connection, keys, numbers, on=plan.as_of)
            others = connection.execute(OTHER_NUMBERS).fetchall()
            noted = note_register_numbers(connection, keys, others, on=plan.as_of)
    finally:
        # What the matcher worked on holds names: it is made anew each time and kept no longer.
        for path in (register, population):
            path.unlink(missing_ok=True)
    return {"rows": rows, "children": children, "numbers": len(numbers), "other_numbers": noted}


NUMBERS = """
select children.child_id, persons.personal_id_no
from identity.children as children
inner join staging.stg_population__persons as persons on children.person_id = persons.person_id
where children.confirmed and persons.personal_id_no is not null
order by children.child_id
"""

# A list may still give a number that was cancelled since; one that is somebody else's is no number of this child.
OTHER_NUMBERS = """
select distinct links.child_id, rows.personal_id_no
from identity.record_links as links
inner join identity.children as children on links.child_id = children.child_id
inner join staging.stg_treem__children as rows on links.record_id = rows.record_id
inner join staging.stg_population__persons as persons on children.person_id = persons.person_id
where
    children.confirmed
    and rows.personal_id_no <> persons.personal_id_no
    and not exists (
        select 1 from staging.stg_population__persons as others where others.personal_id_no = rows.personal_id_no
    )
order by 1, 2
"""


def _lay_out_provided(connection: Connection, keys: Keys) -> None:
    """Lay the numbers that the police provided beside the rows of their children: evidence, not truth."""
    connection.execute(
        "create temporary table provided_children (child_id text, number text) on commit drop; "
        "create temporary table provided (record_id text, number text) on commit drop"
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into provided_children values (%s, %s)", list(provided_numbers(connection, keys))
        )
    connection.execute(
        "insert into provided select given.record_id, max(numbers.number) from identity.record_keys as given "
        "inner join provided_children as numbers on given.child_id = numbers.child_id "
        "group by given.record_id having count(distinct numbers.number) = 1"
    )


def _export(connection: Connection, folder: Path) -> int:
    fields = ", ".join(f"{expression} as {name}" for name, expression in REGISTER.items())
    query = (
        f"select {fields} from staging.stg_treem__children as children "  # noqa: S608 - names of our own
        "left join reference.communes as places on children.commune_id_2025 = places.commune_id "
        "left join pg_temp.provided as provided on children.record_id = provided.record_id"
    )
    rows = export_parquet(connection, query, tuple(REGISTER), folder / "register.parquet")
    sex = ", ".join(
        "case sex_code when 'male' then 1 when 'female' then 2 end as sex" if c == "sex" else c
        for c in POPULATION
    )
    query = f"select {sex} from staging.stg_population__persons"  # noqa: S608
    export_parquet(connection, query, POPULATION, folder / "population.parquet")
    return rows


def _store(connection: Connection, folder: Path, run_id: str, on: date, model_version: str) -> int:
    """Replace links and children by this matching; a child keeps the key it was once given."""
    links, persons = pq.read_table(folder / "links.parquet"), pq.read_table(folder / "persons.parquet")
    connection.execute("lock table identity.record_links in exclusive mode")
    labels = dict(zip(_texts(persons, "record_id"), _texts(persons, "child_id"), strict=True))
    accepted = {
        labels[record]: person
        for record, person, decision in zip(
            _texts(links, "record_id"), _texts(links, "person_id"), _texts(links, "decision"), strict=True
        )
        if decision == "accepted"
    }
    clusters = clusters_of(list(labels), list(labels.values()))
    keys = give_keys(connection, clusters, accepted, on=on, run_id=run_id)
    connection.execute("delete from identity.record_links")
    copy_table(connection, "identity.record_links", _links_table(links, keys, run_id, model_version))
    connection.execute("delete from identity.children")
    cursor = connection.execute(
        "insert into identity.children (child_id, person_id, confirmed) select child_id, "
        "min(person_id) filter (where decision = 'accepted'), bool_or(decision = 'accepted') "
        "from identity.record_links group by child_id"
    )
    return cursor.rowcount


def _texts(table: pa.Table, column: str) -> list[str]:
    values: list[str] = table.column(column).to_pylist()
    return values


def _links_table(links: pa.Table, keys: Mapping[str, str], run_id: str, model_version: str) -> pa.Table:
    count = links.num_rows
    columns: dict[str, pa.Array[Any] | pa.ChunkedArray[Any]] = {
        "record_id": links.column("record_id"),
        "child_id": pa.array([keys[record] for record in _texts(links, "record_id")], pa.string()),
        **{
            c: links.column(c)
            for c in ("person_id", "decision", "match_probability", "match_weight", "rule_id")
        },
        "evidence": pa.array([_json(pairs) for pairs in links.column("evidence").to_pylist()], pa.string()),
        "model_version": pa.array([model_version] * count, pa.string()),
        "run_id": pa.array([run_id] * count, pa.string()),
    }
    return pa.Table.from_arrays(list(columns.values()), names=list(columns))


def _json(pairs: object) -> str:
    return json.dumps(dict(pairs or {}), sort_keys=True)  # type: ignore[call-overload]


def check_identity(settings: Settings, run: Run) -> Counts:
    """Judge the result of the matching."""
    result = run_gate(settings, "identity/children", run_id=run.run_id, as_of=run.as_of)
    return {"outcome": result.outcome.value}

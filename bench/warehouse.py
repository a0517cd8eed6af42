"""Build of core, marts and publication from N invented children put straight into the warehouse's input tables.

Measures the full build, a day with changed rows, the candidate of a release, and beside them the plain way: one GROUP BY
query per indicator and breakdown over the same children.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import psycopg
from psycopg import sql

from childdb.database import Database, open_database
from childdb.database.access import stop_server
from childdb.database.server import server_folder
from childdb.flow.dbt import run_dbt
from childdb.orchestration.remove import remove_server_folder
from childdb.releases import build_candidate, plan_release
from childdb.releases.catalogue import catalogue
from childdb.settings import Settings, load_settings
from childdb.workspace import Workspace

STAGING = ["build", "--full-refresh", "--select", "resource_type:seed", "path:models/staging"]
MODELS = ["run", "--exclude", "resource_type:seed", "path:models/staging"]
DAY = "2026-06-30"
COUNTING = (
    "int_measures__register_cells", "int_measures__area_totals", "int_measures__expected_cells", "agg_indicators",
)  # fmt: skip
"""The models that count the whole catalogue from the children."""
# Everything about a child is a function of its number: the same N gives the same tables.
CHILDREN = """
insert into clean.treem__children (
    record_id, _batch_id, sheet, row_no, outcome, ngay_sinh, ngay_sinh_precision, birth_year, birth_month, gioi_tinh,
    dan_toc, hoan_canh_dac_biet, ho_tro, nguy_co, ho_ngheo, da_dang_ky_khai_sinh, tinh_trang_hoc_tap, bien_dong,
    ngay_bien_dong, ngay_cap_nhat, commune_id, commune_id_2025, province_code
)
select
    batch_id || '#1:' || n, batch_id, '1', n::integer, 'accepted', born::text, 'day', extract(year from born)::integer,
    extract(month from born)::integer, case when h & 1 = 0 then 'male' else 'female' end,
    case when h %% 7 = 0 then lpad((2 + h %% 50)::text, 2, '0') else '01' end,
    case when h %% 29 = 0 then array['SC' || lpad((1 + h %% 14)::text, 2, '0')] end,
    case when h %% 58 = 0 then '1' end, case when h %% 17 = 0 then 'true' end,
    (array['poor', 'near_poor', 'none', 'none', 'none', 'none', 'none', 'none'])[1 + h %% 8],
    case when h %% 23 = 0 then 'false' else 'true' end, '1',
    case when h %% 101 = 0 then 'moved_out' when h %% 997 = 0 then 'died' end,
    case when h %% 101 = 0 or h %% 997 = 0 then '2026-03-15' end, %(day)s || 'T08:00:00', commune_id, commune_id,
    province_code
from (
    select
        n, abs(hashint8extended(n, 7)::bigint %% 2000000011) as h, c.commune_id, c.province_code,
        'treem__children@' || left(md5(c.commune_id || %(batch)s), 20) as batch_id,
        date '2010-01-01' + (abs(hashint8extended(n, 9) %% 6020))::integer as born
    from generate_series(%(first)s::bigint, %(last)s::bigint) as n
    inner join places as c on c.place = n %% (select count(*) from places)
) as drawn
"""
BATCHES = """
insert into ops.batches (
    batch_id, dataset, file_sha256, file_date, size_bytes, file_name_text, status, outcome, physical_rows,
    header_footer_rows, accepted, quarantined, rejected
)
select
    'treem__children@' || left(md5(commune_id || %(batch)s), 20), 'treem__children',
    encode(sha256((commune_id || %(batch)s)::bytea), 'hex'), %(day)s::date, 0, 'x.csv', 'judged', 'accept', 0, 0, 0, 0, 0
from places
where place < %(places)s
"""
RESIDENTS = """
insert into clean.population__persons (
    _batch_id, person_id, sex, birth_date, ethnic_group_text, province_code, commune_code
)
select
    'population__persons@1', 'p' || n, (1 + n %% 2)::text, date '2009-06-01' + (n * 37 %% 6200)::integer, '01',
    c.province_code, split_part(c.commune_id, '@', 1)
from generate_series(1, %(last)s::bigint) as n
inner join places as c on c.place = n %% (select count(*) from places)
"""
LINKS = """
insert into identity.record_links (record_id, child_id, decision)
select record_id, md5(record_id), case when row_no %% 10 < 8 then 'accepted' else 'none' end
from clean.treem__children as c
where _batch_id in (select batch_id from ops.batches where file_date = %(day)s)
    and not exists (select 1 from identity.record_links as l where l.record_id = c.record_id)
order by record_id
"""
"""In order, as the matcher writes them: an index filled at random takes half as much again."""
KEYS = """
insert into identity.children (child_id, confirmed)
select child_id, decision = 'accepted' from identity.record_links
order by child_id
on conflict do nothing
"""


def main() -> int:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--children", type=int, default=1_000_000)
    parser.add_argument("--changed", type=int, default=100_000, help="rows of the next day; 0 leaves it out")
    parser.add_argument(
        "--plain", action="store_true", help="also the plain way, one query per indicator and breakdown"
    )
    parser.add_argument("--no-release", action="store_true", help="leave the files of the release out")
    arguments = parser.parse_args()
    with workspace() as settings, open_database(settings) as database:
        print(json.dumps(measure(settings, database, arguments), indent=1))
    return 0


@contextlib.contextmanager
def workspace() -> Iterator[Settings]:
    """Yield settings of a workspace that is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        base = load_settings({"CHILDDB_HOME": str(Path(folder) / "var")})
        settings = replace(base, system_dir=Path(folder) / "system")
        try:
            yield settings
        finally:
            stop_server(settings)
            remove_server_folder(settings)


def measure(settings: Settings, database: Database, arguments: argparse.Namespace) -> dict[str, object]:
    """Return seconds per step, cost per row and the comparison."""
    found: dict[str, object] = {"children": arguments.children, "load": os.getloadavg()[0]}
    run = partial(timed, found, settings=settings)
    run("seeds_and_staging", lambda: run_dbt(settings, STAGING, {"reference_date": DAY}))
    run("inputs", lambda: fill(database, arguments.children))
    plan = plan_release(settings, None)
    full = run("full_build", lambda: run_dbt(settings, MODELS, plan.variables))
    found["processor_microseconds_per_row"] = round(full * 1e6 / arguments.children, 2)
    models = model_seconds(settings)
    found["slowest_models"] = dict(list(models.items())[:14])
    if not arguments.no_release:
        run("candidate", lambda: build_candidate(settings))
    if arguments.plain:
        compare(settings, database, found, models)
    if arguments.changed:
        run("changed_inputs", lambda: change(database, arguments.children, arguments.changed))
        later = plan_release(settings, None)
        run("changed_day", lambda: run_dbt(settings, MODELS, later.variables))
        found["slowest_models_of_the_day"] = dict(list(model_seconds(settings).items())[:14])
        if not arguments.no_release:
            run("candidate_of_the_day", lambda: build_candidate(settings))
    found["database_bytes"] = size(database)
    return found


def timed(found: dict[str, object], name: str, work: Callable[[], object], settings: Settings) -> float:
    """Run a step, note its seconds on the clock and of the processors, and return those of the processors."""
    begun, used = time.monotonic(), processor_seconds(settings)
    work()
    seconds, busy = time.monotonic() - begun, processor_seconds(settings) - used
    found[name] = {"clock": round(seconds, 1), "processors": round(busy, 1), "load": os.getloadavg()[0]}
    print(f"{name}: {seconds:.1f} s, {busy:.1f} processor seconds", file=sys.stderr, flush=True)
    return busy


def processor_seconds(settings: Settings) -> float:
    """Return what this process, the programs it ran and the database server have used: a busy machine adds nothing."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    server = int((server_folder(settings) / "data" / "postmaster.pid").read_text().splitlines()[0])
    ticks = sum(_ticks(pid) for pid in [server, *_children(server)])
    return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime + ticks / os.sysconf("SC_CLK_TCK")


def _ticks(pid: int) -> int:
    """Return the clock ticks of a process and of the children it has seen end."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except FileNotFoundError:
        return 0
    return sum(int(field) for field in fields[11:15])


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextlib.contextmanager
def as_owner(database: Database) -> Iterator[psycopg.Connection]:
    """Yield a connection that may write every input table."""
    owner, models = (sql.Identifier(f"{database.name}_{role}") for role in ("owner", "build"))
    with psycopg.connect(database.admin_url) as connection:
        connection.execute(sql.SQL("set role {}").format(models))
        connection.execute(
            "create temporary table places as select row_number() over (order by commune_id) - 1 as place, commune_id, "
            "province_code from reference.communes where coalesce(valid_to_date, '') = ''"
        )
        connection.execute(sql.SQL("grant all on places to {}").format(owner))
        connection.execute(sql.SQL("set role {}").format(owner))
        yield connection


def fill(database: Database, children: int) -> None:
    """Put the first day's rows where cleaning and matching would have put them."""
    with as_owner(database) as connection:
        values = {"day": DAY, "batch": "first", "first": 1, "last": children, "places": 10**9}
        connection.execute(BATCHES, values)
        connection.execute(CHILDREN, values)
        connection.execute(LINKS, values)
        connection.execute(KEYS)
        connection.execute(RESIDENTS, {"last": int(children * 1.04)})
        connection.execute(
            "insert into ops.batches (batch_id, dataset, file_sha256, file_date, size_bytes, file_name_text, status, "
            "outcome, physical_rows, header_footer_rows, accepted, quarantined, rejected) values "
            "('population__persons@1', 'population__persons', repeat('0', 64), %s, 0, 'x.csv', 'judged', 'accept', "
            "0, 0, 0, 0, 0)",
            [DAY],
        )
        for table in ("clean.treem__children", "identity.record_links", "identity.children"):
            connection.execute(sql.SQL("analyze {}").format(sql.Identifier(*table.split("."))))


def change(database: Database, children: int, changed: int) -> None:
    """Send new lists of as many communes as hold about so many children: everyone again, some of them otherwise."""
    with as_owner(database) as connection:
        row = connection.execute("select count(*) from places").fetchone()
        total = int(row[0]) if row else 1
        places = max(1, round(total * changed / children))
        connection.execute("delete from places where place >= %s", [places])
        values = {"day": "2026-07-01", "batch": "second", "places": places}
        connection.execute(BATCHES, values)
        columns = [
            name
            for (name,) in connection.execute(
                "select column_name from information_schema.columns where table_schema = 'clean' and table_name = "
                "'treem__children' order by ordinal_position"
            )
        ]
        chosen = {
            "_batch_id": "b.next_id",
            "record_id": "b.next_id || '#1:' || c.row_no",
            "nguy_co": "'true'",
        }
        connection.execute(
            sql.SQL(
                "insert into clean.treem__children ({}) select {} from clean.treem__children as c inner join ("
                "select 'treem__children@' || left(md5(commune_id || 'first'), 20) as batch_id, "
                "'treem__children@' || left(md5(commune_id || 'second'), 20) as next_id from places) as b "
                "on c._batch_id = b.batch_id"
            ).format(
                sql.SQL(", ").join(map(sql.Identifier, columns)),
                sql.SQL(", ").join(sql.SQL(chosen.get(name, "c." + name)) for name in columns),
            )
        )
        connection.execute(
            "insert into identity.record_links (record_id, child_id, decision) select b.next_id || '#1:' || c.row_no, "
            "md5(c.record_id), 'accepted' from clean.treem__children as c inner join (select "
            "'treem__children@' || left(md5(commune_id || 'first'), 20) as batch_id, "
            "'treem__children@' || left(md5(commune_id || 'second'), 20) as next_id from places) as b "
            "on c._batch_id = b.batch_id"
        )


PLAIN = {
    "total": (),
    "sex": ("sex_code",),
    "age_group": ("age_group",),
    "sex_age_group": ("sex_code", "age_group"),
    "ethnic_group": ("ethnic_group_code",),
}
PLAIN_AREAS = {
    "2025": {
        "nation": (),
        "province": ("province_code_2025",),
        "commune": ("province_code_2025", "commune_code_2025"),
    },
    "legacy": {
        "nation": (),
        "province": ("province_code_legacy",),
        "district": ("province_code_legacy", "district_code_legacy"),
        "commune": ("province_code_legacy", "commune_code_legacy"),
    },
}
CONDITIONS = {
    "children": "true",
    "special_circumstance_children": "has_special_circumstance",
    "assisted_special_circumstance_children": "has_special_circumstance and is_assisted",
    "number_confirmed_children": "is_number_confirmed",
    "at_risk_children": "is_at_risk",
    "poor_or_near_poor_children": "is_poor_or_near_poor",
    "children_under_5": "age_in_years < 5",
    "birth_registered_children_under_5": "age_in_years < 5 and is_birth_registered",
}


def compare(
    settings: Settings, database: Database, found: dict[str, object], models: Mapping[str, float]
) -> None:
    """Time one query per indicator, map, area level and breakdown, and the models that make the same figures."""
    measured = [
        i.fields for i in catalogue()
        if i.fields["numerator_measure_code"] and i.fields["denominator_measure_code"] != "population_children"
    ]  # fmt: skip
    queries = [
        plain_query(fields["numerator_measure_code"], fields["denominator_measure_code"], areas, groups)
        for fields in measured
        for levels in PLAIN_AREAS.values()
        for level, areas in levels.items()
        for breakdown, groups in PLAIN.items()
        if breakdown != "ethnic_group" or level in ("nation", "province")
    ]
    with psycopg.connect(database.admin_url) as connection:
        begun = time.monotonic()
        timed(found, "plain_queries", lambda: [connection.execute(q).fetchall() for q in queries], settings)
        plain = time.monotonic() - begun
    ours = sum(models[name] for name in COUNTING)
    found["one_pass"] = round(ours, 1)
    found["plain_query_count"] = len(queries)
    found["times_faster"] = round(plain / ours, 1)


def plain_query(above: str, below: str, areas: tuple[str, ...], groups: tuple[str, ...]) -> str:
    """Return the query somebody would write for one indicator and breakdown."""
    keys = [*areas, *groups]
    counts = [f"count(*) filter (where {CONDITIONS[code]})" for code in (above, below) if code]
    group = f" group by {', '.join(keys)}" if keys else ""
    return (
        f"select {', '.join([*keys, *counts])} from (select c.*, a.age_group from core.dim_children as c "
        "left join reference.age_groups as a on c.age_in_years >= a.from_age_years and c.age_in_years < a.to_age_years "
        f"where c.counting_status_code = 'counted') as counted{group}"
    )


def model_seconds(settings: Settings) -> dict[str, float]:
    """Return the seconds each model of the last build took."""
    results = Workspace(settings.home).dbt / "target" / "run_results.json"
    nodes = json.loads(results.read_text(encoding="utf-8"))["results"]
    seconds = {node["unique_id"].split(".")[-1]: round(node["execution_time"], 1) for node in nodes}
    return dict(sorted(seconds.items(), key=lambda item: -item[1]))


def size(database: Database) -> int:
    """Return the size of the database."""
    with psycopg.connect(database.admin_url) as connection:
        row = connection.execute("select pg_database_size(current_database())").fetchone()
    return int(row[0]) if row else 0


if __name__ == "__main__":
    sys.exit(main())

"""`childdb rules try`: what a changed cleaning rule or list of spellings would do to landed data, before it counts."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from childdb.cleaning.rules import cleaning_rules
from childdb.cleaning.trial import changed_rules, compare, read_mapping
from childdb.cli import emit
from childdb.commands.clean import expand_paths
from childdb.errors import ExitStatus, UsageError
from childdb.reading import ReadOptions, read_file

if TYPE_CHECKING:
    from childdb.reading import FileReading

HELP = "try a changed cleaning rule on data already landed"


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    actions = parser.add_subparsers(dest="action", required=True)
    trial = actions.add_parser("try", help=HELP)
    trial.add_argument(
        "paths", nargs="*", metavar="PATH", help="exports to try on; without any, the landed batches"
    )
    trial.add_argument(
        "--rules", type=Path, metavar="FILE", help="YAML with the rules that change (id and new keys)"
    )
    trial.add_argument(
        "--mapping", action="append", default=[], metavar="LIST=FILE", help="changed list of spellings"
    )
    trial.add_argument(
        "--as-of", type=date.fromisoformat, metavar="DATE", help="date of files that state none"
    )


def execute(arguments: argparse.Namespace) -> ExitStatus:
    """Print what would change; nothing is stored."""
    if not arguments.rules and not arguments.mapping:
        raise UsageError(
            "Nothing to try: name changed rules (--rules) or spellings (--mapping).",
            "Chưa nêu gì để thử: hãy nêu quy tắc (--rules) hoặc danh mục cách viết (--mapping).",
        )
    rules = cleaning_rules()
    trial = rules
    if arguments.rules:
        trial = changed_rules(arguments.rules.read_text(encoding="utf-8"), rules, arguments.rules.name)
    mappings = {name: read_mapping(name, path) for name, path in map(_mapping, arguments.mapping)}
    readings = _from_paths(arguments.paths) if arguments.paths else _from_batches()
    answer = compare(readings, rules, trial, mappings, arguments.as_of).as_json()
    emit(arguments, answer, _lines(answer))
    return ExitStatus.DONE


def _mapping(text: str) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    if not path:
        raise UsageError("--mapping is written LIST=FILE, for example ethnic_groups=new.csv.")
    return name, Path(path)


def _from_paths(paths: list[str]) -> Iterator[FileReading]:
    for path in expand_paths([Path(path) for path in paths]):
        yield read_file(path, options=ReadOptions())


def _from_batches() -> Iterator[FileReading]:
    """Yield the loaded batches as they were read, from the raw table."""
    from childdb.database import Role, open_database
    from childdb.loading.raw import reading_from_raw
    from childdb.settings import load_settings

    with open_database(load_settings()) as database, database.connect(Role.CLEANER) as connection:
        rows = connection.execute("select distinct _batch_id from raw.treem__children order by 1").fetchall()
        for (batch_id,) in rows:
            yield reading_from_raw(connection, str(batch_id))


def _lines(answer: dict[str, Any]) -> Iterator[str]:
    yield f"Tệp / files: {answer['files']} · dòng / rows: {answer['rows']}"
    held = answer["quarantined"]
    yield f"Dòng giữ lại / quarantined: {held['before']} → {held['after']}"
    yield f"Tệp đổi kết quả / files with another outcome: {answer['files_with_other_outcome']}"
    for column, count in answer["changed_cells"].items():
        yield f"  {column}: {count} ô đổi / cells changed"
    for rule, counts in answer["findings"].items():
        yield f"  {rule}: {counts['before']} → {counts['after']}"

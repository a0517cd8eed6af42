"""The profile of a file: what is known of it besides its rows."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from childdb.reading.model import FileKind, FileProfile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from childdb.reading.column_map import ColumnMap
    from childdb.reading.headers import Header
    from childdb.reading.reporting import Sheet
    from childdb.reading.titles import Stated
    from childdb.reading.workbook import RawFile


def build_profile(
    kind: FileKind,
    raw: RawFile,
    sheets: list[Sheet],
    stated: Stated,
    units: Mapping[str, str],
    column_map: ColumnMap,
) -> FileProfile:
    """Return the profile of a file from its sheets and what its titles state."""
    first = sheets[0] if sheets else None
    targets = set().union(*(sheet.composer.sources.targets for sheet in sheets)) if sheets else set()
    header = first.layout.header if first else None
    asking = next((sheet.layout.header for sheet in sheets if sheet.layout.header.proposals), header)
    return FileProfile(
        kind=kind,
        encoding=raw.encoding,
        delimiter=raw.delimiter,
        sheet_names=raw.sheet_names,
        read_sheets=tuple(sheet.grid.sheet for sheet in sheets),
        hidden_sheets=raw.hidden_sheets,
        header_rows=tuple(int(first.grid.row_nos[row]) for row in range(header.first, header.last + 1))
        if first and header
        else (),
        columns_present=tuple(name for name in column_map.columns if name in targets),
        unmapped_headers=tuple(
            " > ".join(first.layout.header.paths[place]) for place in first.composer.sources.unmapped
        )
        if first
        else (),
        stated_date=stated.day,
        stated_unit_texts=dict(units),
        stated_ethnic_list=stated.ethnic_list,
        date_system=raw.date_system,
        stated_total=stated.totals[0] if stated.totals else None,
        column_map_version=column_map.version,
        header_signature=asking.signature if asking else None,
        header_proposal=_proposal(asking) if asking else {},
    )


def _proposal(header: Header) -> dict[str, str]:
    """Return header text → column for the wordings that were taken by likeness or content."""
    return {
        " > ".join(header.paths[place]): match.column
        for place in sorted(header.proposals)
        if (match := header.matches[place]) is not None
    }


def profile_json(profile: FileProfile) -> str:
    """Return a profile as JSON, for the way from the child process to its parent."""
    plain = asdict(replace(profile, stated_unit_texts=dict(profile.stated_unit_texts)))
    plain["stated_date"] = profile.stated_date.isoformat() if profile.stated_date else None
    return json.dumps(plain, ensure_ascii=False)

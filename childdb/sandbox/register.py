"""The register in the schema of ``childdb match``, and its links to the population extract as truth."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from childdb.sandbox.columns import column
from childdb.sandbox.marks import Marks
from childdb.sandbox.misprints import Written
from childdb.sandbox.people import Nation
from childdb.sandbox.population import child_keys, commune_columns, person_ids
from childdb.sandbox.rows import Rows, record_ids
from childdb.sandbox.writing import without

SCHEMA = pa.schema(
    [
        (name, pa.string())
        for name in (
            "record_id",
            "personal_id_no",
            "full_name",
            "birth_date_text",
            "sex_text",
            "ethnic_group_text",
            "province_code",
            "commune_code",
            "hamlet_name",
            "household_no",
            "mother_name",
            "mother_personal_id_no",
            "father_name",
            "father_personal_id_no",
            "phone_no",
            "birth_registration_no",
        )
    ]
    + [("entered_year", pa.int32())]
)
LINK_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("record_id", "person_id", "child_key", "error_ids")]
)


def register_table(nation: Nation, rows: Rows, written: Written) -> pa.Table:
    """Return the register's rows as typed."""
    columns = [
        record_ids(nation, rows),
        written.number,
        written.name,
        written.birth,
        written.sex,
        written.ethnic,
        *commune_columns(nation, rows.commune),
        written.hamlet,
        written.household_no,
        written.mother,
        written.mother_number,
        written.father,
        written.father_number,
        written.phone,
        written.certificate,
        column(written.entered_year.astype(np.int32)),
    ]
    return pa.table(columns, schema=SCHEMA)


def link_table(nation: Nation, rows: Rows, marks: Marks) -> pa.Table:
    """Return for each row its person in the extract (NULL if none), its child and its errors."""
    people = rows.people
    persons = without(~people.listed, person_ids(nation, people.index))
    return pa.table(
        [record_ids(nation, rows), persons, child_keys(nation, people.index), marks.text()],
        schema=LINK_SCHEMA,
    )

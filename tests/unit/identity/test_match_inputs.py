"""What cannot be matched is refused in one clear sentence that holds no value of a record."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from childdb.errors import ChilddbError, ConfigurationError, InputRefusedError
from childdb.identity import match
from childdb.identity.rules import ColumnType
from childdb.identity.rules_file import DEFAULT_RULES, load_rules

TYPES = {
    ColumnType.TEXT: pa.string(),
    ColumnType.INTEGER: pa.int32(),
    ColumnType.DATE: pa.date32(),
    ColumnType.CODE: pa.int8(),
}
RULES = load_rules()


def _table(side, keys: list[str], **changed) -> pa.Table:
    columns = {name: pa.array([None] * len(keys), TYPES[kind]) for name, kind in side.columns.items()}
    columns[side.key] = pa.array(keys, pa.string())
    return pa.table({**columns, **changed})


def _run(tmp_path: Path, register: pa.Table, population: pa.Table) -> object:
    pq.write_table(register, tmp_path / "r.parquet")
    pq.write_table(population, tmp_path / "p.parquet")
    return match(tmp_path / "r.parquet", tmp_path / "p.parquet", tmp_path / "out", threads=1, memory="500MB")


def _good(tmp_path: Path) -> tuple[pa.Table, pa.Table]:
    return _table(RULES.register, ["a", "b"]), _table(RULES.population, ["x", "y"])


def test_missing_column_and_wrong_type_are_told_together(tmp_path: Path) -> None:
    register, population = _good(tmp_path)
    register = register.drop_columns(["full_name"]).set_column(0, "record_id", pa.array([1, 2]))
    with pytest.raises(
        InputRefusedError, match=r"missing columns: full_name.*record_id is int64, text expected"
    ):
        _run(tmp_path, register, population)


def test_repeated_and_missing_keys_are_counted_not_shown(tmp_path: Path) -> None:
    _, population = _good(tmp_path)
    with pytest.raises(
        InputRefusedError, match="1 rows without record_id and 2 rows that repeat one"
    ) as caught:
        _run(tmp_path, _table(RULES.register, ["SECRET", "SECRET", "SECRET", None, "b"]), population)
    assert "SECRET" not in str(caught.value)


def test_empty_table_is_refused(tmp_path: Path) -> None:
    register, _ = _good(tmp_path)
    with pytest.raises(InputRefusedError, match="population is empty"):
        _run(tmp_path, register, _table(RULES.population, []))


def test_file_that_is_not_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r.parquet").write_bytes(b"record_id;full_name\n")
    with pytest.raises(InputRefusedError, match="register is not a whole Parquet file"):
        match(tmp_path / "r.parquet", tmp_path / "r.parquet", tmp_path / "out")


def test_file_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefusedError, match="does not exist"):
        match(tmp_path / "none.parquet", tmp_path / "none.parquet", tmp_path / "out")


def test_rows_without_any_value_stay_apart_and_extra_columns_are_told(tmp_path: Path) -> None:
    register, population = _good(tmp_path)
    report = _run(tmp_path, register.append_column("note", pa.array(["x", "y"])), population)
    assert report.decisions == {"accepted": 0, "review": 0, "none": 2}
    assert report.children == 2
    assert report.inputs["register"]["columns_ignored"] == ("note",)


def test_one_value_for_everybody_is_capped_and_told(tmp_path: Path) -> None:
    count = 3000
    keys = [f"k{number:05d}" for number in range(count)]
    same = {
        "full_name": pa.array(["Nguyễn Văn An"] * count),
        "commune_code": pa.array(["00001"] * count),
        "phone_no": pa.array(["0912345678"] * count),
    }
    report = _run(tmp_path, _table(RULES.register, keys, **same), _table(RULES.population, keys, **same))
    assert report.pairs["residual"] == 0
    assert any(
        block["keys_over_cap"] and block["rows_over_cap"] == count
        for block in report.blocks
        if block["stage"] == "residual"
    )
    assert report.decisions["none"] == count


def test_unusable_memory_limit_is_a_clear_error(tmp_path: Path) -> None:
    register, population = _good(tmp_path)
    pq.write_table(register, tmp_path / "r.parquet")
    pq.write_table(population, tmp_path / "p.parquet")
    with pytest.raises(ChilddbError, match="memory limit"):
        match(tmp_path / "r.parquet", tmp_path / "p.parquet", tmp_path / "out", memory="plenty")


def test_every_mistake_of_a_rules_file_is_told_at_once(tmp_path: Path) -> None:
    text = DEFAULT_RULES.read_text(encoding="utf-8")
    text = text.replace("cap: 100\n", "cap: many\nkap: 100\n").replace(
        "frequency: name_full, chance", "frequency: nothing, chanse", 1
    )
    (tmp_path / "rules.yml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_rules(tmp_path / "rules.yml")
    for part in ("unknown key 'kap'", "rules.cap: expected int", "unknown key 'chanse'"):
        assert part in str(caught.value)


def test_rules_may_not_hold_commands(tmp_path: Path) -> None:
    text = DEFAULT_RULES.read_text(encoding="utf-8").replace(
        "when: r.sex = p.sex", "when: (select count(*) from register) > 0"
    )
    (tmp_path / "rules.yml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="may not hold commands"):
        load_rules(tmp_path / "rules.yml")


def test_model_of_other_rules_is_refused(default_nation, tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(
        DEFAULT_RULES.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8"
    )
    with pytest.raises(ConfigurationError, match="learnt under other rules"):
        match(
            default_nation.register, default_nation.population, tmp_path / "out",
            rules=tmp_path / "rules.yml", model=default_nation.out / "model.json",
        )  # fmt: skip

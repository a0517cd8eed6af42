"""The population extract: Parquet and CSV are loaded as they are; messages of the population service become rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

import pyarrow as pa

from childdb.errors import InputRefusedError

COLUMNS = (
    "person_id", "personal_id_no", "full_name", "sex", "birth_date", "ethnic_group_text", "province_code", "commune_code",
    "hamlet_name", "household_no", "mother_name", "mother_personal_id_no", "father_name", "father_personal_id_no",
    "phone_no", "birth_registration_no",
)  # fmt: skip
"""Columns of the population input, in the contract's order."""
_DATE = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})", re.ASCII)
_NUMBER = re.compile(r"[0-9]{12}")
_BATCH = 20_000
_DEEPEST = 12


@dataclass(slots=True)
class _Message:
    """Collects the citizens of one message; field names are those of QCVN 109 and of live-shaped samples."""

    people: list[dict[str, str | None]] = field(default_factory=list)
    stated: int | None = None
    path: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    count: int = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "CongdanCollection" and attributes.get("SoCongDan", "").isdigit():
            self.stated = int(attributes["SoCongDan"])
        if local == "CongDan":
            self.values = {}
        self.path.append(local)
        self.text = []
        if len(self.path) > _DEEPEST:
            raise InputRefusedError("A population message is nested too deep; it was refused.")

    def hear(self, text: str) -> None:
        self.text.append(text)

    def end(self, name: str) -> None:
        local = name.rpartition(":")[2]
        inside = self.path[self.path.index("CongDan") + 1 :] if "CongDan" in self.path else []
        value = "".join(self.text).strip()
        if inside and value:
            self.values["/".join(inside)] = value
        if local == "CongDan":
            self.count += 1
            self.people.append(_person(self.values))
        self.path.pop()
        self.text = []


def _person(values: dict[str, str]) -> dict[str, str | None]:
    """Return one citizen of a message in the contract's columns; absent fields are None."""
    number = values.get("SoDinhDanh", "")
    name = " ".join(
        values[part] for part in ("HoVaTen/Ho", "HoVaTen/ChuDem", "HoVaTen/Ten") if part in values
    )
    home = next(
        (key for key in ("NoiOHienTai", "ThuongTru") if any(k.startswith(f"{key}/") for k in values)),
        "ThuongTru",
    )
    return {
        "person_id": number or None,
        "personal_id_no": number if _NUMBER.fullmatch(number) else None,
        "full_name": name or values.get("HoVaTen"),
        "sex": values.get("GioiTinh") if values.get("GioiTinh") in ("1", "2") else None,
        "birth_date": _birth(values),
        "ethnic_group_text": values.get("DanToc")
        or values.get("DanToc/MaDanToc")
        or values.get("DanToc/TenGoi"),
        "province_code": values.get(f"{home}/MaTinhThanh"),
        "commune_code": values.get(f"{home}/MaPhuongXa") or values.get(f"{home}/MaDonViHanhChinh"),
        "hamlet_name": values.get(f"{home}/ChiTiet"),
        "household_no": values.get("SoSoHoKhau"),
        "mother_name": _parent_name(values, "Me"),
        "mother_personal_id_no": values.get("Me/SoDinhDanh") or values.get("Me/SoCMND"),
        "father_name": _parent_name(values, "Cha"),
        "father_personal_id_no": values.get("Cha/SoDinhDanh") or values.get("Cha/SoCMND"),
        "phone_no": None,
        "birth_registration_no": None,
    }


def _parent_name(values: dict[str, str], parent: str) -> str | None:
    parts = [values[key] for part in ("Ho", "ChuDem", "Ten") if (key := f"{parent}/HoVaTen/{part}") in values]
    return " ".join(parts) or values.get(f"{parent}/HoVaTen")


def _birth(values: dict[str, str]) -> str | None:
    """Return the birth date as ISO text: written with or without hyphens; a year alone is no date."""
    match = _DATE.fullmatch(values.get("NgayThangNamSinh/NgayThangNam", ""))
    return "-".join(match.groups()) if match else None


def read_messages(path: Path) -> Iterator[pa.Table]:
    """Yield the citizens of a message file in tables of bounded size.

    Raises:
        InputRefusedError: the XML is malformed, declares a document type, or holds another number of citizens than it
            states.
    """
    message = _Message()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = message.start
    parser.EndElementHandler = message.end
    parser.CharacterDataHandler = message.hear
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    try:
        with path.open("rb") as source:
            while chunk := source.read(1 << 20):
                parser.Parse(chunk, False)
                if len(message.people) >= _BATCH:
                    yield _table(message)
        parser.Parse(b"", True)
    except expat.ExpatError:
        raise InputRefusedError(
            "A population message is no well-formed XML; it was refused. Ask for it again."
        ) from None
    if message.stated is not None and message.stated != message.count:
        raise InputRefusedError(
            f"A population message states {message.stated} citizens and holds {message.count}; it was refused. Ask for it again."
        )
    if message.people:
        yield _table(message)


def _refuse(*_: object) -> None:
    raise InputRefusedError("A population message declares a document type or an entity; it was refused.")


def _table(message: _Message) -> pa.Table:
    columns = [pa.array([person[name] for person in message.people], pa.string()) for name in COLUMNS]
    message.people = []
    return pa.table(columns, names=list(COLUMNS))

"""The population database's look-up service: one person asked about by number, name and birth date, all of which must agree.

Field names are those of the service's message (reference seed `population_message_fields`). Replies come in two shapes, the
standard's and the one seen in live samples (whole name in `Ten`, dates without signs, bare codes): both are read.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from childdb.errors import ConfigurationError
from connectors.http import Clock, HttpClient, HttpPolicy, PullStoppedError

if TYPE_CHECKING:
    from childdb.settings import Settings

PATH = "/TraCuuThongTinCongDan"
CITIZEN_SEARCH = "037"
_SEXES = {"1": "male", "2": "female"}


class NameForm(StrEnum):
    """How a name is sent; public clients differ."""

    SPACED = "spaced"
    JOINED = "joined"


@dataclass(frozen=True, slots=True, repr=False)
class LookUp:
    """One question. Values never reach a message or a log."""

    request_no: str
    number: str
    name: str
    birth_date: date | None
    birth_year: int | None

    def __repr__(self) -> str:
        return f"LookUp(request_no={self.request_no!r})"


@dataclass(frozen=True, slots=True, repr=False)
class Citizen:
    """What the service says of one person."""

    number: str
    name: str
    sex: str | None
    birth_date: date | None
    birth_year: int | None
    ethnic_group_code: str | None

    def __repr__(self) -> str:
        return "Citizen()"


@dataclass(frozen=True, slots=True)
class Account:
    """Who asks: agency, officer, procedure."""

    unit: str
    officer: str
    procedure: str


class PopulationService:
    """A client of the service; every question is one request, repeated only while the failure is transient."""

    def __init__(self, client: HttpClient, account: Account, name_form: NameForm = NameForm.SPACED) -> None:
        self._client, self._account, self._name_form = client, account, name_form

    def ask(self, question: LookUp) -> Citizen | None:
        """Return the person whose number, name and birth date all agree; None if there is none."""
        reply = self._client.post_json(PATH, self._message(question))
        return citizen_of(reply)

    def _message(self, question: LookUp) -> dict[str, Any]:
        born: dict[str, str] = {}
        if question.birth_date is not None:
            born["NgayThangNam"] = f"{question.birth_date:%Y%m%d}"
        elif question.birth_year is not None:
            born["Nam"] = str(question.birth_year)
        return {
            "MaYeuCau": question.request_no,
            "MaDVC": self._account.procedure,
            "MaTichHop": CITIZEN_SEARCH,
            "MaDonVi": self._account.unit,
            "MaCanBo": self._account.officer,
            "SoDinhDanh": question.number,
            "HoVaTen": sent_name(question.name, self._name_form),
            "NgayThangNamSinh": born,
        }


def sent_name(name: str, form: NameForm = NameForm.SPACED) -> str:
    """Return a name as the service takes it: upper case, no diacritics.

    >>> sent_name("Nguyễn Thị  Ánh"), sent_name("Đỗ Ý", NameForm.JOINED)
    ('NGUYEN THI ANH', 'DOY')
    """
    folded = unicodedata.normalize("NFD", name.upper().replace("Đ", "D"))
    words = "".join(sign for sign in folded if not unicodedata.combining(sign)).split()
    return ("" if form is NameForm.JOINED else " ").join(words)


def citizen_of(reply: Mapping[str, Any]) -> Citizen | None:
    """Return the one citizen of a reply in either shape; None for an empty one.

    Raises:
        PullStoppedError: the reply has another shape, or more than one citizen.
    """
    collection = reply.get("CongdanCollection", {})
    found = collection.get("CongDan") if isinstance(collection, Mapping) else None
    citizens = found if isinstance(found, list) else [] if found is None else [found]
    if not citizens:
        return None
    if len(citizens) > 1 or not isinstance(citizens[0], Mapping):
        raise PullStoppedError("API-SCHEMA", "the population service answered with no single citizen")
    entry = citizens[0]
    born = _part(entry, "NgayThangNamSinh")
    day = _day(_text(born, "NgayThangNam"))
    year = _text(born, "Nam")
    return Citizen(
        number=_text(entry, "SoDinhDanh"),
        name=_name(entry.get("HoVaTen")),
        sex=_SEXES.get(_text(entry, "GioiTinh")),
        birth_date=day,
        birth_year=day.year if day else int(year) if year.isdigit() else None,
        ethnic_group_code=_code(entry.get("DanToc")),
    )


def _part(entry: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = entry.get(name)
    return value if isinstance(value, Mapping) else {}


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name)
    return value.strip() if isinstance(value, str) else ""


def _name(value: Any) -> str:
    if isinstance(value, str):
        return " ".join(value.split())
    parts = value if isinstance(value, Mapping) else {}
    return " ".join(" ".join(_text(parts, key) for key in ("Ho", "ChuDem", "Ten")).split())


def _code(value: Any) -> str | None:
    text = value if isinstance(value, str) else _text(value, "MaDanToc") if isinstance(value, Mapping) else ""
    return text.strip() or None


def _day(text: str) -> date | None:
    digits = text.replace("-", "")
    if len(digits) != 8 or not (digits.isascii() and digits.isdigit()):
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def open_population_service(settings: Settings, clock: Clock | None = None) -> PopulationService:
    """Return a client for the address and account of the settings; the token stays in its file until it is needed.

    Raises:
        ConfigurationError: naming every setting that is missing.
    """
    needed = {
        "CHILDDB_POPULATION_SERVICE_URL": settings.population_service_url,
        "CHILDDB_POPULATION_SERVICE_UNIT": settings.population_service_unit,
        "CHILDDB_POPULATION_SERVICE_OFFICER": settings.population_service_officer,
        "CHILDDB_POPULATION_SERVICE_PROCEDURE": settings.population_service_procedure,
        "CHILDDB_POPULATION_SERVICE_TOKEN_FILE": settings.population_service_token_file,
    }
    missing = sorted(name for name, value in needed.items() if not value)
    if missing:
        raise ConfigurationError(
            f"The population service needs {', '.join(missing)}.",
            f"Dịch vụ dữ liệu dân cư cần {', '.join(missing)}.",
        )
    policy = HttpPolicy(
        base_url=str(settings.population_service_url), ca_file=settings.population_service_ca_file
    )
    client = HttpClient(policy, clock)
    client.token = _token(settings.population_service_token_file)
    account = Account(
        str(settings.population_service_unit),
        str(settings.population_service_officer),
        str(settings.population_service_procedure),
    )
    return PopulationService(client, account, NameForm(settings.population_service_name_form))


def _token(path: Path | None) -> str:
    try:
        return path.read_text(encoding="utf-8").strip() if path else ""
    except OSError:
        raise ConfigurationError(
            "The file of CHILDDB_POPULATION_SERVICE_TOKEN_FILE cannot be read."
        ) from None

"""The population database's look-up service, as a stand-in over HTTP on the loopback."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from childdb.cleaning.names import match_key
from childdb.sandbox.loopback import LoopbackServer

NEEDED = ("MaYeuCau", "MaDVC", "MaTichHop", "MaDonVi", "MaCanBo")
SHAPES = ("standard", "live")
_BODY_LIMIT = 65_536
_COLUMNS = ("personal_id_no", "full_name", "sex", "birth_date", "ethnic_group_text")


class CitizenFile:
    """Who the service knows, what it is asked, and what it answers: number, name and birth date must all agree."""

    def __init__(
        self,
        people: Iterable[Mapping[str, Any]],
        *,
        token: str,
        shape: str = "live",
        quota: int | None = None,
    ) -> None:
        self.people = {str(person["personal_id_no"]): person for person in people if person["personal_id_no"]}
        self.token, self.shape, self.quota, self.asked = token, shape, quota, 0

    def answer(self, message: Mapping[str, Any]) -> tuple[HTTPStatus, dict[str, Any]]:
        """Return status and body for one question."""
        missing = [name for name in NEEDED if not message.get(name)]
        if missing or message.get("MaTichHop") != "037":
            return HTTPStatus.BAD_REQUEST, {"error": f"missing or wrong: {', '.join(missing) or 'MaTichHop'}"}
        self.asked += 1
        if self.quota is not None and self.asked > self.quota:
            return HTTPStatus.TOO_MANY_REQUESTS, {"error": "quota"}
        person = self.people.get(str(message.get("SoDinhDanh", "")))
        found = [self._citizen(person)] if person is not None and _agrees(person, message) else []
        body: dict[str, Any] = {"ThoiDiemDuLieu": "2026-01-01T00:00:00", "SoCongDan": str(len(found))}
        return HTTPStatus.OK, {"CongdanCollection": body | ({"CongDan": found} if found else {})}

    def _citizen(self, person: Mapping[str, Any]) -> dict[str, Any]:
        born, words = str(person["birth_date"] or ""), str(person["full_name"]).split()
        common = {
            "SoDinhDanh": person["personal_id_no"],
            "GioiTinh": str(person["sex"] or ""),
            "TonGiao": "00",
            "TinhTrangHonNhan": "1",
            "QuocTich": "VN",
        }
        if self.shape == "standard":
            return common | {
                "HoVaTen": {
                    "Ho": words[0],
                    "ChuDem": " ".join(words[1:-1]),
                    "Ten": words[-1] if words[1:] else "",
                },
                "DanToc": {
                    "MaDanToc": str(person.get("ethnic_group_text") or ""),
                    "TenGoi": str(person.get("ethnic_group_text") or ""),
                },
                "NgayThangNamSinh": {"NgayThangNam": born},
            }
        return common | {
            "HoVaTen": {"Ho": "", "ChuDem": "", "Ten": str(person["full_name"]).upper()},
            "DanToc": str(person.get("ethnic_group_text") or ""),
            "NgayThangNamSinh": {"NgayThangNam": born.replace("-", ""), "Nam": born[:4]},
        }


def _agrees(person: Mapping[str, Any], message: Mapping[str, Any]) -> bool:
    given = str(message.get("HoVaTen", "")).replace(" ", "").lower()
    born = message.get("NgayThangNamSinh") or {}
    day, year = str(born.get("NgayThangNam", "")).replace("-", ""), str(born.get("Nam", ""))
    ours = str(person["birth_date"] or "").replace("-", "")
    same_birth = day == ours if day else bool(year) and year == ours[:4]
    return given == match_key(str(person["full_name"])).replace(" ", "") and same_birth


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "dancu-mau/1.0", ""
    citizens: CitizenFile

    def log_message(self, format: str, *args: object) -> None:
        """Keep silent: a question names a person."""

    def do_POST(self) -> None:
        """Answer one question."""
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), _BODY_LIMIT))
        given = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        status, answer = HTTPStatus.UNAUTHORIZED, {"error": "token missing or expired"}
        if hmac.compare_digest(given, self.citizens.token):
            try:
                status, answer = self.citizens.answer(json.loads(body))
            except (ValueError, AttributeError):
                status, answer = HTTPStatus.BAD_REQUEST, {"error": "body is not a message"}
        data = json.dumps(answer, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def make_population_server(citizens: CitizenFile, port: int = 0) -> LoopbackServer:
    """Return a server bound to the loopback; the caller runs and closes it."""
    handler: Callable[..., BaseHTTPRequestHandler] = type("BoundHandler", (_Handler,), {"citizens": citizens})
    server = LoopbackServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    return server


def read_citizens(data: Path) -> list[dict[str, Any]]:
    """Return the people of a sandbox folder."""
    table = pq.read_table(data / "population" / "population.parquet", columns=list(_COLUMNS))
    people: list[dict[str, Any]] = table.to_pylist()
    return people

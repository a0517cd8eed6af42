"""What the entry software's stand-in knows: accounts, lists per commune, changed records; no sockets here."""

from __future__ import annotations

import base64
import binascii
import csv
import json
import secrets
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from childdb.errors import ConfigurationError
from childdb.sandbox.reference_tables import former_communes, present_communes

FAULTS = (
    "slow",
    "429",
    "500",
    "cut",
    "html_login",
    "repeat_page",
    "total_changes",
    "token_expired",
    "redirect",
)
PAGED_FAULTS = ("repeat_page", "total_changes")
LARGEST_PAGE = 1000


@dataclass(frozen=True)
class Export:
    """One list ready for download."""

    export_id: str
    commune_code: str
    file_name: str
    sha256: str
    created_at: str
    path: Path

    def listed(self) -> dict[str, object]:
        """Return the entry of the list of exports."""
        return {
            "export_id": self.export_id,
            "file_name": self.file_name,
            "size": self.path.stat().st_size,
            "sha256": self.sha256,
            "created_at": self.created_at,
        }


class FaultBox:
    """Faults waiting to happen, each a number of times."""

    def __init__(self) -> None:
        self._left: Counter[str] = Counter()
        self._lock = Lock()

    def add(self, kind: str, times: int) -> bool:
        """Plan a fault; False if the kind is not known."""
        if kind not in FAULTS:
            return False
        with self._lock:
            self._left[kind] += times
        return True

    def take(self, *kinds: str) -> str | None:
        """Return the first planned fault among ``kinds`` and use it up once."""
        with self._lock:
            for kind in kinds:
                if self._left[kind] > 0:
                    self._left[kind] -= 1
                    return kind
        return None


class Software:
    """The data of one sandbox folder as the software shows them."""

    def __init__(self, data: Path) -> None:
        if not (data / "truth" / "files.csv").is_file():
            raise ConfigurationError(
                "The sandbox folder holds no exports. Make them first: childdb sandbox generate --out FOLDER.",
                "Thư mục mẫu chưa có tệp xuất. Hãy tạo trước: childdb sandbox generate --out THƯ_MỤC.",
            )
        self.faults = FaultBox()
        self._account = json.loads((data / "software" / "account.json").read_text(encoding="utf-8"))
        self._tokens: set[str] = set()
        self.exports = {export.export_id: export for export in _exports(data)}
        self._records = _records(
            data / "software" / "children.jsonl", {c["commune_code"] for c in self.communes()}
        )

    def login(self, username: object, password: object) -> str | None:
        """Return a new token, or None for a wrong account."""
        right = secrets.compare_digest(
            f"{username}|{password}".encode(),
            f"{self._account['username']}|{self._account['password']}".encode(),
        )
        if not right:
            return None
        token = secrets.token_hex(24)
        self._tokens.add(token)
        return token

    def knows(self, token: str) -> bool:
        """Return whether a token is valid."""
        return token in self._tokens

    def forget_tokens(self) -> None:
        """Make every token expire."""
        self._tokens.clear()

    def communes(self) -> list[dict[str, str]]:
        """Return the communes that have lists, by code."""
        found: dict[str, dict[str, str]] = {}
        present = {row["commune_code"]: row for row in present_communes()}
        former = {row["commune_code"]: row for row in former_communes().values()}
        for code in sorted({export.commune_code for export in self.exports.values()}):
            row = present.get(code) or former[code]
            name = row["name"]
            found[code] = {"commune_code": code, "commune_name": name, "province_code": row["province_code"]}
        return list(found.values())

    def exports_of(self, code: str) -> list[dict[str, object]]:
        """Return the lists of a commune, oldest first."""
        chosen = [export for export in self.exports.values() if export.commune_code == code]
        return [
            export.listed()
            for export in sorted(chosen, key=lambda export: (export.created_at, export.export_id))
        ]

    def children(self, since: str, cursor: str | None, limit: int) -> dict[str, Any]:
        """Return one page of records changed since a moment, in the order (changed_at, ma_tre)."""
        wanted = [record for record in self._records if record["changed_at"] >= since]
        after = read_cursor(cursor) if cursor else ("", "")
        rest = [record for record in wanted if (record["changed_at"], record["ma_tre"]) > after]
        page = rest[: max(1, min(limit, LARGEST_PAGE))]
        more = len(rest) > len(page)
        last = (page[-1]["changed_at"], page[-1]["ma_tre"]) if page else after
        items = [
            {name: value for name, value in record.items() if not name.startswith("_")} for record in page
        ]
        return {"total": len(wanted), "items": items, "next_cursor": make_cursor(last) if more else None}


def make_cursor(last: tuple[str, str]) -> str:
    """Return an opaque mark of the last record given."""
    return base64.urlsafe_b64encode(json.dumps(last).encode()).decode()


def read_cursor(cursor: str) -> tuple[str, str]:
    """Return the last record a cursor stands for; raises ValueError if it was not made here."""
    try:
        changed, code = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (binascii.Error, ValueError, TypeError) as error:
        raise ValueError("cursor") from error
    return str(changed), str(code)


def _exports(data: Path) -> list[Export]:
    with (data / "truth" / "files.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        Export(
            row["sha256"][:16],
            row["commune_code"],
            row["file_name"],
            row["sha256"],
            f"{row['file_date']}T08:00:00+07:00",
            data / "exports" / row["file_name"],
        )
        for row in rows
    ]


def _records(path: Path, covered: set[str]) -> list[dict[str, Any]]:
    """Return the records of the communes the account covers; a folder may offer a part of its nation only."""
    with path.open(encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    return [record for record in records if record["_commune"] in covered]


__all__ = ["FAULTS", "Export", "FaultBox", "Software", "make_cursor", "read_cursor"]

"""The child-information software over HTTP: workbooks of each commune, and changed records with a checkpoint."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from childdb.errors import ConfigurationError
from connectors.http import Clock, HttpClient, HttpPolicy, PullStoppedError, SessionLostError

if TYPE_CHECKING:
    from childdb.settings import Settings

WORKBOOK_TYPES = (
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.ms-excel",
    "application/octet-stream",
    "text/csv",
)
PAGE_ROWS = 1000
MOST_PAGES = 100_000
TRIES = 3
_SHA256 = re.compile(r"[0-9a-f]{64}")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Commune:
    """A commune whose lists the software offers to us."""

    code: str
    province_code: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Export:
    """One workbook on offer."""

    export_id: str
    file_name: str
    size: int
    sha256: str
    created_at: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page of changed records, with the total its source stated."""

    total: int
    items: tuple[Mapping[str, Any], ...]
    next_cursor: str | None


class TreemClient:
    """One session with the software; logs in when first needed and once more when the session is lost."""

    def __init__(self, client: HttpClient, username: str, password: Callable[[], str]) -> None:
        self._client, self._username, self._password = client, username, password

    def communes(self) -> list[Commune]:
        """Return the communes in the order of their codes."""
        items = _items(self._with_session(lambda: self._client.get_json("/api/communes")))
        found = [
            Commune(
                _text(item, "commune_code"), _text(item, "province_code"), str(item.get("commune_name") or "")
            )
            for item in items
        ]
        return sorted(found, key=lambda commune: commune.code)

    def exports(self, commune: Commune) -> list[Export]:
        """Return the workbooks on offer for a commune, oldest first."""
        path = f"/api/communes/{quote(commune.code, safe='')}/exports"
        items = _items(self._with_session(lambda: self._client.get_json(path)))
        return sorted(
            (_export(item) for item in items), key=lambda export: (export.created_at, export.export_id)
        )

    def download(self, export: Export, target: Path) -> None:
        """Write a workbook to ``target``; its bytes must be those that were announced."""
        path = f"/api/exports/{quote(export.export_id, safe='')}/file"
        sha256, size = self._with_session(
            lambda: self._client.download(path, target, content_types=WORKBOOK_TYPES)
        )
        if (sha256, size) != (export.sha256, export.size):
            target.unlink(missing_ok=True)
            raise PullStoppedError(
                "API-DRIFT", "a workbook differs from its announcement; the list may have just changed"
            )

    def page(self, since: str, cursor: str | None, limit: int = PAGE_ROWS) -> Page:
        """Return one page of the records changed since a moment."""
        query: dict[str, str | int] = {"changed_since": since, "limit": limit}
        if cursor:
            query["cursor"] = cursor
        plain = self._with_session(lambda: self._client.get_json("/api/children", query))
        total, following = plain.get("total"), plain.get("next_cursor")
        if (
            not isinstance(total, str)
            or not total.isdigit()
            or not (following is None or isinstance(following, str))
        ):
            raise PullStoppedError("API-SCHEMA", "a page has no total or a cursor of another kind")
        return Page(int(total), tuple(_items(plain)), following)

    def _login(self) -> None:
        self._client.token = None
        answer = self._client.post_json(
            "/api/auth/login", {"username": self._username, "password": self._password()}
        )
        token = answer.get("token")
        if not isinstance(token, str) or not token:
            raise PullStoppedError("API-AUTH", "the login gave no token; check the account in the settings")
        self._client.token = token

    def _with_session(self, call: Callable[[], _Result]) -> _Result:
        """Return the result of a call, after one new login if the session was lost; a second loss stops."""
        if self._client.token is None:
            self._login()
        try:
            return call()
        except SessionLostError:
            self._login()
        return call()


def _items(plain: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    items = plain.get("items")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise PullStoppedError("API-SCHEMA", "an answer has no list of items")
    return items


def _text(item: Mapping[str, Any], name: str) -> str:
    value = item.get(name)
    if not isinstance(value, str):
        raise PullStoppedError("API-SCHEMA", f"an item has no text in field {name}")
    return value


def _export(item: Mapping[str, Any]) -> Export:
    size, sha256 = _text(item, "size"), _text(item, "sha256").lower()
    if not size.isdigit() or not _SHA256.fullmatch(sha256):
        raise PullStoppedError("API-SCHEMA", "an export has no size or no SHA-256")
    return Export(
        _text(item, "export_id"), _text(item, "file_name"), int(size), sha256, _text(item, "created_at")
    )


def open_treem(settings: Settings, clock: Clock | None = None) -> TreemClient:
    """Return a client for the address and account of the settings; the password stays in its file until login."""
    if not settings.treem_url or not settings.treem_username or not settings.treem_password_file:
        raise ConfigurationError(
            "The child-information software needs CHILDDB_TREEM_URL, CHILDDB_TREEM_USERNAME and CHILDDB_TREEM_PASSWORD_FILE."
        )
    policy = HttpPolicy(base_url=settings.treem_url, ca_file=settings.treem_ca_file)
    return TreemClient(
        HttpClient(policy, clock), settings.treem_username, _password_reader(settings.treem_password_file)
    )


def _password_reader(path: Path) -> Callable[[], str]:
    def read() -> str:
        try:
            return path.read_text(encoding="utf-8").strip()
        except OSError:
            raise ConfigurationError("The file of CHILDDB_TREEM_PASSWORD_FILE cannot be read.") from None

    return read


@dataclass(frozen=True, slots=True)
class Pulled:
    """Our copy of one workbook, with the commune it was offered for."""

    commune_code: str
    file_name: str
    path: Path


def pull_exports(
    settings: Settings,
    scratch: Path,
    *,
    is_known: Callable[[str], bool] = lambda sha256: False,
    clock: Clock | None = None,
) -> Iterator[Pulled]:
    """Yield our copy of every workbook on offer that is not known yet by its hash."""
    client = open_treem(settings, clock)
    for commune in client.communes():
        for export in client.exports(commune):
            if is_known(export.sha256):
                continue
            target = scratch / f"pull-{secrets.token_hex(8)}"
            client.download(export, target)
            yield Pulled(commune.code, export.file_name, target)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far the pull of changes has come; kept in a file between runs and after every page."""

    since: str
    cursor: str | None = None
    total: int | None = None
    pages: int = 0
    rows: int = 0
    seen_cursors: tuple[str, ...] = ()
    page_hashes: tuple[str, ...] = ()
    newest: str = ""
    tries: int = 0


@dataclass(slots=True)
class PullSummary:
    """What one finished pull brought."""

    records: int = 0
    deleted: int = 0
    repeated: int = 0
    conflicts: list[str] = field(default_factory=list)
    next_since: str = ""


class ChangePull:
    """Pulls changed records page by page into a folder; resumes after any stop and ends only when counts agree."""

    def __init__(
        self, client: TreemClient, folder: Path, *, overlap_days: int = 1, limit: int = PAGE_ROWS
    ) -> None:
        self.client, self.folder, self.limit = client, folder, limit
        self.overlap = timedelta(days=overlap_days)
        self.state_file = folder / "checkpoint.json"
        self.folder.mkdir(parents=True, exist_ok=True)

    def run(self, since: str) -> tuple[Path, PullSummary]:
        """Return the file of changed records (JSON lines, one version a line) and what it holds."""
        state = self._load() or Checkpoint(since=_earlier(since, self.overlap))
        while True:
            try:
                state = self._pages(state)
                break
            except _DriftError:
                state = self._again(state)
        result = self._finish(state)
        self._clear()
        return result

    def _pages(self, state: Checkpoint) -> Checkpoint:
        while True:
            page = self.client.page(state.since, state.cursor, self.limit)
            state = self._take(state, page)
            self._save(state)
            if page.next_cursor is None:
                break
            if state.pages >= MOST_PAGES:
                raise PullStoppedError("API-LOOP", "the source has more pages than the limit")
        if state.rows != state.total:
            raise _DriftError
        return state

    def _take(self, state: Checkpoint, page: Page) -> Checkpoint:
        content = json.dumps(page.items, ensure_ascii=False, sort_keys=True).encode()
        page_hash = hashlib.sha256(content).hexdigest()
        rows = state.rows + len(page.items)
        if state.total is not None and page.total != state.total:
            raise _DriftError
        if not page.items and rows < page.total:
            raise PullStoppedError("API-SCHEMA", "an empty page came before the end of the data")
        is_loop = page.next_cursor is not None and (
            page.next_cursor in state.seen_cursors or page.next_cursor == state.cursor
        )
        if is_loop or (page.items and page_hash in state.page_hashes):
            self._clear()
            raise PullStoppedError(
                "API-LOOP", "the source repeats a page; the pull was stopped and begins anew next time"
            )
        _write_atomically(self.folder / f"page-{state.pages:06d}.json", content)
        cursors = state.seen_cursors if page.next_cursor is None else (*state.seen_cursors, page.next_cursor)
        newest = max([state.newest, *(str(item.get("changed_at", "")) for item in page.items)])
        return replace(
            state, cursor=page.next_cursor, total=page.total, pages=state.pages + 1, rows=rows, seen_cursors=cursors,
            page_hashes=(*state.page_hashes, page_hash), newest=newest,
        )  # fmt: skip

    def _again(self, state: Checkpoint) -> Checkpoint:
        """Begin the window anew because its data moved while we read; stop after the third time."""
        self._clear()
        if state.tries + 1 >= TRIES:
            raise PullStoppedError(
                "API-DRIFT", "the data changed during each of three pulls; run again when it is quieter"
            )
        return Checkpoint(since=state.since, tries=state.tries + 1)

    def _finish(self, state: Checkpoint) -> tuple[Path, PullSummary]:
        summary = PullSummary(next_since=state.newest or state.since)
        newest: dict[str, tuple[int, str]] = {}
        lines: list[tuple[str, str]] = []
        for number in range(state.pages):
            for item in json.loads((self.folder / f"page-{number:06d}.json").read_text(encoding="utf-8")):
                self._note(item, newest, lines, summary)
        target = self.folder / "changes.jsonl"
        _write_atomically(target, "".join(line + "\n" for _, line in lines).encode())
        summary.records = len(lines)
        return target, summary

    def _note(
        self,
        item: Mapping[str, Any],
        newest: dict[str, tuple[int, str]],
        lines: list[tuple[str, str]],
        summary: PullSummary,
    ) -> None:
        """Keep each version once; the same version with other content is kept too and reported as a conflict."""
        key, version = str(item.get("ma_tre") or ""), str(item.get("version") or "")
        if not key or not version.isdigit():
            raise PullStoppedError("API-SCHEMA", "a record has no key or no version")
        line = json.dumps(item, ensure_ascii=False, sort_keys=True)
        known = newest.get(f"{key}@{version}")
        if known is not None and known[1] == line:
            summary.repeated += 1
            return
        if known is not None:
            summary.conflicts.append(version)
        newest[f"{key}@{version}"] = (int(version), line)
        summary.deleted += item.get("deleted") is True
        lines.append((key, line))

    def _load(self) -> Checkpoint | None:
        try:
            plain = json.loads(self.state_file.read_text(encoding="utf-8"))
            plain["seen_cursors"], plain["page_hashes"] = (
                tuple(plain["seen_cursors"]),
                tuple(plain["page_hashes"]),
            )
            return Checkpoint(**plain)
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError):
            self._clear()
            return None

    def _save(self, state: Checkpoint) -> None:
        _write_atomically(self.state_file, json.dumps(asdict(state)).encode())

    def _clear(self) -> None:
        self.state_file.unlink(missing_ok=True)
        for page in self.folder.glob("page-*.json"):
            page.unlink()


class _DriftError(Exception):
    """The data moved between two pages."""


def _earlier(since: str, overlap: timedelta) -> str:
    """Return a moment moved back by the overlap, so that skewed clocks lose no record."""
    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        raise ConfigurationError("The moment to pull from has to be an ISO date or time.") from None
    return (moment - overlap).isoformat()


def _write_atomically(path: Path, content: bytes) -> None:
    temporary = path.with_suffix(".part")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as sink:
        sink.write(content)
        sink.flush()
        os.fsync(sink.fileno())
    os.replace(temporary, path)

"""Two different people sign a release, neither of them its builder; a withdrawal is a dated notice."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from psycopg import Connection, sql

from childdb.database import Role, connect
from childdb.errors import GateStoppedError, UsageError
from childdb.releases.figures import COLUMNS
from childdb.releases.verify import APPROVALS, WITHDRAWAL, approval_line, approvals_text, verify
from childdb.settings import Settings
from childdb.workspace import Workspace

NEEDED = 2


@dataclass(frozen=True, slots=True)
class Approval:
    """One signature: who, when, for which manifest."""

    approver: str
    approved_at: datetime
    manifest_sha256: str


@dataclass(frozen=True, slots=True)
class ReleaseState:
    """Where a release stands and who has signed it."""

    release_id: str
    status: str
    manifest_sha256: str | None
    built_by: str | None
    approvals: tuple[Approval, ...]

    @property
    def is_signed(self) -> bool:
        """Whether enough different people have signed."""
        return len({person.approver.casefold() for person in self.approvals}) >= NEEDED


def release_state(connection: Connection, release_id: str) -> ReleaseState:
    """Return where a release stands.

    Raises:
        UsageError: the release is not known.
    """
    row = connection.execute(
        "select status, manifest_sha256, built_by from ops.releases where release_id = %s", [release_id]
    ).fetchone()
    if row is None:
        raise UsageError(
            f"Release {release_id} is not known here. 'childdb release list' shows the known ones.",
            f"Không có bản phát hành {release_id}. Xem 'childdb release list'.",
        )
    signatures = connection.execute(
        "select approver, approved_at, manifest_sha256 from ops.release_approvals "
        "where release_id = %s order by approved_at, approver",
        [release_id],
    )
    status, manifest_sha256, built_by = row
    people = tuple(Approval(*signature) for signature in signatures)
    return ReleaseState(release_id, status, manifest_sha256, built_by, people)


def record_approval(settings: Settings, release_id: str, approver: str, at: datetime) -> ReleaseState:
    """Note one person's signature on a candidate and return where the release stands.

    Raises:
        GateStoppedError: the person built the release, or there is nothing to sign.
    """
    with connect(Role.PUBLISHER, settings) as connection:
        state = release_state(connection, release_id)
        name = approver.strip()
        check_signature(state, name)
        connection.execute(
            "insert into ops.release_approvals (release_id, approver, approved_at, manifest_sha256) "
            "values (%s, %s, %s, %s) on conflict (release_id, approver) do nothing",
            [release_id, name, at, state.manifest_sha256],
        )
        return release_state(connection, release_id)


def check_signature(state: ReleaseState, name: str) -> None:
    """Raise when this person may not sign this release."""
    if not name:
        raise UsageError("An approval needs the name of a person.", "Phê duyệt cần có tên người phê duyệt.")
    if state.status == "planned":
        raise GateStoppedError(
            f"Release {state.release_id} has no files yet: build it first.",
            f"Bản phát hành {state.release_id} chưa được lập: hãy lập trước khi phê duyệt.",
        )
    if state.status == "withdrawn":
        raise GateStoppedError(f"Release {state.release_id} was withdrawn and cannot be approved again.")
    if state.built_by is not None and name.casefold() == state.built_by.casefold():
        raise GateStoppedError(
            f"Whoever built {state.release_id} cannot approve it: two other people have to.",
            f"Người lập bản phát hành {state.release_id} không được phê duyệt: cần hai người khác.",
        )


def finalize(settings: Settings, release_id: str) -> ReleaseState:
    """Publish a candidate that two different people signed; doing it again changes nothing.

    Raises:
        GateStoppedError: signatures are missing or the files are not those that were signed.
    """
    folder = Workspace(settings.home).releases / release_id
    with connect(Role.PUBLISHER, settings) as connection:
        state = release_state(connection, release_id)
        if state.status == "withdrawn":
            raise GateStoppedError(f"Release {release_id} was withdrawn and is not published again.")
        if not state.is_signed:
            raise GateStoppedError(
                f"Release {release_id} has {len(state.approvals)} of {NEEDED} approvals by different people: "
                "ask for the missing one.",
                f"Bản phát hành {release_id} mới có {len(state.approvals)}/{NEEDED} phê duyệt của hai người khác nhau.",
            )
        findings = verify(str(folder))
        if findings:
            raise GateStoppedError(
                f"The files of {release_id} are not those that were signed ({findings[0]['file']}): build it again "
                "and have it approved again.",
            )
        _write_approvals(folder, state)
        _copy_figures(connection, release_id)
        connection.execute(
            "update ops.releases set status = 'approved', released_at = %s where release_id = %s "
            "and status = 'candidate'",
            [max(person.approved_at for person in state.approvals), release_id],
        )
        return release_state(connection, release_id)


def _copy_figures(connection: Connection, release_id: str) -> None:
    """Put the figures of a release where readers look, once and for good."""
    names = sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
    connection.execute(
        sql.SQL(
            "insert into publication.pub_figures_v1 ({names}) select {names} from marts.agg_release_figures as f "
            "where f.release_id = {release} and not exists "
            "(select 1 from publication.pub_figures_v1 as p where p.release_id = {release})"
        ).format(names=names, release=sql.Literal(release_id))
    )


def _write_approvals(folder: Path, state: ReleaseState) -> None:
    if (folder / APPROVALS).exists():
        return
    lines = [
        approval_line(person.approver, person.approved_at.isoformat(), person.manifest_sha256)
        for person in state.approvals
    ]
    (folder / APPROVALS).write_text(approvals_text(lines), encoding="utf-8")


def withdraw(
    settings: Settings, release_id: str, reason_vi: str, reason_en: str, at: datetime
) -> ReleaseState:
    """Withdraw an approved release by a dated notice beside its files, which stay.

    Raises:
        GateStoppedError: only an approved release can be withdrawn.
    """
    with connect(Role.PUBLISHER, settings) as connection:
        state = release_state(connection, release_id)
        if state.status != "approved":
            raise GateStoppedError(
                f"Release {release_id} is {state.status}: only an approved one is withdrawn."
            )
        connection.execute(
            "update ops.releases set status = 'withdrawn', withdrawn_at = %s, withdrawal_reason_vi = %s, "
            "withdrawal_reason_en = %s where release_id = %s",
            [at, reason_vi, reason_en, release_id],
        )
        notice = {"release_id": release_id, "withdrawn_at": at.isoformat()}
        notice |= {"reason_vi": reason_vi, "reason_en": reason_en}
        text = json.dumps(notice, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
        (Workspace(settings.home).releases / release_id / WITHDRAWAL).write_text(text, encoding="utf-8")
        return release_state(connection, release_id)

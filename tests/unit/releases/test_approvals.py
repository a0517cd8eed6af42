"""Two different people, neither of them the builder."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from childdb.errors import ChilddbError
from childdb.releases.approvals import Approval, ReleaseState, check_signature

AT = datetime(2026, 7, 1, 8, tzinfo=UTC)


def state(*names: str, status: str = "candidate") -> ReleaseState:
    """Return a release that these people signed."""
    return ReleaseState(
        "r2026-0123456789ab", status, "a" * 64, "Lê C", tuple(Approval(n, AT, "a" * 64) for n in names)
    )


@pytest.mark.parametrize("names", [(), ("Trần A",), ("Trần A", "trần a")])
def test_fewer_than_two_people_do_not_sign_a_release(names: tuple[str, ...]) -> None:
    assert not state(*names).is_signed


def test_two_people_sign_a_release() -> None:
    assert state("Trần A", "Lý B").is_signed


@pytest.mark.parametrize(
    ("name", "status"),
    [("Lê C", "candidate"), ("lê c", "candidate"), ("", "candidate"), ("A", "planned"), ("A", "withdrawn")],
)
def test_who_may_not_sign_is_told_so(name: str, status: str) -> None:
    with pytest.raises(ChilddbError):
        check_signature(state(status=status), name)


def test_anyone_else_may_sign() -> None:
    check_signature(state(), "Trần A")

"""Releases: planned from inputs, built from models, signed off by two people, never changed afterwards."""

from childdb.releases.approvals import Approval, finalize, record_approval, release_state, withdraw
from childdb.releases.candidate import build_candidate
from childdb.releases.plan import ReleasePlan, plan_release, planned_release

__all__ = [
    "Approval",
    "ReleasePlan",
    "build_candidate",
    "finalize",
    "plan_release",
    "planned_release",
    "record_approval",
    "release_state",
    "withdraw",
]

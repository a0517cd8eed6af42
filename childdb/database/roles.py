"""Who may do what: one login per step, rights per schema as data."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

SCHEMAS = "vault raw clean staging identity core marts publication quality ops reference misplaced".split()
"""Schemas of the warehouse; ``reference`` holds dbt's seeds, ``misplaced`` what nobody configured."""


class Role(StrEnum):
    """Logins of the steps; none belongs to a person and none owns anything."""

    LOADER = "loader"
    CLEANER = "cleaner"
    MATCHER = "matcher"
    BUILDER = "builder"
    PUBLISHER = "publisher"
    CHECKER = "checker"
    STEWARD = "steward"
    PORTAL = "portal"


class Owner(StrEnum):
    """Roles that own the tables and cannot log in."""

    TABLES = "owner"
    MODELS = "build"


MODEL_SCHEMAS = frozenset({"staging", "core", "marts", "publication", "reference", "misplaced"})
"""Schemas that dbt builds; the rest belongs to the migrations."""

READ, WRITE = "select", "select, insert, update, delete"

RIGHTS: Mapping[str, Mapping[str, str]] = {
    Role.LOADER: {"raw": WRITE, "ops": WRITE, "quality": WRITE, "reference": READ},
    # Planning a build reads the decisions people took on identities.
    Role.CLEANER: {
        "raw": READ,
        "clean": WRITE,
        "quality": WRITE,
        "ops": WRITE,
        "reference": READ,
        "identity": READ,
    },
    Role.MATCHER: {"staging": READ, "identity": WRITE, "vault": WRITE, "ops": WRITE, "reference": READ},
    Owner.MODELS: {"clean": READ, "identity": READ, "ops": READ, "quality": READ},
    Role.BUILDER: {},
    # Approving a release copies its figures to where readers look.
    Role.PUBLISHER: {
        "publication": WRITE,
        "marts": READ,
        "core": READ,
        "reference": READ,
        "ops": WRITE,
        "quality": READ,
    },
    Role.CHECKER: {
        **dict.fromkeys(
            ("raw", "clean", "identity", "core", "marts", "publication", "reference", "ops"), READ
        ),
        "quality": WRITE,
    },
    Role.STEWARD: {
        **dict.fromkeys(("raw", "clean", "staging", "identity", "core", "marts", "reference"), READ),
        "publication": READ,
        "vault": READ,
        "quality": WRITE,
        "ops": WRITE,
    },
    Role.PORTAL: {"publication": READ, "reference": READ, "ops": READ},
}
"""Rights per role and schema: on every table there is and on every table to come."""

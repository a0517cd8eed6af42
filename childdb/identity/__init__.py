"""Ties each child of the register to the right person of the population extract, or honestly to none."""

from childdb.identity.engine import MatchReport, match

__all__ = ["MatchReport", "match"]

"""Landing: bytes as received, copied once, named by their hash, encrypted and read-only."""

from childdb.landing.store import Landed, land_file, opened_landed, sweep

__all__ = ["Landed", "land_file", "opened_landed", "sweep"]

"""Cleaning: standardises the rows of one file by rules that are data, and reports every change and doubt.

The names below are loaded on first use: the text functions are also needed where no Arrow table is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from childdb.cleaning.file import CleanedFile, clean, clean_in_chunks
    from childdb.cleaning.outcome import LedgerEntry

__all__ = ["CleanedFile", "LedgerEntry", "clean", "clean_in_chunks"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    from childdb.cleaning import file

    return getattr(file, name)

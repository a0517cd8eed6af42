"""Cleaning: standardises the rows of one file by rules that are data, and reports every change and doubt."""

from childdb.cleaning.file import CleanedFile, clean, clean_in_chunks
from childdb.cleaning.outcome import LedgerEntry

__all__ = ["CleanedFile", "LedgerEntry", "clean", "clean_in_chunks"]

"""Reading of delivered files: whatever arrives ends in exactly one accounted outcome."""

from childdb.reading.model import FileKind, FileProfile, FileReading, Limits, Outcome, ReadOptions
from childdb.reading.reader import read_copy, read_file

__all__ = [
    "FileKind",
    "FileProfile",
    "FileReading",
    "Limits",
    "Outcome",
    "ReadOptions",
    "read_copy",
    "read_file",
]

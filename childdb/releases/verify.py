"""Check published releases offline: ``python3 verify.py DIR...`` names the file and line of any altered byte.

The script stands alone: it needs Python 3.10 and nothing else, no database and no network. It may be copied.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator
from typing import Any

MANIFEST, DIGESTS = "manifest.json", "digests.txt"
APPROVALS, WITHDRAWAL = "approvals.json", "withdrawal.json"
BESIDE = frozenset({MANIFEST, DIGESTS, APPROVALS, WITHDRAWAL})
BLOCK_BYTES = 4096
TEXT_ENDINGS = (".csv", ".json", ".txt", ".xml", ".md")
RELEASE = re.compile(r"r(\d{4}(?:-S[12]|-Q[1-4])?)-([0-9a-f]{12})")
MARK = re.compile(r"[0-9a-f]{8}")
Finding = dict[str, Any]


def is_text(name: str) -> bool:
    """Return whether a file is checked by line; others are checked by block."""
    return name.endswith(TEXT_ENDINGS)


def verify(folder: str) -> list[Finding]:
    """Return what is wrong with one release: file, line (or bytes) and a sentence; nothing when all is as released."""
    manifest_path = os.path.join(folder, MANIFEST)
    if not os.path.isfile(manifest_path):
        return [_finding(MANIFEST, None, "the manifest is missing: this is no complete release")]
    marks = _read_marks(folder)
    findings = _check_digests_file(folder, marks)
    if findings:
        return findings
    altered = _altered_parts(folder, MANIFEST, marks)
    if altered:
        return altered
    try:
        with open(manifest_path, encoding="utf-8") as file:
            manifest = json.load(file)
        findings += _check_identity(folder, manifest)
        findings += _check_files(folder, manifest, marks)
    except (ValueError, KeyError, TypeError):
        return [_finding(MANIFEST, None, "the manifest cannot be read")]
    return findings + _check_approvals(folder)


def _finding(name: str, line: int | None, message: str) -> Finding:
    return {"file": name, "line": line, "message": message}


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def _parts(path: str) -> Iterator[bytes]:
    with open(path, "rb") as file:
        if is_text(path):
            yield from file
        else:
            yield from iter(lambda: file.read(BLOCK_BYTES), b"")


class Marks:
    """The short digests per line or block, and where in their own file each one stands."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[int, list[str]]] = {}
        self.broken_line: int | None = None
        self.is_whole = False


def _read_marks(folder: str) -> Marks | None:
    path = os.path.join(folder, DIGESTS)
    if not os.path.isfile(path):
        return None
    marks, digest, name, left, number = Marks(), hashlib.sha256(), "", 0, 0
    with open(path, "rb") as file:
        for number, raw in enumerate(file, 1):
            line = raw.decode("utf-8", "replace").rstrip("\n")
            words = line.split(" ", 2)
            if left:
                marks.files[name][1].append(line)
                left -= 1
                if not MARK.fullmatch(line) and marks.broken_line is None:
                    marks.broken_line = number
            elif words[0] == "file" and len(words) == 3 and words[1].isdigit():
                name, left = words[2], int(words[1])
                marks.files[name] = (number, [])
            elif words[0] == "end" and len(words) == 2:
                marks.is_whole = words[1] == digest.hexdigest()
            elif marks.broken_line is None:
                marks.broken_line = number
            digest.update(raw)
    return marks


def _check_digests_file(folder: str, marks: Marks | None) -> list[Finding]:
    """Where the digests themselves were altered, find the line: the one that disagrees with an intact file."""
    if marks is None:
        return [_finding(DIGESTS, None, "the digests per line are missing")]
    if marks.is_whole:
        return []
    suspects = [marks.broken_line] if marks.broken_line is not None else []
    for name, (start, expected) in marks.files.items():
        suspects += _suspect_lines(os.path.join(folder, name), start, expected)
    place = min(suspects) if suspects else sum(1 for _ in _parts(os.path.join(folder, DIGESTS)))
    return [_finding(DIGESTS, place, f"line {place} is not as it was released")]


def _suspect_lines(path: str, start: int, expected: list[str]) -> list[int]:
    """Return the first line of a file's digests that disagrees with the file itself."""
    if not os.path.isfile(path):
        return [start]
    found = [hashlib.sha256(part).hexdigest()[:8] for part in _parts(path)]
    if len(found) != len(expected):
        return [start]
    wrong = (n for n, pair in enumerate(zip(found, expected, strict=True), 1) if pair[0] != pair[1])
    first = next(wrong, None)
    return [] if first is None else [start + first]


def _altered_parts(folder: str, name: str, marks: Marks | None) -> list[Finding]:
    """Return the lines or blocks of a file that are not as released."""
    expected = marks.files.get(name, (0, []))[1] if marks else []
    found = [hashlib.sha256(part).hexdigest()[:8] for part in _parts(os.path.join(folder, name))]
    if found == expected:
        return []
    place = next(
        (n for n, pair in enumerate(zip(found, expected, strict=False), 1) if pair[0] != pair[1]), None
    )
    if place is None:
        place = min(len(found), len(expected)) + 1
    return [_place(name, place)]


def _place(name: str, place: int) -> Finding:
    if is_text(name):
        return _finding(name, place, f"line {place} is not as it was released")
    first = (place - 1) * BLOCK_BYTES
    return _finding(name, place, f"bytes {first} to {first + BLOCK_BYTES - 1} are not as they were released")


def _check_identity(folder: str, manifest: dict[str, Any]) -> list[Finding]:
    """A release is named by its inputs: a changed input gives another name."""
    release_id = manifest["release_id"]
    text = json.dumps(manifest["inputs"], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    name = RELEASE.fullmatch(str(release_id))
    findings = []
    if name is None or hashlib.sha256(text.encode("utf-8")).hexdigest()[:12] != name.group(2):
        findings.append(_finding(MANIFEST, None, "the inputs do not give the release's identifier"))
    if os.path.basename(os.path.abspath(folder)) != release_id and name is not None:
        findings.append(_finding(MANIFEST, None, "the folder does not bear the release's identifier"))
    return findings


def _check_files(folder: str, manifest: dict[str, Any], marks: Marks | None) -> list[Finding]:
    findings = []
    expected = manifest["files"]
    present = set()
    for base, _, names in os.walk(folder):
        present |= {os.path.relpath(os.path.join(base, n), folder).replace(os.sep, "/") for n in names}
    for name in sorted(present - set(expected) - BESIDE):
        findings.append(_finding(name, None, "the file does not belong to the release"))
    for name in sorted(expected):
        if name not in present:
            findings.append(_finding(name, None, "the file is missing"))
        elif _sha256(os.path.join(folder, name)) != expected[name]["sha256"]:
            findings += _altered_parts(folder, name, marks) or [
                _finding(name, None, "the file is not as released")
            ]
    return findings


def approval_line(approver: str, approved_at: str, manifest_sha256: str) -> str:
    """Return one signature as it stands on its own line; its seal is made of all it says."""
    entry = {"approver": approver, "approved_at": approved_at, "manifest_sha256": manifest_sha256}
    seal = hashlib.sha256(json.dumps(entry, sort_keys=True).encode("utf-8")).hexdigest()
    return json.dumps({**entry, "seal": seal}, ensure_ascii=False, sort_keys=True)


def approvals_text(lines: list[str]) -> str:
    """Return ``approvals.json``: one signature per line."""
    return '{"approvals": [\n' + ",\n".join(lines) + "\n]}\n"


def _check_approvals(folder: str) -> list[Finding]:
    """Two different people signed this very manifest; a candidate has no signatures yet."""
    path = os.path.join(folder, APPROVALS)
    if not os.path.isfile(path):
        return []
    with open(path, "rb") as file:
        lines = file.read().decode("utf-8", "replace").split("\n")
    people, manifests, good = set(), set(), []
    for number, line in enumerate(lines[1:], 2):
        if line == "]}":
            break
        entry = _signature(line.removesuffix(","))
        if entry is None:
            return [_finding(APPROVALS, number, f"line {number} is not as it was signed")]
        good.append(line.removesuffix(","))
        people.add(entry["approver"].strip().casefold())
        manifests.add(entry["manifest_sha256"])
    whole = [*approvals_text(good).split("\n"), ""]
    for number, pair in enumerate(zip([*lines, ""], whole, strict=False), 1):
        if pair[0] != pair[1]:
            return [_finding(APPROVALS, number, f"line {number} is not as it was signed")]
    if manifests != {_sha256(os.path.join(folder, MANIFEST))} or len(people) < 2:
        return [_finding(APPROVALS, None, "two different people have not signed this manifest")]
    return []


def _signature(line: str) -> dict[str, str] | None:
    """Return what one line signs, or nothing where the line is not exactly what its signer left."""
    try:
        entry = json.loads(line)
        values = (str(entry["approver"]), str(entry["approved_at"]), str(entry["manifest_sha256"]))
    except (ValueError, KeyError, TypeError):
        return None
    return entry if approval_line(*values) == line else None


def main(arguments: list[str]) -> int:
    """Verify the folders named and return 0 when every one is as it was released, else 1."""
    if not arguments:
        print("usage: verify.py DIR...", file=sys.stderr)
        return 2
    status = 0
    for folder in arguments:
        findings = verify(folder)
        for finding in findings:
            place = finding["file"] if finding["line"] is None else f"{finding['file']}:{finding['line']}"
            print(f"{folder}: {place}: {finding['message']}")
        if findings:
            status = 1
        else:
            print(f"{folder}: as released")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""An altered byte anywhere in a release is found, with its file and line."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from childdb.releases import verify as script
from childdb.releases.manifest import write_digests, write_manifest
from childdb.releases.plan import Batch, make_plan
from childdb.releases.verify import APPROVALS, DIGESTS, MANIFEST, approval_line, approvals_text, verify
from tests.unit.releases.test_plan import BATCHES

PARQUET = bytes(random.Random(7).randrange(256) for _ in range(9000))


def make_release(parent: Path, batches: tuple[Batch, ...] = BATCHES) -> Path:
    """Write a small signed release and return its folder."""
    plan = make_plan(batches, {})
    folder = parent / plan.release_id
    (folder / "forms").mkdir(parents=True)
    rows = "".join(f"r,{n:016x},{n * 5}\n" for n in range(40))
    (folder / "figures.csv").write_text("release_id,cell_id,numerator\n" + rows, encoding="utf-8")
    (folder / "figures.parquet").write_bytes(PARQUET)
    (folder / "forms" / "bieu_tre_em_01.xlsx").write_bytes(PARQUET[:5000])
    digest = write_manifest(folder, plan.release_id, plan.inputs, {"cells_published": 40})
    write_digests(folder)
    lines = [
        approval_line(name, "2026-07-01T08:00:00+07:00", digest) for name in ("Nguyễn Văn A", "Trần Thị B")
    ]
    (folder / APPROVALS).write_text(approvals_text(lines), encoding="utf-8")
    return folder


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A small signed release, as published."""
    return make_release(tmp_path)


def places(release: Path) -> list[tuple[str, int]]:
    """Return bytes to flip: every byte of the small texts, and a sample of the rest."""
    rng = random.Random(3)
    found = []
    for path in sorted(release.rglob("*")):
        if path.is_file():
            size = path.stat().st_size
            count = size if path.name == APPROVALS else 60
            found += [
                (path.relative_to(release).as_posix(), n)
                for n in sorted(rng.sample(range(size), min(count, size)))
            ]
    return found


def test_a_release_as_published_has_no_finding(release: Path) -> None:
    assert verify(str(release)) == []


def test_one_flipped_byte_is_named_with_file_and_line(release: Path) -> None:
    checked = set()
    for name, position in places(release):
        path = release / name
        content = path.read_bytes()
        path.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
        findings = verify(str(release))
        path.write_bytes(content)
        assert findings, f"{name} at byte {position}"
        assert findings[0]["file"] == name, f"{name} at byte {position}: {findings}"
        if script.is_text(name):
            line = content[:position].count(b"\n") + 1
            assert findings[0]["line"] == line, f"{name} at byte {position}: {findings}"
        else:
            assert findings[0]["line"] == position // script.BLOCK_BYTES + 1
        checked.add(name)
    assert len(checked) == 6
    assert verify(str(release)) == []


def test_the_line_of_a_changed_figure_is_exact(release: Path) -> None:
    path = release / "figures.csv"
    lines = path.read_text().splitlines(keepends=True)
    lines[24] = lines[24].replace(",", ";", 1)
    path.write_text("".join(lines))
    assert [(f["file"], f["line"]) for f in verify(str(release))] == [("figures.csv", 25)]


@pytest.mark.parametrize("change", ["cut", "added", "removed", "stranger", "renamed", "emptied"])
def test_other_damage_is_found(release: Path, change: str) -> None:
    path = release / "figures.csv"
    if change == "cut":
        path.write_bytes(path.read_bytes()[:-30])
    elif change == "added":
        path.write_bytes(path.read_bytes() + b"r,1,2\n")
    elif change == "removed":
        path.unlink()
    elif change == "stranger":
        (release / "forms" / "extra.csv").write_text("x")
    elif change == "emptied":
        (release / DIGESTS).write_text("")
    else:
        release = release.rename(release.with_name("r2026-000000000000"))
    assert verify(str(release))


def test_other_inputs_cannot_bear_the_release_name(release: Path, tmp_path: Path) -> None:
    other = make_release(tmp_path / "other", BATCHES[:2])
    for name in (MANIFEST, DIGESTS, APPROVALS):
        (release / name).write_bytes((other / name).read_bytes())
    assert any("folder" in finding["message"] for finding in verify(str(release)))


def test_two_different_people_have_to_have_signed(release: Path) -> None:
    lines = (release / APPROVALS).read_text(encoding="utf-8").splitlines()
    (release / APPROVALS).write_text(approvals_text([lines[2], lines[2]]), encoding="utf-8")
    assert verify(str(release))[0]["file"] == APPROVALS


def test_the_script_stands_alone(release: Path, tmp_path: Path) -> None:
    copy = tmp_path / "audit.py"
    copy.write_bytes(Path(script.__file__).read_bytes())
    command = [sys.executable, "-I", "-S", str(copy), str(release)]
    whole = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (whole.returncode, whole.stdout) == (0, f"{release}: as released\n")
    (release / "figures.parquet").write_bytes(PARQUET[:-1])
    damaged = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert damaged.returncode == 1
    assert "figures.parquet:3" in damaged.stdout


def test_the_same_files_give_the_same_manifest(tmp_path: Path) -> None:
    first, second = make_release(tmp_path / "one"), make_release(tmp_path / "two", tuple(reversed(BATCHES)))
    for name in (MANIFEST, DIGESTS):
        assert (first / name).read_bytes() == (second / name).read_bytes()

"""What holds for every file of the tree: size, places, locks, migrations, and nothing that names a person."""

from __future__ import annotations

import re
from pathlib import Path

from tests.architecture.repository import files, product_files, python_files, report, text_of

MAX_LINES = 400
# Classes of one letter keep these patterns from finding themselves.
MACHINE_PATHS = re.compile(r"(?:^|[^A-Za-z0-9._/-])/(?:w[o]rk|f[a]rm|r[o]ot|Us[e]rs|h[o]me/[a-z])/[A-Za-z.]")
REGISTRY_HOSTS = re.compile(
    r"(?:pythonh[o]sted\.org|pyp[i]\.org|/s[i]mple/|registry\.np[m]js|deb\.deb[i]an\.org|g[h]cr\.io|qu[a]y\.io"
    r"|doc[k]er\.io/)"
)
ADDRESSES = re.compile(r"https?:/" + "/")
# A child's or parent's number as it would look: old province code, century and sex, year, and a random tail.
# Examples have a tail that begins with 000; runs of digits up or down are dummies that people type.
NUMBERS = re.compile(
    r"(?<![0-9A-Za-z])(?!012345|098765)0(?:0[1-9]|[1-8][0-9]|9[0-6])[0-3][0-9]{2}(?!000)[0-9]{6}(?![0-9A-Za-z])"
)
GENERATED = ("tests/", "childdb/sandbox/", "bench/")
SKIP = re.compile(r"pytest\.(?:skip|xfail|importorskip)\(|mark\.(?:skip|xfail)(?:if)?\b")
REASON = re.compile(r"""(?:reason\s*=|skip\(|xfail\()\s*f?(["']).{15,}?\1""")
MIGRATION = re.compile(r"20[0-9]{12}_[a-z]+_[a-z0-9_]+\.sql")
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-lint.lock")


def hits(pattern: re.Pattern[str], text: str) -> list[int]:
    """Return the lines that a pattern is found in."""
    return [number for number, line in enumerate(text.splitlines(), start=1) if pattern.search(line)]


def places(pattern: re.Pattern[str], skipped: tuple[str, ...] = ()) -> list[str]:
    """Return where in the tree a pattern is found, as file and line."""
    return [
        f"{path}:{line}"
        for path in files()
        if not path.as_posix().startswith(skipped)
        for line in hits(pattern, text_of(path))
    ]


def unhashed(lock: str) -> list[str]:
    """Return the packages of a lock that are not pinned to one version with at least one hash."""
    blocks = re.split(r"\n(?=[A-Za-z0-9])", re.sub(r"(?m)^\s*#.*\n?", "", lock).strip())
    return [
        block.split()[0]
        for block in blocks
        if not re.match(r"\S+==\S+", block) or "--hash=sha256:" not in block
    ]


def test_modules_stay_short() -> None:
    found = [
        f"{path}: {count} lines"
        for path in product_files()
        if (count := text_of(path).count("\n")) > MAX_LINES
    ]
    assert not found, report(
        found, "a long module holds a second idea", f"split it; {MAX_LINES} lines are the limit"
    )


def test_no_path_of_one_machine() -> None:
    found = places(MACHINE_PATHS)
    assert not found, report(
        found, "it works on one machine only", "derive it from the file's own place or a setting"
    )


def test_no_registry_host() -> None:
    found = places(REGISTRY_HOSTS)
    assert not found, report(found, "mirrors differ; locks carry hashes, not addresses", "remove the address")


def test_locks_have_pins_and_hashes_and_no_addresses() -> None:
    found = []
    for name in LOCKS:
        text = text_of(Path(name))
        found += (
            [f"{name}: {package}" for package in unhashed(text)] if text else [f"{name}: missing or empty"]
        )
        found += [f"{name}:{line}: address" for line in hits(ADDRESSES, text)]
    node = text_of(Path(".ci/dclint/package-lock.json"))
    found += [f".ci/dclint/package-lock.json:{line}: address" for line in hits(ADDRESSES, node)]
    assert not found, report(found, "an unpinned package changes under us", "renew the lock (docs/adding.md)")


def test_no_foreign_lock_files() -> None:
    found = [
        str(path)
        for path in files()
        if path.name in {"uv.lock", "pylock.toml", "poetry.lock", "Pipfile.lock"}
    ]
    assert not found, report(
        found, "these locks name registry hosts", "export requirements.lock and ignore the other"
    )


def test_nothing_looks_like_a_real_number() -> None:
    found = places(NUMBERS, GENERATED)
    why = "a number in the tree could be somebody's"
    assert not found, report(
        found,
        why,
        "let the last six digits of an example begin with 000, or make it by the sandbox in the test",
    )


def test_no_data_file_of_unknown_origin() -> None:
    allowed = ("tests/", "dbt_project/seeds/", "childdb/forms/", "childdb/portal/")
    kinds = {".xlsx", ".xls", ".csv", ".parquet", ".db", ".sqlite", ".dump", ".zip", ".gz", ".jsonl"}
    found = [str(p) for p in files() if p.suffix.lower() in kinds and not p.as_posix().startswith(allowed)]
    assert not found, report(
        found, "a real export must never be in the tree", "generate it; seeds go to dbt_project/seeds"
    )


def test_no_key_or_certificate() -> None:
    begin = re.compile(r"-----BEGIN [A-Z ]*(?:PRIVATE KEY|CERTIFICATE)-----\n[A-Za-z0-9+/]{40}", re.M)
    found = [str(path) for path in files() if begin.search(text_of(path))]
    assert not found, report(
        found, "a key that is in the tree is known to all", "make it at first start or in the test"
    )


def test_migrations_are_named_and_ordered() -> None:
    scripts = [path for path in files() if path.parent == Path("childdb/migrations") and path.suffix != ".py"]
    found = [str(path) for path in scripts if not MIGRATION.fullmatch(path.name)]
    stamps = [path.name[:14] for path in scripts]
    found += [f"{stamp}: given twice" for stamp in sorted({s for s in stamps if stamps.count(s) > 1})]
    assert scripts, "childdb/migrations holds no migration"
    assert not found, report(
        found, "migrations run in order of their names", "YYYYMMDDHHMMSS_verb_object.sql"
    )


def test_migrations_carry_no_transaction_of_their_own() -> None:
    control = re.compile(r"^\s*(?:begin|commit|rollback)\s*;", re.I)
    found = [
        f"{p}:{n}"
        for p in files()
        if p.parent == Path("childdb/migrations")
        for n in hits(control, text_of(p))
    ]
    assert not found, report(
        found, "each migration is one transaction of the runner", "remove begin and commit"
    )


def test_skips_have_a_reason() -> None:
    found = []
    for path in python_files("tests"):
        if path.parts[:2] == ("tests", "architecture"):
            continue
        lines = text_of(path).splitlines()
        for number in hits(SKIP, text_of(path)):
            if not REASON.search(" ".join(lines[number - 1 : number + 3])):
                found.append(f"{path}:{number}")
    assert not found, report(
        found, "a test that skips in silence guards nothing", "say the reason, or remove the skip"
    )


def test_no_check_is_switched_off_without_reason() -> None:
    bare = re.compile(r"#\s*(?:noqa|type:\s*ignore)(?:\s*$|\s*#)|#\s*nosec\b|--\s*noqa\s*$")
    found = [f"{path}:{n}" for path in product_files() for n in hits(bare, text_of(path))]
    assert not found, report(
        found, "a bare exception hides the next fault too", "name the rule's code, and why"
    )


def test_no_notes_or_copies_in_the_tree() -> None:
    odd = re.compile(r"(?i)(?:\bcopy\b|_old|_final|_backup|\.bak|\.orig|\.rej|todo|notes?\.(?:md|txt))$")
    found = [str(path) for path in files() if odd.search(path.name)]
    assert not found, report(found, "history keeps old versions", "remove the file")


def test_the_rules_can_fail() -> None:
    assert hits(MACHINE_PATHS, "x = '/wo" + "rk/main'") == [1]
    assert hits(REGISTRY_HOSTS, "--index-url x/sim" + "ple/") == [1]
    assert hits(NUMBERS, "a 001" + "319123456 b") == [1]
    assert hits(NUMBERS, "001319000001 and 12 digits in hex a0013191234567") == []
    assert unhashed("a==1 \\\n    --hash=sha256:00\nb==2\nc>=3 \\\n    --hash=sha256:00") == ["b==2", "c>=3"]
    assert not MIGRATION.fullmatch("2026_create.sql")
    assert SKIP.search("@pytest.mark.skip" + "if(True)")
    assert not REASON.search("pytest.skip()")

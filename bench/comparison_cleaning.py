"""Our cleaning against what a user would pick instead, on the same held-out cases; packages that are missing are left out.

    python -m bench.comparison_cleaning

Needs, beside this project, any of: viparse, vietnamadminunits, Unidecode. Nothing here opens a network connection:
addresses are given without a street, so that no geocoder is asked.
"""

from __future__ import annotations

import importlib
import json
import random
import unicodedata
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

import pyarrow as pa

from bench.invented import MIDDLES, Nation
from childdb.cleaning.encoding_tables import TCVN3, VISCII, VNI
from childdb.cleaning.encodings import convert_cell
from childdb.cleaning.looks import decide_encodings, look_at_texts
from childdb.cleaning.names import clean_name, joined_key, tone_key
from childdb.places.history import MERGER_DAY, history
from childdb.places.resolve import Query, resolve

LEGACY_DAY = date(2025, 6, 1)


def optional(name: str) -> Any | None:
    """Return a module, or None where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def names(count: int, rng: random.Random, *, minority: bool = False) -> list[str]:
    """Return invented names that no rule of the cleaning step was written beside: those of the error modes' children."""
    nation = Nation(rng.randrange(10**9))
    if minority:
        return [nation.minority_name() for _ in range(count)]
    return [nation.name(rng.choice(("female", "male"))) for _ in range(count)]


def by_table(table: dict[int, str]) -> Callable[[str], str]:
    """Return a writer of an old one-byte encoding, shown as Windows text."""
    back: dict[str, int] = {}
    for byte, letter in table.items():
        back.setdefault(letter, byte)

    def write(name: str) -> str:
        data = [
            back.get(letter, back.get(letter.lower(), ord(letter) if ord(letter) < 256 else 63))
            for letter in name
        ]
        return "".join(bytes([b]).decode("cp1252", "replace").replace("\ufffd", chr(b)) for b in data)

    return write


def to_vni(name: str) -> str:
    """Return a name in VNI."""
    back: dict[str, str] = {}
    for group, letter in VNI.items():
        back.setdefault(letter, group)
    return "".join(back.get(letter, letter) for letter in name)


def ours_on_column(cells: list[str]) -> list[str]:
    """Return a column as this project reads it."""
    decision = decide_encodings(look_at_texts({"name": pa.array(cells)})).get("name")
    return [convert_cell(cell, decision) for cell in cells] if decision else cells


def verdict(got: str, seen: str, want: str) -> str:
    """Return right, wrong or undecided; case is not counted, since old fonts do not hold it."""
    if got.casefold() == want.casefold():
        return "right"
    return "undecided" if got == seen else "wrong"


def compare_encodings(columns: int = 200, size: int = 20) -> dict[str, dict[str, dict[str, int]]]:
    """Return per encoding and tool how many cells were right, wrong, undecided."""
    viparse, rng = optional("viparse"), random.Random(1)
    writers = {
        "tcvn3": by_table(TCVN3),
        "viscii": by_table(VISCII),
        "vni": to_vni,
        "clean": lambda name: name,
        "clean, minorities": lambda name: name,
    }
    tools: dict[str, Callable[[list[str]], list[str]]] = {"childdb": ours_on_column}
    if viparse is not None:
        tools["viparse.fix"] = lambda cells: [viparse.fix(cell) for cell in cells]
    result: dict[str, dict[str, dict[str, int]]] = {}
    for encoding, write in writers.items():
        counts = {tool: Counter[str]() for tool in tools}
        for _ in range(columns):
            wanted = names(size, rng, minority=encoding.endswith("minorities"))
            seen = [write(name) for name in wanted]
            for tool, read in tools.items():
                counts[tool].update(verdict(*cells) for cells in zip(read(seen), seen, wanted, strict=True))
        result[encoding] = {tool: dict(sorted(count.items())) for tool, count in counts.items()}
    return result


def compare_places() -> dict[str, dict[str, int]]:
    """Return how each tool takes the 10,040 former units to the present; divided ones are right when undecided."""
    known, package = history(), optional("vietnamadminunits")
    counts: dict[str, Counter[str]] = {"childdb": Counter()}
    if package is not None:
        counts["vietnamadminunits"] = Counter()
    for unit_id, unit in known.communes.items():
        if unit.valid_to != MERGER_DAY:
            continue
        name, district = known.name_on(unit_id, LEGACY_DAY).full, known.districts[unit.district_code].full
        province = known.name_on(known.province_id_on(unit.province_code, LEGACY_DAY) or "", LEGACY_DAY).full
        targets = known.successors_on(unit_id, date.max) or []
        answer = resolve(Query(province, district, name, LEGACY_DAY)).current_id
        counts["childdb"][_place_verdict(answer, targets)] += 1
        if package is not None:
            counts["vietnamadminunits"][
                _place_verdict(_converted(package, f"{name}, {district}, {province}"), targets)
            ] += 1
    return {tool: dict(sorted(count.items())) for tool, count in counts.items()}


def _converted(package: Any, text: str) -> str | None:
    try:
        code = getattr(package.convert_address(text), "ward_code", None)
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    return f"{code}@{MERGER_DAY.isoformat()}" if code else None


def _place_verdict(answer: str | None, targets: list[str]) -> str:
    if len(targets) == 1:
        return "undecided" if answer is None else "right" if answer == targets[0] else "wrong"
    return "right (left undecided)" if answer is None else "wrong (guessed)"


def compare_keys() -> dict[str, dict[str, int]]:
    """Return how keys judge pairs that are one name in two spellings, and pairs of different names."""
    unidecode = optional("unidecode")
    same, other = _name_pairs(random.Random(4))
    keys: dict[str, Callable[[str], str]] = {
        "childdb tone_key": lambda name: tone_key(clean_name(name).value or ""),
        "childdb joined_key": lambda name: joined_key(clean_name(name).value or ""),
    }
    if unidecode is not None:
        keys["unidecode().lower()"] = lambda name: str(unidecode.unidecode(name)).lower()
    return {
        tool: {
            "same name, equal keys": sum(key(a) == key(b) for a, b in same), "same name pairs": len(same),
            "different name, equal keys": sum(key(a) == key(b) for a, b in other), "different name pairs": len(other),
        }
        for tool, key in keys.items()
    }  # fmt: skip


def _name_pairs(rng: random.Random) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    styles = {"Hòa": "Hoà", "Thủy": "Thuỷ", "Thùy": "Thuỳ"}
    same: list[tuple[str, str]] = []
    for name in names(2000, rng):
        new_style = " ".join(styles.get(word, word) for word in name.split())
        forms = (name.upper(), unicodedata.normalize("NFD", name), f" {name.replace(' ', '  ')}", name.replace("Đ", "Ð"),
                 name.replace(" ", "\u00a0"), f"{name} (đã chuyển đi)", name + "\u200b", new_style)  # fmt: skip
        same.append((name, rng.choice(forms)))
    tones = [
        ("Hòa", "Hóa"),
        ("Lan", "Lân"),
        ("Hạnh", "Hành"),
        ("Dũng", "Dung"),
        ("Trí", "Trì"),
        ("Thảo", "Thao"),
    ]
    other = [(f"Nguyễn {rng.choice(MIDDLES['female'])} {a}", "") for a, _ in tones * 100]
    other = [
        (first, first.rsplit(" ", 1)[0] + " " + pair[1])
        for (first, _), pair in zip(other, tones * 100, strict=True)
    ]
    return same, other


def main() -> None:
    """Print the three tables as one JSON object."""
    answer = {"encodings": compare_encodings(), "places": compare_places(), "keys": compare_keys()}
    print(json.dumps(answer, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()

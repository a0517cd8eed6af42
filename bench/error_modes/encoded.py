"""Whole columns in an old encoding or misread: E21 to E23. The tables are those of the C library and of the VNI keyboard."""

from __future__ import annotations

import random
import subprocess
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

from bench.error_modes.cases import Batch, Case, Row, rules
from bench.invented import Nation, reading_of
from childdb.cleaning import clean

NAMES = ("ho_ten_tre", "ho_ten_me", "ho_ten_cha", "ho_ten_chu_ho")
TEXTS = (*NAMES, "gioi_tinh", "dan_toc", "tinh", "huyen", "xa", "thon", "dia_chi", "noi_sinh")
FILE_ROWS = (20, 60, 200, 800)
_TONES = {"\u0301": 0, "\u0300": 1, "\u0309": 2, "\u0303": 3, "\u0323": 4}
_VNI_PLAIN, _VNI_HAT, _VNI_BREVE = "ùøûõï", "áàåãä", "éèúüë"
_VNI_OWN = {"í": "í", "ì": "ì", "ỉ": "æ", "ĩ": "ó", "ị": "ò", "ỵ": "î", "đ": "ñ", "ơ": "ô", "ư": "ö"}


@lru_cache(maxsize=1)
def _tcvn_table() -> Mapping[str, str]:
    """Return how each letter of TCVN 5712 looks in Windows-1252, by the table of the C library."""
    letters = sorted(chr(code) for code in range(0xC0, 0x1EFA) if _is_vietnamese(chr(code)))
    done = subprocess.run(
        ["iconv", "-c", "-f", "UTF-8", "-t", "TCVN5712-1"],
        input="\n".join(letters).encode(),
        capture_output=True,
        check=True,
    )
    shown = (part.decode("cp1252", "replace") for part in done.stdout.split(b"\n"))
    return {
        letter: seen
        for letter, seen in zip(letters, shown, strict=True)
        if seen >= "\xa0" and "\ufffd" not in seen
    }


def _is_vietnamese(letter: str) -> bool:
    parts = unicodedata.normalize("NFD", letter)
    known = set(_TONES) | {"\u0302", "\u0306", "\u031b"}
    return letter in "đĐ" or (len(parts) > 1 and parts[0] in "AEIOUYaeiouy" and set(parts[1:]) <= known)


def to_tcvn3(text: str) -> str:
    """Return a text as a TCVN3 font stores it; capitals the font lacks are typed small."""
    table = _tcvn_table()
    return "".join(table.get(letter) or table.get(letter.lower(), letter) for letter in text)


def to_vni(text: str) -> str:
    """Return a text as a VNI font stores it: the vowel, then one sign for hat and tone."""
    return "".join(_vni_letter(letter) for letter in text)


def _vni_letter(letter: str) -> str:
    small = letter.lower()
    parts = unicodedata.normalize("NFD", small)
    tone = next((_TONES[mark] for mark in parts if mark in _TONES), None)
    if small in _VNI_OWN:
        out = _VNI_OWN[small]
    elif "\u031b" in parts:
        out = _VNI_OWN["ơ" if parts[0] == "o" else "ư"] + (_VNI_PLAIN[tone] if tone is not None else "")
    elif "\u0302" in parts:
        out = parts[0] + (_VNI_HAT[tone] if tone is not None else "â")
    elif "\u0306" in parts:
        out = parts[0] + (_VNI_BREVE[tone] if tone is not None else "ê")
    elif tone is not None:
        out = parts[0] + _VNI_PLAIN[tone]
    else:
        return letter
    return out.upper() if letter != small else out


def misread(text: str) -> str:
    """Return UTF-8 shown as Windows-1252 as browsers show it: no byte is lost."""
    return "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in text.encode())


def _encode_columns(rows: list[Row], columns: tuple[str, ...], write: Callable[[str], str]) -> list[Row]:
    return [{**row, **{name: write(row[name]) for name in columns if row.get(name)}} for row in rows]


def _truth(row: Row, found: str) -> tuple[dict[str, object], frozenset[str]]:
    gives = {name: row[name] for name in ("ho_ten_tre", "ho_ten_me", "thon")}
    gives |= {"gioi_tinh": row["_sex"], "commune_id": row["_unit"]}
    return gives, rules(found) if not row["ho_ten_tre"].isascii() else rules()


def _batches(
    write: Callable[[str], str], found: str, rng: random.Random, nation: Nation, count: int
) -> Iterator[Batch]:
    done = 0
    while done < count:
        size = min(rng.choice(FILE_ROWS), count - done)
        size = max(size, 20)
        rows = [nation.child(done + place) for place in range(size)]
        columns = rng.choice((NAMES, TEXTS))
        cleaned = clean(reading_of(_encode_columns(rows, columns, write)), as_of=None)
        cases = [(place, Case(row, *_truth(row, found))) for place, row in enumerate(rows)]
        yield Batch(cleaned.records, cleaned.findings, cases[: count - done])
        done += size


def e21(rng: random.Random, nation: Nation, count: int) -> Iterator[Batch]:
    """Yield files with columns in TCVN3."""
    return _batches(to_tcvn3, "ENC-001", rng, nation, count)


def e22(rng: random.Random, nation: Nation, count: int) -> Iterator[Batch]:
    """Yield files with columns in VNI."""
    return _batches(to_vni, "ENC-002", rng, nation, count)


def e23(rng: random.Random, nation: Nation, count: int) -> Iterator[Batch]:
    """Yield files misread whole or in some cells; where bytes were lost no answer is held, and it must be found."""
    done = 0
    while done < count:
        size = max(20, min(rng.choice(FILE_ROWS), count - done))
        rows = [nation.child(done + place) for place in range(size)]
        share = rng.choice((1.0, 1.0, 0.3))
        seen: list[Row] = []
        cases: list[tuple[int, Case]] = []
        for place, row in enumerate(rows):
            is_hit, is_lost = rng.random() < share, rng.random() < 0.1
            name = misread(row["ho_ten_tre"]) if is_hit else row["ho_ten_tre"]
            lost = "".join("\ufffd" if "\x80" <= letter <= "\x9f" else letter for letter in name)
            is_lost = is_lost and lost != name
            seen.append({**row, "ho_ten_tre": lost if is_lost else name})
            cases.append((place, _misread_case(row, changed=name != row["ho_ten_tre"], is_lost=is_lost)))
        cleaned = clean(reading_of(seen), as_of=None)
        yield Batch(cleaned.records, cleaned.findings, cases[: count - done])
        done += size


def _misread_case(row: Row, *, changed: bool, is_lost: bool) -> Case:
    if is_lost:
        return Case(row, {"ho_ten_me": row["ho_ten_me"]}, rules("ENC-006", "TEXT-009", "ENC-007"))
    return Case(row, {"ho_ten_tre": row["ho_ten_tre"]}, rules("ENC-005") if changed else rules())

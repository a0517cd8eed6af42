"""SQL macros that make comparable values of what people type. Called on distinct values where they are dear."""

from __future__ import annotations

import duckdb

# Old and new style of the tone mark (hòa, hoà) must give one key.
_TONE_PAIRS = (
    ("oà", "òa"), ("oá", "óa"), ("oả", "ỏa"), ("oã", "õa"), ("oạ", "ọa"),
    ("oè", "òe"), ("oé", "óe"), ("oẻ", "ỏe"), ("oẽ", "õe"), ("oẹ", "ọe"),
    ("uỳ", "ùy"), ("uý", "úy"), ("uỷ", "ủy"), ("uỹ", "ũy"), ("uỵ", "ụy"),
    ("ià", "ìa"), ("iá", "ía"), ("iả", "ỉa"), ("iã", "ĩa"), ("iạ", "ịa"),
)  # fmt: skip

# Spelling by ear: letters that sound alike in some region of the country, at the start and end of a syllable.
_SOUND_PAIRS = (
    (" tr", " ch"), (" gi", " d"), (" r", " d"), (" x", " s"), (" l", " n"), (" k", " c"), (" q", " c"), (" ngh", " ng"),
    (" gh", " g"), (" ph", " f"), (" v", " d"), ("ng ", "n "), ("nh ", "n "), ("ch ", "t "), ("c ", "t "), ("y", "i"), ("w", "u"),
)  # fmt: skip


def _replaced(expression: str, pairs: tuple[tuple[str, str], ...]) -> str:
    for old, new in pairs:
        expression = f"replace({expression}, '{old}', '{new}')"
    return expression


_MACROS = (
    # Notes behind a name, look-alike letters, apostrophes, then anything that is no letter.
    # A dash with spaces begins a note only behind two words: H - Bla is a name.
    "without_note(x) as regexp_replace(regexp_replace(x, '[(\\[;,].*$', ''), '^(\\S+\\s+\\S.*?)\\s+[-–—]\\s.*$', '\\1')",
    "plain_letters(x) as replace(replace(replace(replace(replace(replace(lower(nfc_normalize(x)), 'ð', 'đ'), 'ɖ', 'đ'), '''', ''), '’', ''), 'ʼ', ''), '`', '')",
    "squeezed(x) as nullif(trim(regexp_replace(x, '[^\\p{L}0-9?]+', ' ', 'g')), '')",
    "written_name(x) as regexp_replace(squeezed(plain_letters(without_note(x))), '^([hy]) ', '\\1')",
    "folded(x) as replace(strip_accents(x), 'đ', 'd')",
    f"tone_settled(x) as {_replaced('x', _TONE_PAIRS)}",
    "sound_key(x) as replace(" + _replaced("' ' || x || ' '", _SOUND_PAIRS) + ", ' ', '')",
    "short_hash(x) as (hash(x) & 4294967295)::uinteger",
    "folded_text(x) as folded(squeezed(plain_letters(x)))",
    "plain_code(x) as nullif(ltrim(regexp_replace(upper(x), '[^A-Z0-9]', '', 'g'), '0'), '')",
    "only_digits(x) as regexp_replace(x, '[^0-9]', '', 'g')",
    # Letters typed for digits are read as digits only in a text that is otherwise a number of the right length.
    "digit_letters(x) as translate(x, 'OILS', '0115')",
    "stripped_number(x) as regexp_replace(regexp_replace(upper(x), '^ *(CCCD|CMND|DDCN|SO|:| )+', ''), '[^0-9A-Z+]', '', 'g')",
    "number_text(x) as case when regexp_full_match(x, '[0-9]{12}') then x"
    " when regexp_full_match(stripped_number(x), '[0-9OILS]{9,12}') then digit_letters(stripped_number(x)) end",
    "padded_number(x) as case when length(x) = 12 then x when length(x) in (10, 11) then lpad(x, 12, '0') end",
    "no_dummy(x) as case when x is null or replace(x, x[7], '') = '' or x in ('123456789012', '012345678912') or x[7:12] = '000000' then null else x end",
    # Most numbers are ten to twelve plain digits: those come as numbers (n) and are judged without a look at the text.
    "century(n) as (n // 100000000) % 10",
    "real_number(n) as n % 1000000 <> 0 and n % 111111111111 <> 0 and n not in (123456789012, 12345678912)",
    # The others are read once each: a macro's argument is worked out wherever its name stands, that of a lambda is not.
    "child_number(x, n) as case when n is not null then case when century(n) in (2, 3) and real_number(n) then n end"
    " when x is not null then list_transform([padded_number(number_text(x))], lambda d: case when d[4] in ('2', '3') then no_dummy(d) end)[1]::bigint end",
    "adult_number(x, n, digit) as case when n is not null then case when century(n) = digit::integer and real_number(n) then n end"
    " when x is not null then list_transform([padded_number(number_text(x))], lambda d: case when d[4] = digit then no_dummy(d) end)[1]::bigint end",
    "parent_number(x, n) as case when n is not null then case when century(n) in (0, 1, 2, 3) and real_number(n) then n end"
    " when regexp_full_match(x, '[0-9]{9}') then x::bigint"
    " when x is not null then list_transform([number_text(x)], lambda d: case when length(d) = 9 then d"
    " when padded_number(d)[4] in ('0', '1', '2', '3') then no_dummy(padded_number(d)) end)[1]::bigint end",
    "phone_digits(x) as case when length(x) = 11 and x[1:2] = '84' then '0' || x[3:] when length(x) = 9 and x[1] <> '0' then '0' || x else x end",
    "phone_key(x) as case when regexp_full_match(x, '0[0-9]{9}') then case when x::bigint % 1111111111 <> 0 then short_hash(x) end"
    " when length(only_digits(x)) between 9 and 12 and replace(only_digits(x), only_digits(x)[4], '') <> ''"
    " then short_hash(phone_digits(only_digits(x))) end",
    "sex_key(x) as case when folded(lower(nfc_normalize(trim(x)))) in ('nam', 'male', 'm', '1', 'trai') then 1"
    " when folded(lower(nfc_normalize(trim(x)))) in ('nu', 'female', 'f', '2', 'gai') then 2 end",
)


def create_macros(connection: duckdb.DuckDBPyConnection) -> None:
    """Define every macro on a connection."""
    for macro in _MACROS:
        connection.execute(f"create or replace temp macro {macro}")

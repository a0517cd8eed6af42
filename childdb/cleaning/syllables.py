"""The syllables Vietnamese spelling allows, and the two places where its tone marks are written."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

TONES = {"\u0300": 1, "\u0301": 2, "\u0309": 3, "\u0303": 4, "\u0323": 5}
TONE_MARKS = {number: mark for mark, number in TONES.items()}
VOWELS = frozenset("aăâeêioôơuưy")
STRONG_VOWELS = frozenset("ăâêôơ")
ONSETS = " b c ch d đ g gh gi h k kh l m n ng ngh nh p ph qu r s t th tr v x".split(" ")
RHYMES = (
    "a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây "
    "e ec em en eng eo ep et ê êch êm ên ênh êp êt êu i ia ich im in inh ip it iu "
    "iêc iêm iên iêng iêp iêt iêu o oc oi om on ong op ot oa oac oach oai oam oan oang oanh oao oap oat oay "
    "oăc oăm oăn oăng oăt oe oen oeo oet oong ooc ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt "
    "u ua uc ui um un ung up ut uân uâng uât uây uê uêch uênh uôc uôi uôm uôn uông uôt uơ "
    "uy uya uych uyn uynh uyt uyên uyêt uyu ư ưa ưc ưi ưng ưt ưu ươc ươi ươm ươn ương ươp ươt ươu "
    "y yêm yên yêng yêt yêu ych yn ynh yt"
).split()
STOPS = ("c", "ch", "p", "t")


def tone_position(rhyme: str, new_style: bool = False) -> int:
    """Return where in a rhyme the tone mark is written; styles differ on open oa, oe and uy only."""
    strong = [place for place, letter in enumerate(rhyme) if letter in STRONG_VOWELS]
    if strong:
        return strong[-1]
    if "ư" in rhyme:
        return rhyme.index("ư")
    vowels = [place for place, letter in enumerate(rhyme) if letter in VOWELS]
    if len(vowels) < 2:
        return vowels[0] if vowels else 0
    is_closed = vowels[-1] + 1 < len(rhyme)
    opens_with_glide = rhyme[:2] in ("oa", "oe", "uy")
    if len(vowels) > 2 or is_closed or (opens_with_glide and new_style):
        return vowels[1]
    return vowels[0]


def with_tone(rhyme: str, tone: int, new_style: bool = False) -> str:
    """Return a rhyme with its tone mark (1 huyền, 2 sắc, 3 hỏi, 4 ngã, 5 nặng; 0 none)."""
    if not tone:
        return rhyme
    place = tone_position(rhyme, new_style)
    return unicodedata.normalize("NFC", rhyme[: place + 1] + TONE_MARKS[tone]) + rhyme[place + 1 :]


@lru_cache(maxsize=1)
def valid_syllables() -> frozenset[str]:
    """Return all syllables of the spelling in lower case NFC, in both styles of tone placement."""
    found: set[str] = set()
    for rhyme in RHYMES:
        tones = (2, 5) if rhyme.endswith(STOPS) else (0, 1, 2, 3, 4, 5)
        for tone in tones:
            forms = {with_tone(rhyme, tone), with_tone(rhyme, tone, new_style=True)}
            found.update(onset + form for onset in ONSETS for form in forms if _fits(onset, rhyme))
    return frozenset(found)


def _fits(onset: str, rhyme: str) -> bool:
    if onset == "qu":
        return rhyme[0] in "aăâeêiơy" or rhyme == "ôc"
    if onset == "g" and rhyme[0] in "eêi":
        # gi + a is written gia: "gía" is a misplaced tone, no syllable of g and ia.
        return rhyme[0] == "i" and rhyme not in ("ia", "iu")
    if rhyme[0] == "y" and len(rhyme) > 1:
        return onset == ""
    return True


def is_syllable(word: str) -> bool:
    """Return whether a word, whatever its case, is a possible Vietnamese syllable."""
    return word.casefold() in valid_syllables()


@lru_cache(maxsize=65536)
def is_well_spelled(word: str) -> bool:
    """Return whether a word is a syllable that also keeps the rules for c and k, g and gh, ng and ngh.

    >>> is_well_spelled("Kỳ"), is_well_spelled("Kỗ"), is_well_spelled("Nghĩa"), is_well_spelled("Ghan")
    (True, False, True, False)
    """
    if not is_syllable(word):
        return False
    plain = split_tone(word.casefold())[0]
    onset = next((start for start in _SPELLED if plain.startswith(start)), "")
    rest = plain[len(onset) :]
    return not onset or not rest or rest[0] == "h" or (rest[0] in "eêiy") is _SPELLED[onset]


# Whether an onset stands before e, ê, i, y (longer ones first); g itself stands before i in gi.
_SPELLED = {"ngh": True, "ng": False, "gh": True, "k": True, "c": False}


@lru_cache(maxsize=65536)
def split_tone(word: str) -> tuple[str, int]:
    """Return a word without its tone mark, and the tone; marks on consonants (ñ) and ê, ô, ơ stay.

    >>> split_tone("Thủy"), split_tone("Thuỷ"), split_tone("Êñuôl")
    (('Thuy', 3), ('Thuy', 3), ('Êñuôl', 0))
    """
    tone = 0
    kept: list[str] = []
    base = ""
    for letter in unicodedata.normalize("NFD", word):
        if not unicodedata.combining(letter):
            base = letter.lower()
        elif letter in TONES and base in "aeiouy":
            tone = TONES[letter]
            continue
        kept.append(letter)
    return unicodedata.normalize("NFC", "".join(kept)), tone


def tone_form(word: str) -> str:
    """Return a word with its tone as a trailing digit, equal for both styles of placement."""
    base, tone = split_tone(word)
    return f"{base}{tone}" if tone else base


def mend_misplaced_tone(word: str) -> str:
    """Return a word whose tone sat on the u of qu or the i of gi with the tone on the vowel it belongs to.

    >>> mend_misplaced_tone("Qúy"), mend_misplaced_tone("Gía"), mend_misplaced_tone("Gìn")
    ('Quý', 'Giá', 'Gìn')
    """
    if word.casefold() in valid_syllables():
        return word
    base, tone = split_tone(word)
    onset, rhyme = base[:2], base[2:]
    if not tone or onset.casefold() not in ("qu", "gi") or not rhyme or rhyme[0].casefold() not in VOWELS:
        return word
    mended = onset + _cased_like(rhyme, with_tone(rhyme.lower(), tone))
    return mended if mended.casefold() in valid_syllables() else word


def _cased_like(model: str, word: str) -> str:
    return word.upper() if model.isupper() else word

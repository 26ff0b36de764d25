"""What the name of a company says: its words and its legal form.

Case, accents, punctuation and the form tell no two names apart.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

_FORMS = {
    # One line for each form in law; the first word stands for all of it.
    "ltd": "ltd limited pty ltda limitada limitee ltee",
    "plc": "plc",
    "llc": "llc",
    "llp": "llp",
    "lp": "lp",
    "inc": "inc incorporated",
    "corp": "corp corporation",
    "gmbh": "gmbh mbh ggmbh gesmbh gesellschaftmbh",
    "ug": "ug",
    "ag": "ag aktiengesellschaft",
    "kg": "kg",
    "kgaa": "kgaa",
    "ohg": "ohg",
    "gbr": "gbr",
    "partg": "partg partgmbb",
    "ek": "ek ekfm ekfr",
    "ev": "ev",
    "eg": "eg",
    "se": "se",
    "sa": "sa",
    "sas": "sas sasu",
    "sarl": "sarl eurl",
    "snc": "snc",
    "sci": "sci",
    "scop": "scop",
    "scea": "scea gaec earl",
    "spa": "spa",
    "srl": "srl srls",
    "sapa": "sapa",
    "sl": "sl slu slp sll",
    "bv": "bv bvba",
    "nv": "nv",
    "vof": "vof",
    "cv": "cv",
    "ab": "ab",
    "as": "as asa",
    "aps": "aps",
    "oy": "oy oyj",
    "spzoo": "spzoo",
    "spk": "spk",
    "spj": "spj",
    "sro": "sro",
    "doo": "doo",
    "ood": "ood eood",
    "kft": "kft",
    "zrt": "zrt",
    "ooo": "ooo ооо",
    "pao": "pao пао",
    "zao": "zao зао",
    "kk": "kk",
}
_FORM_OF = {word: form for form, words in _FORMS.items() for word in words.split()}
_NEUTRAL = frozenset({"co", "cie", "company", "compagnie", "compania", "pty"})
"""Words beside a form that say no more than it does."""
_LEADING = frozenset({"ab", "as", "kk", "ooo", "ооо", "oy", "pao", "пао", "sarl", "sas", "sci"})
"""Forms that stand before the name in some countries."""
_SPELT_OUT = {
    "gesellschaft mit beschrankter haftung": "gmbh",
    "gesellschaft mit beschraenkter haftung": "gmbh",
    "ug haftungsbeschrankt": "ug",
    "ug haftungsbeschraenkt": "ug",
    "sp z o o": "spzoo",
    "sp z oo": "spzoo",
    "spolka z oo": "spzoo",
    "sp k": "spk",
    "sp j": "spj",
    "sa de cv": "sa",
    "sab de cv": "sa",
    "sapi de cv": "sa",
    "s de rl de cv": "srl",
    "s de rl": "srl",
    "societe anonyme": "sa",
    "sociedad anonima": "sa",
    "societa per azioni": "spa",
    "societe a responsabilite limitee": "sarl",
    "sociedad limitada": "sl",
    "limited liability company": "llc",
    "public limited company": "plc",
    "besloten vennootschap": "bv",
    "naamloze vennootschap": "nv",
    **{" ".join(form): form for form in ("ag", "bv", "ek", "ev", "gmbh", "kg", "nv", "sa", "sas")},
    **{" ".join(form): form for form in ("sl", "slu", "spa", "sro", "srl", "sarl", "doo")},
}
_LONGEST = max(len(words.split()) for words in _SPELT_OUT)
_ENDS = {words.split()[-1] for words in _SPELT_OUT}
_TELLING = _ENDS | _FORM_OF.keys() | _NEUTRAL
"""All words with which a form ends."""
_NO_FORM: frozenset[str] = frozenset()
_JOINING = frozenset({"and", "und", "et", "y", "e", "en", "og", "och", "ed", "the"})
"""Words that are written, or left out, or written as a sign."""
_ADDRESS = re.compile(r"\s*\([^()]*@[^()]*\)\s*$")
"""Which some programs write behind the name."""
_ONE_LETTER = str.maketrans({"ł": "l", "đ": "d", "ı": "i", "þ": "th", "ð": "d"})
_AS_ONE = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe"})
_IN_FULL = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae"})
_DOTS = re.compile(r"[.'’`´]")
_WORD = re.compile(r"[^\W_]+")


class _Plain(dict[int, str]):
    """For `str.translate`: each letter without its accents, found out once."""

    def __missing__(self, code: int) -> str:
        letters = unicodedata.normalize("NFKD", chr(code))
        self[code] = "".join(each for each in letters if not unicodedata.combining(each))
        return self[code]


_PLAIN = _Plain()


class CompanyName(NamedTuple):
    """`words`: without the legal form, and without accents; all there are where nothing else would
    be. `plain` and `full`: all in one, with letters such as ü written as u or as ue; names that are
    the same in either mean the same. `forms`: of law, that the name tells, with blanks between."""

    words: str
    plain: str
    full: str
    forms: str


def read_company(name: str) -> CompanyName:
    """What a name says. Never fails, whatever it holds."""
    told = _ADDRESS.sub("", name) if "@" in name else name
    told = _DOTS.sub("", unicodedata.normalize("NFC", told).casefold())
    if told.isascii():  # most are, and have no letter that is written in two ways
        words, forms = _split(told)
        others = words
    else:
        told = told.replace("株式会社", " kk ").translate(_ONE_LETTER)
        words, forms = _split(told.translate(_AS_ONE))
        in_full = told.translate(_IN_FULL)
        others = words if in_full == told else _split(in_full)[0]
    told_forms = " ".join(sorted(forms))
    return CompanyName(" ".join(words), "".join(words), "".join(others), told_forms)


def fold_company(name: str) -> str:
    """The words of the name, to compare it and to look it up by."""
    return read_company(name).words


def without_accents(text: str) -> str:
    """As the words of a name are kept: `dvorak` of `Dvořák`. May leave nothing."""
    told = unicodedata.normalize("NFC", text).casefold()
    return told if told.isascii() else told.translate(_ONE_LETTER | _AS_ONE).translate(_PLAIN)


def _split(text: str) -> tuple[list[str], frozenset[str]]:
    """The words of the name, and the forms at its end or its beginning."""
    words = _WORD.findall(text if text.isascii() else text.translate(_PLAIN))
    forms: set[str] = set()
    while (found := _find_form(words)) is not None:
        length, form = found
        del words[-length:]
        forms.add(form)
    if len(words) > 1 and words[0] in _LEADING:
        forms.add(_FORM_OF[words.pop(0)])
    if not _JOINING.isdisjoint(words):
        words = [each for each in words if each not in _JOINING] or words
    return words, frozenset(forms - {""}) if forms else _NO_FORM


def _find_form(words: Sequence[str]) -> tuple[int, str] | None:
    """How many words at the end are a form, and which; None where nothing would be left."""
    if len(words) < 2:
        return None
    last = words[-1]
    if last not in _TELLING:
        return None
    if last in _ENDS:
        for length in range(min(_LONGEST, len(words) - 1), 1, -1):
            if form := _SPELT_OUT.get(" ".join(words[-length:])):
                return length, form
    if last in _FORM_OF:
        return 1, _FORM_OF[last]
    return (1, "") if last in _NEUTRAL else None

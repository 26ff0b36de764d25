"""Passwords: argon2id in the library's recommended strength, hashed again when that rises."""

from __future__ import annotations

import json
import re
import string
import unicodedata
from functools import cache
from itertools import pairwise
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from portal.errors import InvalidInput

SHORTEST = 12
LONGEST_PASSWORD = 1024
"""Far above what anyone types; keeps a huge body from costing a huge hash."""
FEWEST_DIFFERENT = 4
NAMES = (
    *("rmmportal", "portal", "tacticalrmm", "tactical", "rmm", "msp"),
    *("administrator", "admin", "owner", "technician", "viewer"),
)
"""What anybody tries here: names of products and roles; docs/security.md lists them."""
SHORTEST_NAME = 3
FEWEST_OTHER_LETTERS = 4

COMMON_PASSWORDS = Path(__file__).parents[2] / "vendor" / "common-passwords.json"
"""The commonest passwords of leaked lists, in lower case; `manifest.json` beside it says whose."""
PADDING = string.digits + string.punctuation + string.whitespace

_hasher = PasswordHasher()


@cache
def _nobodys_hash() -> str:
    """Made on first use: hashing is slow on purpose, and commands need none."""
    return _hasher.hash("a password that nobody has")


def hash_new_password(password: str, email: str) -> str:
    """The hash of a password that the user of `email` chooses. Raises InvalidInput, saying why,
    when it is too short or too long, or among the first that somebody would try."""
    problem = _find_problem(password, email)
    if problem is not None:
        raise InvalidInput(problem, field="password")
    return hash_password(password)


def hash_password(password: str) -> str:
    """Of a password that holds already: an old one is hashed again whatever it is like."""
    return _hasher.hash(password[:LONGEST_PASSWORD])


def password_matches(password_hash: str | None, password: str) -> bool:
    """Takes the same time for a user who does not exist (no hash) as for one who does."""
    try:
        _hasher.verify(password_hash or _nobodys_hash(), password[:LONGEST_PASSWORD])
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def needs_rehash(password_hash: str) -> bool:
    return _hasher.check_needs_rehash(password_hash)


def _find_problem(password: str, email: str) -> str | None:
    if len(password) < SHORTEST:
        return f"Use a password of at least {SHORTEST} characters."
    if len(password) > LONGEST_PASSWORD:
        return f"Use a password of at most {LONGEST_PASSWORD} characters."
    word = unicodedata.normalize("NFKC", password).casefold()
    if _is_monotonous(word):
        return "Use more varied characters: this password repeats a few or follows a sequence."
    if word in email or email in word:
        return "Do not use your email address as your password: attackers try it first."
    if _is_common(word):
        return (
            "This password is one of the most common, with or without the digits and symbols "
            "around it. Use several words that do not belong together."
        )
    if _is_made_of_names(word, email):
        return (
            "This password consists of names that attackers try here first: of the product, of a "
            "role, or from your email address. Use several words that do not belong together."
        )
    return None


def _is_monotonous(word: str) -> bool:
    """`aaaa…`, `ababab…`, `123456789012…`, `abcdef…`: few characters, or one step between all."""
    steps = {(ord(after) - ord(before)) % 10 for before, after in pairwise(word)}
    return len(set(word)) < FEWEST_DIFFERENT or len(steps) == 1


def _is_made_of_names(word: str, email: str) -> bool:
    """`Acme-Portal-2026` for somebody at acme.example: hardly a letter of it is another one."""
    own = [part for part in re.split(r"[\W_]+", email) if len(part) >= SHORTEST_NAME]
    names = sorted({*NAMES, *own}, key=len, reverse=True)
    left = re.sub("|".join(map(re.escape, names)), "", word)
    return left != word and sum(map(str.isalpha, left)) < FEWEST_OTHER_LETTERS


def _is_common(word: str) -> bool:
    """Asked seldom, so that the list need not stay in memory."""
    common = json.loads(COMMON_PASSWORDS.read_text("utf-8"))
    return word in common or word.strip(PADDING) in common

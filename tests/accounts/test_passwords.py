"""Which passwords may be chosen: everywhere the same."""

from __future__ import annotations

import pytest

from portal.errors import InvalidInput
from portal.services.accounts.passwords import (
    LONGEST_PASSWORD,
    hash_new_password,
    hash_password,
    password_matches,
)
from tests.support.passwords import STRONG

EMAIL = "anna.smith@acme.example"

REFUSED = [
    ("short", "at least 12 characters"),
    ("eleven char", "at least 12 characters"),
    ("x" * 500 + "abcdefg" * 100, "at most 1024 characters"),
    ("aaaaaaaaaaaa", "more varied characters"),
    (" " * 12, "more varied characters"),
    ("\t \t \t \t \t \t ", "more varied characters"),
    ("abababababab", "more varied characters"),
    ("12345678901234", "more varied characters"),
    ("9876543210987", "more varied characters"),
    ("abcdefghijklmno", "more varied characters"),
    (EMAIL, "Do not use your email address"),
    (EMAIL.upper(), "Do not use your email address"),
    (f"{EMAIL}2026", "Do not use your email address"),
    ("acme.example", "Do not use your email address"),
    ("Acme-Portal-2026", "names that attackers try"),
    ("TacticalRMM!2026", "names that attackers try"),
    ("smith.anna.admin1", "names that attackers try"),
    ("password1234", "one of the most common"),
    ("PassWord1234", "one of the most common"),
    ("ｐａｓｓｗｏｒｄ1234", "one of the most common"),
    ("1qaz2wsx3edc", "one of the most common"),
    ("administrator", "one of the most common"),
    ("Welcome12345!", "one of the most common"),
    ("!!letmein2026!!", "one of the most common"),
    ("P@ssw0rd1234", "one of the most common"),
]


@pytest.mark.parametrize(("password", "words"), REFUSED)
def test_what_others_try_first_is_refused(password: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as refusal:
        hash_new_password(password, EMAIL)

    assert refusal.value.field == "password"
    assert password not in refusal.value.message


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "k3Jf-29ab-Qx7z",
        "sieben Zwerge im Wald",
        "the portal of acme sleeps",
        "パスワードではない言葉です",
        "x" + "é1ü2" * 255,
    ],
)
def test_others_are_taken_as_they_are(password: str) -> None:
    stored = hash_new_password(password, EMAIL)

    assert password_matches(stored, password)
    assert not password_matches(stored, password.swapcase() + " ")


def test_a_password_of_old_is_hashed_again_as_far_as_it_is_compared() -> None:
    stored = hash_password("short" + "x" * LONGEST_PASSWORD)

    assert password_matches(stored, "short" + "x" * (LONGEST_PASSWORD - 5))


def test_the_strength_is_the_recommended_one() -> None:
    """Three passes over 64 MiB: of argon2id, by RFC 9106 where memory is short."""
    stored = STRONG.hash("correct horse battery")

    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert not STRONG.check_needs_rehash(stored)

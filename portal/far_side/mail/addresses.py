"""Mail addresses as a server takes them: ASCII, the domain in its wire form."""

from __future__ import annotations

import re

import idna

MOST_RECIPIENTS = 20
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_SEPARATOR = re.compile(r"[\s,;]+")


class BadAddress(Exception):
    """The argument is a sentence for people."""


def clean_address(text: str) -> str:
    """Raises BadAddress."""
    local, at, domain = text.strip().rpartition("@")
    if not at or not local or not domain:
        raise BadAddress(f"“{text.strip()[:100]}” is no mail address, such as ops@example.com.")
    if not _LOCAL.fullmatch(local) or len(local) > 64:
        raise BadAddress(
            f"“{text.strip()[:100]}” holds characters before the @ that mail servers do not take."
        )
    return f"{local}@{clean_domain(domain)}"


def clean_domain(text: str) -> str:
    """Raises BadAddress."""
    try:
        domain = idna.encode(text.strip().rstrip("."), uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        domain = ""
    if "." not in domain:
        raise BadAddress(f"“{text.strip()[:100]}” is not the name of a domain.")
    return domain


def read_addresses(text: str) -> list[str]:
    """Each once, in the order in which they were typed. Raises BadAddress."""
    found = [clean_address(each) for each in _SEPARATOR.split(text.strip()) if each]
    if len(set(found)) > MOST_RECIPIENTS:
        raise BadAddress(
            f"Enter at most {MOST_RECIPIENTS} addresses. For more people, use a distribution list "
            "of your mail server."
        )
    return list(dict.fromkeys(found))

"""Whether two names mean the same company. Pure: knows neither Flask nor the database."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from portal.helpdesks.kind import Choice

_LEGAL = {
    *("ab", "ag", "aps", "as", "bv", "co", "company", "corp", "corporation", "ev", "gbr", "gmbh"),
    *("inc", "incorporated", "kg", "kgaa", "limited", "llc", "llp", "ltd", "mbh", "nv", "ohg"),
    *("oy", "oyj", "plc", "pty", "sa", "sarl", "sas", "se", "spa", "srl", "ug"),
}
"""Forms of companies, without dots, as they end a name."""
_ADDRESS = re.compile(r"\s*\([^()]*@[^()]*\)\s*$")
"""Which some helpdesks write behind the name."""


def fold_company(name: str) -> str:
    """Without case, accents, punctuation, and the forms of companies at the end: what is left where
    nothing else would be."""
    plain = unicodedata.normalize("NFKD", _ADDRESS.sub("", name)).casefold()
    plain = "".join(each for each in plain if not unicodedata.combining(each))
    words = re.sub(r"[\W_]+", " ", re.sub(r"[.'’]", "", plain)).split()
    kept = list(words)
    while kept and kept[-1] in _LEGAL:
        kept.pop()
    return " ".join(kept or words)


def suggest(names: Mapping[int, str], customers: Sequence[Choice]) -> dict[int, Choice]:
    """For each name the one customer of the same: where another client or another customer is
    called so too, a person decides."""
    of_clients, of_customers = dict[str, list[int]](), dict[str, list[Choice]]()
    for key, name in names.items():
        of_clients.setdefault(fold_company(name), []).append(key)
    for customer in customers:
        of_customers.setdefault(fold_company(customer.name), []).append(customer)
    return {
        clients[0]: of_customers[folded][0]
        for folded, clients in of_clients.items()
        if folded and len(clients) == 1 and len(of_customers.get(folded, ())) == 1
    }

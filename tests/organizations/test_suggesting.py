"""Which names mean the same company: what is the same, what is alike, and what is neither."""

from __future__ import annotations

import pytest

from portal.company_names import fold_company, read_company
from portal.services.suggesting import Reason, suggest, suggest_similar

pytestmark = pytest.mark.one_database


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller & Söhne GmbH & Co. KG", "muller  sohne"),
        ("Müller & Söhne GmbH & Co. KG", "MUELLER UND SOEHNE"),
        ("Contoso, Ltd.", "CONTOSO (post@contoso.example)"),
        ("Société Générale S.A.", "Societe Generale"),
        ("AG", "ag"),
        ("O'Neill-Smith Inc", "ONeill Smith"),
        ("Grupo Maíz, S.A. de C.V.", "grupo maiz"),
        ("Żubr Sp. z o.o.", "Zubr"),
        ("AB Skogen", "Skogen"),
        ("S P Q R  S. r. l.", "SPQR"),
        ("Bäckerei Groß", "Baeckerei Gross"),
    ],
)
def test_names_of_the_same_company(one: str, other: str) -> None:
    found = suggest({1: one}, {2: other})[1]
    assert (found.key, found.is_sure) == (2, True)


@pytest.mark.parametrize(
    "name", ["", "!!!", "GmbH", "株式会社", "\x00", "(a@b)", "É" * 500, "a" * 5_000]
)
def test_no_name_is_too_odd(name: str) -> None:
    assert isinstance(fold_company(name), str)
    suggest({1: name, 2: "x"}, {1: name, 2: "y z"})
    assert read_company(name)._asdict().keys() == {"words", "plain", "full", "forms"}


def test_only_what_is_alone_on_both_sides_is_sure() -> None:
    clients = {1: "Contoso", 2: "Globex", 3: "Globex Inc.", 4: "Initech", 5: "!!!", 6: "Müller AG"}
    names = {7: "Contoso Ltd", 8: "Globex", 9: "Initech GmbH", 10: "Initech", 11: "…"}
    names |= {12: "Mueller", 13: "MULLER"}
    found = suggest(names, clients)
    assert {key: (each.key, each.reason) for key, each in found.items()} == {
        7: (1, Reason.FORM),
        8: (2, Reason.SEVERAL),
        9: (4, Reason.SEVERAL),
        10: (4, Reason.SEVERAL),
        12: (6, Reason.SEVERAL),
        13: (6, Reason.SEVERAL),
    }
    assert [key for key, each in found.items() if each.is_sure] == [7]
    assert suggest({1: "Initech Ltd"}, {4: "Initech GmbH"})[1].reason is Reason.OTHER_FORM


@pytest.mark.parametrize(
    ("name", "client", "reason"),
    [
        ("Kestrel Enginering", "Kestrel Engineering Ltd", Reason.SIMILAR),
        ("Weber Anna Steuerberatung", "Steuerberatung Anna Weber", Reason.SIMILAR),
        ("Castellanos", "Castellanos Obras y Servicios", Reason.PART),
        ("NBH", "Nordhafen Bau Hamburg", Reason.INITIALS),
        ("Filiale 1", "Filiale 2", None),
        ("Nordwind Logistik", "Nordwind Energie", None),
        ("Stadtwerke Neustadt", "Stadtwerke Altdorf", None),
    ],
)
def test_what_is_alike_is_suggested_and_never_sure(
    name: str, client: str, reason: Reason | None
) -> None:
    found = suggest({1: name}, {2: client, 3: "Lomas Verdes", 4: "Aldgate Print"})
    assert [each.reason for each in found.values()] == ([reason] if reason else [])
    assert not any(each.is_sure for each in found.values())


def test_what_a_look_had_no_time_for_is_found_by_the_next_one() -> None:
    names = {1: "contoso sweden", 2: "fabrikam sweden", 3: "northwind sweden"}
    among = {4: "contosa sweden", 5: "fabrikan sweden", 6: "northwint sweden"}
    looks = [len(suggest_similar(names, among, seconds=-1)) for _look in range(3)]
    assert looks == [1, 2, 3]

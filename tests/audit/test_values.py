"""What a row says of many at once."""

from __future__ import annotations

from portal.services.audit.values import MOST_LISTED, clean, gathered


def test_of_many_each_value_stands_with_those_that_had_it() -> None:
    rows: list[tuple[object, dict[str, object]]] = [
        (1, {"to": "anna", "on": True}),
        (2, {"to": None, "on": True}),
    ]
    assert gathered(rows) == {"to": {"anna": [1], "none": [2]}, "on": True}
    assert gathered([(1, {"to": None}), (2, {"to": None})]) == {"to": None}
    assert gathered([]) == {}


def test_nothing_is_endless() -> None:
    many = {"to": {str(number): [number] for number in range(MOST_LISTED + 3)}}
    kept = clean(many)["to"]
    assert (len(kept), kept["and"]) == (MOST_LISTED + 1, "3 more")
    assert clean(list(range(MOST_LISTED + 3)))[-1] == "and 3 more"

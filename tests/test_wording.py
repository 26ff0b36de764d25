from __future__ import annotations

import pytest

from portal.wording import join_words, plural


def test_numbers_of_things() -> None:
    assert plural(1, "asset") == "1 asset"
    assert plural(0, "asset") == "0 assets"
    assert plural(1200, "match", "matches") == "1,200 matches"


@pytest.mark.parametrize(
    ("words", "text"),
    [([], ""), (["one"], "one"), (["one", "two"], "one and two"), (list("abc"), "a, b and c")],
)
def test_lists_of_words(words: list[str], text: str) -> None:
    assert join_words(words) == text

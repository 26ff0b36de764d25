"""What must hold of every page as it stands in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

Scheme = Literal["light", "dark"]
Looks = tuple[tuple[Scheme, int], ...]

# Colours do not depend on the width, nor sizes on the colours.
LOOKS: Final[Looks] = (("light", 1280), ("dark", 320))
OTHER_LOOKS: Final[Looks] = (("dark", 1280), ("light", 320))
DESKS: Final = (1024, 1200, 1440, 1920)
"""Widths of the screens of a desk."""
OPTIONS = {
    "resultTypes": ["violations"],
    "rules": {"target-size": {"enabled": True}},
    "preload": {"assets": ["media"]},
}
"""The rule on the size of what is pressed is off by default. Style sheets would be read again for
one that is off: whether a page can be turned."""
VIOLATIONS = """([part, options]) => {
    const hold = (event) => event.preventDefault();
    document.addEventListener("htmx:beforeRequest", hold);
    return axe.run(part ?? document, options)
        .then(({ violations }) => violations.flatMap(
            rule => rule.nodes.map(node => `${rule.id} ${node.target}`)
        ))
        .finally(() => document.removeEventListener("htmx:beforeRequest", hold));
}"""
"""Of all that axe finds no more is handed out. Meanwhile no part reads itself again, which would
leave it with the colours of what is gone."""
UNDER_WAY = ".htmx-request, .htmx-swapping, .htmx-settling"
SPILLS = """() => [...document.querySelectorAll("main table")]
    .filter((table) => table.checkVisibility())
    .map((table) => [table, table.closest(".card") ?? table.parentElement])
    .map(([table, card]) => [
        table.caption?.textContent ?? table.className,
        table.getBoundingClientRect().right - card.getBoundingClientRect().right,
    ])
    .concat([["page", document.documentElement.scrollWidth - document.documentElement.clientWidth]])
    .filter(([_, over]) => over > 1)
    .map(([name, over]) => `${name}: ${Math.round(over)} pixels`)"""
"""Tables that reach beyond their card, whether they may be moved sideways within it or not, and a
page that is wider than the window."""
HEADINGS = """() => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
    .filter((heading) => heading.checkVisibility() && !heading.closest("[aria-hidden=true]"))
    .map((heading) => Number(heading.tagName[1]))"""
ANIMATIONS_ENDED = """Promise.allSettled(
    document.getAnimations()
        .filter((animation) => animation.effect.getComputedTiming().endTime < Infinity)
        .map((animation) => animation.finished)
)"""


def assert_accessible(page: Page, part: str | None = None) -> None:
    """Looked at from its top: the bar there covers a part of what has been scrolled below it, and
    how far a page scrolls depends on the machine's fonts. `part`: the selector of what alone is
    looked at, as where it covers a part of the page."""
    wait_until_still(page)
    page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    wrong = page.evaluate(VIOLATIONS, [part, OPTIONS])
    assert not wrong, f"{page.url}: {wrong}"


def in_each_look(page: Page, looks: Looks = LOOKS) -> Iterator[Scheme]:
    """The page, once loaded, in each: all that a test of how it looks loads it for."""
    for scheme, width in looks:
        show_as(page, scheme, width)
        yield scheme


def assert_right_in_each_look(page: Page, looks: Looks = LOOKS) -> None:
    """Accessible, and no wider than the window. The page stays as the last look shows it: narrow,
    and dark unless they are other ones."""
    for _ in in_each_look(page, looks):
        assert_accessible(page)
        assert_fits(page)


def show_as(page: Page, scheme: Scheme, width: int, height: int = 844) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": height})


def wait_until_still(page: Page) -> None:
    """Loaded, no part is being asked for, and nothing moves. (Chromium calls a network idle half a
    second after its last request: that would be most of what a test of all pages takes.)"""
    page.wait_for_load_state("load")
    expect(page.locator(UNDER_WAY)).to_have_count(0)
    page.evaluate(ANIMATIONS_ENDED)


def assert_fits(page: Page) -> None:
    """Nothing is wider than the window."""
    over = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert over <= 0, f"{page.url} is {over} pixels too wide"


def list_spills(page: Page) -> list[str]:
    """Which tables are wider than their card, and by how much."""
    return list(page.evaluate(SPILLS))


def assert_lists_fit(page: Page) -> None:
    """On the screens of a desk no list is wider than its card, with its own choice of columns."""
    for width in DESKS:
        page.set_viewport_size({"width": width, "height": 900})
        assert not list_spills(page), f"{page.url} at {width}: {list_spills(page)}"


def assert_outlined(page: Page) -> None:
    """Whoever hears the page finds their way: one heading of it all, first, and the others each at
    most one step below what came before; the content, the head and the menu as landmarks."""
    levels = page.evaluate(HEADINGS)
    assert levels.count(1) == 1, f"{page.url}: {levels}"
    steps = zip([0, *levels], levels, strict=False)
    assert all(level <= before + 1 for before, level in steps), f"{page.url}: {levels}"
    expect(page.get_by_role("main")).to_have_count(1)
    if page.get_by_role("banner").count():  # on pages that nobody is signed in to see there is none
        expect(page.get_by_role("banner")).to_have_count(1)
        expect(page.get_by_role("navigation", name="Main")).to_have_count(1)

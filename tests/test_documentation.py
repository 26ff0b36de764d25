from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from portal.channels.templating import VALUES
from portal.models.runs.sync_run import COUNT_NAMES, SyncKind
from portal.services.accounts.permissions import ROLES, WITHIN_CLIENTS, Permission, role_allows
from portal.services.audit.actions import Action
from portal.services.integrations.option_kinds import to_text
from portal.services.integrations.options import OPTIONS
from scripts import diagram

ROOT = Path(__file__).parents[1]
TOP_PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")
MOST_BYTES_OF_A_PICTURE = 120 * 1024
WITHOUT_CODE = ("static", "templates", "vendor")
"""Folders of `portal` that hold no Python."""
FOLDERS = (
    *("portal/", "tactical_simulator/", "tests/", "migrations/", "scripts/", "docs/"),
    *("services/", "sync/", "tactical/", "egress/", "web/", "models/", "events/", "supervisor/"),
)
LEVELS_1_AND_2 = {
    **{"1.1": 2, "1.2": 9, "1.3": 11, "1.4": 3, "1.5": 2},
    **{"2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1},
    **{"3.2": 2, "3.3": 4, "3.4": 6, "3.5": 5, "3.7": 2},
    **{"4.1": 3, "4.2": 1, "4.3": 2, "4.4": 4},
    **{"5.1": 1, "5.2": 3, "5.3": 2, "5.4": 3},
    **{"6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5, "6.6": 3, "6.8": 4},
    **{"7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2},
    **{"8.1": 2, "8.2": 3, "8.3": 1, "8.4": 1},
    **{"9.1": 3, "9.2": 4},
    **{"10.1": 2, "10.2": 2, "10.3": 4, "10.4": 11, "10.5": 5, "10.6": 2, "10.7": 3},
    **{"11.1": 2, "11.2": 3, "11.3": 3, "11.4": 4, "11.5": 1, "11.6": 1},
    **{"12.1": 3, "12.2": 2, "12.3": 4},
    **{"13.1": 1, "13.2": 5, "13.3": 2, "13.4": 5},
    **{"14.1": 2, "14.2": 4, "14.3": 3},
    **{"15.1": 3, "15.2": 3, "15.3": 7},
    **{"16.1": 1, "16.2": 5, "16.3": 4, "16.4": 3, "16.5": 3},
    **{"17.1": 1, "17.2": 4, "17.3": 2},
}
"""Sections of OWASP ASVS 5.0.0: how many requirements are of the first two levels. They come first
in each section."""
SVG = "http://www.w3.org/2000/svg"
VARIABLE = r"\b(?:PORTAL_[A-Z_]+|DATABASE_URL|REDIS_URL)\b"


def test_every_setting_is_documented_and_no_other() -> None:
    read = set(re.findall(rf'"({VARIABLE})"', (ROOT / "portal/config.py").read_text()))
    text = (ROOT / "docs/configuration.md").read_text()
    documented = set(re.findall(rf"^\| `({VARIABLE})` \|", text, re.MULTILINE))
    assert documented == read


def test_every_option_of_a_connection_is_documented_as_it_is_and_no_other() -> None:
    text = (ROOT / "docs/configuration.md").read_text()
    [table] = re.findall(r"^\| option \| .*\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    rows = [
        (
            option.label,
            f"`{option.flag}`" if option.flag else "",
            to_text(option, option.default),
            option.allowed,
            option.help,
        )
        for option in OPTIONS
    ]
    written = [tuple(cell.strip() for cell in row.split("|")[1:-1]) for row in table.splitlines()]
    assert written == rows


def list_documents() -> list[Path]:
    top = [ROOT / name for name in TOP_PAGES]
    return [*top, *(ROOT / "docs").glob("**/*.md"), ROOT / "migrations/README.md"]


def list_links(page: Path) -> Iterator[tuple[str, str]]:
    """Path and heading of each link and picture that leads to a file here."""
    for link in re.findall(r"""\]\(([^)\s]+)|<img src="([^"]+)\"""", page.read_text()):
        path, _, heading = "".join(link).partition("#")
        if not path.startswith("http"):
            yield path, heading


def list_headings(page: Path) -> set[str]:
    """As links name them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_links_between_the_documents_lead_somewhere() -> None:
    for page in list_documents():
        for path, heading in list_links(page):
            target = page.parent / path if path else page
            assert target.exists(), f"{page.name}: {path}"
            assert not heading or heading in list_headings(target), f"{page.name}: {path}#{heading}"


def test_each_picture_is_shown_and_small() -> None:
    shown = {
        (page.parent / path).resolve() for page in list_documents() for path, _ in list_links(page)
    }
    pictures = list((ROOT / "docs/pictures").iterdir())
    assert pictures
    for picture in pictures:
        assert picture.resolve() in shown, picture.name
        assert picture.stat().st_size <= MOST_BYTES_OF_A_PICTURE, picture.name


def test_every_value_of_a_message_is_documented_as_it_is_and_no_other() -> None:
    text = (ROOT / "docs/channels.md").read_text()
    [table] = re.findall(r"^\| value \| \|\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.MULTILINE) == list(VALUES.items())


def test_every_group_of_the_audit_trail_is_documented_and_no_other() -> None:
    text = (ROOT / "docs/audit.md").read_text()
    [table] = re.findall(r"^\| group \| \|\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    firsts = " ".join(row.split("|")[1] for row in table.splitlines())
    assert set(re.findall(r"`(\w+)`", firsts)) == {action.partition(".")[0] for action in Action}


def test_the_events_of_a_run_are_documented_with_every_kind_and_count() -> None:
    text = (ROOT / "docs/events.md").read_text()
    for key, names in (("kind", [str(kind) for kind in SyncKind]), ("counts", COUNT_NAMES)):
        [row] = re.findall(rf"^\| `{key}` \| (.*) \|$", text, re.MULTILINE)
        assert set(re.findall(r"`(\w+)`", row)) == set(names)


def test_each_claim_of_security_names_tests_that_exist() -> None:
    text = (ROOT / "docs/security.md").read_text()
    tables = re.findall(r"^\| claim \| shown by \|\n\|.*\n((?:\|.*\n)+)", text, re.MULTILINE)
    rows = "".join(tables).splitlines()
    assert len(rows) > 50
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row)
        assert named, row
        assert row.count("::") == len(named), row
        for path, function in named:
            assert f"\ndef {function}(" in (ROOT / path).read_text(), f"{path}::{function}"


def test_each_requirement_of_the_standard_is_judged_once_and_names_tests_that_exist() -> None:
    text = (ROOT / "docs/security.md").read_text()
    rows = re.findall(
        r"^\| (\d+\.\d+\.\d+[^|]*) \|([^|]+)\| ([a-z ]+) \|([^|]+)\|([^|]+)\|$", text, re.M
    )
    judged = {number: row[2] for row in rows for number in row[0].split(", ")}
    assert sum(len(row[0].split(", ")) for row in rows) == len(judged), "each once"
    assert judged.keys() == {
        f"{section}.{number}"
        for section, most in LEVELS_1_AND_2.items()
        for number in range(1, most + 1)
    }
    counts = Counter(judged.values())
    assert (
        f"of {len(judged)}, {counts['met']} are met, {counts['not met']} are not met and "
        f"{counts['not applicable']} are not applicable"
    ) in " ".join(text.split())
    for *_, shown in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", shown)
        assert named or shown.strip() == "–", shown
        for path, function in named:
            assert f"\ndef {function}(" in (ROOT / path).read_text(), f"{path}::{function}"


def test_the_picture_of_the_architecture_is_what_the_script_draws() -> None:
    drawn = diagram.draw(diagram.read_layers())
    assert diagram.PICTURE.read_text() == drawn, "Run `make diagram`, and commit the picture."


def test_the_picture_of_the_architecture_says_what_it_shows() -> None:
    root = ElementTree.fromstring(diagram.PICTURE.read_text())  # noqa: S314  # our own file
    first, second = list(root)[:2]
    assert (first.tag, second.tag) == tuple(f"{{{SVG}}}{name}" for name in ("title", "desc"))
    shown = {text.text for text in root.iter(f"{{{SVG}}}text") if text.get("class") == "name"}
    assert shown == {*list_modules(), "tactical_simulator"}
    assert all(name in (second.text or "") for name in list_modules())


def test_the_architecture_names_every_module_and_room_and_no_other() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    rows = re.findall(r"^\| (`[^|]+) \| [^|]+ \| ([^|]*)\|$", text, re.MULTILINE)
    named = {
        module: set(re.findall(r"`(\w+)`", rooms))
        for modules, rooms in rows
        for module in re.findall(r"`(\w+)(?:/|\.py)`", modules)
    }
    assert named == list_modules() | {folder: set() for folder in WITHOUT_CODE}


def test_files_that_the_documents_name_exist() -> None:
    pages = [ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("**/*.md")]
    for page in pages:
        for path in re.findall(r"`([\w./]+/[\w./]*)`", page.read_text()):
            if path.startswith(FOLDERS):
                exists = (ROOT / path).exists() or (ROOT / "portal" / path).exists()
                assert exists, f"{page.name}: {path}"


def list_modules() -> dict[str, set[str]]:
    """The modules directly in `portal`, each with its packages."""
    modules = {file.stem: set[str]() for file in (ROOT / "portal").glob("*.py")}
    del modules["__init__"]
    for package in (ROOT / "portal").glob("*/__init__.py"):
        rooms = package.parent.glob("*/__init__.py")
        modules[package.parent.name] = {room.parent.name for room in rooms}
    return modules


def test_the_table_of_roles_is_that_of_the_portal() -> None:
    text = (ROOT / "docs/people.md").read_text()
    [table] = re.findall(r"^(\| may \|.*\n\|[-|]+\|\n(?:\|.*\n)+)", text, re.MULTILINE)
    head, _, *rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in table.splitlines()]
    assert head[1:] == [*ROLES, "limited to some clients"]
    written = {row[0]: row[1:] for row in rows}
    assert written == {
        each: [
            *("yes" if role_allows(role, each) else "" for role in ROLES),
            "yes" if each in WITHIN_CLIENTS else "",
        ]
        for each in Permission
    }

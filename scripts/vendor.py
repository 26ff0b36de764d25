"""Fetch what others made and the portal ships, and write each folder of it with its manifest:
the front-end libraries into portal/static/vendor/, the list of passwords into portal/vendor/.

Run by hand when a version changes or when an icon is added to portal/static/icons.txt:

    python scripts/vendor.py

It needs npm, and only to download: nothing is built and no node_modules is kept.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

PORTAL = Path(__file__).resolve().parent.parent / "portal"
STATIC = PORTAL / "static"
VENDOR = STATIC / "vendor"
PRIVATE = PORTAL / "vendor"
"""For the portal itself; browsers get what lies in `static` only."""
SVG = "http://www.w3.org/2000/svg"

SPRITE = "icons.svg"


@dataclass(frozen=True, slots=True)
class Package:
    name: str
    version: str
    licence: str
    files: dict[str, str]
    """Path inside the package -> file name in the vendor folder."""
    folder: Path = VENDOR


PACKAGES = (
    # htmx 4 is a rewrite and drops headers that flask-htmx reads: stay on 2.
    Package(
        "htmx.org",
        "2.0.11",
        "0BSD",
        {"dist/htmx.min.js": "htmx.min.js", "LICENSE": "htmx.LICENSE.txt"},
    ),
    Package(
        "idiomorph",
        "0.8.0",
        "0BSD",
        {"dist/idiomorph-ext.min.js": "idiomorph-ext.min.js", "LICENSE": "idiomorph.LICENSE.txt"},
    ),
    Package("@tabler/icons", "3.51.0", "MIT", {"LICENSE": "tabler-icons.LICENSE.txt"}),
    Package(
        "@zxcvbn-ts/language-common",
        "4.1.3",
        "MIT",
        {
            "src/passwords.json": "common-passwords.json",
            "LICENSE.txt": "common-passwords.LICENSE.txt",
        },
        PRIVATE,
    ),
)


def main() -> None:
    for folder in (VENDOR, PRIVATE):
        folder.mkdir(parents=True, exist_ok=True)
        entries = [entry for each in PACKAGES if each.folder == folder for entry in _fetch(each)]
        entries.sort(key=lambda entry: entry["file"])
        (folder / "manifest.json").write_text(json.dumps(entries, indent=2) + "\n", "utf-8")


def _fetch(package: Package) -> list[dict[str, str]]:
    """Write the package's files; what the manifest says of them."""
    names = [*package.files.values()]
    with tempfile.TemporaryDirectory() as temporary:
        source = _download(package, Path(temporary))
        for inside, name in package.files.items():
            content = _without_source_map((source / inside).read_bytes())
            (package.folder / name).write_bytes(content)
        if package.name == "@tabler/icons":
            (VENDOR / SPRITE).write_text(_sprite(source / "icons" / "outline"), "utf-8")
            names.append(SPRITE)
    return [_describe(package, name) for name in names]


def _download(package: Package, folder: Path) -> Path:
    target = folder / package.name.replace("/", "-")
    target.mkdir()
    subprocess.run(  # noqa: S603
        ["npm", "pack", "--silent", f"{package.name}@{package.version}"],  # noqa: S607
        cwd=target,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    with tarfile.open(next(target.glob("*.tgz"))) as archive:
        archive.extractall(target, filter="data")
    return target / "package"


def _without_source_map(content: bytes) -> bytes:
    """The maps are not kept, and a browser's tools would ask for them and log a 404."""
    return re.sub(rb"\n?(//|/\*)# sourceMappingURL=[^\n]*\n?$", b"\n", content)


def _sprite(icons: Path) -> str:
    """Every icon of icons.txt as a <symbol>, drawn in the colour of the text around it."""
    ElementTree.register_namespace("", SVG)
    sprite = ElementTree.Element(f"{{{SVG}}}svg")
    for name in (STATIC / "icons.txt").read_text("utf-8").split():
        # Files of the package just downloaded at a pinned version.
        icon = ElementTree.parse(icons / f"{name}.svg").getroot()  # noqa: S314
        symbol = ElementTree.SubElement(sprite, f"{{{SVG}}}symbol", {"id": name})
        for key in ("viewBox", "fill", "stroke", "stroke-width", "stroke-linecap"):
            symbol.set(key, icon.attrib[key])
        symbol.set("stroke-linejoin", icon.attrib["stroke-linejoin"])
        for shape in icon:
            if shape.get("d") != "M0 0h24v24H0z":  # an invisible bounding box
                shape.tail = None
                symbol.append(shape)
        symbol.tail = "\n"
    return ElementTree.tostring(sprite, "unicode") + "\n"


def _describe(package: Package, name: str) -> dict[str, str]:
    return {
        "name": package.name,
        "version": package.version,
        "file": name,
        "sha256": hashlib.sha256((package.folder / name).read_bytes()).hexdigest(),
        "licence": package.licence,
    }


if __name__ == "__main__":
    main()

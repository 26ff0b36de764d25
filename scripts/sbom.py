"""Write down what the portal is made of, as a CycloneDX document: `make sbom`.

Packages and the hashes of their files are those of the lock, vendored files those of the manifests.
Which package needs which is read from what is installed here; one for another system needs nothing.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from importlib import metadata
from itertools import groupby
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.txt"
MANIFESTS = ("portal/static/vendor/manifest.json", "portal/vendor/manifest.json")
TARGET = ROOT / "sbom.cdx.json"


def main() -> None:
    TARGET.write_text(JsonV1Dot6(make_bom()).output_as_string(indent=2) + "\n", "utf-8")
    print(f"Wrote {TARGET.name}.")


def make_bom() -> Bom:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    portal = Component(
        name=project["name"], version=project["version"], type=ComponentType.APPLICATION
    )
    portal.bom_ref.value = portal.name
    packages, vendored = [_read_package(each) for each in _list_locked()], list(_list_vendored())
    bom = Bom(components=[*packages, *vendored])
    bom.metadata.component = portal
    needed = _pick(packages, project["dependencies"])
    bom.register_dependency(portal, [*needed, *vendored])
    for package in packages:
        bom.register_dependency(package, _pick(packages, _list_needs(package.name)))
    return bom


def _list_locked() -> list[str]:
    """A package with its hashes each."""
    return re.split(r"\n(?=\S)", LOCK.read_text("utf-8").strip())


def _read_package(text: str) -> Component:
    requirement = Requirement(text.partition("\\")[0].strip())
    name = canonicalize_name(requirement.name)
    [version] = (each.version for each in requirement.specifier)
    hashes = [
        HashType(alg=HashAlgorithm.SHA_256, content=each)
        for each in re.findall(r"--hash=sha256:([0-9a-f]{64})", text)
    ]
    files = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(f"https://pypi.org/project/{name}/{version}/"),
        comment="One hash for each file of this version.",
        hashes=hashes,
    )
    return _library(PackageURL("pypi", None, name, version), external_references=[files])


def _list_vendored() -> Iterator[Component]:
    """Each package of which files are vendored, with these files."""
    for path in MANIFESTS:
        folder = (ROOT / path).parent.relative_to(ROOT)
        entries = sorted(
            json.loads((ROOT / path).read_text("utf-8")), key=lambda each: each["name"]
        )
        for name, group in groupby(entries, key=lambda each: each["name"]):
            of_package = list(group)
            space, _, short = name.rpartition("/")
            package = _library(
                PackageURL("npm", space or None, short, of_package[0]["version"]),
                licenses=[LicenseFactory().make_from_string(of_package[0]["licence"])],
            )
            package.components.update(
                Component(
                    name=f"{folder}/{each['file']}",
                    type=ComponentType.FILE,
                    bom_ref=f"{folder}/{each['file']}",
                    hashes=[HashType(alg=HashAlgorithm.SHA_256, content=each["sha256"])],
                )
                for each in of_package
            )
            yield package


def _library(url: PackageURL, **more: object) -> Component:
    return Component(
        name="/".join(part for part in (url.namespace, url.name) if part),
        version=url.version,
        type=ComponentType.LIBRARY,
        purl=url,
        bom_ref=url.to_string(),
        **more,  # type: ignore[arg-type]
    )


def _list_needs(name: str) -> Iterable[str]:
    try:
        return metadata.requires(name) or ()
    except metadata.PackageNotFoundError:
        return ()


def _pick(packages: list[Component], needs: Iterable[str]) -> list[Component]:
    """Those of the lock among them that this system needs, each in all its versions."""
    wanted = [Requirement(each) for each in needs]
    names = {
        canonicalize_name(each.name)
        for each in wanted
        if each.marker is None or each.marker.evaluate({"extra": ""})
    }
    return [each for each in packages if each.name in names]


if __name__ == "__main__":
    main()

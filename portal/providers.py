"""The RMM products that the portal can join, by slug."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Provider:
    """`slug` stands in rows and addresses, `name` on pages; `slug` also names the blueprint."""

    slug: str
    name: str
    summary: str


TACTICAL_RMM = Provider(
    slug="tacticalrmm",
    name="Tactical RMM",
    summary="Organizations, devices and their status from a Tactical RMM server.",
)

PROVIDERS: dict[str, Provider] = {provider.slug: provider for provider in (TACTICAL_RMM,)}

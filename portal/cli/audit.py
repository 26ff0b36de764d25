"""`portal audit list`, `verify` and `prune`."""

from __future__ import annotations

from typing import Any

import click

from portal.cli.command import PortalCommand
from portal.cli.outcome import FAILED, SUCCESS, Outcome, columns
from portal.errors import InvalidInput
from portal.services.accounts.tenants import get_tenant
from portal.services.audit import listing, retention, verification
from portal.services.audit.chain import Chain
from portal.services.audit.present import to_public_row
from portal.services.audit.verification import Verification

INSTALL = "the install"
of_tenant = click.option("--tenant", "slug", help="The tenant's short name.")
of_install = click.option(
    "--install", is_flag=True, help="What belongs to no tenant, such as failed sign-ins of nobody."
)


@click.group()
def audit() -> None:
    """Who did what: list the audit trail, verify that it is whole."""


@audit.command("list", cls=PortalCommand)
@of_tenant
@of_install
@click.option("--who", default="", help="Part of an email address or an account's name.")
@click.option("--what", default="", help="An action, such as user.added, or its first word.")
@click.option("--target", default="", help="The kind of what it was done to, such as client.")
@click.option("--days", type=click.IntRange(0, 100_000), default=0, help="Only the last days.")
@click.option("--search", default="", help="Words that must all be found.")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="At most."
)
def list_entries(slug: str | None, install: bool, limit: int, **wanted: Any) -> Outcome:
    """List rows of the audit trail, the newest first."""
    chain, _name = _choose(slug, install)
    shown = listing.AuditFilter(**wanted)
    rows = [to_public_row(row) for row in listing.list_newest(chain, shown, limit)]
    lines = [
        (
            str(row["number"]),
            row["at"][:19],
            row["actor"]["name"] or row["actor"]["kind"],
            row["action"],
            row["target"]["name"] or row["target"]["id"],
        )
        for row in rows
    ]
    return Outcome({"ok": True, "entries": rows}, columns(lines) if lines else "No rows.")


@audit.command("verify", cls=PortalCommand)
@of_tenant
@of_install
@click.option("--head", help="A head that was printed earlier: the chain must still contain it.")
def verify(slug: str | None, install: bool, head: str | None) -> Outcome:
    """Verify that no row was changed or removed, and print the head of each chain.

    Without --tenant or --install, all chains are verified. Exits 1 when anything is wrong.
    """
    if slug or install:
        chains = [_choose(slug, install)]
    elif head:
        raise click.UsageError("A head is of one chain: add --tenant or --install.")
    else:
        chains = [(chain, name or INSTALL) for chain, name in verification.list_chains()]
    earlier = verification.read_head_text(head) if head else None
    found = [(name, verification.verify(chain, earlier)) for chain, name in chains]
    ok = all(each.ok for _name, each in found)
    data = {"ok": ok, "chains": [_describe(each, name) for name, each in found]}
    text = "\n".join(_to_line(each, name) for name, each in found)
    return Outcome(data, text, SUCCESS if ok else FAILED)


@audit.command("prune", cls=PortalCommand)
def prune() -> Outcome:
    """Delete the rows that are older than PORTAL_AUDIT_DAYS, as the portal does every day."""
    gone = retention.prune()
    return Outcome({"ok": True, "deleted": gone}, f"Deleted {gone} rows.")


def _choose(slug: str | None, install: bool) -> tuple[Chain, str]:
    """Raises InvalidInput unless one is named, and NotFound."""
    if bool(slug) == install:
        raise InvalidInput("Name either a tenant, with --tenant, or --install.", field="tenant")
    if slug is None:
        return None, INSTALL
    tenant = get_tenant(slug)
    return tenant.id, tenant.slug


def _describe(found: Verification, name: str) -> dict[str, Any]:
    return {
        "tenant": None if found.chain is None else name,
        "ok": found.ok,
        "rows": found.rows,
        "first": found.first or None,
        "head": str(found.head) if found.rows else None,
        "problems": [
            {"number": problem.number, "message": problem.message} for problem in found.problems
        ],
        "more_problems": found.is_cut,
    }


def _to_line(found: Verification, name: str) -> str:
    end = f", head {found.head}" if found.rows else ""
    state = "is whole" if found.ok else "IS NOT WHOLE"
    lines = [f"The audit trail of {name} {state}: {found.rows} rows{end}"]
    lines += [f"  row {problem.number}: {problem.message}" for problem in found.problems]
    if found.is_cut:
        lines.append("  and more")
    return "\n".join(lines)

"""`portal replay`."""

from __future__ import annotations

import click

from portal.cli.command import PortalCommand, tenant_option
from portal.cli.outcome import FAILED, PARTIAL, SUCCESS, Outcome
from portal.services.deliveries.replay import Replayed, replay_failed_now, replay_now
from portal.wording import plural


@click.command(cls=PortalCommand)
@click.argument("delivery_id", required=False, type=click.IntRange(1, 2**63 - 1))
@click.option("--failed", is_flag=True, help="Process every failed call again.")
@tenant_option
def replay(delivery_id: int | None, failed: bool) -> Outcome:
    """Process webhook calls again, now."""
    if failed == (delivery_id is not None):
        raise click.UsageError("Give either the id of a webhook call or --failed.")
    return _outcome(replay_failed_now() if delivery_id is None else replay_now(delivery_id))


def _outcome(replayed: Replayed) -> Outcome:
    counts, total = replayed.counts, replayed.total
    data = {"replayed": total, **counts, "errors": replayed.reasons}
    counted = ", ".join(f"{number} {status}" for status, number in counts.items() if number)
    text = (
        f"Processed {plural(total, 'webhook call')}: {counted}."
        if total
        else "There is nothing to replay."
    )
    for reason in replayed.reasons:
        click.echo(f"portal: {reason}", err=True)
    if replayed.processed == total:
        return Outcome(data, text, SUCCESS)
    return Outcome(data, text, PARTIAL if replayed.processed else FAILED)

"""What the API's records hold: the facts of `portal export` under the same names, and ids."""

from __future__ import annotations

from marshmallow import fields

from portal.api.fields import (
    Record,
    anything,
    day,
    moment,
    number,
    page_address,
    row_id,
    text,
    texts,
    yes_or_no,
)
from portal.models.runs.sync_run import COUNT_NAMES

Counts = Record.from_dict({name: number("Records.") for name in COUNT_NAMES}, name="Counts")
"""Of a run: how many records it did what to."""


class Client(Record):
    id = row_id("Its number.")
    name = text("Its name.")
    asset_count = number("Its assets, without those that are missing from Tactical.")
    organization_count = number("Organizations of Tactical that are mapped to it.")
    url = page_address()


class Organization(Record):
    id = row_id("Its number in the portal.")
    client_id = row_id("The client that it is mapped to.", nullable=True)
    external_organization_id = text("Its number at Tactical, where it is called a client.")
    external_organization_name = text("Its name at Tactical.")
    client = text("The name of the client that it is mapped to.", nullable=True)
    auto_sync_assets = yes_or_no("Whether syncs write its assets.")
    ignored = yes_or_no("Whether somebody said that it stays unmapped.")
    agent_count = number("Its agents, as Tactical last counted them.", nullable=True)
    gone_since = moment("Since when Tactical does not list it.", nullable=True)
    last_synced_at = moment("When Tactical was last asked for it.")
    url = page_address()


class Asset(Record):
    id = row_id("Its number.")
    client_id = row_id("Whose it is.")
    organization_id = row_id("The organization that its agent belongs to.", nullable=True)
    asset_id = row_id("The same as `id`, as exports call it.")
    name = text("Its name.")
    asset_type = text("`server` or `workstation`.")
    client = text("The name of its client.")
    serial_number = text("As its agent reports it.", nullable=True)
    os_type = text("Such as `windows`.", nullable=True)
    os_version = text("Its operating system.", nullable=True)
    agent_version = text("The version of its agent.", nullable=True)
    make_model = text("Its maker and model.", nullable=True)
    cpu = text("Its processors.", nullable=True)
    ram_gb = number("Its memory, in GB.", nullable=True)
    current_user = text("Who is, or was last, signed in to it.", nullable=True)
    boot_time = moment("When it started.", nullable=True)
    uptime_seconds = number("How long it has been up, or had been when last seen.", nullable=True)
    lan_ip = text("Its addresses in its own network.", nullable=True)
    wan_ip = text("The address it comes from.", nullable=True)
    description = text("What somebody wrote about it.", nullable=True)
    rmm_provider = text("`tacticalrmm`.")
    rmm_device_id = text("Tactical's `agent_id`.")
    rmm_organization_id = text("Tactical's number of its client.")
    site_id = text("Tactical's number of its site.", nullable=True)
    site_name = text("The name of its site.", nullable=True)
    agent_status = text("`online`, `offline`, `overdue` or `unknown`.")
    status_as_of = moment("When Tactical was asked for the status.")
    status_stale = yes_or_no("Whether that is too long ago.")
    last_seen_at = moment("When its agent last checked in.", nullable=True)
    last_rmm_sync_at = moment("When all its facts were last read.")
    missing_since = moment("Since when Tactical does not list its agent.", nullable=True)
    retired_at = moment("When it was retired.", nullable=True)
    maintenance_mode = fields.Boolean(
        required=True,
        allow_none=True,
        metadata={"description": "Tactical's own maintenance mode of the agent."},
    )
    tags = texts("Words that people put on it.")
    note = text("What people should know of it, in lines of plain text.", nullable=True)
    note_at = moment("When the note was written or deleted last.", nullable=True)
    superseded_device_ids = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "The agents that its computer had before, the first one first."},
    )
    url = page_address()


class Rule(Record):
    """What is done about alerts that meet its conditions."""

    id = row_id("Its number.")
    position = number("Its place in the order in which rules are tried, from 1.")
    name = text("Its name.")
    on = yes_or_no("Whether it is switched on.")
    switched_on_at = moment("It acts on alerts that began after this.", nullable=True)
    go_on = yes_or_no("Whether the rules after it are tried even if it matches.")
    conditions = fields.Dict(
        required=True, metadata={"description": "What an alert must be like; empty: any alert."}
    )
    steps = fields.Dict(required=True, metadata={"description": "What is done about it."})
    conditions_in_words = texts("The same by names.")
    steps_in_words = texts("The same by names.")
    problem = text("Why it cannot be read, if so: it matches nothing then.", nullable=True)
    created_at = moment("When it was added.")
    changed_at = moment("When it was last changed.")
    url = page_address()


class Channel(Record):
    """Where alerts are told, without what is secret of it."""

    id = row_id("Its number.")
    kind = text("`mail`, `slack`, `teams`, `discord`, `ntfy` or `http`.")
    name = text("Its name.")
    target = text("Where it leads, as may be shown: addresses, or the name of a server.")
    state = text("`working`, `failing`, `tested`, `unused` or `off`.")
    active = yes_or_no("Whether it is switched on.")
    most_per_minute = number("What is more is told together, in one message.")
    waiting = number("How many messages have not been sent yet.")
    rules = texts("The names of the rules that tell it.")
    sent_at = moment("When something last arrived.", nullable=True)
    tested_at = moment("When a test message last arrived.", nullable=True)
    failures = number("How often in a row it failed.")
    failing_since = moment("Since when.", nullable=True)
    last_error = text("What went wrong last.", nullable=True)
    created_at = moment("When it was added.")
    url = page_address()


class WindowScope(Record):
    """Any of the places, if some are named, and any of the kinds."""

    clients = texts("Numbers of clients.")
    organizations = texts("Tactical's numbers of organizations.")
    sites = texts("Tactical's numbers of sites.")
    assets = texts("Numbers of assets.")
    kinds = texts("`availability`, `check`, `task` or `custom`; empty: all.")


class Window(Record):
    """A maintenance window."""

    id = row_id("Its number.")
    name = text("Its name.")
    state = text("`unreadable`, `in_force`, `coming`, `over` or `deleted`.")
    problem = text("Why it cannot be read and keeps nothing back.", nullable=True)
    zone = text("The time zone by whose clocks it comes, such as `Europe/Berlin`.")
    starts = text("Its first start by these clocks, such as `2026-11-28T22:00`.")
    minutes = number("How long it is by these clocks.")
    repeats = fields.Dict(
        required=True, metadata={"description": "How it comes again; empty: it comes once."}
    )
    repeats_in_words = text("The same in words.")
    scope = fields.Nested(WindowScope, required=True)
    scope_in_words = texts("The same by names.")
    occurrence_start = moment("When it began, or begins next.", nullable=True)
    occurrence_end = moment("When that ends.", nullable=True)
    over_at = moment("When it ends, or ended, for good.", nullable=True)
    ended_at = moment("When a person ended it before its time.", nullable=True)
    deleted_at = moment("When it was deleted.", nullable=True)
    created_by = text("Who added it.")
    created_at = moment("When it was added.")
    url = page_address()


class Title(Record):
    """Of software."""

    id = row_id("Its number.")
    name = text("As most agents spell it.")
    publisher = text("As most agents spell it; empty where none reports one.")
    asset_count = number("On how many assets it is installed.")
    version_count = number("In how many versions it is installed.")
    product = text("The name of the product that it is a version of.", nullable=True)
    product_id = row_id(
        "The product; null until the end of the sync that found the title.", nullable=True
    )
    url = page_address()


class Product(Record):
    """What titles are of that differ only in a version, an architecture or a language."""

    id = row_id("Its number.")
    name = text("The name, without version.")
    publisher = text("The publisher; empty where none reports one.")
    asset_count = number("On how many assets it is installed.")
    install_count = number("How often it is installed: an asset may have several versions.")
    version_count = number("In how many versions it is installed.")
    newest_version = text("The newest version that is installed; empty where none is known.")
    older_count = number("How many installs are older than that.")
    url = page_address()


class Watch(Record):
    """A question about a product that is asked again whenever installs of it have changed."""

    id = row_id("Its number.")
    product_id = row_id("The product.")
    product = text("The name of the product.")
    publisher = text("The publisher of the product; empty where none reports one.")
    older_than = text("Versions older than this one match; null: any version.", nullable=True)
    client_id = row_id("Whose assets match; null: everybody's.", nullable=True)
    client = text("The name of that client.", nullable=True)
    active = yes_or_no("False: it is switched off, and nothing matches it.")
    matches = number("How many assets match now.")
    since = moment("Since when the first of them does.", nullable=True)
    created_at = moment("When it was added.")
    url = page_address()


class Install(Record):
    """A version of a title on an asset."""

    id = row_id("Its number.")
    asset_id = row_id("The asset.")
    title_id = row_id("The title.")
    client_id = row_id("The asset's client.")
    product_id = row_id("The title's product.", nullable=True)
    asset = text("The name of the asset.")
    rmm_device_id = text("Tactical's `agent_id`.")
    name = text("The name of the title.")
    product = text("The name of the product.", nullable=True)
    publisher = text("The publisher of the title.", nullable=True)
    version = text("The version, where the agent reports one.", nullable=True)
    installed_on = day("When it was installed, as the agent reports.", nullable=True)
    first_seen_at = moment("When the portal first found it.")
    removed_at = moment("When the portal found it gone.", nullable=True)
    missing_since = moment("Since when Tactical does not list the asset.", nullable=True)
    url = page_address()


class Run(Record):
    """A sync, or what a person did to many records."""

    id = row_id("Its number.")
    kind = text("Such as `devices`, `alerts` or `software`.")
    title = text("What a person did, as a sentence.", nullable=True)
    status = text("Such as `success`, `partial` or `failed`.")
    trigger = text("`button`, `schedule`, `command` or `webhook`.")
    counts = fields.Nested(Counts, required=True)
    error = text("Why it failed.", nullable=True)
    reverts = row_id("The run that it undid.", nullable=True)
    reverted_by = row_id("The run that undid it.", nullable=True)
    created_at = moment("When it was asked for.")
    started_at = moment("When it began.", nullable=True)
    finished_at = moment("When it ended.", nullable=True)
    undo_until = moment("Until when it can be undone, if it changed assets.", nullable=True)
    url = page_address()


class RunRecord(Record):
    """What a run did to a record."""

    id = row_id("Its number.")
    run_id = row_id("The run.")
    action = text("Such as `created`, `updated` or `failed`.")
    agent_id = text("Tactical's id of the record.")
    name = text("The name of the record.")
    reason = text("Why, where there is something to say.", nullable=True)
    changes = fields.Dict(required=True, metadata={"description": "`{field: [before, after]}`."})
    url = page_address()


class Change(Record):
    """What became of one column of an asset."""

    id = row_id("Its number. A change that came later has a higher one.")
    asset_id = row_id("The asset.")
    at = moment("When.")
    action = text("Such as `created`, `updated` or `moved`.")
    column = text("The fact that changed; null where the asset as a whole did.", nullable=True)
    before = anything("What it was.")
    after = anything("What it became.")
    cause = text("`button`, `schedule`, `command`, `webhook` or `person`.")
    run_id = row_id("The run that did it.", nullable=True)
    user = text("Who did it.", nullable=True)
    url = page_address()


class Actor(Record):
    kind = text("`user`, `command`, `anonymous` or `system`.")
    id = number("The number of a user.", nullable=True)
    name = text("The email address, or the account at the machine.")


class Target(Record):
    kind = text("Such as `client`.")
    id = text("Its number, where it has one.")
    name = text("Its name, where it has one.")


class AuditRow(Record):
    number = number("From 1, without a gap.")
    at = moment("When.")
    action = text("Such as `client.renamed`.")
    actor = fields.Nested(Actor, required=True)
    address = text("Where it came from.")
    source = text("The route or the command.")
    request_id = text("As in the log.")
    target = fields.Nested(Target, required=True)
    before = anything("The values that changed, as they were.")
    after = anything("The same as they became.")
    mac = text("The row's code in the chain.")
    url = page_address()


class Problem(Record):
    """Why there is no other answer (RFC 9457)."""

    type = text("`about:blank`.")
    title = text("The status in words.")
    status = number("The HTTP status.")
    detail = text("What is wrong and what to do, as sentences.")
    request_id = text("By which the portal's log knows the request.")
    parameter = fields.String(metadata={"description": "The argument at fault."})

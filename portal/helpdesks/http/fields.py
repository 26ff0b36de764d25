"""The form: a group of fields for each verb, with defaults for a plain REST."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from portal.far_side.form import Field
from portal.far_side.headers import HEADERS_FIELD

READS, WRITES = ("GET", "POST"), ("POST", "PUT", "PATCH")
_OPEN, _FIND, _READ = "Open a ticket", "Find a ticket by its key", "Read a ticket"
_LIST = "Read many tickets"
_TICKET, _COMMENT = "What stands in a ticket", "Comment on a ticket"
_CHANGE, _LISTS = "Close and reopen a ticket", "Account, customers and priorities"
VALUES: Mapping[str, Sequence[str]] = {
    "open": ("key", "queue", "customer", "priority", "urgency", "subject", "body", "url"),
    "find": ("key",),
    "read": ("reference",),
    "list": ("references",),
    "comment": ("reference", "text", "closing"),
    "close": ("reference",),
    "reopen": ("reference",),
}
"""Verb -> the values that its path and its body may name."""
PATHS = (
    *("open_reference", "find_tickets", "read_ticket", "list_tickets", "account_name"),
    *("ticket_reference", "ticket_key", "ticket_state", "ticket_toucher", "ticket_address"),
)
"""Fields that say where something stands in an answer."""
LISTS = ("queues", "customers", "priorities")
SAMPLES: Mapping[str, str] = {
    "key": "acme-0123456789abcdef",
    "queue": "1",
    "customer": "7",
    "priority": "2",
    "urgency": "high",
    "subject": "Check failing: “Disk C:” on SRV-01",
    "body": 'Free space: 2 %, and "C:\\Temp" grows.\nSRV-01, Contoso',
    "url": "https://portal.example.com/alerts/1",
    "reference": "1042",
    "references": "1042,1043",
    "text": 'Again: free space on "C:\\" is 1 %.\n\n[acme-0123456789abcdef-2]',
    "closing": "yes",
}
"""For the preview and for checks: quotes and line ends where texts have them, and numbers where a
helpdesk may want such, without quotes around them."""
MAY_BE_EMPTY = ("customer", "priority", "url", "closing")

_OPEN_BODY = """{
  "key": "{{ key }}",
  "queue": "{{ queue }}",
  "customer": "{{ customer }}",
  "priority": "{{ priority }}",
  "urgency": "{{ urgency }}",
  "subject": "{{ subject }}",
  "body": "{{ body }}",
  "url": "{{ url }}"
}"""
_PATH_HELP = "Added to the address above. Values: {}."


def _list_values(verb: str) -> str:
    return ", ".join("{{ %s }}" % name for name in VALUES[verb])  # noqa: UP031  # of braces


def _make_verb(
    verb: str,
    group: str,
    methods: Sequence[str],
    method: str,
    path: str,
    body: str = "",
    *,
    label: str = "",
    about: str = "",
    is_required: bool = True,
) -> tuple[Field, ...]:
    """`label` stands before those of its fields, where a group is of two verbs."""
    of = f" of “{label}”" if label else ""
    return (
        _make_method(verb, f"Method{of}", methods, method, group),
        Field(
            name=f"{verb}_path",
            label=f"Path{of}",
            help=f"{about} {_PATH_HELP.format(_list_values(verb))}".strip(),
            default=path,
            is_required=is_required,
            group=group,
        ),
        Field(
            name=f"{verb}_body",
            label=f"Body{of}",
            input="textarea",
            help="JSON, with values between double quotes. Leave it empty to send none.",
            default=body,
            is_required=False,
            longest=4000,
            group=group,
        ),
    )


def _make_method(verb: str, label: str, methods: Sequence[str], method: str, group: str) -> Field:
    choices = [(each, each) for each in methods]
    return Field(
        name=f"{verb}_method",
        label=label,
        input="select",
        choices=choices,
        default=method,
        group=group,
    )


def _make_path(
    name: str, label: str, default: str, help: str, group: str, *, is_required: bool = False
) -> Field:
    return Field(
        name=name,
        label=label,
        default=default,
        help=help,
        is_required=is_required,
        longest=200,
        group=group,
    )


FIELDS: Sequence[Field] = (
    Field(
        name="url",
        label="Address",
        input="url",
        help="What all paths below are added to.",
        placeholder="https://desk.example.com/api/v1",
        names_host=True,
    ),
    HEADERS_FIELD,
    Field(
        name="queues",
        label="Queues",
        input="textarea",
        help=(
            "One on each line, as the helpdesk calls it; a name for people may follow, as in "
            "“3 = Network team”. Without queues, enter any word."
        ),
        longest=10_000,
    ),
    *_make_verb("open", _OPEN, WRITES, "POST", "tickets", _OPEN_BODY),
    _make_path(
        "open_reference",
        "Number in the answer",
        "id",
        "Where the number of the new ticket stands, such as id, ticket.id or items[0].id; empty "
        "where it is the whole answer.",
        _OPEN,
    ),
    *_make_verb(
        "find",
        _FIND,
        READS,
        "GET",
        "tickets?key={{ key }}",
        about=(
            "By it nothing is opened twice, even if an answer is lost. Leave it empty for a "
            "helpdesk that cannot be asked: then a person is asked whether there is a ticket."
        ),
        is_required=False,
    ),
    _make_path(
        "find_tickets",
        "Tickets in the answer",
        "",
        "Where the list of tickets stands, or the only one; empty where it is the whole answer.",
        _FIND,
    ),
    *_make_verb(
        "read",
        _READ,
        READS,
        "GET",
        "tickets/{{ reference }}",
        about=(
            "Asked for each open ticket every two minutes. Where tickets can be found, its "
            "answer must hold the comments too, in which the portal looks for its own. Leave it "
            "empty for a helpdesk that tells nothing: then the portal only comments, and neither "
            "closes tickets nor learns that somebody did."
        ),
        is_required=False,
    ),
    _make_path(
        "read_ticket",
        "Ticket in the answer",
        "",
        "Where it stands; empty where it is the whole answer.",
        _READ,
    ),
    *_make_verb(
        "list",
        _LIST,
        READS,
        "GET",
        "",
        about=(
            "Asked in place of reading each open ticket, for up to 50 at once, such as "
            "tickets?ids={{ references }}. What its answer leaves out is read by itself. Leave it "
            "empty where the helpdesk has no such list."
        ),
        is_required=False,
    ),
    _make_path(
        "list_tickets",
        "Tickets in the answer",
        "",
        "Where the list stands; empty where it is the whole answer.",
        _LIST,
    ),
    _make_path("ticket_reference", "Number", "id", "Where it stands in a ticket.", _TICKET),
    _make_path(
        "ticket_key",
        "Key",
        "key",
        "Where the portal’s key stands: in a field, or within a list or a longer text.",
        _TICKET,
    ),
    _make_path("ticket_state", "State", "status", "Where the state stands.", _TICKET),
    Field(
        name="closed",
        label="Closed states",
        help="Which states count as closed, with commas between them.",
        default="closed, resolved",
        is_required=False,
        group=_TICKET,
    ),
    _make_path(
        "ticket_toucher",
        "Changed by",
        "",
        "Where the name stands of who changed it last. Leave it empty if that is not told: then "
        "the portal also closes tickets that people work on.",
        _TICKET,
    ),
    Field(
        name="own_name",
        label="Names that are no person’s",
        help="What stands there after a change by the portal’s own account, or by the helpdesk "
        "itself; with commas between them.",
        placeholder="portal, System",
        is_required=False,
        longest=200,
        group=_TICKET,
    ),
    _make_path(
        "ticket_address",
        "Page",
        "url",
        "Where the address of its page stands, if it is told.",
        _TICKET,
    ),
    Field(
        name="page",
        label="Address of its page",
        help="If it is not told. Values: {{ reference }}.",
        placeholder="https://desk.example.com/tickets/{{ reference }}",
        is_required=False,
        group=_TICKET,
    ),
    *_make_verb(
        "comment",
        _COMMENT,
        WRITES,
        "POST",
        "tickets/{{ reference }}/comments",
        '{"text": "{{ text }}"}',
        about="Choose what customers do not see. {{ closing }} is “yes” where the outage is over.",
    ),
    *_make_verb(
        "close",
        _CHANGE,
        WRITES,
        "PUT",
        "tickets/{{ reference }}",
        '{"status": "closed"}',
        label="Close",
        is_required=False,
    ),
    *_make_verb(
        "reopen",
        _CHANGE,
        WRITES,
        "PUT",
        "tickets/{{ reference }}",
        '{"status": "open"}',
        label="Reopen",
        is_required=False,
    ),
    Field(
        name="account_path",
        label="Path of the account",
        help="Asked by GET when the set-up is tried: whether the key is good. May be empty.",
        is_required=False,
        group=_LISTS,
    ),
    _make_path("account_name", "Name of the account", "name", "Where it stands.", _LISTS),
    Field(
        name="customers",
        label="Customers",
        input="textarea",
        help="To which clients are mapped: one on each line, written like queues.",
        is_required=False,
        longest=50_000,
        group=_LISTS,
    ),
    Field(
        name="priorities",
        label="Priorities",
        input="textarea",
        help="One on each line, written like queues.",
        is_required=False,
        longest=2000,
        group=_LISTS,
    ),
)

"""Any program that takes an HTTP request: the method, headers and body are the person's choice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote_plus

from portal.channels.base import TextChannel
from portal.channels.kind import Outcome, Templates
from portal.channels.posting import judge, send
from portal.channels.telling import AlertFacts, Telling
from portal.channels.templating import list_values
from portal.far_side.escaping import for_html, for_json, for_plain
from portal.far_side.form import Field, Rejected, Secrets, Settings, Way
from portal.far_side.headers import HEADERS_FIELD, list_parts, read_headers
from portal.far_side.http import Request, clean_url, get_host
from portal.far_side.templating import BadTemplate, Escape, fill

FORMATS: Mapping[str, tuple[str, str, Escape]] = {
    "json": ("JSON", "application/json", for_json),
    "text": ("Plain text", "text/plain; charset=utf-8", for_plain),
    "form": ("Form fields", "application/x-www-form-urlencoded", quote_plus),
    "xml": ("XML", "application/xml; charset=utf-8", for_html),
}
"""Name -> label, content type, and how values are escaped."""
DEFAULT_BODIES = {
    "json": """{
  "key": "{{ key }}",
  "reason": "{{ reason }}",
  "title": "{{ title }}",
  "text": "{{ text }}",
  "client": "{{ client }}",
  "hostname": "{{ hostname }}",
  "severity": "{{ severity }}",
  "urgency": "{{ urgency }}",
  "count": {{ count }},
  "url": "{{ url }}",
  "acknowledge_url": "{{ acknowledge_url }}",
  "note": "{{ double }}"
}""",
    "text": "{{ title }}\n\n{{ text }}\n{{ facts }}\n{{ url }}\n{{ double }}",
    "form": "title={{ title }}&text={{ text }}&reason={{ reason }}&url={{ url }}&note={{ double }}",
    "xml": "<message><title>{{ title }}</title><text>{{ text }}</text>"
    "<reason>{{ reason }}</reason><url>{{ url }}</url><note>{{ double }}</note></message>",
}
_SAMPLE = Telling(
    key="sample",
    reason="raised",
    alerts=[
        AlertFacts(hostname='"A" \\', message="two\nlines", began=datetime(2026, 1, 1, tzinfo=UTC))
    ],
)


class HttpChannel(TextChannel):
    name = "http"
    label = "HTTP request"
    about = (
        "Calls an address of yours: a script, an automation platform, or a service that has no "
        "form of its own here."
    )
    parts = ("body",)
    most_per_minute = 30
    fields = (
        Field(
            name="url",
            label="URL",
            input="url",
            is_secret=True,
            help="Where it is called. Only its host is shown later: the rest may hold a token.",
            placeholder="https://example.com/hook",
            names_host=True,
        ),
        Field(
            name="method",
            label="Method",
            input="select",
            choices=[(name, name) for name in ("POST", "PUT", "PATCH")],
            default="POST",
        ),
        HEADERS_FIELD,
        Field(
            name="format",
            label="Format of the body",
            input="select",
            choices=[(name, label) for name, (label, _, _) in FORMATS.items()],
            default="json",
            help="Values are escaped for it. The body itself is a template, below.",
        ),
        Field(
            name="knows_keys",
            label="The receiver drops repetitions",
            input="checkbox",
            is_required=False,
            help=(
                "Each message carries a header Idempotency-Key of its own. Choose this if the "
                "receiver ignores a key that it has seen before; otherwise a repeated message says "
                "that it may be a second copy."
            ),
        ),
    )

    def check(self, settings: Settings, secrets: Secrets, templates: Templates) -> str:
        if settings["format"] == "json":
            body = _fill_body(settings, templates, _SAMPLE)
            try:
                json.loads(body)
            except ValueError as error:
                raise Rejected(
                    {"body": f"With its values filled in, the body is no JSON: {error}."}
                ) from None
        url = clean_url(secrets.get("url", ""))
        read_headers(secrets.get("headers", ""))
        return get_host(url)

    def takes_key(self, settings: Settings) -> bool:
        return bool(settings.get("knows_keys"))

    def preview(self, settings: Settings, telling: Telling) -> str:
        return _fill_body(settings, telling.templates, telling)

    def send(self, gateway: Way, settings: Settings, secrets: Secrets, telling: Telling) -> Outcome:
        headers = read_headers(secrets.get("headers", ""))
        try:
            body = _fill_body(settings, telling.templates, telling)
        except BadTemplate:  # told in other words, rather than not at all
            body = _fill_body(settings, {}, telling)
        request = Request(
            url=secrets["url"],
            method=settings["method"],
            body=body.encode(),
            headers=headers | {"Idempotency-Key": telling.key},
            content_type=FORMATS[settings["format"]][1],
            secrets=list_parts(headers),
        )
        reply = send(gateway, request)
        return reply if isinstance(reply, Outcome) else judge(reply, request)


def _fill_body(settings: Settings, templates: Templates, telling: Telling) -> str:
    """Raises BadTemplate."""
    chosen = settings["format"]
    source = templates.get("body") or DEFAULT_BODIES[chosen]
    return fill(source, list_values(telling), FORMATS[chosen][2])


KIND = HttpChannel()

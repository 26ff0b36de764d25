"""A mail: plain text and HTML, in the thread of its alert."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from email.headerregistry import Address
from email.message import EmailMessage

from markupsafe import Markup

from portal.channels.telling import Telling
from portal.channels.templating import Rendered, render
from portal.channels.wording import list_links
from portal.far_side.escaping import cut, one_line
from portal.far_side.mail.message import begin_mail

LONGEST_TEXT = 20_000
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")
_PAGE = Markup(
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width">'
    '<meta name="color-scheme" content="light dark"></head>'
    '<body style="margin:0;padding:16px;max-width:640px;font:16px/1.45 system-ui,sans-serif">'
    '<h1 style="margin:0 0 12px;font-size:20px;line-height:1.3">{title}</h1>{body}'
    '<p style="margin:20px 0 0;font-size:13px;opacity:.7">{footer}</p></body></html>'
)
_PARAGRAPH = Markup('<p style="margin:0 0 12px;white-space:pre-line">{}</p>')
_ROW = Markup(
    '<tr><td style="padding:2px 12px 2px 0;opacity:.7;vertical-align:top">{}</td><td>{}</td></tr>'
)
_TABLE = Markup('<table style="border-collapse:collapse;margin:0 0 16px">{}</table>')
_SPELLED_OUT = Markup(
    '<p style="margin:0 0 12px;font-size:13px;overflow-wrap:anywhere">If the button does nothing, '
    "copy this address into your browser: {}</p>"
)
_BUTTON = Markup(
    '<a href="{}" style="display:inline-block;margin:0 8px 8px 0;padding:10px 16px;'
    'border-radius:6px;text-decoration:none;{}">{}</a>'
)
_FIRST = "border:1px solid #0b5cad;background:#0b5cad;color:#fff"
_SECOND = "border:1px solid #888;color:inherit"


def make_mail(telling: Telling, sender: Address, to: Sequence[str]) -> EmailMessage:
    """Addresses in ASCII. The text parts are cut to what a reader can use."""
    told = render(telling)
    first = telling.thread.get("message_id")
    mail = begin_mail(
        sender,
        to,
        told.title,
        message_id=make_message_id(telling, sender),
        first=first if isinstance(first, str) else "",
        urgency=telling.alerts[0].urgency if telling.alerts else "",
    )
    if not telling.links:  # which are for one person
        mail["List-Id"] = f"<alerts.{sender.domain}>"
    mail["Auto-Submitted"] = "auto-generated"  # no vacation note answers it
    footer = f"Sent by the portal of {one_line(telling.sender)}." if telling.sender else ""
    mail.set_content(_write_text(telling, told, footer))
    mail.add_alternative(_write_html(telling, told, footer), subtype="html")
    return mail


def make_message_id(telling: Telling, sender: Address) -> str:
    """The same at each attempt, so that mail programs which know doubles show one."""
    seed = "|".join([telling.key, sender.addr_spec, *(alert.url for alert in telling.alerts[:1])])
    return f"<{hashlib.sha256(seed.encode()).hexdigest()[:40]}@{sender.domain}>"


def _write_text(telling: Telling, told: Rendered, footer: str) -> str:
    facts = "\n".join(f"{label}: {value}" for label, value in told.facts)
    links = "\n".join(f"{label}: {url}" for label, url in list_links(telling))
    signature = f"-- \n{footer}" if footer else ""
    pieces = (cut(told.text, LONGEST_TEXT), facts, links, told.double, signature)
    return "\n\n".join(piece for piece in pieces if piece) + "\n"


def _write_html(telling: Telling, told: Rendered, footer: str) -> str:
    """Built from the plain text, so that nothing of an alert or a template becomes markup."""
    body = _PARAGRAPH.format(_link(cut(told.text, LONGEST_TEXT))) if told.text else Markup()
    if told.facts:
        body += _TABLE.format(Markup().join(_ROW.format(*fact) for fact in told.facts))
    buttons = Markup().join(
        _BUTTON.format(url, _SECOND if number else _FIRST, label)
        for number, (label, url) in enumerate(list_links(telling))
    )
    body += Markup("<p>{}</p>").format(buttons) if buttons else Markup()
    body += Markup().join(_SPELLED_OUT.format(url) for _, url in telling.links)
    body += _PARAGRAPH.format(told.double) if told.double else Markup()
    return str(_PAGE.format(title=told.title, body=body, footer=footer))


def _link(text: str) -> Markup:
    """Addresses that stand in the text, as links."""
    html, at = Markup(), 0
    for found in _LINK.finditer(text):
        html += Markup("{}<a href='{}'>{}</a>").format(text[at : found.start()], found[0], found[0])
        at = found.end()
    return html + text[at:]

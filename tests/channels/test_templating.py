"""Templates hold what is listed and nothing else; values are escaped for what they go into."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from portal.channels import AlertFacts, Telling
from portal.channels.templating import VALUES, list_values, render
from portal.far_side.escaping import (
    cut,
    cut_bytes,
    for_discord,
    for_html,
    for_json,
    for_plain,
    for_slack,
)
from portal.far_side.templating import BadTemplate, Escape, check_template
from tests.channels.samples import BEGAN, OVER, make_alert, make_digest, make_telling


@pytest.mark.parametrize(
    "source",
    [
        "{{ title.__class__ }}",
        "{{ title['__class__'] }}",
        "{{ title.upper() }}",
        "{{ 'a' * 1000000000 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ title ~ title }}",
        "{{ title | center(1000000000) }}",
        "{{ title | replace('', title) }}",
        "{% for a in title %}{% for b in title %}x{% endfor %}{% endfor %}",
        "{% set a = title %}",
        "{% macro m() %}{{ m() }}{% endmacro %}",
        "{% include 'x' %}",
        "{{ [title] }}",
        "{{ title is defined }}",
        "{{ range(9) }}",
        "{{ hostnme }}",
        "{{ title",
        "{{ " + "(" * 1500 + "title" + ")" * 1500 + " }}",
        "{{ " + "not " * 900 + "title }}",
        "{{ " + "not " * 200 + "title }}",
        "{% if title %}" * 101 + "{% endif %}" * 101,
        "{% if count > 1 %}many{% endif %}",
        "{{ title | truncate(2) }}",
        "{{ title | upper(1) }}",
        "{{ title | truncate(**title) }}",
        "x" * 4001,
    ],
)
def test_what_is_not_listed_is_refused_at_once(source: str) -> None:
    with pytest.raises(BadTemplate) as caught:
        check_template(source, VALUES)
    assert str(caught.value).endswith((".", "'"))


def test_a_template_may_say_what_it_needs() -> None:
    source = (
        "{% if kind == 'availability' and not over %}{{ hostname | upper }} is down"
        "{% elif severity in 'error' %}bad{% else %}{{ message | default('nothing') }}{% endif %}"
        "{{ ' at ' if site }}{{ site | truncate(3, true, '') }}"
    )
    check_template(source, VALUES)
    told = render(make_telling(make_alert(hostname="srv"), templates={"text": source}))
    assert told.text == "SRV is down at Ber"
    assert told.facts == ()  # the person's own text is all that is said


def test_the_costliest_template_takes_no_time() -> None:
    longest = "{{ message }}" * 300
    began = time.process_time()
    told = render(
        make_telling(make_alert(message="<" * 100_000), templates={"text": longest}), for_html
    )
    assert time.process_time() - began < 2
    assert len(told.text) <= 300 * 2000 * len("&lt;")


@pytest.mark.parametrize(
    ("escape", "text", "escaped"),
    [
        (for_plain, "<b> & *x*", "<b> & *x*"),
        (for_html, "<b> & \"'", "&lt;b&gt; &amp; &#34;&#39;"),
        (for_json, 'a"b\\c\nd', 'a\\"b\\\\c\\nd'),
        (for_slack, "<!channel> & <http://x|y>", "&lt;!channel&gt; &amp; &lt;http://x|y&gt;"),
        (for_discord, "**a** [b](http://c)", r"\*\*a\*\* \[b\]\(http\:/​/c\)"),
    ],
)
def test_values_are_escaped_and_the_template_is_not(
    escape: Escape, text: str, escaped: str
) -> None:
    telling = make_telling(make_alert(message=text), templates={"text": "*{{ message }}*"})
    assert render(telling, escape).text == f"*{escaped}*"
    assert render(make_telling(make_alert(message=text)), escape).text == escaped


def test_values_are_text_without_what_turns_or_breaks_it() -> None:
    alert = AlertFacts(hostname="a\u202eb\x00c\ud800", began=BEGAN, over=OVER)
    values = list_values(make_telling(alert))
    assert values["hostname"] == "abc?"
    assert values["lasted"] == "12 minutes"
    assert {type(value) for value in values.values()} == {str}


def test_a_template_that_went_bad_gives_way_to_the_default() -> None:
    telling = make_telling(templates={"subject": "{{ gone }}", "text": "{{ gone }}"})
    assert render(telling).title == "Overdue: SRV-01 (Contoso)"
    assert render(telling).text == "SRV-01 is overdue."


def test_many_at_once_have_templates_of_their_own() -> None:
    templates = {
        "subject": "one",
        "digest_subject": "{{ count }} at once",
        "digest_text": "{{ lines }}",
    }
    told = render(make_digest(templates=templates))
    assert told.title == "40 at once"
    assert told.text.splitlines()[2] == "and 37 more of Contoso, 12 of them servers"


def test_a_notice_has_templates_of_its_own_and_a_test_has_none() -> None:
    words = {"notice_subject": "[portal] {{ title }}", "notice_text": "{{ text }} See {{ url }}"}
    telling = Telling(
        key="n1:began:c1",
        reason="notice",
        title="Tactical is away",
        text="It does not answer.",
        url="https://portal.example/t/acme/connection",
        templates={"subject": "one", "text": "two"} | words,
    )
    told = render(telling)
    assert told.title == "[portal] Tactical is away"
    assert told.text == "It does not answer. See https://portal.example/t/acme/connection"
    assert render(replace(telling, reason="test")).title == "Tactical is away"


def test_texts_are_cut_between_characters_and_never_within_an_entity() -> None:
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abcdefg", 6) == "abcde…"
    assert cut("abc&lt;d", 6) == "abc…"
    assert cut("abc\\*def", 5) == "abc…"
    assert cut_bytes("ääää", 8) == "ääää"
    assert cut_bytes("äääää", 8) == "ää…"
    assert len(cut_bytes("😀" * 9, 14).encode()) <= 14

"""Addresses as people type and paste them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.errors import InvalidInput
from portal.tactical.http.url import normalise_url, same_host

API = "https://api.example.com"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://api.example.com", API),
        ("api.example.com", API),
        ("//api.example.com", API),
        ("  https://api.example.com/ \n", API),
        ("HTTPS://API.Example.COM///", API),
        ("https://api.example.com.", API),
        ("https://api.example.com/api", API),
        ("https://api.example.com/api/v3/", API),
        ("https://api.example.com/agents?detail=false#top", API),
        ("api.example.com/#/dashboard", API),
        ("api.example.com?x=1", API),
        ("https://api.example.com:443/", API),
        ("https://api.example.com:8443/api", "https://api.example.com:8443"),
        ("api.example.com:8443", "https://api.example.com:8443"),
        ("http://api.example.com:80", "http://api.example.com"),
        ("http://localhost:8000/", "http://localhost:8000"),
        ("rmm_api.example.com", "https://rmm_api.example.com"),
        ("https://10.20.0.5/", "https://10.20.0.5"),
        ("https://[2001:DB8::1]:8443/", "https://[2001:db8::1]:8443"),
        ("https://bücher.example/", "https://xn--bcher-kva.example"),
        ("https://Straße.example", "https://xn--strae-oqa.example"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://例え.テスト", "https://xn--r8jz45g.xn--zckzah"),
    ],
)
def test_an_address_is_scheme_host_and_port(text: str, expected: str) -> None:
    assert normalise_url(text) == expected
    assert normalise_url(expected) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "https://",
        "https:///api",
        "https://user:pass@api.example.com",
        "https://user@api.example.com",
        "user:pass@api.example.com",
        "ftp://api.example.com",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https:/api.example.com",
        "https:api.example.com",
        "https:\\\\api.example.com",
        "https://api.example.com\\@evil.example",
        "two words",
        "https://api example.com",
        "https://api.example.com:port",
        "https://api.example.com:99999",
        "https://api.example.com:0",
        "https://-api.example.com",
        "https://api..example.com",
        "https://.example.com",
        "https://api.example.com%2f",
        "https://[::1",
        "https://[::g]",
        "https://[fe80::1%25eth0]/",
        "https://a\u200bb.example",
        "https://" + "a" * 64 + ".example",
        "https://" + ".".join(["abcdefgh"] * 40),
        "https://" + "a/" * 2000,
        "https://\ud800.example",
        "https://⒈⒈.example",
        "!!!",
    ],
)
def test_what_is_no_address_is_refused_with_its_field(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        normalise_url(text)

    assert caught.value.field == "base_url"
    assert caught.value.message.endswith(".")
    assert "pass" not in caught.value.message.replace("password", "")


@given(st.text(max_size=60) | st.from_regex(r"https?://[^/]{0,30}(/.{0,20})?"))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        url = normalise_url(text)
    except InvalidInput:
        return

    assert url.isascii()
    assert url == url.lower()
    assert "@" not in url
    assert normalise_url(url) == url


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (API, API, True),
        ("http://api.example.com", API, True),  # TLS taken up
        (API, "http://api.example.com", False),  # TLS given up
        (API, "https://api.example.org", False),
        (API, "https://rmm.api.example.com", False),
        (API, "https://api.example.com:8443", False),
        ("https://[::1]", "https://[::2]", False),
    ],
)
def test_whether_credentials_may_go_to_another_address(one: str, other: str, same: bool) -> None:
    assert same_host(one, other) is same

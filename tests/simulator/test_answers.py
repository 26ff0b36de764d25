"""What holds for every endpoint: slashes, methods, media types, pages for errors."""

from __future__ import annotations

import pytest

from tactical_simulator import SimulatedTactical
from tests.simulator.api import Api, is_html


@pytest.mark.parametrize(
    ("method", "path", "location"),
    [
        ("GET", "/core/version", "/core/version/"),
        ("POST", "/v2/checkcreds", "/v2/checkcreds/"),
        ("PATCH", "/alerts", "/alerts/"),
        ("GET", "/agents?detail=false", "/agents/?detail=false"),
        ("GET", "/beta/v1/agent/1", "/beta/v1/agent/1/"),
    ],
)
def test_missing_slash_is_a_relative_redirect(
    tactical: SimulatedTactical, method: str, path: str, location: str
) -> None:
    with Api(tactical.url) as nobody:
        response = nobody.request(method, path)
    assert (response.status_code, response.headers["Location"]) == (301, location)


@pytest.mark.parametrize(
    "path",
    [
        "/nope/", "/api/clients/", "/agents/short/", f"/agents/{'x' * 20}/", "/clients/abc/",
        "/alerts/abc/", "/software/short/", "/beta/v2/agent/", "/clients//",
    ],
)  # fmt: skip
def test_unknown_route_is_a_page(api: Api, path: str) -> None:
    response = api.get(path)
    assert response.status_code == 404
    assert is_html(response, "Not Found")
    assert len(response.content) == 179


def test_crash_is_a_page_of_145_bytes(api: Api) -> None:
    response = api.get("/beta/v1/agent/?agent_id=x")
    assert response.status_code == 500
    assert is_html(response, "Server Error (500)")
    assert len(response.content) == 145


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/alerts/", 405),
        ("POST", "/beta/v1/agent/", 405),
        ("HEAD", "/beta/v1/agent/", 405),
        ("OPTIONS", "/beta/v1/agent/", 405),
        ("DELETE", "/beta/v1/agent/", 500),
        ("OPTIONS", "/agents/", 500),
        ("HEAD", "/agents/", 200),
        ("GET", "/core/urlaction/1/", 405),
        ("DELETE", "/clients/", 405),
    ],
)
def test_methods(api: Api, method: str, path: str, status: int) -> None:
    response = api.request(method, path)
    assert response.status_code == status
    if status == 405 and method != "HEAD":
        assert response.json() == {"detail": f'Method "{method}" not allowed.'}


def test_method_is_told_only_to_who_is_signed_in(tactical: SimulatedTactical) -> None:
    with Api(tactical.url) as nobody:
        assert nobody.get("/alerts/").status_code == 401


def test_media_types(api: Api) -> None:
    response = api.patch("/alerts/", data="{}", headers={"Content-Type": "text/plain"})
    assert (response.status_code, response.json()) == (
        415,
        {"detail": 'Unsupported media type "text/plain" in request.'},
    )
    response = api.patch("/alerts/", data="{", headers={"Content-Type": "application/json"})
    assert response.status_code == 400
    assert api.patch("/alerts/").json() == []


def test_no_compression_no_caching(api: Api) -> None:
    response = api.get("/clients/", headers={"If-None-Match": "*", "Accept-Encoding": "gzip"})
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert int(response.headers["Content-Length"]) == len(response.content)
    absent = {"Content-Encoding", "ETag", "Last-Modified", "Cache-Control"}
    assert not absent & set(response.headers)
    assert response.headers["Vary"] == "origin"


def test_beta_off_is_a_page_even_without_a_key(tactical: SimulatedTactical, api: Api) -> None:
    with Api(tactical.url) as nobody:
        assert nobody.get("/beta/v1/agent/").status_code == 401
        tactical.control.server.set(beta_enabled=False)
        for path in ("/beta/v1/agent/", "/beta/v1/client/", "/beta/v1/site/1/"):
            assert is_html(nobody.get(path), "Not Found")
    assert api.get("/clients/").status_code == 200


def test_foreign_host_name(tactical: SimulatedTactical, api: Api) -> None:
    tactical.control.server.set(allowed_hosts=["api.example.com"])
    response = api.get("/clients/")
    assert response.status_code == 400
    assert is_html(response, "Bad Request (400)")
    assert api.get("/clients/", headers={"Host": "api.example.com"}).status_code == 200

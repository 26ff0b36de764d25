"""The OpenAPI document: of the API, not of anybody's records, so that it takes no token."""

from __future__ import annotations

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from portal.api.document import get_document
from portal.api.problems import PREFIX

openapi = Blueprint("api_openapi", __name__, url_prefix=PREFIX)


@openapi.get("/openapi.json")
def show_document() -> ResponseReturnValue:
    response = jsonify(get_document())
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    return response.make_conditional(request)

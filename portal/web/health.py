"""For load balancers: is the process alive, can it serve."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from portal.services.database import is_ready

health = Blueprint("health", __name__)


@health.get("/livez")
def live() -> ResponseReturnValue:
    return jsonify(status="ok")


@health.get("/readyz")
def ready() -> ResponseReturnValue:
    """The database answers and is at our revision. Redis is not asked: pages work without."""
    if is_ready():
        return jsonify(status="ok")
    return jsonify(status="unavailable"), 503

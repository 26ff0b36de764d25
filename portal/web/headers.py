"""Security headers, in one place."""

from __future__ import annotations

from flask import Flask, Response, request

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "object-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)

ON_EVERY_ANSWER = (
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
)
"""No view sets one of these."""

YEAR = 365 * 24 * 3600


def init_app(app: Flask) -> None:
    app.after_request(_add_headers)


def _add_headers(response: Response) -> Response:
    headers = response.headers
    headers.extend(ON_EVERY_ANSWER)
    if request.is_secure:
        headers["Strict-Transport-Security"] = f"max-age={YEAR}; includeSubDomains"
    if request.endpoint == "static":
        # The address holds the file's hash; without one it is not ours to keep.
        kept = f"public, max-age={YEAR}, immutable" if request.args.get("v") else "no-cache"
        headers["Cache-Control"] = kept
    elif "Cache-Control" not in headers:  # the API lets programs keep an answer with its ETag
        headers["Cache-Control"] = "no-store"
        headers["Vary"] = "Cookie, HX-Request, HX-Target"
    return response

"""The keys of a portal that is tested or measured. Apart, so that a benchmark, which measures its
memory, imports nothing of pytest with them."""

KEYS = {
    "PORTAL_SECRET_KEY": "a secret key of the tests",
    "PORTAL_ENCRYPTION_KEYS": "k1:" + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
}

"""A mail server that delivers nothing, and a page that shows what it took."""

"""Tactical RMM's API and nothing else: no Flask, no database."""

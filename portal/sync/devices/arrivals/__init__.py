"""Agents without an asset: noted, asked about and decided at the end of a walk. And what the new
serial number of a known agent means."""

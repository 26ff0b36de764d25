"""Helpdesks in which tickets are opened: a folder for each kind. Knows no tables and no pages."""

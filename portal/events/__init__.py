"""The outbox of events: they are written with the change that they report, and sent in order."""

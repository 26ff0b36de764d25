"""The outbox of events: they are written with the change they tell of, and sent in order."""

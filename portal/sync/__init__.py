"""The engine of the syncs: load, plan without a database, apply in bulk, log."""

"""Everything that runs: one process that starts, watches and stops the others."""

"""What a run over the whole fleet does with its decisions: writes them, plans them, or writes
those that a person chose."""

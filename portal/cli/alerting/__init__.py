"""Commands about what alerts lead to."""

"""What happened, told to those who want to know."""

"""Taking back what one has just done: an offer, made by whatever did it, and the press."""

"""Taking back what one has just done: by a toast, or without scripts on the next page."""

"""What can be done, by noun: each function owns its transaction, and knows no request."""

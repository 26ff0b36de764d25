"""What far sides that are told by mail share: addresses, the server that takes it, the message."""

"""RQ functions: each unwraps its ids and calls one service. `portal.queue` names them."""

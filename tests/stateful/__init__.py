"""Any course of events, on a portal beside a simulated server: what must hold after each."""

"""Taking back what a run did to assets: load → plan (pure) → write, in transactions of some
hundred assets each."""

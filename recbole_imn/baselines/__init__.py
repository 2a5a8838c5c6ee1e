"""Strong baselines: what a hostile reviewer, or a shop, would put beside our models."""

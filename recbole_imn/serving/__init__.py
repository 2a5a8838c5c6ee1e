"""A trained model in use: it observes events, recommends, and forgets nothing it was told."""

"""A checkpoint brought up to date: new events observed, and learned from where asked for."""

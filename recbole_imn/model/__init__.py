"""Models: networks over the stream, and their RecBole adapters."""

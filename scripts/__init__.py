"""Programs that make what the repository holds; run as `python -m scripts.NAME` from its root."""

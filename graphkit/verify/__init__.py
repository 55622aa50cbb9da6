"""Proofs: what a model returns, and whether a rewritten one still returns it."""

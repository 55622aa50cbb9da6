"""Mirrors graphkit/."""

"""Stabilisers."""

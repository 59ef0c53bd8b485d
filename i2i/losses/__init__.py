"""Losses that need no discriminator: a function each."""

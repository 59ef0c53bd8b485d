"""Telling "not enough memory" from other failures: each engine says it in its own words."""

from __future__ import annotations

_SIGNS = ("bad_alloc", "bad allocation", "allocate memory", "out of memory", "bfcarena")


def is_out_of_memory(error: BaseException) -> bool:
    """True for Python's, numpy's, onnxruntime's and torch's ways of running out of memory."""
    return isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in _SIGNS)

"""How the shim itself ends."""

__all__ = ["MISS"]

MISS = 97
"""Nothing answers the run."""

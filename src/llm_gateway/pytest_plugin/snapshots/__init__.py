"""Snapshots of structured answers in one reviewable form. Internal, except `canonical`."""

from llm_gateway.pytest_plugin.snapshots.tree import canonical

__all__ = ["canonical"]

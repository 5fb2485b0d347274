"""Snapshots of structured answers: one canonical, reviewable form, for syrupy and for inline-snapshot."""

from llm_gateway.pytest_plugin.snapshots.canonical import canonical

__all__ = ["canonical"]

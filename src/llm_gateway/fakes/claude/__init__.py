"""Scripted answers as ``claude`` would print them. Internal; see `llm_gateway.fakes.claude.session.ClaudeSession`."""

__all__ = ["API", "PROVIDER"]

API, PROVIDER = "claude_cli", "local_claude"

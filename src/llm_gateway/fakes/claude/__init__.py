"""Scripted answers as ``claude`` would print them. See `llm_gateway.fakes.claude.talk.ClaudeSession`."""

__all__ = ["API", "PROVIDER"]

API, PROVIDER = "claude_cli", "local_claude"

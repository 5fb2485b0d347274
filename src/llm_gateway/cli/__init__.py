"""The command ``llm-gateway``. Internal: users have the command."""

"""The command ``llm-gateway``."""

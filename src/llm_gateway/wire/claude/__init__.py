"""Parts of the ``claude`` command's format; `llm_gateway.wire.claude_cli` is the dialect. Internal."""

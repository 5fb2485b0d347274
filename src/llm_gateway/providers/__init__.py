"""
Providers: a dialect, an endpoint, an authentication and what the provider can do. No I/O.

Internal, except `base`, `anthropic`, `openai` and `local_claude`.
"""

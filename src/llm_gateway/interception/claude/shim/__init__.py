"""
What runs in place of ``claude``: a small program that replays a recorded run, or runs the real one and records it.

It is started as ``python -ISE <this folder>``, so these modules, and `llm_gateway.cassettes.process_match`, use the
standard library only.
"""

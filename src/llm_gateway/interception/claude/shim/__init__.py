"""
The program that runs instead of ``claude``: it replays a recorded run, or runs the real one and records it. Internal.

It is started as ``python -ISE <this folder>``, so these modules, and `llm_gateway.cassettes.process_match`, use the
standard library only.
"""

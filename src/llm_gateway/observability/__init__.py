"""
What calls do, as events for observers.

Internal, except `events`, `logging`, `tracing` and `metrics`.
"""

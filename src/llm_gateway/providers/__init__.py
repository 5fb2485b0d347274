"""Providers: a dialect, an endpoint, an authentication and what the provider can do. No I/O."""

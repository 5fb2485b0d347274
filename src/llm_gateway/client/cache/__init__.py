"""The response cache: its keys, its stores, and when a kept answer is used."""

from __future__ import annotations

from llm_gateway.client.cache.memory import MemoryStore
from llm_gateway.client.cache.redis import RedisStore
from llm_gateway.client.cache.sqlite import SQLiteStore
from llm_gateway.client.cache.store import CacheStore

__all__ = ["CacheStore", "MemoryStore", "RedisStore", "SQLiteStore"]

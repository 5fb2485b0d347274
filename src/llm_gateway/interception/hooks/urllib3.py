"""The hook for urllib3: do not connect before it is known whether a connection is needed. The rest is http.client's."""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

from llm_gateway.interception.dispatch import handler_for

__all__ = ["install"]


def install(module: ModuleType) -> None:
    """Wrap the pool of *module*, which is ``urllib3.connectionpool`` of urllib3 2."""
    pool: Any = module.HTTPSConnectionPool
    for name in ("_validate_conn", "_prepare_proxy"):
        real = getattr(pool, name)
        if not hasattr(real, "__wrapped__"):
            setattr(pool, name, _later(real, name))


def _later(real: Any, name: str) -> Any:
    @functools.wraps(real)
    def connect_early(self: Any, conn: Any) -> None:
        if handler_for("POST", f"https://{self.host}") is None:
            real(self, conn)
        elif name == "_prepare_proxy":
            scheme = "https" if self.proxy and self.proxy.scheme == "https" else "http"
            conn.set_tunnel(scheme=scheme, host=self._tunnel_host, port=self.port, headers=self.proxy_headers)

    return connect_early

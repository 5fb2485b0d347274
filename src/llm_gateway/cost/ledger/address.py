"""Where a PostgreSQL ledger is, in a form that can be shown."""

from __future__ import annotations

from dataclasses import dataclass, field

import psycopg
from psycopg.conninfo import conninfo_to_dict

from llm_gateway.exceptions import LedgerError

__all__ = ["Address"]


@dataclass(frozen=True, slots=True)
class Address:
    """A PostgreSQL URL; as text it has no password and no options, which may hold one."""

    url: str = field(repr=False)
    password: str = field(repr=False)
    user: str
    host: str
    port: str
    database: str

    @classmethod
    def read(cls, url: str) -> Address:
        """
        Return the parts of *url*.

        Raises:
            LedgerError: It is no such URL. The text shows nothing of it, for a password may be anywhere in it.
        """
        try:
            parts = {name: str(value) for name, value in conninfo_to_dict(url).items()}
        except psycopg.ProgrammingError:
            raise _unreadable() from None
        user, host, port, database = (parts.get(name, "") for name in ("user", "host", "port", "dbname"))
        if "@" in host + port + database or (port and not port.replace(",", "0").isdecimal()):
            raise _unreadable()
        return cls(url, parts.get("password", ""), user, host, port, database)

    def __str__(self) -> str:
        is_socket = self.host.startswith("/")
        place = "" if is_socket else self.host + (f":{self.port}" if self.port else "")
        query = f"?host={self.host}" if is_socket else ""
        return f"postgresql://{f'{self.user}@' if self.user else ''}{place}/{self.database}{query}"

    def masked(self, text: str) -> str:
        """*text* without the password."""
        return text.replace(self.password, "***") if self.password else text


def _unreadable() -> LedgerError:
    return LedgerError(
        "the URL of the ledger cannot be read (it is not shown here: it may hold a password)",
        cause="a character such as @ : / ? # or % in a user or password is written as %40 %3A %2F %3F %23 %25",
        fix="postgresql://user:password@host:5432/database",
    )

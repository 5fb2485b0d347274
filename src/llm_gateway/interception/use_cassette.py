"""Open a cassette around any code, inside a test or not."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from llm_gateway.cassettes.modes import Mode
from llm_gateway.interception import active
from llm_gateway.interception.cassette import Cassette
from llm_gateway.interception.hooks.install import install
from llm_gateway.interception.hooks.process import prepare
from llm_gateway.interception.settings import Settings

__all__ = ["use_cassette"]


@contextmanager
def use_cassette(
    path: str | Path, mode: Mode = Mode.REPLAY, *, settings: Settings | None = None
) -> Generator[Cassette]:
    """
    Answer or record every provider call made inside the block.

    The file is written only when the block ends without an error.

    Raises:
        CassetteMissError: A call found no recording, also when the code inside swallowed that.
        CassetteUnusedError: The block ended without asking for every recorded exchange.
        FaultError: The block ended before the call that was to fail.
        CassetteReadError: The file exists and cannot be read.
        CassetteSaveError, CassetteSecretError: The recording could not be written; the old file is as it was.
    """
    install()
    cassette = Cassette(Path(path), mode, settings=settings or Settings(environ=os.environ))
    prepare(cassette)
    token = active.enter(cassette)
    try:
        yield cassette
        cassette.settle()
    finally:
        cassette.close()
        active.leave(cassette, token)
        outer = active.current() if active.is_open() else None
        if outer is not None:
            outer.inner_calls += [*cassette.calls, *cassette.inner_calls]
    problems = [*cassette.outcome.failures(), *cassette.outcome.left_over()]
    if problems:
        raise problems[0]
    cassette.save()

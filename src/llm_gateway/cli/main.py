"""Read the arguments of ``llm-gateway`` and call what they name."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from llm_gateway.exceptions import GatewayError

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command, and return the exit code: 0, 1 for a difference, 2 where it cannot be done."""
    try:
        options = _parser().parse_args(_spelled_out(sys.argv[1:] if argv is None else argv))
        code: int = options.run(options)
        sys.stdout.flush()
    except GatewayError as error:
        print(error.report, file=sys.stderr)
        return 2
    except BrokenPipeError:
        # the reader of the output has closed it; the rest is discarded, also when the interpreter ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _spelled_out(argv: Sequence[str]) -> list[str]:
    """Return *argv* with ``-- PATH...`` of `cassettes diff` as options: argparse would take a PATH for a side."""
    if list(argv[:2]) != ["cassettes", "diff"]:
        return list(argv)
    dashes = list(argv).index("--") if "--" in argv else len(argv)
    for side in argv[2:dashes]:
        if side[:1] == "-" and side[:2] not in ("--", "-h"):  # argparse would only report an unknown option
            _check_revision(side)
    return [*argv[:dashes], *(f"--path={path}" for path in argv[dashes + 1 :])]


def _check_revision(side: str) -> None:
    from llm_gateway.cli.revision import check

    check(side)


def _parser() -> argparse.ArgumentParser:
    from llm_gateway.cli import diff, ls, reprice, show, usage

    parser = argparse.ArgumentParser(prog="llm-gateway", description="Look at recordings and costs of LLM calls.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    cassettes = commands.add_parser("cassettes", help="look at cassette files")
    kinds = cassettes.add_subparsers(required=True, metavar="COMMAND")
    for command in (ls, show, diff, reprice):
        command.add_to(kinds)
    usage.add_to(commands)
    return parser

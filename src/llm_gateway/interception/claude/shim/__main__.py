"""Start the shim without importing the package around it, which would take longer than the run that it replays."""

import importlib
import sys
import types
from pathlib import Path

root = Path(__file__).resolve().parents[3]
for name in (
    "llm_gateway",
    "llm_gateway.cassettes",
    "llm_gateway.interception",
    "llm_gateway.interception.claude",
    "llm_gateway.interception.claude.shim",
):
    bare = types.ModuleType(name)
    bare.__path__ = [str(root.joinpath(*name.split(".")[1:]))]
    sys.modules[name] = bare

program = importlib.import_module("llm_gateway.interception.claude.shim.program")
program.end(program.main())

"""Start the shim without importing the package around it, which would take longer than the run that it replays."""

import importlib
import sys
import types
from pathlib import Path

here = Path(__file__).resolve().parent
for name, folder in (
    ("llm_gateway", here.parents[1]),
    ("llm_gateway.cassettes", here.parent),
    ("llm_gateway.cassettes.shim", here),
):
    bare = types.ModuleType(name)
    bare.__path__ = [str(folder)]
    sys.modules[name] = bare

program = importlib.import_module("llm_gateway.cassettes.shim.program")
program.end(program.main())

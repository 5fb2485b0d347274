"""Each script prints what the README shows; recording writes its output to the README."""

import io
import logging
import os
import re
import runpy
import shlex
import sys
from pathlib import Path

import pytest

from llm_gateway import Mode

HERE = Path(__file__).parents[1]
README = HERE / "README.md"
_BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
_SCRIPT = re.compile(r"python (\w+)\.py")


def readme_blocks() -> dict[str, str]:
    """Return the blocks of the README that run a script, by the script's name."""
    blocks = _BLOCK.findall(README.read_text(encoding="utf-8"))
    return {found[1]: block for block in blocks if (found := _SCRIPT.search(block))}


def run(command: str, patch: pytest.MonkeyPatch) -> None:
    """Run ``NAME=value python script.py < file`` in this process, where its calls are replayed."""
    patch.chdir(HERE)
    # output, errors and warnings go to one place, as in a script that configures no logging
    patch.setattr(sys, "stderr", sys.stdout)
    patch.setattr(logging.root, "handlers", [logging.lastResort])
    words = shlex.split(command)
    while "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        # a settings file that is set already while recording is read as well
        patch.setenv(name, value, prepend=os.pathsep if name == "LLM_CONFIG" else None)
    if "<" in words:
        patch.setattr(sys, "stdin", io.StringIO((HERE / words[-1]).read_text(encoding="utf-8")))
    runpy.run_path(str(HERE / words[1]), run_name="__main__")


@pytest.mark.llm
@pytest.mark.parametrize("script", readme_blocks())
def test_prints_what_the_readme_shows(
    script: str, llm_mode: Mode, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    block, printed = readme_blocks()[script], ""
    for command in re.findall(r"^\$ (.*)$", block, re.MULTILINE):
        with monkeypatch.context() as patch:
            run(command, patch)
        printed += f"$ {command}\n{capsys.readouterr().out}"
    if llm_mode.writes:
        README.write_text(README.read_text(encoding="utf-8").replace(block, printed), encoding="utf-8")
    elif llm_mode is Mode.REPLAY:
        assert printed == block


def test_readme_shows_every_script() -> None:
    assert readme_blocks().keys() == {path.stem for path in HERE.glob("*.py")} - {"stub_providers"}

"""The SDKs of another language, installed for one run."""

import functools
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

PACKAGES = ("openai@7", "@anthropic-ai/sdk@1")
CLIENT = Path(__file__).with_name("client.mjs")


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Where the packages and the client are; skips with the reason where that cannot be."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("npm and node are not installed here")
    made = tmp_path_factory.mktemp("node")
    made.joinpath("package.json").write_text('{"private": true, "type": "module"}')
    done = subprocess.run(
        [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", *PACKAGES],
        cwd=made,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"npm install failed: {done.stderr.strip()[-300:]}")
    shutil.copy(CLIENT, made)
    return made


@pytest.fixture
def ask(folder):
    """Make calls in a process of node that inherits no variable but the server's own; what came of each."""

    def run(server, *calls):
        done = subprocess.run(
            ["node", "client.mjs", *calls],
            cwd=folder,
            env={"PATH": os.environ["PATH"], **server.env},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return json.loads(done.stdout)

    return run


@pytest.fixture
def node(ask, llm_server):
    """The same, of the test's own server."""
    return functools.partial(ask, llm_server)

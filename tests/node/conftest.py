"""JavaScript SDKs, installed from npm for one test run."""

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
    """Return the folder with the packages and the client; skip the test where npm cannot install them."""
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
def run_client(folder):
    """Return a function that makes calls in a node process, given a server, and returns their results."""

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
def node(run_client, llm_server):
    """Return the same function for the test's own server."""
    return functools.partial(run_client, llm_server)

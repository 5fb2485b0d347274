"""A real browser, a stub provider on loopback, and the report of a project's run."""

import http.server
import json
import os
import shutil
import subprocess
import sys
import threading

import pytest

APP = """
import os, httpx2

def ask(text, model="claude-haiku-5-5"):
    body = {"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": text}]}
    path = "/v1/chat/completions" if model.startswith("gpt") else "/v1/messages"
    with httpx2.Client() as client:
        return client.post(os.environ["PROVIDER"] + path, json=body).json()
"""
TESTS = """
import app, httpx2, pytest

@pytest.mark.llm
@pytest.mark.parametrize("size", range(1, 125))
def test_many(size):
    app.ask("x" * size)

@pytest.mark.llm
@pytest.mark.parametrize("model", ["claude-sonnet-5", "claude-opus-5", "gpt-5-mini", "nobodys-model"])
def test_models(model):
    app.ask("which model?", model)

@pytest.mark.llm
@pytest.mark.parametrize("text", ["<script>document.title='broken'</script>", "a|b", '"quoted"', pytest.param("long" * 60, id="long-" * 30)])
def test_names(text):
    app.ask(text)

@pytest.mark.llm_budget(max_tokens=1000, max_cost_usd=1)
def test_over_budget():
    app.ask("one"), app.ask("two")

@pytest.mark.llm_budget(max_calls=3)
def test_within_budget():
    app.ask("one")

def test_unmarked():
    httpx2.post("https://api.anthropic.com/v1/messages", json={})
"""


class Provider(http.server.BaseHTTPRequestHandler):
    """Stub provider whose token counts grow with the text, some of them cached."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        raw = json.dumps(reply_body(body["model"], 90 * len(body["messages"][0]["content"]))).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *args):
        pass


def reply_body(model, size):
    if model.startswith("gpt"):
        usage = {"prompt_tokens": size, "completion_tokens": 40, "total_tokens": size + 40}
        return {"object": "chat.completion", "model": model, "choices": [], "usage": usage}
    cached = {"cache_read_input_tokens": size // 2, "cache_creation_input_tokens": size // 9}
    usage = {"input_tokens": size, "output_tokens": size // 4, **cached}
    return {"type": "message", "model": model, "content": [], "usage": usage}


@pytest.fixture(scope="session")
def reports(tmp_path_factory):
    """Return the folder of reports of a project: half of its tests replayed, the others recorded in the same run."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "app.py").write_text(APP)
    (folder / "test_shop.py").write_text(TESTS)
    (folder / "test_plain.py").write_text("def test_plain(): pass\n")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    run(folder, address, "--llm-record", "-k", "many")
    shown = run(folder, address, "--llm-record=new", "--llm-report=reports/mixed.html")
    run(folder, address, "--llm-report=reports/empty.html", "test_plain.py")
    server.shutdown()
    server.server_close()
    assert "2 failed, 134 passed" in shown, shown
    return folder / "reports"


def run(folder, address, *options):
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "LLM_"))}
    environ |= {
        "PROVIDER": address,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "llm_gateway.pytest_plugin",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(folder),
    ]
    done = subprocess.run([*command, *options], cwd=folder, env=environ, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.fixture(scope="session")
def chromium():
    """Start Chromium, driven by Playwright; skip the test where it is not installed."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: tox run -e browser")
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip(f"no browser on the PATH: looked for {', '.join(names)}")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


SIZES = {"wide": (1400, 900), "narrow": (400, 800)}


@pytest.fixture
def open_page(chromium):
    """Return a function that opens a file in a light or dark scheme and a size; pages keep their URLs and messages."""
    contexts = []

    def opened(path, scheme="light", size="wide"):
        width, height = SIZES[size]
        contexts.append(chromium.new_context(color_scheme=scheme, viewport={"width": width, "height": height}))
        page = contexts[-1].new_page()
        page.requested, page.console = [], []
        page.on("request", lambda request: page.requested.append(request.url))
        page.on("console", lambda message: page.console.append(message.text))
        page.on("pageerror", lambda error: page.console.append(str(error)))
        page.goto(path.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()

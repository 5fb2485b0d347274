"""Client, budget, terminal summary, reports and ledger agree on the numbers of a run."""

import http.server
import json
import threading
from decimal import Decimal

import pytest

from llm_gateway import usage_report
from llm_gateway.cost.money import shown

TEST = """
import json, os, pathlib
import httpx2, pytest
from llm_gateway import SyncLLMClient
from llm_gateway.cost import CostTracker

URL = os.environ["PROVIDER_URL"]

@pytest.mark.llm
@pytest.mark.llm_budget(max_calls=9)
def test_calls_three_providers(llm_budget):
    tracker = CostTracker()
    with (
        SyncLLMClient(model="anthropic:claude-haiku-4-5", api_key="k", base_url=URL, cost_tracker=tracker) as claude,
        SyncLLMClient(model="openai:gpt-5-mini", api_key="k", base_url=URL + "/v1", cost_tracker=tracker) as gpt,
        SyncLLMClient(model="groq:llama-3.3-70b-versatile", api_key="k", base_url=URL + "/v1", cost_tracker=tracker) as groq,
    ):
        stream = gpt.stream("a stream")
        next(iter(stream))
        answers = [claude.chat("a message"), groq.chat("elsewhere"), gpt.chat("refused once")]
        list(stream)
    assert [429, 200] == [one.status for one in answers[-1].attempts]
    numbers = {
        "client": [str(tracker.total_cost_usd), tracker.total_tokens],
        "answers": str(sum(one.cost_usd for one in [*answers, stream.response])),
        "budget": [str(llm_budget.spent["cost_usd"]), llm_budget.spent["tokens"], llm_budget.spent["calls"]],
        "models": {name: [str(row["cost_usd"]), row["input_tokens"]] for name, row in tracker.summary().items()},
    }
    pathlib.Path(os.environ["NUMBERS_FILE"]).write_text(json.dumps(numbers))
"""


class Handler(http.server.BaseHTTPRequestHandler):
    """Messages and chat completions, streamed or not; a prompt with "refused" gets a 429 the first time."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        size = len(json.dumps(request["messages"]))
        if "refused" in str(request["messages"]) and not self.server.refused:
            self.server.refused.append(request)
            return self.answer(429, json.dumps({"error": {"message": "slow down"}}).encode(), ("retry-after", "0"))
        if self.path.endswith("/messages"):
            used = {"input_tokens": size, "output_tokens": 7, "cache_read_input_tokens": 3}
            return self.answer(200, json.dumps(message(request["model"], used)).encode())
        used = {"prompt_tokens": size, "completion_tokens": 11, "total_tokens": size + 11}
        if request.get("stream"):
            return self.answer(200, stream(request["model"], used), ("content-type", "text/event-stream"))
        return self.answer(200, json.dumps(completion(request["model"], used)).encode())

    def answer(self, status, raw, *headers):
        self.send_response(status)
        for name, value in ({"content-type": "application/json"} | dict(headers)).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *args):
        pass


def message(model, used):
    content = [{"type": "text", "text": "pong"}]
    head = {"id": "m", "type": "message", "role": "assistant", "model": model, "content": content}
    return {**head, "stop_reason": "end_turn", "stop_sequence": None, "usage": used}


def completion(model, used):
    choice = {"index": 0, "message": {"role": "assistant", "content": "pong"}, "finish_reason": "stop"}
    return {"id": "c", "object": "chat.completion", "created": 0, "model": model, "choices": [choice], "usage": used}


def stream(model, used):
    base = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": model}
    deltas = [({"role": "assistant", "content": "po"}, None), ({"content": "ng"}, None), ({}, "stop")]
    chunks = [{"choices": [{"index": 0, "delta": one, "finish_reason": stop}]} for one, stop in deltas]
    chunks.append({"choices": [], "usage": used})
    return "".join([*(f"data: {json.dumps({**base, **one})}\n\n" for one in chunks), "data: [DONE]\n\n"]).encode()


@pytest.fixture
def url():
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.daemon_threads, made.refused = True, []
    threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    made.server_close()


@pytest.mark.parametrize("workers", [[], ["-n", "1"]], ids=["alone", "a worker"])
def test_all_outputs_agree_on_every_digit(project, url, workers, monkeypatch):
    """When recording and when replaying; no number is unknown because of the rejected attempt."""
    folder = project.path
    monkeypatch.setenv("PROVIDER_URL", url)
    monkeypatch.setenv("NUMBERS_FILE", str(folder / "numbers.json"))
    monkeypatch.setenv("LLM_LEDGER", str(folder / "ledger.db"))
    project.makepyfile(test_all=TEST)
    seen = []
    for mode in (["--llm-record"], []):
        reports = [f"--llm-report={folder / 'r'}.{kind}" for kind in ("json", "md", "html")]
        done = project.runpytest_subprocess(*mode, *reports, *workers)
        done.assert_outcomes(passed=1)
        numbers = json.loads((folder / "numbers.json").read_text())
        document = json.loads((folder / "r.json").read_text(encoding="utf-8"))
        texts = [done.stdout.str(), *((folder / f"r.{kind}").read_text(encoding="utf-8") for kind in ("md", "html"))]
        seen.append((numbers, document["totals"]["all"]["cost_usd"]))
        check(numbers, document, texts)

    assert seen[0] == seen[1]
    ledger = usage_report(ledger=folder / "ledger.db")
    cost, tokens = seen[0][0]["client"]
    assert [(5, 1, Decimal(cost), {}, tokens)] == [
        (row.calls, row.failed, row.cost_usd, without_details(row.unknown), row.usage.total_tokens) for row in ledger
    ]


def without_details(unknown):
    """Return the counts of those numbers that every reply in this test reports."""
    return {name: count for name, count in unknown.items() if name in ("input_tokens", "output_tokens", "cost_usd")}


def check(numbers, document, texts):
    totals, (cost, tokens) = document["totals"]["all"], numbers["client"]

    assert {Decimal(cost)} == {Decimal(one) for one in (numbers["answers"], numbers["budget"][0], totals["cost_usd"])}
    assert [tokens, 5] == numbers["budget"][1:] == [totals["input_tokens"] + totals["output_tokens"], totals["calls"]]
    assert (0, 0) == (totals["unknown"]["cost_usd"], totals["unknown"]["input_tokens"])
    rows = {f"{row['provider']}:{row['model']}": row["totals"] for row in document["models"]}
    assert set(numbers["models"]) == set(rows)
    assert all(Decimal(row[0]) == Decimal(rows[name]["cost_usd"]) for name, row in numbers["models"].items())
    assert all(row[1] == rows[name]["input_tokens"] for name, row in numbers["models"].items())
    for text in texts:
        assert shown(Decimal(cost)) in text
        assert f"{totals['input_tokens']:,}" in text
        assert not any(words in text for words in ("without usage", "without price", "without known", "not known"))

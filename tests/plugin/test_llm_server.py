"""The fixture ``llm_server``: calls of other processes, answered by scripts and cassettes."""

import yaml

CHILD = """
import json, os, sys, urllib.request

def ask(text, base=None):
    body = {"model": "claude-haiku-5-5", "max_tokens": 9, "messages": [{"role": "user", "content": text}]}
    url = (base or os.environ["ANTHROPIC_BASE_URL"]) + "/v1/messages"
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.load(reply)["content"][0]["text"]

if __name__ == "__main__":
    for text in sys.argv[1:]:
        print(ask(text))
"""
SUITE = """
import os, subprocess, sys, threading
import child, pytest

def run(*texts):
    done = subprocess.run([sys.executable, "child.py", *texts], capture_output=True, text=True)
    return done.stdout.split() if not done.returncode else done.stderr.splitlines()[-1]

def test_another_process(fake_llm, llm_server, llm_cassette):
    fake_llm.reply("one").reply("two").error(529)
    assert "HTTP Error 529" in run("hi", "ho", "hu")
    assert ["hi", "ho", "hu"] == [call.text for call in fake_llm.calls]
    assert fake_llm.last.url == "https://api.anthropic.com/v1/messages"
    assert ["fake"] * 3 == [call.source for call in llm_cassette.calls]

def test_this_process_is_answered_once(fake_llm, llm_server, llm_cassette):
    fake_llm.reply("here", times=2)
    assert child.ask("hi") == child.ask("hi", "https://api.anthropic.com") == "here"
    assert 2 == len(llm_cassette.calls)

def test_variables(fake_llm, llm_server):
    assert llm_server.env["OPENAI_BASE_URL"] == os.environ["OPENAI_BASE_URL"] == llm_server.url + "/openai/v1"
    assert llm_server.env["OPENAI_API_KEY"]
    assert "127.0.0.1,localhost" == llm_server.env["NO_PROXY"]
    os.environ["GROQ_BASE_URL"] = "changed"

def test_all_is_as_it_was():
    assert "https://mine.example.com" == os.environ["OPENAI_BASE_URL"]
    assert "ANTHROPIC_BASE_URL" not in os.environ
    assert "changed" == os.environ.pop("GROQ_BASE_URL", "changed")
    assert not [thread for thread in threading.enumerate() if thread.name == "llm_server"]

def test_an_sdk_that_reads_its_variable_on_import(fake_llm, llm_server):
    import cohere
    assert cohere.URL == llm_server.env["CO_API_URL"]

def test_and_does_so_anew():
    import cohere
    assert cohere.URL is None

def test_nothing_scripted(fake_llm, llm_server):
    assert "470" in run("hi")

def test_nothing_recorded(llm_server):
    assert "470" in run("hi")

def test_a_function_that_fails(fake_llm, llm_server):
    fake_llm.reply(lambda call: {}["missing"])
    assert "470" in run("hi")
"""


def test_scripts_answer_other_processes(project, monkeypatch):
    """Each worker has its own port; errors fail the test, and no process or file is left."""
    monkeypatch.setenv("OPENAI_BASE_URL", "https://mine.example.com")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    project.makepyfile(child=CHILD, test_served=SUITE, cohere="import os; URL = os.environ.get('CO_API_URL')")

    result = project.runpytest_subprocess("-n", "2", "--dist", "loadfile")

    result.assert_outcomes(passed=6, failed=3)
    result.stdout.fnmatch_lines_random(
        [
            "FakeMissError: fake_llm has no answer for call #1 anthropic claude-haiku-5-5 (anthropic.messages)",
            "CassetteMissError: no recording matches POST api.anthropic.com/v1/messages",
            "FakeScriptError: a function of the script failed: KeyError: 'missing'",
            "  it failed at test_served.py:*",
        ]
    )
    assert not list(project.path.glob("cassettes/**/*.yaml"))


RECORDED = """
import os, subprocess, sys
import child

def test_another_process(llm_server):
    done = subprocess.run([sys.executable, "child.py", "ping", "ping"], capture_output=True, text=True, check=True)
    assert ["pong", "pong"] == done.stdout.split()
"""


def test_calls_of_other_processes_are_recorded_and_replayed(project, provider, monkeypatch):
    """The cassette has the provider's URL, so that a test without the server can replay it too."""
    monkeypatch.setenv("ANTHROPIC_BASE_URL", provider.url)
    project.makepyfile(child=CHILD, test_served=RECORDED)
    project.runpytest_subprocess("--llm-record").assert_outcomes(passed=1)
    monkeypatch.delenv("ANTHROPIC_BASE_URL")

    replayed = project.runpytest_subprocess()

    replayed.assert_outcomes(passed=1)
    replayed.stdout.fnmatch_lines(["replay  2 calls: 24 tokens in, 6 out, *"])
    assert 2 == len(provider.requests)
    (path,) = project.path.glob("cassettes/**/*.yaml")
    assert [f"{provider.url}/v1/messages"] * 2 == [
        one["request"]["uri"] for one in yaml.safe_load(path.read_text())["interactions"]
    ]
    project.makepyfile(
        test_served=f"""
        import child, pytest

        @pytest.mark.llm
        def test_another_process():
            assert ["pong", "pong"] == [child.ask("ping", {provider.url!r}) for _ in range(2)]
        """
    )
    project.runpytest_subprocess().assert_outcomes(passed=1)

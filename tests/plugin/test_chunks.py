"""Tests that run once for each way of splitting the recorded streams into chunks."""

TESTS = """
import httpx2, json, os, pytest

def words():
    # A parser with a bug: it assumes that each chunk holds whole lines.
    body = {"model": "m", "stream": True, "messages": []}
    url = os.environ["PROVIDER"] + "/v1/chat/completions"
    with httpx2.Client() as client, client.stream("POST", url, json=body) as reply:
        for chunk in reply.iter_raw():
            for line in chunk.decode().splitlines():
                if line.startswith("data: {"):
                    yield json.loads(line[6:])["choices"][0]["delta"]["content"]

@pytest.mark.llm_chunks("every", 7)
@pytest.mark.parametrize("language", ["cs"])
def test_reads(language, llm_chunks):
    assert "Žluť" == "".join(words())

class TestOne:
    @pytest.mark.llm_chunks("whole", "bytes")
    def test_reads(self):
        assert "Žluť" == "".join(words())
"""
CASSETTE = """
version: 1
interactions:
- request: {{method: POST, uri: '{url}', headers: {{}}, body: '{{"model": "m", "stream": true, "messages": []}}'}}
  response:
    status: {{code: 200, message: OK}}
    headers: {{content-type: [text/event-stream]}}
    body:
      string: |+
        data: {{"choices":[{{"delta":{{"content":"Žlu"}}}}]}}

        data: {{"choices":[{{"delta":{{"content":"ť"}}}}]}}

        data: [DONE]

...
"""


def with_cassettes(project, provider):
    """Return the project with a recorded stream for each of its tests."""
    project.makepyfile(test_app=TESTS)
    folder = project.mkdir("cassettes").joinpath("test_app")
    folder.mkdir()
    text = CASSETTE.format(url=f"{provider.url}/v1/chat/completions")
    for name in ("test_reads[cs]", "TestOne.test_reads"):
        folder.joinpath(f"{name}.yaml").write_text(text, "utf-8")


def test_a_parser_that_depends_on_chunk_boundaries_fails(project, provider):
    """Each strategy has a test id, all replay the same recording, and a failure names the strategy."""
    with_cassettes(project, provider)
    result = project.runpytest_subprocess("-p", "no:cacheprovider", "-rA")
    output = result.stdout.str()

    ids = [f"test_reads[cs-chunks-{way}]" for way in ("whole", "tools", "ends", "crlf")]
    result.assert_outcomes(passed=5, failed=4)
    assert [*ids, "test_reads[chunks-whole]"] == [
        line.split("::")[-1] for line in output.splitlines() if line.startswith("PASSED ")
    ]
    assert "replayed streams were split 'bytes'; the bytes are those of the recording" in output
    assert "replayed streams were split at random, by the seed 7; the bytes are those of the recording" in output
    assert {"test_reads[cs].yaml", "TestOne.test_reads.yaml"} == {one.name for one in project.path.glob("c*/*/*")}


def test_one_strategy_can_be_selected_by_id(project, provider):
    """With ``-k``, and on workers: the ids are the same in every process."""
    with_cassettes(project, provider)
    result = project.runpytest_subprocess("-p", "no:cacheprovider", "-n2", "-k", "chunks-whole or chunks-crlf")

    result.assert_outcomes(passed=3)


def test_a_recording_run_runs_each_test_once(project):
    """The cassette has the test's own name, which a miss under any strategy names."""
    project.makepyfile(
        test_app="""
        import app, os, pytest

        @pytest.mark.llm_chunks("bytes", 3)
        def test_greets(llm_chunks):
            assert app.ask(os.environ.get("PROMPT", "ping"))["content"][0]["text"] == "pong"
            assert llm_chunks in (None, "bytes", 3)
        """
    )
    project.runpytest_subprocess("--llm-record").assert_outcomes(passed=1)
    project.runpytest_subprocess().assert_outcomes(passed=2)
    project._monkeypatch.setenv("PROMPT", "other")
    result = project.runpytest_subprocess("-k", "seed3")

    result.stdout.fnmatch_lines(["  to record it: pytest --llm-record test_app.py::test_greets"])


def test_an_invalid_marker_is_a_collection_error(project):
    """With the mistake, the valid values and an example."""
    project.makepyfile(
        test_app="""
        import pytest

        @pytest.mark.llm_chunks("byte")
        def test_one(): pass
        """,
        test_other="""
        import pytest

        @pytest.mark.llm_chunks
        def test_two(): pass
        """,
    )
    output = project.runpytest_subprocess().stdout.str()

    assert (
        "test_app.py::test_one: the marker llm_chunks cannot be read\n"
        "  'byte' is not known; it takes every, whole, bytes, utf8, tools, ends, crlf or a seed\n"
        "  for example: @pytest.mark.llm_chunks('bytes')\n"
    ) in output
    assert (
        "test_other.py::test_two: the marker llm_chunks cannot be read\n"
        "  it takes ways of splitting, without names\n"
        '  for example: @pytest.mark.llm_chunks("every")\n'
    ) in output


def test_the_marker_is_rejected_on_unittest_test_cases(project):
    """They would run with one strategy only, and appear to pass with all."""
    project.makepyfile(
        test_app="""
        import pytest, unittest

        @pytest.mark.llm_chunks("every")
        class TestIt(unittest.TestCase):
            def test_one(self): pass
        """
    )
    result = project.runpytest_subprocess()

    result.stderr.fnmatch_lines(
        [
            "ERROR: test_app.py::TestIt::test_one: the marker llm_chunks has no effect here",
            "  methods of unittest.TestCase cannot be parametrized",
            "  make it a function, or a method of a class of its own",
        ]
    )

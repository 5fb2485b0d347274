"""Folders and names of cassettes; no two tests share one by accident."""

import pytest

TEST = """
import app, pytest

@pytest.mark.llm{mark}
def test_greets():
    app.ask("ping")
"""


def cassettes(project):
    return sorted(str(path.relative_to(project.path)) for path in project.path.rglob("*.yaml"))


@pytest.mark.parametrize(
    ("ini", "mark", "path"),
    [
        ("", "", "cassettes/test_app/test_greets.yaml"),
        ("llm_cassette_folder = recordings", "", "recordings/test_app/test_greets.yaml"),
        ("llm_cassette_name = {module}.{function}.yaml", "", "cassettes/test_app.test_greets.yaml"),
        ("", "(cassette='shared/one')", "cassettes/shared/one.yaml"),
    ],
)
def test_the_naming_rule_can_be_changed(project, ini, mark, path):
    """By ini value for all tests, by marker for one."""
    with (project.path / "tox.ini").open("a") as file:
        file.write(f"\n{ini}\n")
    project.makepyfile(test_app=TEST.format(mark=mark))
    project.runpytest_subprocess("--llm-record").assert_outcomes(passed=1)

    assert [path] == cassettes(project)
    project.runpytest_subprocess("-n", "2").assert_outcomes(passed=1)


def test_an_unknown_placeholder_in_the_naming_rule_is_an_error(project):
    """The message lists the valid ones."""
    with (project.path / "tox.ini").open("a") as file:
        file.write("\nllm_cassette_name = {modul}.yaml\n")
    project.makepyfile(test_app=TEST.format(mark=""))
    result = project.runpytest_subprocess()

    result.stderr.fnmatch_lines(
        [
            "ERROR: llm_cassette_name = '{modul}.yaml': 'modul' is not known",
            "  it may use {path} {folder} {module} {class} {function} {test}",
        ]
    )


def test_names_that_file_systems_reject_are_replaced_and_stay_distinct(project):
    """Slashes, colons and long parameters give valid file names."""
    project.makepyfile(
        test_app="""
        import app, pytest

        @pytest.mark.llm
        @pytest.mark.parametrize("text", ["a/b", "a:b", "x" * 300], ids=str)
        def test_greets(text):
            app.ask(text)
        """
    )
    project.runpytest_subprocess("--llm-record").assert_outcomes(passed=3)
    names = [path.rpartition("/")[2] for path in cassettes(project)]

    assert len(set(names)) == 3
    assert all(len(name) < 150 and ":" not in name for name in names)
    project.runpytest_subprocess().assert_outcomes(passed=3)


def test_two_tests_that_share_a_cassette_are_an_error(project):
    """Also if the names differ only in case, which some file systems ignore."""
    project.makepyfile(
        test_app="""
        import pytest

        @pytest.mark.llm
        def test_greets(): pass

        @pytest.mark.llm
        def test_Greets(): pass
        """
    )
    result = project.runpytest_subprocess()

    result.stderr.fnmatch_lines(
        [
            "ERROR: two tests share the cassette test_Greets.yaml: test_app.py::test_greets and *::test_Greets",
            '  rename one, or give one its own: @pytest.mark.llm(cassette="another-name")',
        ]
    )


def test_the_long_option_works_if_another_plugin_owns_the_short_one(project):
    """If --llm-record is taken, pytest still starts, and the option with the long prefix records."""
    project.makepyfile(
        other="""
        def pytest_addoption(parser):
            parser.getgroup("other").addoption("--llm-record", nargs="?", default=None)
        """,
        test_app=TEST.format(mark=""),
    )
    project.runpytest_subprocess("-p", "other", "--llmg-record").assert_outcomes(passed=1)
    project.runpytest_subprocess("-p", "other").assert_outcomes(passed=1)

    assert cassettes(project) == ["cassettes/test_app/test_greets.yaml"]


def test_clients_can_be_made_without_a_key_while_replaying(recorded):
    """Modules may create clients at import without real keys; a recording run sets no placeholders."""
    recorded.makepyfile(
        test_app="""
        import app, os, pytest

        AT_IMPORT = os.environ.get("OPENAI_API_KEY")

        @pytest.mark.llm
        def test_greets():
            assert AT_IMPORT and os.environ["OPENAI_API_KEY"]
            app.ask("ping")

        def test_unmarked():
            assert "OPENAI_API_KEY" not in os.environ
        """
    )
    recorded.runpytest_subprocess().assert_outcomes(passed=2)
    recorded.runpytest_subprocess("-o", "llm_placeholder_keys=false").assert_outcomes(failed=1, passed=1)


def test_the_help_describes_options_markers_and_ini_values(project):
    """All of them, in ``pytest --help`` and ``pytest --markers``."""
    text = project.runpytest_subprocess("--help").stdout.str() + project.runpytest_subprocess("--markers").stdout.str()

    for word in (
        "--llm-record",
        "--llmg-record",
        "--llm-live",
        "--llm-report=FILE",
        "llm_cassette_folder",
        "llm_cassette_name",
        "llm_model",
    ):
        assert word in text
    assert "@pytest.mark.llm(cassette=None, allow_unused=False" in text

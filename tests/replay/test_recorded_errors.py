"""Every recorded error reply, whole or inside a stream, and the kind that its dialect gives it."""

import pytest

from llm_gateway.wire import bedrock, cohere, gemini, openai_chat
from llm_gateway.wire.dialects import find_dialect

DIALECT_OF = {"openai": openai_chat, "ollama": openai_chat, "voyage": openai_chat}
DIALECT_OF |= {"bedrock": bedrock, "cohere": cohere, "gemini": gemini}
"""Dialects for APIs that have none, such as embeddings: errors have the format of the provider's chats."""

# By provider, status and the error's type as the provider names it; None where it names none.
KINDS = {
    ("anthropic", 400, "invalid_request_error"): {"invalid_request"},
    ("anthropic", 401, "authentication_error"): {"auth"},
    ("anthropic", 404, "not_found_error"): {"not_found"},
    ("azure", 401, "401"): {"auth"},
    ("azure", 404, "invalid_request_error"): {"not_found"},  # DeploymentNotFound
    ("bedrock", 400, None): {"invalid_request"},
    ("bedrock", 400, "ValidationException"): {"not_found"},  # "The provided model identifier is invalid."
    ("bedrock", 403, "ExpiredTokenException"): {"auth"},
    ("cohere", 404, None): {"not_found"},
    ("deepseek", 400, "invalid_request_error"): {"invalid_request"},
    ("google-gla", 404, "NOT_FOUND"): {"not_found"},
    ("google-vertex", 400, "INVALID_ARGUMENT"): {"invalid_request"},
    ("google-vertex", 404, "NOT_FOUND"): {"not_found"},
    ("groq", 400, "invalid_request_error"): {"invalid_request"},
    ("groq", 404, "invalid_request_error"): {"not_found"},
    ("ollama", 404, None): {"not_found"},
    ("openai", 400, "invalid_request_error"): {"invalid_request", "unsupported_param"},  # "Unknown parameter: ..."
    ("openai", 401, "invalid_request_error"): {"auth"},
    ("openai", 404, "invalid_request_error"): {"not_found"},
    ("openrouter", 429, None): {"rate_limited"},
    ("voyageai", 400, None): {"invalid_request"},
    ("groq", 200, "invalid_request_error"): {"invalid_request"},  # inside a stream, with a status_code
    ("openrouter", 200, None): {"invalid_request"},  # inside a stream, with 400 as its code
}


@pytest.fixture(scope="module")
def error_replies(traffic):
    """Return the manifest's row, the decoded error and the body of every recorded error reply."""
    found = []
    for row in traffic.manifest:
        expected_by_index = {one["index"]: one for one in row["expected"] if one["status"] >= 400 or one["streaming"]}
        for index, entry in traffic.load(row["file"]) if expected_by_index else ():
            if index in expected_by_index:
                found += facts_of(traffic, expected_by_index[index], entry["response"])
    return found


def facts_of(traffic, expected, response):
    dialect = find_dialect(expected["api"])
    headers = tuple(traffic.headers_of(response))
    body = traffic.plain(traffic.body_of(response), headers)
    if expected["status"] >= 400:
        dialect = dialect or DIALECT_OF[expected["api"].partition(".")[0]].DIALECT
        return [(expected, dialect.decode_error(expected["status"], headers, body), body)]
    if dialect is None or b'"error"' not in body:
        return []
    decoder = dialect.stream_decoder()
    decoder.feed(body)
    return [(expected, decoder.error, body)] if decoder.error else []


def test_error_kinds_match_the_table(error_replies, record_property):
    """Each row of the table has a recorded error."""
    seen = {}
    for expected, facts, _ in error_replies:
        seen.setdefault((expected["provider"], expected["status"], facts.type), set()).add(facts.kind)
    record_property("counted recorded error replies with their kind", f"{len(error_replies)} of {len(error_replies)}")

    assert seen == KINDS
    assert len(error_replies) >= 46


def test_error_messages_are_the_providers_own(error_replies):
    """They have at most 2,000 characters."""
    for expected, facts, body in error_replies:
        plain = body.decode().encode().decode("unicode_escape", "replace")
        assert facts.message[:60] in plain or facts.message[:60] in body.decode(), expected
        assert len(facts.message) <= 2000

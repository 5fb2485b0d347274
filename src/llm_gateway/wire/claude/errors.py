"""Results that ``claude`` prints when the API returned an error or the model did not finish."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from llm_gateway.exceptions import ErrorKind
from llm_gateway.types import JsonObject
from llm_gateway.wire.claude.arguments import model_name

__all__ = ["TIMED_OUT", "api_error_result", "error_code", "error_text", "refusal_result", "token_limit_result"]

TIMED_OUT = "Request timed out"
_ADVICE = "This is a server-side issue, usually temporary — try again in a moment. If it persists, check your network."
_CODES: dict[ErrorKind, str] = {
    "auth": "authentication_failed",
    "permission": "authentication_failed",
    "quota_exhausted": "billing_error",
    "rate_limited": "rate_limit",
    "server": "server_error",
    "overloaded": "server_error",
    "timeout": "unknown",
    "connection": "unknown",
}
_LIMIT = (
    "API Error: Claude's response exceeded the {} output token maximum. To configure this behavior, set the "
    "CLAUDE_CODE_MAX_OUTPUT_TOKENS environment variable."
)
_REFUSAL = (
    "API Error: {} can't help with this. Start a new session to continue.\n\n"
    "Learn more: https://www.anthropic.com/legal/aup"
)


def api_error_result(text: str, status: int | None, **more: Any) -> JsonObject:
    """Return the fields of the result of a request that failed; *status* is None without a reply."""
    return {
        "is_error": True,
        "stop_reason": "stop_sequence",
        "terminal_reason": "prompt_too_long" if text.lower().startswith("prompt is too long") else "api_error",
        "api_error_status": status,
        **more,
        "result": text,
    }


def token_limit_result(limit: int) -> JsonObject:
    """Return the fields of the result of an answer that reached the output limit."""
    return api_error_result(_LIMIT.format(limit), None, api_error="max_output_tokens")


def refusal_result(model: str) -> JsonObject:
    """Return the fields of the result of a refusal by the model."""
    return {**api_error_result(_REFUSAL.format(model_name(model)), None), "stop_reason": "refusal"}


def error_text(status: int, message: str, model: str) -> str:
    """Return the text that the command shows for an error reply with *status* and *message*."""
    known = {
        400: message,
        401: "Invalid API key · Fix external API key",
        403: f"Failed to authenticate. API Error: 403 {message}",
        404: f"There's an issue with the selected model ({model}). It may not exist or you may not have access to it.",
        429: f"API Error: Request rejected (429) · {message}",
    }
    advice = f". {_ADVICE}" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else ""
    return known.get(status, f"API Error: {status} {message}{advice}")


def error_code(kind: ErrorKind) -> str:
    """Return the code for an error of *kind* in the event that replaces the answer."""
    return _CODES.get(kind, "invalid_request")

"""The use of a tool: hooks and permission of the host, its own tools, and what the model is told of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from llm_gateway.fakes.claude.state import Flow, HostRequest, Print, RunState
from llm_gateway.types import JsonObject, Tool, ToolCall, ToolResult
from llm_gateway.wire import claude_control as control
from llm_gateway.wire.anthropic import content_in

__all__ = ["Denied", "Interrupted", "list_host_tools", "use_tool"]


class Interrupted(Exception):  # noqa: N818  no error: the host wants the turn to end
    """The turn is to end."""


@dataclass(frozen=True, slots=True)
class Denied:
    """The tool may not be used, and why."""

    message: str


def use_tool(state: RunState, call: ToolCall) -> Flow:
    """Use the tool of *call* as the host allows it; comes to the `ToolResult`."""
    allowed = yield from _hooked(state, call)
    if not isinstance(allowed, Denied):
        call, is_settled = allowed
        allowed = call if is_settled else (yield from _permitted(state, call))
    if isinstance(allowed, Denied):
        state.denials.append({"tool_name": call.name, "tool_use_id": call.id, "tool_input": call.arguments})
        content, is_error = allowed.message, True
    else:
        content, is_error = yield from _run(state, allowed)
        yield from _told(state, "PostToolUse", allowed, {"tool_response": content})
    yield Print(_result(state, call, content, is_error=is_error, is_denied=isinstance(allowed, Denied)))
    text = content if isinstance(content, str) else "".join(getattr(part, "text", "") for part in content_in(content))
    return ToolResult(call.id, text, is_error)


def _result(state: RunState, call: ToolCall, content: Any, *, is_error: bool, is_denied: bool) -> JsonObject:
    told = {"tool_use_id": call.id, "type": "tool_result", "content": content}
    decision = {"decision": "reject" if is_denied else "accept", "source": "config"}
    return state.events.user(
        [{**told, "is_error": True} if is_error else told],
        tool_use_result=content,
        tool_result_meta=[{"id": call.id, "permission_decision": decision}],
    )


def _hooked(state: RunState, call: ToolCall) -> Flow:
    """What hooks make of a use: `Denied`, or the call and whether that settles it."""
    is_settled = False
    for answer in (yield from _told(state, "PreToolUse", call, {})):
        said = answer.get("hookSpecificOutput") or {}
        if answer.get("decision") == "block" or said.get("permissionDecision") == "deny":
            return Denied(str(said.get("permissionDecisionReason") or answer.get("reason") or "blocked by a hook"))
        if answer.get("continue") is False:
            raise Interrupted
        is_settled = is_settled or said.get("permissionDecision") == "allow"
        call = replace(call, arguments=said.get("updatedInput") or call.arguments)
    return call, is_settled


def _told(state: RunState, name: str, call: ToolCall, more: JsonObject) -> Flow:
    """Tell the hooks that wait for *name*; their answers."""
    answers: list[JsonObject] = []
    for callback in _callbacks(state.hooks.get(name) or (), call.name):
        asked = control.on_hook(callback, name, call, state.id, state.options.cwd, more)
        answers.append((yield HostRequest(asked)))
    return answers


def _callbacks(matchers: Any, tool: str) -> Iterator[str]:
    for matcher in matchers:
        pattern = matcher.get("matcher")
        if pattern in (None, "", "*") or re.fullmatch(pattern, tool):
            yield from matcher.get("hookCallbackIds") or ()


def _permitted(state: RunState, call: ToolCall) -> Flow:
    """Ask the host for permission where it wants to be asked: `Denied`, or the call as it is allowed."""
    options = state.options
    if not options.asks_for_permission or options.allows(call.name):
        return call
    if options.reports_state:
        yield Print(state.events.state("requires_action"))
    answer = yield HostRequest(control.may_use(call))
    if options.reports_state:
        yield Print(state.events.state("running"))
    if answer.get("behavior") == "allow":
        return replace(call, arguments=answer.get("updatedInput") or call.arguments)
    if answer.get("interrupt"):
        raise Interrupted
    return Denied(str(answer.get("message") or answer.get("error") or "the host did not allow it"))


def _run(state: RunState, call: ToolCall) -> Flow:
    """What the tool returns and whether it failed; tools of ``claude`` itself do nothing here."""
    for server in state.options.host_servers:
        if call.name.startswith(f"mcp__{server}__"):
            name = call.name.removeprefix(f"mcp__{server}__")
            result = yield from _message(server, control.calls_tool(state.rounds + 1, name, call))
            if "result" not in result:
                return str((result.get("error") or {}).get("message") or result), True
            return result["result"].get("content") or [], bool(result["result"].get("isError"))
    return f"fake_llm does not run tools of claude itself: {call.name} did nothing", False


def _message(server: str, message: JsonObject) -> Flow:
    """Send a message to a server of the host; its answer."""
    answer = yield HostRequest({"subtype": "mcp_message", "server_name": server, "message": message})
    return answer.get("mcp_response") or {"error": {"message": answer.get("error")}}


def list_host_tools(state: RunState) -> Flow:
    """Learn which tools the host has."""
    for server in state.options.host_servers:
        yield from _message(server, control.INITIALIZED)
        answer = yield from _message(server, control.lists_tools(1))
        for tool in (answer.get("result") or {}).get("tools") or ():
            schema = tool.get("inputSchema") or {}
            state.tools.append(Tool(f"mcp__{server}__{tool['name']}", tool.get("description") or "", schema))

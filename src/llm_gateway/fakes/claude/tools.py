"""The use of a tool: hooks and permission of the host, its MCP servers, and the result that the model gets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from llm_gateway.fakes.claude.state import Flow, HostRequest, Print, RunState
from llm_gateway.types import JsonObject, Tool, ToolCall, ToolResult
from llm_gateway.wire.anthropic import decode_content
from llm_gateway.wire.claude import control

__all__ = ["Denied", "Interrupted", "list_host_tools", "use_tool"]


class Interrupted(Exception):  # noqa: N818  no error: the host ends the turn
    """Raised to end the turn."""


@dataclass(frozen=True, slots=True)
class Denied:
    """A decision of the host against the use of a tool, with its reason."""

    message: str


def use_tool(state: RunState, call: ToolCall) -> Flow:
    """Use the tool of *call* if the host permits it; return the `ToolResult`."""
    allowed = yield from _run_pre_hooks(state, call)
    if not isinstance(allowed, Denied):
        call, is_settled = allowed
        allowed = call if is_settled else (yield from _request_permission(state, call))
    if isinstance(allowed, Denied):
        state.denials.append({"tool_name": call.name, "tool_use_id": call.id, "tool_input": call.arguments})
        content, is_error = allowed.message, True
    else:
        content, is_error = yield from _execute(state, allowed)
        yield from _run_hooks(state, "PostToolUse", allowed, {"tool_response": content})
    yield Print(_result(state, call, content, is_error=is_error, is_denied=isinstance(allowed, Denied)))
    text = (
        content if isinstance(content, str) else "".join(getattr(part, "text", "") for part in decode_content(content))
    )
    return ToolResult(call.id, text, is_error)


def _result(state: RunState, call: ToolCall, content: Any, *, is_error: bool, is_denied: bool) -> JsonObject:
    block = {"tool_use_id": call.id, "type": "tool_result", "content": content}
    decision = {"decision": "reject" if is_denied else "accept", "source": "config"}
    return state.events.user(
        [{**block, "is_error": True} if is_error else block],
        tool_use_result=content,
        tool_result_meta=[{"id": call.id, "permission_decision": decision}],
    )


def _run_pre_hooks(state: RunState, call: ToolCall) -> Flow:
    """Run the hooks before a use; return `Denied`, or the call and whether it needs no further permission."""
    is_settled = False
    for answer in (yield from _run_hooks(state, "PreToolUse", call, {})):
        output = answer.get("hookSpecificOutput") or {}
        if answer.get("decision") == "block" or output.get("permissionDecision") == "deny":
            return Denied(str(output.get("permissionDecisionReason") or answer.get("reason") or "blocked by a hook"))
        if answer.get("continue") is False:
            raise Interrupted
        is_settled = is_settled or output.get("permissionDecision") == "allow"
        call = replace(call, arguments=output.get("updatedInput") or call.arguments)
    return call, is_settled


def _run_hooks(state: RunState, name: str, call: ToolCall, more: JsonObject) -> Flow:
    """Run the hooks of the event *name*; return their answers."""
    answers: list[JsonObject] = []
    for callback in _callbacks(state.hooks.get(name) or (), call.name):
        request = control.on_hook(callback, name, call, state.id, state.options.cwd, more)
        answers.append((yield HostRequest(request)))
    return answers


def _callbacks(matchers: Any, tool: str) -> Iterator[str]:
    for matcher in matchers:
        pattern = matcher.get("matcher")
        if pattern in (None, "", "*") or re.fullmatch(pattern, tool):
            yield from matcher.get("hookCallbackIds") or ()


def _request_permission(state: RunState, call: ToolCall) -> Flow:
    """Request permission where the host decides; return `Denied`, or the call with the arguments that it permits."""
    options = state.options
    if not options.has_permission_prompts or options.allows(call.name):
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


def _execute(state: RunState, call: ToolCall) -> Flow:
    """Run a tool of the host; return its result and whether it failed. Tools of ``claude`` itself do nothing."""
    for server in state.options.host_servers:
        if call.name.startswith(f"mcp__{server}__"):
            name = call.name.removeprefix(f"mcp__{server}__")
            result = yield from _send_to_server(server, control.calls_tool(state.rounds + 1, name, call))
            if "result" not in result:
                return str((result.get("error") or {}).get("message") or result), True
            return result["result"].get("content") or [], bool(result["result"].get("isError"))
    return f"fake_llm does not run tools of claude itself: {call.name} did nothing", False


def _send_to_server(server: str, message: JsonObject) -> Flow:
    """Send *message* to an MCP server of the host; return its answer."""
    answer = yield HostRequest({"subtype": "mcp_message", "server_name": server, "message": message})
    return answer.get("mcp_response") or {"error": {"message": answer.get("error")}}


def list_host_tools(state: RunState) -> Flow:
    """Request the tools of the host, and add them to *state*."""
    for server in state.options.host_servers:
        yield from _send_to_server(server, control.INITIALIZED)
        answer = yield from _send_to_server(server, control.lists_tools(1))
        for tool in (answer.get("result") or {}).get("tools") or ():
            schema = tool.get("inputSchema") or {}
            state.tools.append(Tool(f"mcp__{server}__{tool['name']}", tool.get("description") or "", schema))

"""Messages of the control protocol between ``claude`` and its host, such as claude-agent-sdk."""

from __future__ import annotations

from collections.abc import Iterator

from llm_gateway.types import JsonObject, ToolCall
from llm_gateway.wire.claude.arguments import MODELS, VERSION, model_name

__all__ = ["HANDSHAKE", "INITIALIZED", "answered", "calls_tool", "initialized", "lists_tools", "may_use", "on_hook"]

HANDSHAKE: JsonObject = {
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "claude-code", "title": "Claude Code", "version": VERSION},
    },
    "jsonrpc": "2.0",
    "id": 0,
}
INITIALIZED: JsonObject = {"jsonrpc": "2.0", "method": "notifications/initialized"}


def lists_tools(identity: int) -> JsonObject:
    """Return the request that lists the tools of an MCP server of the host."""
    return {"method": "tools/list", "jsonrpc": "2.0", "id": identity}


def calls_tool(identity: int, name: str, call: ToolCall) -> JsonObject:
    """Return the request that runs tool *name* of an MCP server of the host."""
    more = {"claudecode/toolUseId": call.id, "progressToken": identity}
    params = {"name": name, "arguments": call.arguments, "_meta": more}
    return {"method": "tools/call", "params": params, "jsonrpc": "2.0", "id": identity}


def may_use(call: ToolCall) -> JsonObject:
    """Return the request for permission to use a tool."""
    rule = {"type": "addRules", "rules": [{"toolName": call.name}], "behavior": "allow", "destination": "localSettings"}
    return {
        "subtype": "can_use_tool",
        "tool_name": call.name,
        **_server(call),
        "display_name": call.name.rpartition("__")[2].title(),
        "input": call.arguments,
        "permission_suggestions": [rule],
        "server_policy_ask_only": True,
        "tool_use_id": call.id,
    }


def _server(call: ToolCall) -> JsonObject:
    """Return the MCP server of a tool; nothing for the command's own tools."""
    kind, _, rest = call.name.partition("__")
    return {"mcp_server": {"name": rest.partition("__")[0], "source": "sdk"}} if kind == "mcp" else {}


def on_hook(callback: str, name: str, call: ToolCall, session_id: str, cwd: str, more: JsonObject) -> JsonObject:
    """Return the request that runs a hook of the host for a tool call."""
    call_input = {
        "session_id": session_id,
        "transcript_path": "",
        "cwd": cwd,
        "prompt_id": session_id,
        "permission_mode": "default",
        "effort": {"level": "medium"},
        "hook_event_name": name,
        "tool_name": call.name,
        "tool_input": call.arguments,
        "tool_use_id": call.id,
        **_server(call),
        **more,
    }
    return {"subtype": "hook_callback", "callback_id": callback, "input": call_input, "tool_use_id": call.id}


def answered(request_id: object, response: JsonObject, **more: object) -> JsonObject:
    """Return the response to a request of the host."""
    body = {"subtype": "success", "request_id": request_id, "response": response, **more}
    return {"type": "control_response", "response": body}


def initialized(pid: int) -> JsonObject:
    """Return the response to ``initialize``, which describes the command to the host."""
    return {
        "commands": [],
        "agents": [],
        "output_style": "default",
        "available_output_styles": ["default"],
        "user_output_styles_dir": "",
        "models": list(_models()),
        "account": {"tokenSource": "none", "apiKeySource": "ANTHROPIC_API_KEY", "apiProvider": "firstParty"},
        "pid": pid,
        "claude_code_version": VERSION,
        "current_permission_mode": "default",
        "hook_on_failure_supported": True,
        "hooks_when_unanswered_kept": 0,
        "other_hook_ask_outranks_host": True,
        "feedback_mode": {"kind": "disabled"},
        "analytics_disabled": True,
        "remote_control_auto_enable": False,
        "remote_control_auto_connect_default": False,
        "remote_control_available": False,
        "remote_control_auto_on_by_default": False,
        "ide_rc_auto_enable_gate": False,
        "fast_mode_state": "off",
        "fast_mode_disabled_reason": "sdk_opt_in_required",
        "session_state": "idle",
        "capabilities": [],
    }


def _models() -> Iterator[JsonObject]:
    for short, model in MODELS.items():
        yield {
            "value": short,
            "resolvedModel": model,
            "displayName": short.title(),
            "description": model_name(model),
            "supportsEffort": True,
            "supportedEffortLevels": ["low", "medium", "high", "xhigh", "max"],
            "supportsAdaptiveThinking": True,
            "supportsAutoMode": True,
            "supportsThinkingOff": False,
        }

"""A host of ``claude``, like claude-agent-sdk: it has a tool and hooks, and decides on permissions."""

import json

from llm_gateway.types import ProcessRequest

SERVER = json.dumps({"mcpServers": {"srv": {"type": "sdk", "name": "srv"}}})
LINES = ("--output-format", "stream-json", "--verbose", "--model", "haiku")
HOSTED = (*LINES, "--input-format", "stream-json", "--permission-prompt-tool", "stdio", "--mcp-config", SERVER)
TOOL = "mcp__srv__lookup"
STATES = {"CLAUDE_CODE_SDK_READS_SESSION_STATE": "1"}


def printed(text):
    """Yield the events of an output in any format."""
    for line in text.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        yield from (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict))


class Host:
    """
    The other side of a run that *fake* answers.

    Attributes:
        requests: The requests of the run to the host, in order.

        answers: The answers of the host, by request; None is an error, and a missing one is no answer.
    """

    def __init__(self, fake, *argv, env=STATES):
        self.session = fake.start_process(ProcessRequest(("claude", *argv), env=env, cwd="/work"), self)
        self.requests, self.noted, self.failures = [], [], []
        self.answers = {
            "can_use_tool": {"behavior": "allow"},
            "hook_callback": {},
            "initialize": {},
            "notifications/initialized": {},
            "tools/list": {"tools": [{"name": "lookup", "inputSchema": {}}]},
            "tools/call": {"content": [{"type": "text", "text": "found"}]},
        }

    def note_answer(self, exchange):
        self.noted.append(exchange)

    def note_failure(self, error):
        self.failures.append(error)
        return error.report

    def plain(self, text="hi"):
        """Send all the input of a run that reads no JSON lines; return what it printed."""
        self.session.feed(text.encode())
        self.session.feed(b"")
        return self._output()

    def begin(self, **hooks):
        """Send the handshake; *hooks* has the tool matcher of a callback for each event."""
        made = {name: [{"matcher": matcher, "hookCallbackIds": ["hook_0"]}] for name, matcher in hooks.items()}
        return self.request("initialize", hooks=made)

    def request(self, subtype, **fields):
        return self.send({"type": "control_request", "request_id": "r1", "request": {"subtype": subtype, **fields}})

    def say(self, text="hi"):
        return self.send({"type": "user", "message": {"role": "user", "content": text}})

    def send(self, line):
        """Send *line*, answer the requests that follow, and return what was printed."""
        lines, found = [line], []
        while lines:
            self.session.feed(json.dumps(lines.pop(0)).encode() + b"\n")
            new = self._output()
            found += new
            lines += [one for event in new if event["type"] == "control_request" for one in self._answer(event)]
        return found

    def _output(self):
        return list(printed(b"".join(one.data for one in self.session.output() if one.channel == "stdout").decode()))

    def _answer(self, event):
        request = event["request"]
        message = request.get("message")
        what = message["method"] if message else request["subtype"]
        self.requests.append(request["input"]["hook_event_name"] if what == "hook_callback" else what)
        if what not in self.answers:
            return
        answer = self.answers[what]
        if message and answer is not None:
            answer = {"mcp_response": {"jsonrpc": "2.0", "id": message.get("id"), "result": answer}}
        how = {"subtype": "error", "error": "no such luck"} if answer is None else {"subtype": "success"}
        response = {**how, "request_id": event["request_id"], "response": answer}
        yield {"type": "control_response", "response": response}

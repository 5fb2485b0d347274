"""A host of ``claude`` as claude-agent-sdk is one: it has a tool and hooks, and is asked what may be used."""

import json

from llm_gateway.types import ProcessRequest

SERVER = json.dumps({"mcpServers": {"srv": {"type": "sdk", "name": "srv"}}})
LINES = ("--output-format", "stream-json", "--verbose", "--model", "haiku")
HOSTED = (*LINES, "--input-format", "stream-json", "--permission-prompt-tool", "stdio", "--mcp-config", SERVER)
TOOL = "mcp__srv__echo"
STATES = {"CLAUDE_CODE_SDK_READS_SESSION_STATE": "1"}


def printed(text):
    """The events of an output in any format."""
    for line in text.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        yield from (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict))


class Host:
    """
    Talks with a run that *fake* answers.

    Attributes:
        asked: What the run asked of the host, in order.

        answers: What the host answers, by what is asked; None for an error, and nothing at all where it is missing.
    """

    def __init__(self, fake, *argv, env=STATES):
        self.session = fake.start_process(ProcessRequest(("claude", *argv), env=env, cwd="/work"), self)
        self.asked, self.noted, self.failures = [], [], []
        self.answers = {
            "can_use_tool": {"behavior": "allow"},
            "hook_callback": {},
            "initialize": {},
            "notifications/initialized": {},
            "tools/list": {"tools": [{"name": "echo", "inputSchema": {}}]},
            "tools/call": {"content": [{"type": "text", "text": "said"}]},
        }

    def note_answer(self, exchange):
        self.noted.append(exchange)

    def note_failure(self, error):
        self.failures.append(error)
        return error.report

    def plain(self, text="hi"):
        """All the input of a run that is no conversation; what it printed."""
        self.session.feed(text.encode())
        self.session.feed(b"")
        return self._output()

    def begin(self, **hooks):
        """Shake hands; *hooks* names callbacks by what they wait for and the tools that they match."""
        made = {name: [{"matcher": matcher, "hookCallbackIds": ["hook_0"]}] for name, matcher in hooks.items()}
        return self.request("initialize", hooks=made)

    def request(self, subtype, **members):
        return self.send({"type": "control_request", "request_id": "r1", "request": {"subtype": subtype, **members}})

    def say(self, text="hi"):
        return self.send({"type": "user", "message": {"role": "user", "content": text}})

    def send(self, line):
        """Send *line*, and answer whatever is asked; what was printed."""
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
        self.asked.append(request["input"]["hook_event_name"] if what == "hook_callback" else what)
        if what not in self.answers:
            return
        answer = self.answers[what]
        if message and answer is not None:
            answer = {"mcp_response": {"jsonrpc": "2.0", "id": message.get("id"), "result": answer}}
        how = {"subtype": "error", "error": "no such luck"} if answer is None else {"subtype": "success"}
        response = {**how, "request_id": event["request_id"], "response": answer}
        yield {"type": "control_response", "response": response}

"""Nothing secret is written, and nothing else is touched."""

import gzip
import json

import pytest

from llm_gateway.exchange import Chunk, Frame, HttpExchange, ProcessExchange
from llm_gateway.redaction.scrub import Scrubber, find_secrets
from llm_gateway.types import WireReply, WireRequest

ANTHROPIC = "sk-ant-api03-" + "A1b2" * 12
JSON = (("content-type", "application/json"),)


def exchange(body=b"", *, headers=(), url="https://api.example.com/v1/x", **more):
    request = WireRequest("POST", url, (("authorization", "Bearer x"), *JSON), body)
    return HttpExchange(request, WireReply(200, tuple(headers), body), **more)


def test_headers_are_kept_by_name():
    """Credentials, cookies and organisation ids go; what replay and usage need stays, in its own spelling."""
    headers = [
        ("Set-Cookie", "a=b"),
        ("openai-organization", "org"),
        ("anthropic-organization-id", "org"),
        ("Retry-After", "3"),
        ("x-ratelimit-limit", "9"),
        ("X-Amzn-Bedrock-Input-Token-Count", "12"),
    ]
    clean = Scrubber({}).scrub(exchange(b"{}", headers=headers))

    assert clean.request.headers == JSON
    assert tuple(headers[3:]) == clean.reply.headers


def test_method_and_status_are_kept():
    """And text headers are no URLs, so that a name before an at sign stays."""
    headers = (("openai-model", "me@v1"), ("x-ratelimited", "1"))
    clean = Scrubber({}).scrub(exchange(b"{}", headers=headers))

    assert ("POST", 200) == (clean.request.method, clean.reply.status)
    assert (("openai-model", "me@v1"),) == clean.reply.headers


def test_text_with_lone_surrogates_is_scrubbed():
    """It comes from bytes that are no UTF-8, and is not changed otherwise."""
    assert "\udc80 [SECRET] \udcff" == Scrubber({}).text(f"\udc80 {ANTHROPIC} \udcff")


def test_the_given_exchange_is_not_changed():
    """The scrubbed exchange is a new object."""
    given = exchange(ANTHROPIC.encode(), headers=JSON)
    Scrubber({}, lambda own: setattr(own, "reason", "changed") or own).scrub(given)

    assert exchange(ANTHROPIC.encode(), headers=JSON) == given


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://h/v1?alt=sse&key=whatever&x=1", "https://h/v1?alt=sse&key=SECRET&x=1"),
        ("https://h/v1?API_KEY=a%20b&q=%7e", "https://h/v1?API_KEY=SECRET&q=%7e"),
        ("https://h/?X-Amz-Signature=ab&X-Amz-Date=1", "https://h/?X-Amz-Signature=SECRET&X-Amz-Date=1"),
        ("https://user:pass@h:8080/v1", "https://SECRET@h:8080/v1"),
        ("https://h/v1/models?page_token=abc&key=", "https://h/v1/models?page_token=abc&key="),
        (f"https://h/{ANTHROPIC}/x#f?", "https://h/[SECRET]/x#f?"),
        ("/relative?token=abc", "/relative?token=SECRET"),
        ("http://[::1]:80?sig=a", "http://[::1]:80?sig=SECRET"),
    ],
)
def test_urls_lose_their_credentials_and_nothing_else(url, expected):
    """Secret parameters, logins and tokens go; order and spelling of the rest stay."""
    assert expected == Scrubber({}).scrub(exchange(url=url)).request.url


def test_the_host_of_a_url_stays():
    """A recording that names another host could never be matched; the verification rejects such a file instead."""
    env = {"TENANT_SECRET": "abcdef-12345"}
    clean = Scrubber(env).scrub(exchange(url="https://abcdef-12345.example.com/abcdef-12345"))

    assert clean.request.url == "https://abcdef-12345.example.com/[TENANT_SECRET]"
    assert [finding.kind for finding in find_secrets(clean.request.url, env)] == ["value of TENANT_SECRET"]


def test_forms_are_treated_like_queries():
    """Token endpoints take their secrets in a form."""
    form = (("content-type", "application/x-www-form-urlencoded; charset=utf-8"),)
    request = WireRequest("POST", "https://h/token", form, b"grant_type=x&client_secret=zzz&assertion=abc&scope=a+b")

    clean = Scrubber({}).scrub_request(request)

    assert clean.body == b"grant_type=x&client_secret=SECRET&assertion=SECRET&scope=a+b"


def test_redirects_lose_their_credentials():
    """A signed URL in a reply is scrubbed like the request that would follow it."""
    clean = Scrubber({}).scrub(exchange(headers=[("Location", "https://h/file?sig=abc&se=1")]))

    assert clean.reply.headers == (("Location", "https://h/file?sig=SECRET&se=1"),)


def test_a_shorter_body_has_its_own_length():
    """The length that is written is that of the scrubbed body, in whatever case its name is."""
    body = json.dumps({"text": ANTHROPIC}).encode()
    clean = Scrubber({}).scrub(exchange(body, headers=[("Content-Length", str(len(body)))]))

    assert (("Content-Length", str(len(clean.reply.body))),) == clean.reply.headers
    assert clean.reply.body == b'{"text": "[SECRET]"}'


def test_a_length_that_is_not_the_body_s_own_stays():
    """The reply to HEAD announces a body that it does not have."""
    clean = Scrubber({}).scrub(exchange(b"", headers=[("content-length", "512")]))

    assert clean.reply.headers == (("content-length", "512"),)


def test_a_secret_across_chunks_is_removed_and_boundaries_stay_in_order():
    """The chunks before and after keep their bytes and times; one that lost every byte is dropped."""
    head, tail = b"data: ", b"\n\ndata: 2\n\n"
    body = head + ANTHROPIC.encode() + tail
    lengths = [len(head), 2, len(ANTHROPIC) - 6, 4, len(tail)]
    chunks = tuple(Chunk(length, at_s) for at_s, length in enumerate(lengths))
    clean = Scrubber({}).scrub(exchange(body, chunks=chunks))

    assert head + b"[SECRET]" + tail == clean.reply.body
    assert [(6, 0), (2, 1), (6, 2), (len(tail), 4)] == [(chunk.length, chunk.at_s) for chunk in clean.chunks]


def test_a_compressed_body_is_scrubbed_inside():
    """A body that another tool kept compressed is written plain when it holds a secret, and as it is when not."""
    headers = [("content-encoding", "gzip"), ("content-type", "text/plain")]
    secret, harmless = (gzip.compress(text.encode(), mtime=0) for text in (ANTHROPIC, "harmless"))
    clean = Scrubber({}).scrub(exchange(secret, headers=headers))
    same = Scrubber({}).scrub(exchange(harmless, headers=headers))

    assert (clean.reply.body, clean.reply.headers) == (b"[SECRET]", (("content-type", "text/plain"),))
    assert (harmless, tuple(headers)) == (same.reply.body, same.reply.headers)


def test_what_a_hook_changes_is_scrubbed_too():
    """The hook runs first, and chunk boundaries that no longer fit its body are dropped."""

    def extra(own):
        own.reply = WireReply(200, JSON, f"more {ANTHROPIC}".encode())
        return own

    clean = Scrubber({}, extra).scrub(exchange(b"old", chunks=(Chunk(1, 0.0), Chunk(2, 0.1))))

    assert clean.reply.body == b"more [SECRET]"
    assert clean.chunks == ()


def test_an_exchange_without_a_reply_is_scrubbed():
    """A transport error may quote the address that failed."""
    request = WireRequest("GET", "https://h/?key=abc")
    failed = HttpExchange(request, None, end="error", failure="connect", failure_text=f"no route with {ANTHROPIC}")
    clean = Scrubber({}).scrub(failed)

    assert clean.failure_text == "no route with [SECRET]"
    assert clean.request.url == "https://h/?key=SECRET"


def test_commands_are_scrubbed_in_arguments_and_frames():
    """A key on a command line, or in what the command printed, does not reach the file."""
    run = ProcessExchange(("claude", "--key", ANTHROPIC), (Frame("stdout", f"key {ANTHROPIC}\n".encode(), 0.1),))
    clean = Scrubber({}).scrub(run)

    assert clean.argv == ("claude", "--key", "[SECRET]")
    assert (Frame("stdout", b"key [SECRET]\n", 0.1),) == clean.frames


def test_a_secret_across_frames_of_one_channel_goes():
    """Frames of other channels in between do not hide it, and empty frames that were recorded stay."""
    first, second = ANTHROPIC[:20].encode(), ANTHROPIC[20:].encode()
    frames = (
        Frame("stdout", b"a " + first, 0.1),
        Frame("stderr", b"warning\n", 0.2),
        Frame("stdout", second + b" z\n", 0.3),
        Frame("stdin", b"", 0.4),
    )
    clean = Scrubber({}).scrub(ProcessExchange(("claude",), frames))

    assert clean.channel("stdout") == b"a [SECRET] z\n"
    assert [frames[1], frames[3]] == [frame for frame in clean.frames if frame.channel != "stdout"]


def test_scrubbing_twice_changes_nothing_more():
    """A file can be scrubbed again, and a request as recorded equals itself."""
    env = {"MY_API_KEY": "correct-horse/battery+staple"}
    body = json.dumps({"a": env["MY_API_KEY"], "b": ANTHROPIC, "password": "Tr0ub4dor&3"}).encode()
    once = Scrubber(env).scrub(exchange(body, url="https://u:p@h/?key=abc", headers=JSON))

    assert once == Scrubber(env).scrub(once)
    assert json.loads(once.reply.body) == {"a": "[MY_API_KEY]", "b": "[SECRET]", "password": "[SECRET]"}

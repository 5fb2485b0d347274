"""Addresses of Gemini and Vertex, and tokens of Google Cloud, fetched from a token endpoint on loopback."""

import asyncio
import http.server
import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt
from google.auth.transport.requests import Request
from google.oauth2 import service_account

from llm_gateway import LLMClient, SyncLLMClient
from llm_gateway.cassettes.modes import Mode
from llm_gateway.config import GatewayConfig, load
from llm_gateway.exceptions import ConfigError, MissingKeyError, ProviderError
from llm_gateway.interception.use_cassette import use_cassette
from llm_gateway.providers import gemini, vertex
from llm_gateway.providers.google_token import GoogleToken
from llm_gateway.pytest_plugin.environment import PLACEHOLDER, Placeholders, has_key
from llm_gateway.types import ChatReply, ChatRequest, LLMMessage, TextPart, TokenUsage, WireRequest
from llm_gateway.wire.gemini import DIALECT
from llm_gateway.wire.identify import identify

CHAT = ChatRequest("gemini-2.5-flash", (LLMMessage("user", (TextPart("hi"),)),))
CALL = WireRequest("POST", "https://aiplatform.googleapis.com/v1/x")
VARIABLES = (
    "GEMINI_API_KEY GOOGLE_API_KEY GOOGLE_OAUTH_ACCESS_TOKEN GOOGLE_APPLICATION_CREDENTIALS GOOGLE_CLOUD_PROJECT "
    "GOOGLE_CLOUD_LOCATION LLM_API_KEY LLM_BASE_URL LLM_PROJECT LLM_REGION"
)


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch, tmp_path):
    for name in VARIABLES.split():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud"))  # nor a login of the machine's own
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.chdir(tmp_path)


class Handler(http.server.BaseHTTPRequestHandler):
    """Handler that issues tokens under ``/token``, and answers as Vertex elsewhere."""

    def do_POST(self):
        raw = self.rfile.read(int(self.headers["content-length"]))
        if self.path != "/token":
            self.server.authorizations.append(self.headers["authorization"])
            reply = ChatReply((TextPart("HI"),), "gemini-2.5-flash", "r1", "end_turn", TokenUsage(3, 1))
            return self.send(200, DIALECT.encode_reply(reply))
        self.server.token_requests.append({name: values[0] for name, values in parse_qs(raw.decode()).items()})
        token = f"token-of-loopback-{len(self.server.token_requests)}"
        good = {"access_token": token, "expires_in": self.server.expires_in, "token_type": "Bearer"}
        return self.send(*(self.server.refusal or (200, good)))

    def send(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def google():
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.daemon_threads = True
    made.token_requests, made.authorizations, made.refusal, made.expires_in = [], [], None, 3600
    threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def account_of(key, token_uri):
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    who = {"client_email": "tests@my-project.iam.gserviceaccount.com", "project_id": "my-project"}
    return {"type": "service_account", "private_key": pem, "private_key_id": "1", "token_uri": token_uri, **who}


@pytest.fixture
def account(google, key, monkeypatch, tmp_path):
    """Write a service account whose token endpoint is on loopback to the file that google-auth reads."""
    made = account_of(key, f"http://127.0.0.1:{google.server_port}/token")
    (tmp_path / "account.json").write_text(json.dumps(made))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "account.json"))
    return made


def header_of(auth):
    return dict(auth.apply(CALL).headers)["authorization"]


@pytest.mark.parametrize(
    ("variable", "stream", "verb"),
    [
        ("GEMINI_API_KEY", False, ":generateContent"),
        ("GOOGLE_API_KEY", True, ":streamGenerateContent?alt=sse"),
    ],
)
def test_gemini_requests_have_its_url_and_the_api_key(variable, stream, verb, monkeypatch):
    """The key comes from either variable that Google's SDK reads; model and method are in the URL."""
    monkeypatch.setenv(variable, "my-key")
    made = gemini.provider(GatewayConfig())
    request = made.auth.apply(made.request(ChatRequest(CHAT.model, CHAT.messages, stream=stream)))

    assert f"https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash{verb}" == request.url
    assert ("x-goog-api-key", "my-key") in request.headers
    assert ("gemini", "gemini.generate", "gemini-2.5-flash") == (
        (endpoint := identify("POST", request.url)).provider,
        endpoint.api,
        endpoint.model,
    )


@pytest.mark.parametrize(
    ("region", "place"),
    [
        (None, "aiplatform.googleapis.com/v1/projects/mine/locations/global"),
        ("europe-west4", "europe-west4-aiplatform.googleapis.com/v1/projects/mine/locations/europe-west4"),
        ("eu", "aiplatform.eu.rep.googleapis.com/v1/projects/mine/locations/eu"),
    ],
)
@pytest.mark.parametrize("names", [("LLM_PROJECT", "LLM_REGION"), ("GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION")])
def test_vertex_requests_have_project_and_region_in_their_url(names, region, place, monkeypatch):
    """From our variables or the SDK's; the provider is identified by the URL."""
    monkeypatch.setenv(names[0], "mine")
    if region:
        monkeypatch.setenv(names[1], region)
    made = vertex.provider(GatewayConfig(api_key="my-token"))
    request = made.auth.apply(made.request(CHAT))

    assert f"https://{place}/publishers/google/models/gemini-2.5-flash:generateContent" == request.url
    assert ("authorization", "Bearer my-token") in request.headers
    assert ("vertex", "gemini.generate") == (identify("POST", request.url).provider, identify("POST", request.url).api)


def test_a_missing_project_is_an_error_with_the_variable_to_set():
    """It cannot be guessed without reading credentials."""
    with pytest.raises(ConfigError) as caught:
        vertex.provider(GatewayConfig(api_key="t"))
    assert (
        "no project for 'vertex'\n"
        "  neither GOOGLE_CLOUD_PROJECT nor LLM_PROJECT is set, in the environment or in .env\n"
        "  export GOOGLE_CLOUD_PROJECT=..."
    ) == str(caught.value)


def test_a_service_account_fetches_a_token_and_caches_it(google, account, key):
    """The token request is signed by the account's key and sent once; later calls need not wait."""
    auth = GoogleToken(5)
    assert auth.may_wait
    assert ["Bearer token-of-loopback-1"] * 2 == [header_of(auth), header_of(auth)]
    assert not auth.may_wait

    (token_request,) = google.token_requests
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    claims = jwt.decode(token_request["assertion"], certs=public, audience="https://oauth2.googleapis.com/token")
    assert "urn:ietf:params:oauth:grant-type:jwt-bearer" == token_request["grant_type"]
    assert (account["client_email"], "https://www.googleapis.com/auth/cloud-platform") == (
        claims["iss"],
        claims["scope"],
    )


def test_concurrent_threads_fetch_one_token(google, account):
    """The first one sends the token request, the others wait for it."""
    auth = GoogleToken(5)
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: header_of(auth), range(32)))
    assert {"Bearer token-of-loopback-1"} == found
    assert 1 == len(google.token_requests)


def test_a_token_is_renewed_minutes_before_it_expires(google, account):
    """It must still be valid when the call arrives."""
    google.expires_in = 120
    auth = GoogleToken(5)
    assert ["Bearer token-of-loopback-1", "Bearer token-of-loopback-2"] == [header_of(auth), header_of(auth)]
    assert auth.may_wait

    google.expires_in = 3600
    header_of(auth)
    assert not auth.may_wait
    in_an_hour = datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=1)
    assert abs(auth._credentials.expiry - in_an_hour) < timedelta(minutes=1)


def test_the_quota_project_of_a_login_is_sent(tmp_path):
    """As ``gcloud auth application-default login`` writes it; a replay answers the token request."""
    login = {"type": "authorized_user", "client_id": "id", "client_secret": "s", "refresh_token": "r"}
    (tmp_path / "gcloud").mkdir()
    file = tmp_path / "gcloud" / "application_default_credentials.json"
    file.write_text(json.dumps({**login, "quota_project_id": "billed"}))
    with use_cassette(tmp_path / "none.yaml"):
        headers = dict(GoogleToken(5).apply(CALL).headers)

    assert (f"Bearer {PLACEHOLDER}", "billed") == (headers["authorization"], headers["x-goog-user-project"])


def test_missing_credentials_are_an_error_with_the_commands_to_get_some():
    """Either command is enough."""
    with pytest.raises(MissingKeyError) as caught:
        GoogleToken(5).apply(CALL)
    message = str(caught.value)
    assert message.startswith("no credentials for 'vertex'\n  Your default credentials were not found.")
    assert message.endswith(
        "  gcloud auth application-default login\n  or export GOOGLE_APPLICATION_CREDENTIALS=/path/to/service-account.json"
    )


@pytest.mark.parametrize("text", ["{}", "no JSON", '{"type": "service_account"}'])
def test_a_file_without_valid_credentials_is_named(text, monkeypatch, tmp_path):
    """The error has google-auth's message."""
    (tmp_path / "account.json").write_text(text)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "account.json"))
    with pytest.raises(MissingKeyError, match=r"account\.json"):
        GoogleToken(5).apply(CALL)


@pytest.mark.parametrize("client_class", [SyncLLMClient, LLMClient])
def test_rejected_credentials_fail_the_call(client_class, google, account):
    """The token request is not retried, and the error holds no secret."""
    google.refusal = (400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
    with pytest.raises(ProviderError) as caught:
        chat(client_class, google)
    assert (
        "Google gives no token for the credentials of 'vertex'\n"
        "  invalid_grant: Invalid JWT Signature.\n"
        "  check GOOGLE_APPLICATION_CREDENTIALS, or log in again: gcloud auth application-default login"
    ) == str(caught.value)
    assert ("auth", 1) == (caught.value.kind, len(google.token_requests))


def test_an_unreachable_token_endpoint_is_a_retryable_error(key, monkeypatch, tmp_path):
    """As for any other connection."""
    (tmp_path / "account.json").write_text(json.dumps(account_of(key, "http://127.0.0.1:9/token")))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "account.json"))
    with pytest.raises(ProviderError, match="cannot reach Google for a token") as caught:
        GoogleToken(5).apply(CALL)
    assert ("connection", True) == (caught.value.kind, caught.value.is_retryable)


def chat(client_class, google, **settings):
    config = load(provider="vertex", project="mine", base_url=f"http://127.0.0.1:{google.server_port}", **settings)
    if client_class is SyncLLMClient:
        with SyncLLMClient(config) as client:
            return client.chat("hi")

    async def call():
        async with LLMClient(config) as client:
            return await client.chat("hi")

    return asyncio.run(call())


@pytest.mark.parametrize("client_class", [SyncLLMClient, LLMClient])
def test_a_recorded_call_needs_no_credentials_to_replay(client_class, google, account, monkeypatch, tmp_path):
    """The token is fetched while recording, is not written to the cassette, and is not fetched in the replay."""
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        assert "HI" == chat(client_class, google).content
    written = (tmp_path / "a.yaml").read_text()
    assert ["Bearer token-of-loopback-1"] == google.authorizations
    assert 1 == written.count("uri:")
    assert not [
        word
        for word in ("token-of-loopback", "assertion", "authorization", account["private_key"][30:60])
        if word in written
    ]

    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", PLACEHOLDER)
    with use_cassette(tmp_path / "a.yaml"):
        response = chat(client_class, google)
    assert ("HI", 4) == (response.content, response.usage.total_tokens)
    assert (1, 1) == (len(google.token_requests), len(google.authorizations))


def test_a_suite_recorded_with_a_service_account_replays_without_one(google, account, pytester, monkeypatch):
    """With the pytest fixtures, and after the server has been closed."""
    pytester.makepyfile("def test_it(llm):\n    assert 'HI' == llm.chat('hi').content\n")
    monkeypatch.setenv("LLM_MODEL", "vertex:gemini-2.5-flash")
    monkeypatch.setenv("LLM_PROJECT", "mine")
    monkeypatch.setenv("LLM_BASE_URL", f"http://127.0.0.1:{google.server_port}")
    recorded = pytester.runpytest_subprocess("--llm-record")
    recorded.assert_outcomes(passed=1)
    google.shutdown()
    google.server_close()
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    replayed = pytester.runpytest_subprocess()

    replayed.assert_outcomes(passed=1)
    replayed.stdout.re_match_lines([r"\s*(replay|replayed)\b.*1 call.*"])
    assert (1, 1) == (len(google.token_requests), len(google.authorizations))


def test_placeholder_keys_include_an_access_token():
    """A service account counts as a key to record with."""
    environ = {}
    Placeholders(environ).set()
    assert PLACEHOLDER == environ["GOOGLE_OAUTH_ACCESS_TOKEN"]
    assert has_key({"GOOGLE_APPLICATION_CREDENTIALS": "account.json"})
    assert not has_key({})


def credentials(key, token_uri):
    return service_account.Credentials.from_service_account_info(account_of(key, token_uri), scopes=["x"])


def test_token_requests_of_google_auth_itself_are_not_recorded(google, key, tmp_path):
    """They are sent while recording, and a replay answers them with a placeholder that grants no access."""
    # Loopback by a name that is not recognised as local: requests to local servers are never intercepted.
    mine = credentials(key, f"http://2130706433:{google.server_port}/token")
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        mine.refresh(Request())
    assert "token-of-loopback-1" == mine.token
    assert not (tmp_path / "a.yaml").exists()

    elsewhere = credentials(key, "https://oauth2.googleapis.com/token")
    with use_cassette(tmp_path / "a.yaml"):
        elsewhere.refresh(Request())
    assert PLACEHOLDER == elsewhere.token
    assert 1 == len(google.token_requests)


@pytest.mark.parametrize("name", ["google.auth", "requests"])
def test_a_missing_extra_is_named(name, monkeypatch):
    """The error comes before any call; a token from a variable needs no extra."""
    found = sys.modules["importlib.util"].find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda wanted: None if wanted == name else found(wanted))
    with pytest.raises(ConfigError) as caught:
        vertex.provider(GatewayConfig(project="mine"))
    assert (
        f"'vertex' cannot get a token: {name!r} is not installed\n"
        "  tokens of Google Cloud come from google-auth\n"
        "  pip install 'pytest-llm-gateway[vertex]'"
    ) == str(caught.value)
    assert "vertex" == vertex.provider(GatewayConfig(project="mine", api_key="t")).name


def test_neither_provider_imports_an_sdk():
    """Nor google-auth, if a token is set."""
    code = (
        "import sys; from llm_gateway import SyncLLMClient, GatewayConfig\n"
        "for name in ('gemini', 'vertex'):\n"
        "    SyncLLMClient(GatewayConfig(provider=name, api_key='k', project='mine'))\n"
        "print([name for name in sys.modules if name.startswith(('google', 'requests'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]" == done.stdout.strip()

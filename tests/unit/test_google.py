"""Where Gemini and Vertex are called, and how tokens of Google Cloud are had, from a real endpoint on loopback."""

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
    """Gives tokens under ``/token``, and answers as Vertex elsewhere."""

    def do_POST(self):
        raw = self.rfile.read(int(self.headers["content-length"]))
        if self.path != "/token":
            self.server.called.append(self.headers["authorization"])
            reply = ChatReply((TextPart("HI"),), "gemini-2.5-flash", "r1", "end_turn", TokenUsage(3, 1))
            return self.send(200, DIALECT.encode_reply(reply))
        self.server.asked.append({name: values[0] for name, values in parse_qs(raw.decode()).items()})
        token = f"token-of-loopback-{len(self.server.asked)}"
        good = {"access_token": token, "expires_in": self.server.expires_in, "token_type": "Bearer"}
        return self.send(*(self.server.refusal or (200, good)))

    def send(self, status, told):
        body = json.dumps(told).encode()
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
    made.asked, made.called, made.refusal, made.expires_in = [], [], None, 3600
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
    """A service account whose tokens come from loopback; the file is where google-auth looks."""
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
def test_gemini_is_called_at_its_address_with_a_key(variable, stream, verb, monkeypatch):
    """Either of the variables that its own SDK reads; the model and the verb stand in the address."""
    monkeypatch.setenv(variable, "my-key")
    made = gemini.provider(GatewayConfig())
    asked = made.auth.apply(made.request(ChatRequest(CHAT.model, CHAT.messages, stream=stream)))

    assert f"https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash{verb}" == asked.url
    assert ("x-goog-api-key", "my-key") in asked.headers
    assert ("gemini", "gemini.generate", "gemini-2.5-flash") == (
        (told := identify("POST", asked.url)).provider,
        told.api,
        told.model,
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
def test_vertex_is_called_in_its_project_and_region(names, region, place, monkeypatch):
    """By our variables or by those of the SDK; a recording knows whom it was made with."""
    monkeypatch.setenv(names[0], "mine")
    if region:
        monkeypatch.setenv(names[1], region)
    made = vertex.provider(GatewayConfig(api_key="my-token"))
    asked = made.auth.apply(made.request(CHAT))

    assert f"https://{place}/publishers/google/models/gemini-2.5-flash:generateContent" == asked.url
    assert ("authorization", "Bearer my-token") in asked.headers
    assert ("vertex", "gemini.generate") == (identify("POST", asked.url).provider, identify("POST", asked.url).api)


def test_without_a_project_it_says_what_to_set():
    """There is none that could be guessed without reading credentials."""
    with pytest.raises(ConfigError) as caught:
        vertex.provider(GatewayConfig(api_key="t"))
    assert (
        "no project for 'vertex'\n"
        "  neither GOOGLE_CLOUD_PROJECT nor LLM_PROJECT is set, in the environment or in .env\n"
        "  export GOOGLE_CLOUD_PROJECT=..."
    ) == str(caught.value)


def test_a_service_account_gets_a_token_and_keeps_it(google, account, key):
    """It is signed by the account's key, asked for once, and is not waited for afterwards."""
    auth = GoogleToken(5)
    assert auth.may_wait
    assert ["Bearer token-of-loopback-1"] * 2 == [header_of(auth), header_of(auth)]
    assert not auth.may_wait

    (asked,) = google.asked
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    claims = jwt.decode(asked["assertion"], certs=public, audience="https://oauth2.googleapis.com/token")
    assert "urn:ietf:params:oauth:grant-type:jwt-bearer" == asked["grant_type"]
    assert (account["client_email"], "https://www.googleapis.com/auth/cloud-platform") == (
        claims["iss"],
        claims["scope"],
    )


def test_threads_share_one_token(google, account):
    """The first one asks, the others wait for it."""
    auth = GoogleToken(5)
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: header_of(auth), range(32)))
    assert {"Bearer token-of-loopback-1"} == found
    assert 1 == len(google.asked)


def test_a_token_is_fetched_again_shortly_before_it_expires(google, account):
    """Minutes before: it has to last until the call arrives."""
    google.expires_in = 120
    auth = GoogleToken(5)
    assert ["Bearer token-of-loopback-1", "Bearer token-of-loopback-2"] == [header_of(auth), header_of(auth)]
    assert auth.may_wait

    google.expires_in = 3600
    header_of(auth)
    assert not auth.may_wait
    in_an_hour = datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=1)
    assert abs(auth._credentials.expiry - in_an_hour) < timedelta(minutes=1)


def test_a_login_that_says_whom_to_bill_goes_along(tmp_path):
    """As ``gcloud auth application-default login`` writes it; a replay answers for Google's own endpoint."""
    login = {"type": "authorized_user", "client_id": "id", "client_secret": "s", "refresh_token": "r"}
    (tmp_path / "gcloud").mkdir()
    file = tmp_path / "gcloud" / "application_default_credentials.json"
    file.write_text(json.dumps({**login, "quota_project_id": "billed"}))
    with use_cassette(tmp_path / "none.yaml"):
        headers = dict(GoogleToken(5).apply(CALL).headers)

    assert (f"Bearer {PLACEHOLDER}", "billed") == (headers["authorization"], headers["x-goog-user-project"])


def test_without_credentials_it_says_how_to_get_some():
    """Either command."""
    with pytest.raises(MissingKeyError) as caught:
        GoogleToken(5).apply(CALL)
    told = str(caught.value)
    assert told.startswith("no credentials for 'vertex'\n  Your default credentials were not found.")
    assert told.endswith(
        "  gcloud auth application-default login\n  or export GOOGLE_APPLICATION_CREDENTIALS=/path/to/service-account.json"
    )


@pytest.mark.parametrize("text", ["{}", "no JSON", '{"type": "service_account"}'])
def test_a_file_that_holds_no_credentials_is_named(text, monkeypatch, tmp_path):
    """By google-auth's own words."""
    (tmp_path / "account.json").write_text(text)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "account.json"))
    with pytest.raises(MissingKeyError, match=r"account\.json"):
        GoogleToken(5).apply(CALL)


@pytest.mark.parametrize("colour", [SyncLLMClient, LLMClient])
def test_refused_credentials_are_an_error_of_the_call(colour, google, account):
    """It is not tried again, and holds no secret."""
    google.refusal = (400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
    with pytest.raises(ProviderError) as caught:
        chat(colour, google)
    assert (
        "Google gives no token for the credentials of 'vertex'\n"
        "  invalid_grant: Invalid JWT Signature.\n"
        "  check GOOGLE_APPLICATION_CREDENTIALS, or log in again: gcloud auth application-default login"
    ) == str(caught.value)
    assert ("auth", 1) == (caught.value.kind, len(google.asked))


def test_a_token_endpoint_that_is_away_may_be_tried_again(key, monkeypatch, tmp_path):
    """As any other connection."""
    (tmp_path / "account.json").write_text(json.dumps(account_of(key, "http://127.0.0.1:9/token")))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "account.json"))
    with pytest.raises(ProviderError, match="cannot reach Google for a token") as caught:
        GoogleToken(5).apply(CALL)
    assert ("connection", True) == (caught.value.kind, caught.value.is_retryable)


def chat(colour, google, **settings):
    config = load(provider="vertex", project="mine", base_url=f"http://127.0.0.1:{google.server_port}", **settings)
    if colour is SyncLLMClient:
        with SyncLLMClient(config) as client:
            return client.chat("hi")

    async def ask():
        async with LLMClient(config) as client:
            return await client.chat("hi")

    return asyncio.run(ask())


@pytest.mark.parametrize("colour", [SyncLLMClient, LLMClient])
def test_a_recorded_call_needs_no_credentials_to_replay(colour, google, account, monkeypatch, tmp_path):
    """The token is fetched while it is recorded, is not in the file, and is not asked for again."""
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        assert "HI" == chat(colour, google).content
    written = (tmp_path / "a.yaml").read_text()
    assert ["Bearer token-of-loopback-1"] == google.called
    assert 1 == written.count("uri:")
    assert not [
        word
        for word in ("token-of-loopback", "assertion", "authorization", account["private_key"][30:60])
        if word in written
    ]

    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", PLACEHOLDER)
    with use_cassette(tmp_path / "a.yaml"):
        response = chat(colour, google)
    assert ("HI", 4) == (response.content, response.usage.total_tokens)
    assert (1, 1) == (len(google.asked), len(google.called))


def test_a_suite_recorded_with_a_service_account_replays_without_one(google, account, pytester, monkeypatch):
    """With the fixtures, and with nobody there to answer."""
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
    assert (1, 1) == (len(google.asked), len(google.called))


def test_placeholders_hold_a_token():
    """And a service account counts as something to record with."""
    environ = {}
    Placeholders(environ).set()
    assert PLACEHOLDER == environ["GOOGLE_OAUTH_ACCESS_TOKEN"]
    assert has_key({"GOOGLE_APPLICATION_CREDENTIALS": "account.json"})
    assert not has_key({})


def credentials(key, token_uri):
    return service_account.Credentials.from_service_account_info(account_of(key, token_uri), scopes=["x"])


def test_tokens_of_anyones_sdk_are_not_recorded_and_not_missed(google, key, tmp_path):
    """google-auth on its own: recording lets it through, and a replay hands it a token that opens nothing."""
    # Loopback by a name that no one takes for it: what is local is left alone anyway.
    mine = credentials(key, f"http://2130706433:{google.server_port}/token")
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        mine.refresh(Request())
    assert "token-of-loopback-1" == mine.token
    assert not (tmp_path / "a.yaml").exists()

    elsewhere = credentials(key, "https://oauth2.googleapis.com/token")
    with use_cassette(tmp_path / "a.yaml"):
        elsewhere.refresh(Request())
    assert PLACEHOLDER == elsewhere.token
    assert 1 == len(google.asked)


@pytest.mark.parametrize("name", ["google.auth", "requests"])
def test_the_extra_is_named_where_it_is_missing(name, monkeypatch):
    """Before anything is called; a token that is set needs none."""
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
    """Nor google-auth, where a token is set."""
    code = (
        "import sys; from llm_gateway import SyncLLMClient, GatewayConfig\n"
        "for name in ('gemini', 'vertex'):\n"
        "    SyncLLMClient(GatewayConfig(provider=name, api_key='k', project='mine'))\n"
        "print([name for name in sys.modules if name.startswith(('google', 'requests'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]" == done.stdout.strip()

"""
A server on loopback that answers for the model providers under their own host names.

Clients reach it as a proxy: ``HTTPS_PROXY`` points at it, it ends the TLS of each tunnel itself with a certificate
that the clients are made to trust, and answers from `stub_replies`. So the SDKs keep their own base addresses, and
what is recorded needs no rewriting.
"""

import contextlib
import datetime as dt
import http.server
import os
import ssl
import tempfile
import threading
import time
from pathlib import Path
from unittest import mock

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from stub_replies import reply_to

HOSTS = (
    "api-inference.together.ai",
    "api.anthropic.com",
    "api.cohere.com",
    "api.groq.com",
    "api.mistral.ai",
    "api.openai.com",
    "bedrock-runtime.us-east-1.amazonaws.com",
    "generativelanguage.googleapis.com",
)
PAUSE_S = 0.005
"""Between two chunks of a stream, so that a client reads them one by one."""


@contextlib.contextmanager
def serving():
    """Answer every call to one of `HOSTS`, and every plain HTTP call, made inside the block."""
    with tempfile.TemporaryDirectory() as folder:
        files = write_certificate(Path(folder))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
        server = Server(("127.0.0.1", 0), Handler)
        server.context, server.bodies = context, set()
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            with mock.patch.dict(os.environ, variables(server.server_port, files[0])):
                yield
        finally:
            server.shutdown()
            server.server_close()


def variables(port, certificate):
    """Return the environment in which HTTP clients use the server as their proxy and trust its certificate."""
    proxy = f"http://127.0.0.1:{port}"
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), proxy)
    trust = {name: str(certificate) for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE")}
    return {**proxies, **trust, "no_proxy": "", "NO_PROXY": ""}


def write_certificate(folder):
    """Write a certificate for `HOSTS` that signs itself, and its key; return both files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stub provider")])
    now = dt.datetime.now(dt.UTC)
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in HOSTS]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Ignore clients that hang up before they have read all."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    host = ""

    def do_CONNECT(self):
        self.send_response(200)
        self.end_headers()
        self.host = self.path.partition(":")[0]
        self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.close_connection = False  # http.client before 3.12 opens its tunnels by HTTP/1.0

    def finish(self):
        for one in (self.wfile, self.rfile, self.connection):
            one.close()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0)) or self.read_chunked()
        path = self.path if self.host else "/" + self.path.split("/", 3)[3]
        is_first = body not in self.server.bodies
        self.server.bodies.add(body)
        status, headers, chunks = reply_to(self.host, path.partition("?")[0], body, is_first=is_first)
        is_stream = len(chunks) > 1
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header(*(("transfer-encoding", "chunked") if is_stream else ("content-length", str(len(chunks[0])))))
        self.end_headers()
        for chunk in chunks:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk) if is_stream else chunk)
            time.sleep(PAUSE_S)
        if is_stream:
            self.wfile.write(b"0\r\n\r\n")

    def read_chunked(self):
        """Return the body of a request that was sent in chunks; empty where there is none."""
        body = b""
        while "chunked" in self.headers.get("transfer-encoding", "") and (size := int(self.rfile.readline(), 16)):
            body += self.rfile.read(size)
            self.rfile.readline()
        return body

    def log_message(self, *args):
        pass

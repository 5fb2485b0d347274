"""Bedrock under the plugin: recorded with AWS credentials, replayed without."""

CONVERSE = {
    "output": {"message": {"role": "assistant", "content": [{"text": "pong"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 12, "outputTokens": 3, "totalTokens": 15},
    "metrics": {"latencyMs": 1},
}
NAMES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
VALUES = ("AKIAIOSFODNN7SAMPLE1", "wJalrXUtnFEMIK7MDENGbPxRfiCYsamplekey12", "IQoJb3JpZ2luX2VjEsample0123456789abcdef")


def test_a_client_replays_without_credentials(project, provider, monkeypatch):
    """A replay signs with placeholder keys; neither keys nor signatures are in the cassette."""
    provider.reply = CONVERSE
    for name in ("AWS_PROFILE", "AWS_BEARER_TOKEN_BEDROCK", "LLM_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in zip(NAMES, VALUES, strict=True):
        monkeypatch.setenv(name, value)
    for name, value in {"AWS_REGION": "us-east-1", "LLM_BASE_URL": provider.url}.items():
        monkeypatch.setenv(name, value)
    project.makepyfile(
        """
        def test_greets(llm):
            reply = llm.chat("ping")
            assert (reply.content, reply.usage.total_tokens) == ("pong", 15)

        async def test_greets_later(llm):
            assert (await llm.chat("ping")).content == "pong"
        """
    )
    project.makeini("[pytest]\nasyncio_mode = auto\nllm_model = bedrock:amazon.nova-micro-v1:0\n")
    project.runpytest_subprocess("--llm-record").assert_outcomes(passed=2)
    assert 2 == len(provider.requests)

    for name in NAMES:
        monkeypatch.delenv(name)
    project.runpytest_subprocess().assert_outcomes(passed=2)
    assert 2 == len(provider.requests)
    files = [file.read_text() for file in project.path.rglob("*.yaml")]
    assert 2 == len(files)
    assert [] == [word for word in (*VALUES, "AWS4-HMAC", "Signature", "X-Amz-Date") if word in "".join(files)]
    assert all("/model/amazon.nova-micro-v1%3A0/converse" in text for text in files)

"""The two functions of ``litellm.Router`` by the openai SDK, whose objects and errors litellm's are made after."""

import openai


class Router:
    """A router to one address, closed by a sync or an async context."""

    def __init__(self, url):
        self._known = {"api_key": "k", "base_url": url, "max_retries": 0}
        self._sync = self._async = None

    def completion(self, **options):
        self._sync = self._sync or openai.OpenAI(**self._known)
        return self._sync.chat.completions.create(**options)

    async def acompletion(self, **options):
        self._async = self._async or openai.AsyncOpenAI(**self._known)
        return await self._async.chat.completions.create(**options)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self._sync is not None:
            self._sync.close()

    async def __aenter__(self):
        return self

    async def __aexit__(self, *error):
        if self._async is not None:
            await self._async.close()

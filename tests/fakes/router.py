"""The two functions of ``litellm.Router`` by the openai SDK, whose objects and errors litellm's are made after."""

import openai


class Router:
    """A router to one address; it is closed by the context of its colour."""

    def __init__(self, url):
        self._known = {"api_key": "k", "base_url": url, "max_retries": 0}
        self._sync = self._async = None

    def completion(self, **asked):
        self._sync = self._sync or openai.OpenAI(**self._known)
        return self._sync.chat.completions.create(**asked)

    async def acompletion(self, **asked):
        self._async = self._async or openai.AsyncOpenAI(**self._known)
        return await self._async.chat.completions.create(**asked)

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

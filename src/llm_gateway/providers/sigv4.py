"""Requests signed for AWS by botocore, with credentials from its chain: variables, profile, SSO, role, instance."""

from __future__ import annotations

import dataclasses
import threading
from typing import Any

from llm_gateway.exceptions import ConfigError, MissingKeyError
from llm_gateway.types import WireRequest

__all__ = ["SigV4", "region_of"]

_SIGNED = frozenset({"content-type"})
"""Headers that are signed in addition to host and date, as by botocore; a proxy may change the others."""


class SigV4:
    """
    An authentication by signature version 4.

    Args:
        service: Name of the service in signatures.

        region: Region of the service.

        keys: Access key, secret key and session token; None lets botocore find them at the first request.

        profile: Profile in AWS's configuration files; None is the default one.

    Raises:
        ConfigError: botocore is not installed.
    """

    def __init__(
        self, service: str, region: str, keys: tuple[str, str, str | None] | None = None, profile: str | None = None
    ) -> None:
        self._service, self._region = service, region
        self._session = _session(None if keys else profile)
        if keys:
            self._session.set_credentials(*keys)
        self.may_wait = keys is None
        self._lock = threading.Lock()

    def apply(self, request: WireRequest) -> WireRequest:
        """
        Return *request* with its signature.

        Raises:
            MissingKeyError: There are no credentials; the error lists where they are searched.

            ConfigError: The credentials cannot be used.
        """
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        signed = {name: value for name, value in request.headers if name.lower() in _SIGNED}
        aws_request: Any = AWSRequest(request.method, request.url, headers=signed, data=request.body)
        SigV4Auth(self._credentials(), self._service, self._region).add_auth(aws_request)
        proof = tuple((name, value) for name, value in aws_request.headers.items() if name not in signed)
        return dataclasses.replace(request, headers=(*request.headers, *proof))

    def _credentials(self) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            with self._lock:  # sessions of botocore are not thread-safe
                found = self._session.get_credentials()
                frozen = found and found.get_frozen_credentials()
        except (BotoCoreError, ClientError) as error:
            raise _unusable(error) from error
        if not frozen:
            raise _missing()
        return frozen


def _session(profile: str | None) -> Any:
    try:
        import botocore.session
    except ImportError:
        raise ConfigError(
            "bedrock needs botocore to sign requests",
            cause="it is not installed",
            fix="pip install 'pytest-llm-gateway[bedrock]', or export AWS_BEARER_TOKEN_BEDROCK=...",
        ) from None
    return botocore.session.Session(profile=profile)


def region_of(profile: str | None) -> str | None:
    """
    Return the region of *profile* in AWS's configuration files; None where it has none, or without botocore.

    Raises:
        ConfigError: The files cannot be read, or have no such profile.
    """
    try:
        import botocore.session
        from botocore.exceptions import BotoCoreError
    except ImportError:
        return None
    try:
        found = botocore.session.Session(profile=profile).get_config_variable("region")
    except BotoCoreError as error:
        raise _unusable(error) from error
    return found if isinstance(found, str) else None


def _missing() -> MissingKeyError:
    return MissingKeyError(
        "no AWS credentials for 'bedrock'",
        cause="neither AWS_BEARER_TOKEN_BEDROCK nor AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY is set, "
        "and no profile, role or instance gives any",
        fix="export AWS_PROFILE=..., or run `aws configure`",
    )


def _unusable(error: Exception) -> ConfigError:
    return ConfigError(
        "AWS's own settings cannot be used", cause=str(error), fix="run `aws configure list` to see them"
    )

"""Invocations of functions through an endpoint of Lambda's `Invoke`."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

# The maximum duration of an invocation, in seconds.
MAX_TIMEOUT_SECONDS = 900


@dataclass(frozen=True)
class Answer:
    """The result of an invocation: the response, and the error or None."""

    body: str
    error: str | None = None


class Functions:
    """The client of Lambda's `Invoke`."""

    def __init__(self, endpoint: str | None) -> None:
        self.endpoint = endpoint
        # Whether a function's policy allows a service, for a source with this ARN.
        self.is_invoke_allowed: Callable[[str, str, str], bool] = lambda function, service, source: True

    def known(self) -> bool:
        return bool(self.endpoint)

    def invoke(self, function: str, event) -> Answer:
        """Invokes a function by name or ARN and returns the result."""
        if not self.known():
            return Answer("", "the emulator was started without LAMBDA_ENDPOINT")
        name = urllib.parse.quote(function, safe="")
        request = urllib.request.Request(
            f"{self.endpoint}/2015-03-31/functions/{name}/invocations",
            data=json.dumps(event).encode(),
            headers={"Content-Type": "application/json"},
        )
        # The endpoint is on this machine, so no proxy applies.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=MAX_TIMEOUT_SECONDS) as response:
                body = response.read().decode(errors="replace")
                return Answer(body, body if response.headers.get("X-Amz-Function-Error") else None)
        except urllib.error.HTTPError as error:
            return Answer("", f"{error}: {error.read().decode(errors='replace')}")
        except OSError as error:
            return Answer("", str(error))

    def invoke_for(self, service: str, source: str, function: str, event) -> Answer:
        """Invokes a function as a service does, for a rule or a secret with this ARN."""
        if not self.is_invoke_allowed(function, service, source):
            return Answer("", f"{service} may not invoke {function} for {source}")
        return self.invoke(function, event)

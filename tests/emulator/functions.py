"""Functions, which others run: they are invoked at the address of a service of Lambda."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

# The longest that a function may run, in seconds.
MAX_TIMEOUT_SECONDS = 900


@dataclass(frozen=True)
class Answer:
    """What came of an invocation: what the function said, or why it failed."""

    body: str
    error: str | None = None


class Functions:
    """Where functions are invoked, if that is known."""

    def __init__(self, endpoint: str | None) -> None:
        self.endpoint = endpoint
        # Whether a function lets a service in, for what has this ARN.
        self.is_invoke_allowed: Callable[[str, str, str], bool] = lambda function, service, source: True

    def known(self) -> bool:
        return bool(self.endpoint)

    def invoke(self, function: str, event) -> Answer:
        """Invokes a function, by name or ARN, and waits for what comes of it."""
        if not self.known():
            return Answer("", "the emulator was started without LAMBDA_ENDPOINT")
        name = urllib.parse.quote(function, safe="")
        request = urllib.request.Request(
            f"{self.endpoint}/2015-03-31/functions/{name}/invocations",
            data=json.dumps(event).encode(),
            headers={"Content-Type": "application/json"},
        )
        # It is on this machine, whatever proxy there is for others.
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
        """The same by a service, for a rule or a secret of this ARN."""
        if not self.is_invoke_allowed(function, service, source):
            return Answer("", f"{service} may not invoke {function} for {source}")
        return self.invoke(function, event)

"""Functions, which others run: they are invoked at the address of a service of Lambda."""

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass

# The longest that a function may run, in seconds.
LONGEST = 900


@dataclass(frozen=True)
class Answer:
    """What came of an invocation: what the function said, or why it failed."""

    body: str
    error: str | None = None


class Functions:
    """Where functions are invoked, if that is known."""

    def __init__(self, endpoint: str | None) -> None:
        self.endpoint = endpoint

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
            with opener.open(request, timeout=LONGEST) as response:
                body = response.read().decode(errors="replace")
                return Answer(body, body if response.headers.get("X-Amz-Function-Error") else None)
        except urllib.error.HTTPError as error:
            return Answer("", f"{error}: {error.read().decode(errors='replace')}")
        except OSError as error:
            return Answer("", str(error))

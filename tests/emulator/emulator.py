"""An emulator of AWS for the tests: moto's server with additions.

    python emulator.py [--stacks]

It listens on a free port of 127.0.0.1 and prints `Running on http://127.0.0.1:PORT` to standard
error. It needs only moto 5.2.5 with flask and the SAM translator.

    LAMBDA_ENDPOINT   the endpoint of Lambda's `Invoke`; without it secrets cannot rotate,
                      and no function is invoked

It has these requests of its own:

    GET    /emulator/calls      the numbers of requests by service and operation:
                                {"secretsmanager.GetSecretValue": 3}
    DELETE /emulator/calls      resets the counts to zero
    GET    /emulator/rotations  the rotations of secrets in the order of their start, once
                                none is in progress: see `rotation.py`

With `--stacks` it also has CloudFormation, and enforces the policies of roles: see `account.py`.
"""

import json
import logging
import os
import re
import sys
import threading
from collections import Counter

from moto.server import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

import secrets_patches
from functions import Functions
from rotation import Rotations

# The prefixes in `X-Amz-Target` that differ from the service's name.
TARGETS = {"AmazonSQS": "sqs", "AWSEvents": "events"}

# The service in a request's signature.
CREDENTIAL_SCOPE = re.compile(r"Credential=[^/]+/[^/]+/[^/]+/([^/]+)/aws4_request")


class Emulator:
    """moto's server as a WSGI application, with the emulator's own requests."""

    def __init__(self, rotations: Rotations, account: "Account | None" = None) -> None:
        self.moto = DomainDispatcherApplication(create_backend_app)
        self.rotations, self.account = rotations, account
        self.calls: Counter[str] = Counter()
        self.counting = threading.Lock()
        # moto's secrets do not support concurrent requests.
        self.secrets = threading.Lock()

    def __call__(self, environ, start_response):
        request = Request(environ)
        if request.path.startswith("/emulator/"):
            return self.handle_control_request(request)(environ, start_response)
        name = operation(request)
        with self.counting:
            self.calls[name] += 1
        refusal = self.account.check(request, name) if self.account else None
        if refusal is not None:
            return refusal(environ, start_response)
        if name.startswith("secretsmanager."):
            with self.secrets:
                return self.moto(environ, start_response)
        return self.moto(environ, start_response)

    def handle_control_request(self, request: Request) -> Response:
        """Handles the emulator's own requests."""
        match (request.method, request.path):
            case ("GET", "/emulator/calls"):
                with self.counting:
                    return answer(dict(self.calls))
            case ("DELETE", "/emulator/calls"):
                with self.counting:
                    self.calls.clear()
                return answer({})
            case ("GET", "/emulator/rotations"):
                return answer(self.rotations.wait_until_idle())
        told = self.account.handle_control_request(request) if self.account else None
        if told is not None:
            return answer(told)
        return Response("unknown path of the emulator\n", status=404)


def answer(content) -> Response:
    return Response(json.dumps(content), content_type="application/json")


def operation(request: Request) -> str:
    """The service and the operation. For S3, the method is the operation."""
    prefix, _, name = request.headers.get("X-Amz-Target", "").rpartition(".")
    if name:
        return f"{TARGETS.get(prefix, prefix)}.{name}"
    signed = CREDENTIAL_SCOPE.search(request.headers.get("Authorization", ""))
    return f"{signed[1] if signed else 'unsigned'}.{request.method}"


def main() -> None:
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    functions = Functions(os.environ.get("LAMBDA_ENDPOINT"))
    rotations, account = Rotations(functions), None
    secrets_patches.install(rotations)
    if "--stacks" in sys.argv[1:]:
        # Imported on demand, because it takes some seconds.
        from account import Account

        account = Account(functions)
    server = make_server(
        "127.0.0.1",
        0,
        Emulator(rotations, account),
        threaded=True,
        request_handler=MotoRequestHandler,
    )
    # Parts of moto and the creation of resources call this server.
    os.environ.update(MOTO_PORT=str(server.port), NO_PROXY="localhost,127.0.0.1")
    print(f"Running on http://127.0.0.1:{server.port}", file=sys.stderr, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

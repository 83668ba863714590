"""An account with deployed stacks.

    GET   /emulator/stacks      the stacks: see `stacks.py`
    POST  /emulator/sessions    keys of a role, {"Role"}: see `access.py`
    GET   /emulator/access      the calls and permissions of the roles
    POST  /emulator/fire        fires a schedule now, {"Schedule"}: see `deliveries.py`
    GET   /emulator/deliveries  the functions that rules invoked, once none is in progress
"""

import io
import os

from werkzeug.wrappers import Request, Response

# The region of the requests that create resources, and of SAM's translator.
os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")

import deliveries  # noqa: E402
import stacks  # noqa: E402
from access import Access  # noqa: E402
from deliveries import Deliveries  # noqa: E402
from functions import Functions  # noqa: E402


class Account:
    """The additions to moto's services for deployed stacks."""

    def __init__(self, functions: Functions) -> None:
        self.access = Access()
        self.deliveries = Deliveries(functions, self.access)
        stacks.install()
        deliveries.install(self.deliveries)

    def check(self, request: Request, name: str) -> Response | None:
        """The response to a denied request; None for an allowed one."""
        if name.startswith("cloudformation."):
            self.access.clear_permissions()
        return self.access.check(request, name.split(".")[-1], read_body(request.environ))

    def handle_control_request(self, request: Request):
        """Handles the emulator's own requests."""
        match (request.method, request.path):
            case ("GET", "/emulator/stacks"):
                return stacks.list_stacks()
            case ("POST", "/emulator/sessions"):
                return self.access.open(request.get_json()["Role"])
            case ("GET", "/emulator/access"):
                return self.access.report()
            case ("POST", "/emulator/fire"):
                answer = self.deliveries.fire(request.get_json()["Schedule"])
                return {"Answer": answer.body, "Error": answer.error}
            case ("GET", "/emulator/deliveries"):
                return self.deliveries.wait_until_idle()
        return None


def read_body(environ) -> bytes:
    """The body of a request, which can be read again."""
    stream = environ["wsgi.input"]
    if environ.get("HTTP_TRANSFER_ENCODING") == "chunked":
        body = stream.read()
    else:
        body = stream.read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    return body

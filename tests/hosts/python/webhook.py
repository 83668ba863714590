"""The isolation webhook in a Python program: the component `webhook.wasm` of
`sophos:central` under the HTTP server of the standard library. It needs what
`central.py` needs.

    host = WebhookHost(
        secrets=lambda name: {"current": vault[name]},
        ledger=FolderStore("ledger"),
        policy=lambda: {"text": open("policy.toml").read()},
        audit_log=print,
    )
    Server(("127.0.0.1", 8080), "webhook.wasm", from_vault, host).serve_forever()

wasmtime's Python package can call the component but not its `wasi:http` handler, so
the server calls `decisions.receive`, which answers as that does.

All that lasts is in the ledger, so there may be any number of such servers over one
of them. Each serves one request at a time: put it behind a server that takes TLS and
slow callers off it.
"""

import json
import os
import tempfile
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Callable, Optional

from central import PACKAGE, VERSION, Central, record
from wasmtime.component import Variant

# One byte more than the component reads: that is what it refuses by itself.
MAX_READ_LEN = (1 << 20) + 1
FOLLOW_UP_INTERVAL = 60


class Unavailable(Exception):
    """What the component asked for is not to be had; the reason goes to the audit log."""


class FolderStore:
    """A ledger in a folder, on any file system with hard links."""

    def __init__(self, root):
        self.root = root

    def create(self, path, body):
        place = self.place(path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        # A whole file is there at once, or not at all; and the first one stays.
        with tempfile.NamedTemporaryFile(dir=self.root, prefix=".new-") as new:
            new.write(body)
            new.flush()
            os.fsync(new.fileno())
            try:
                os.link(new.name, place)
            except FileExistsError:
                return False
            return True

    def read(self, path):
        try:
            with open(self.place(path), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def delete(self, path):
        try:
            os.remove(self.place(path))
        except FileNotFoundError:
            pass

    def list(self, folder):
        try:
            with os.scandir(self.place(folder)) as entries:
                return sorted(entry.name for entry in entries if entry.is_file())
        except FileNotFoundError:
            return []

    def place(self, path):
        # The component's own: lower case letters, digits, `-`, `.` and `/`. That it is
        # below the root is not left to it.
        if any(part in ("", ".", "..") for part in path.split("/")):
            raise Unavailable(f"{path!r} is no path of a ledger")
        return os.path.join(self.root, path)


@dataclass
class WebhookHost:
    """What the component asks of this program. A function that raises `Unavailable` or
    `OSError` has the reason recorded, and the sender send again."""

    secrets: Callable  # by a name of the policy: {"current": …, "previous": …}
    ledger: FolderStore
    policy: Callable  # {"text": …, "webhook-url": …, "client-ip-header": …}
    audit_log: Callable = lambda record: None
    outcomes: Optional[Callable] = None  # None: nobody listens
    enqueue: Optional[Callable] = None  # takes a list of decisions; None: no queue


class Isolation(Central):
    """One instance of the component: for one request, or one run."""

    def __init__(self, file, obtain, host):
        self.host = host
        super().__init__(file, obtain)

    def add_imports(self, root):
        host = self.host
        for interface, functions in {
            "webhook-secrets": {"get": lambda name: keys(host.secrets(name))},
            "ledger-store": {
                "create": host.ledger.create,
                "delete": host.ledger.delete,
                "list": host.ledger.list,
            },
            "queue": {"enqueue": self.enqueue},
            "policy": {"current": lambda: policy_settings(host.policy())},
            "outcomes": {"publish": lambda outcome: host.outcomes(self.lift(outcome))},
        }.items():
            with root.add_instance(f"{PACKAGE}/{interface}@{VERSION}") as instance:
                for name, function in functions.items():
                    instance.add_func(name, as_result(function))
                if interface == "ledger-store":
                    # This wasmtime takes no text where `none` is another answer: a
                    # failure ends this instance, as it might at any moment.
                    instance.add_func("read", lambda _, path: host.ledger.read(path))
                if interface == "outcomes":
                    instance.add_func("is-enabled", lambda _: host.outcomes is not None)
        with root.add_instance(f"{PACKAGE}/audit-log@{VERSION}") as audit_log:
            audit_log.add_func("append", lambda _, record: host.audit_log(self.lift(record)))

    def enqueue(self, decisions):
        # Both cases are texts, so they are by name. See `needs_tag` in `central.py`.
        try:
            if self.host.enqueue is None:
                return Variant("ok", "inline")
            self.host.enqueue(decisions)
            return Variant("ok", "queued")
        except (Unavailable, OSError) as error:
            return Variant("err", str(error))

    def receive(self, method, target, headers, body, source_ip=None):
        """Answers a request: its status, headers and body."""
        path, _, query = target.partition("?")
        answer = self.call("decisions", "receive", {
            "method": method,
            "path": path,
            "query": query,
            "headers": headers,
            "body": body,
            "source-ip": source_ip,
        })
        return answer["status"], answer["headers"], answer["body"]

    def call_decisions(self, function, *arguments):
        """Calls one of the other functions of `decisions`, whose failure is raised as
        `Unavailable`."""
        result = self.call_raw("decisions", function, *arguments)
        named = isinstance(result, Variant)
        value = self.lift(result.payload if named else result)
        if result.tag == "err" if named else isinstance(result, str):
            raise Unavailable(value)
        return value


def as_result(function):
    """The function, whose failure the component is told."""

    def call(_, *arguments):
        try:
            return function(*arguments)
        except (Unavailable, OSError) as error:
            return str(error)

    return call


def keys(secret):
    return record(current=secret["current"], previous=secret.get("previous"))


def policy_settings(given):
    optional = ("webhook-url", "client-ip-header")
    return record(text=given["text"], **{name.replace("-", "_"): given.get(name) for name in optional})


class Server(HTTPServer):
    """Serves the webhook, and follows up each minute."""

    def __init__(self, address, file, obtain, host):
        super().__init__(address, Handler)
        self.instance = lambda: Isolation(file, obtain, host)
        self.host, self.follow_up_at = host, time.monotonic() + FOLLOW_UP_INTERVAL

    def service_actions(self):
        if time.monotonic() < self.follow_up_at:
            return
        self.follow_up_at = time.monotonic() + FOLLOW_UP_INTERVAL
        try:
            with self.instance() as isolation:
                failures = isolation.call_decisions("follow-up", "due")["failures"]
        except Exception as error:
            failures = [str(error)]
        if failures:
            self.host.audit_log({"problem": "not all of what is due", "failures": failures})


class Handler(BaseHTTPRequestHandler):
    """One request."""

    # Seconds that a caller may be silent.
    timeout = 30

    def answer(self):
        try:
            length = int(self.headers.get("content-length", 0))
        except ValueError:
            length = -1
        if length < 0 or "transfer-encoding" in self.headers:
            return self.send_error(411)
        body = self.rfile.read(min(length, MAX_READ_LEN))
        if len(body) < min(length, MAX_READ_LEN):
            return None
        headers = {}
        for name, value in self.headers.items():
            headers.setdefault(name.lower(), []).append(value)
        headers = [(name, ",".join(values)) for name, values in headers.items()]
        try:
            with self.server.instance() as isolation:
                status, headers, text = isolation.receive(
                    self.command, self.path, headers, body, self.client_address[0]
                )
        except Exception as error:
            # The instance is spoilt and gone; what it had recorded stays, and the same
            # event leads to the same decision.
            self.server.host.audit_log({"status": 503, "problem": str(error).splitlines()[0]})
            status, headers, text = 503, [("retry-after", "5")], ""
        body = text.encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = answer

    def log_message(self, *_):
        """Nothing: a path may hold a secret."""

"""The isolation webhook in a Python program: the component `webhook.wasm` of
`sophos:central` behind the HTTP server of the standard library. It needs the package of
`central.py`.

    host = WebhookHost(
        secrets=lambda name: {"current": vault[name]},
        ledger=FolderStore("ledger"),
        policy=lambda: {"text": open("policy.toml").read()},
        audit_log=print,
    )
    Server(("127.0.0.1", 8080), "webhook.wasm", from_vault, host).serve_forever()

wasmtime's Python package cannot call a `wasi:http` handler, so the server calls
`decisions.receive`, which gives the same responses.

The ledger holds all state, so any number of servers may share it. Each serves one
request at a time: put a proxy in front for TLS and slow callers.
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

# One byte more than the component accepts, so that it rejects larger bodies itself.
MAX_READ_LEN = (1 << 20) + 1
FOLLOW_UP_INTERVAL = 60


class Unavailable(Exception):
    """A failed import or call. The message goes to the audit log."""


class FolderStore:
    """A ledger in a folder, on any file system with hard links."""

    def __init__(self, root):
        self.root = root

    def create(self, path, body):
        target = self.resolve(path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        # A hard link is atomic: the file appears whole, and the first one wins.
        with tempfile.NamedTemporaryFile(dir=self.root, prefix=".new-") as new:
            new.write(body)
            new.flush()
            os.fsync(new.fileno())
            try:
                os.link(new.name, target)
            except FileExistsError:
                return False
            return True

    def read(self, path):
        try:
            with open(self.resolve(path), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def delete(self, path):
        try:
            os.remove(self.resolve(path))
        except FileNotFoundError:
            pass

    def list(self, folder):
        try:
            with os.scandir(self.resolve(folder)) as entries:
                return sorted(entry.name for entry in entries if entry.is_file())
        except FileNotFoundError:
            return []

    def resolve(self, path):
        # The host itself confines paths to the folder.
        if any(part in ("", ".", "..") for part in path.split("/")):
            raise Unavailable(f"invalid ledger path {path!r}")
        return os.path.join(self.root, path)


@dataclass
class WebhookHost:
    """The imports of the component. If a function raises `Unavailable` or `OSError`, the
    component records the message and asks the sender to retry."""

    secrets: Callable  # by name in the policy: {"current": …, "previous": …}
    ledger: FolderStore
    policy: Callable  # {"text": …, "webhook-url": …, "client-ip-header": …}
    audit_log: Callable = lambda record: None
    outcomes: Optional[Callable] = None  # None: outcomes are disabled
    enqueue: Optional[Callable] = None  # receives a list of decisions; None: no queue


class Isolation(Central):
    """One instance of the component, for one request or one run."""

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
                    # wasmtime-py cannot return an error from this type of result, so an
                    # exception traps the instance. Any call may trap, so this is safe.
                    instance.add_func("read", lambda _, path: host.ledger.read(path))
                if interface == "outcomes":
                    instance.add_func("is-enabled", lambda _: host.outcomes is not None)
        with root.add_instance(f"{PACKAGE}/audit-log@{VERSION}") as audit_log:
            audit_log.add_func("append", lambda _, record: host.audit_log(self.lift(record)))

    def enqueue(self, decisions):
        # Both cases are strings, so wasmtime needs a tag. See `needs_tag` in `central.py`.
        try:
            if self.host.enqueue is None:
                return Variant("ok", "inline")
            self.host.enqueue(decisions)
            return Variant("ok", "queued")
        except (Unavailable, OSError) as error:
            return Variant("err", str(error))

    def receive(self, method, target, headers, body, source_ip=None):
        """Handles a request. Returns the status, headers and body of the response."""
        path, _, query = target.partition("?")
        response = self.call("decisions", "receive", {
            "method": method,
            "path": path,
            "query": query,
            "headers": headers,
            "body": body,
            "source-ip": source_ip,
        })
        return response["status"], response["headers"], response["body"]

    def call_decisions(self, function, *arguments):
        """Calls another function of `decisions`. Raises `Unavailable` for its error."""
        result = self.call_raw("decisions", function, *arguments)
        tagged = isinstance(result, Variant)
        value = self.lift(result.payload if tagged else result)
        if result.tag == "err" if tagged else isinstance(result, str):
            raise Unavailable(value)
        return value


def as_result(function):
    """Wraps a function so that the component receives its error."""

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
    """Serves the webhook, and follows up every minute."""

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
            self.host.audit_log({"problem": "the follow-up had failures", "failures": failures})


class Handler(BaseHTTPRequestHandler):
    """One request."""

    # The socket timeout, in seconds.
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
            # The instance is gone, but the ledger has its records. A retry of the event
            # finds the same decision.
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
        """Logs nothing: a path may contain a secret."""

"""The isolation webhook in a Python program: the component `webhook.wasm` of
`sophos:central` under the HTTP server of the standard library. It needs what
`central.py` needs.

    keep = Keep(
        secrets=lambda name: {"current": vault[name]},
        store=Folder("ledger"),
        rules=lambda: {"text": open("policy.toml").read()},
        journal=print,
    )
    Server(("127.0.0.1", 8080), "webhook.wasm", from_vault, keep).serve_forever()

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
ENOUGH = (1 << 20) + 1
FOLLOW_UP_EVERY = 60


class Unavailable(Exception):
    """What the component asked for is not to be had; the reason goes to the journal."""


class Folder:
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

    def remove(self, path):
        try:
            os.remove(self.place(path))
        except FileNotFoundError:
            pass

    def names(self, folder):
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
class Keep:
    """What the component asks of this program. A function that raises `Unavailable` or
    `OSError` has the reason recorded, and the sender send again."""

    secrets: Callable  # by a name of the policy: {"current": …, "previous": …}
    store: Folder
    rules: Callable  # {"text": …, "webhook-url": …, "caller-header": …}
    journal: Callable = lambda notice: None
    outcomes: Optional[Callable] = None  # None: nobody listens
    hand_on: Optional[Callable] = None  # takes a list of decisions; None: no queue


class Isolation(Central):
    """One instance of the component: for one request, or one run."""

    def __init__(self, file, obtain, keep):
        self.keep = keep
        super().__init__(file, obtain)

    def provide(self, root):
        keep = self.keep
        for interface, functions in {
            "sender-secrets": {"read": lambda name: keys(keep.secrets(name))},
            "ledger-store": {
                "create": keep.store.create,
                "remove": keep.store.remove,
                "names": keep.store.names,
            },
            "queue": {"hand-on": self.hand_on},
            "policy": {"current": lambda: rules(keep.rules())},
            "outcomes": {"publish": lambda outcome: keep.outcomes(self.lift(outcome))},
        }.items():
            with root.add_instance(f"{PACKAGE}/{interface}@{VERSION}") as instance:
                for name, function in functions.items():
                    instance.add_func(name, told(function))
                if interface == "ledger-store":
                    # This wasmtime takes no text where `none` is another answer: a
                    # failure ends this instance, as it might at any moment.
                    instance.add_func("read", lambda _, path: keep.store.read(path))
                if interface == "outcomes":
                    instance.add_func("has-listener", lambda _: keep.outcomes is not None)
        with root.add_instance(f"{PACKAGE}/journal@{VERSION}") as journal:
            journal.add_func("record-notice", lambda _, notice: keep.journal(self.lift(notice)))

    def hand_on(self, decisions):
        # Both cases are texts, so they are by name. See `tagged` in `central.py`.
        try:
            if self.keep.hand_on is None:
                return Variant("ok", "here")
            self.keep.hand_on(decisions)
            return Variant("ok", "queued")
        except (Unavailable, OSError) as error:
            return Variant("err", str(error))

    def receive(self, method, target, headers, body, caller=None):
        """Answers a request: its status, headers and body."""
        path, _, query = target.partition("?")
        answer = self.call("decisions", "receive", {
            "method": method,
            "path": path,
            "query": query,
            "headers": headers,
            "body": body,
            "caller": caller,
        })
        return answer["status"], answer["headers"], answer["body"]

    def ask(self, function, *arguments):
        """Calls one of the other functions of `decisions`, whose failure is raised as
        `Unavailable`."""
        result = self.enter("decisions", function, *arguments)
        named = isinstance(result, Variant)
        value = self.lift(result.payload if named else result)
        if result.tag == "err" if named else isinstance(result, str):
            raise Unavailable(value)
        return value


def told(function):
    """The function, whose failure the component is told."""

    def call(_, *arguments):
        try:
            return function(*arguments)
        except (Unavailable, OSError) as error:
            return str(error)

    return call


def keys(secret):
    return record(current=secret["current"], previous=secret.get("previous"))


def rules(given):
    optional = ("webhook-url", "caller-header")
    return record(text=given["text"], **{name.replace("-", "_"): given.get(name) for name in optional})


class Server(HTTPServer):
    """Serves the webhook, and follows up each minute."""

    def __init__(self, address, file, obtain, keep):
        super().__init__(address, Handler)
        self.instance = lambda: Isolation(file, obtain, keep)
        self.keep, self.follow_up_at = keep, time.monotonic() + FOLLOW_UP_EVERY

    def service_actions(self):
        if time.monotonic() < self.follow_up_at:
            return
        self.follow_up_at = time.monotonic() + FOLLOW_UP_EVERY
        try:
            with self.instance() as isolation:
                failures = isolation.ask("follow-up", "due")["failures"]
        except Exception as error:
            failures = [str(error)]
        if failures:
            self.keep.journal({"problem": "not all of what is due", "failures": failures})


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
        body = self.rfile.read(min(length, ENOUGH))
        if len(body) < min(length, ENOUGH):
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
            self.server.keep.journal({"status": 503, "problem": str(error).splitlines()[0]})
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

"""Sophos Central in a Python program: a component of `sophos:central` under wasmtime.

    pip install wasmtime==50.0.1

    with Central("operator.wasm", from_vault) as central:
        for tenant in central.pages("tenants", "list", "tenants"):
            page = central.call("endpoints", "search", tenant, [{"tag": "health", "val": ["bad"]}], {})

`from_vault` implements the WIT's `credentials.obtain`. The component has no access to
files, environment variables or sockets.

A failed operation raises `Failure`, whose `reason` is a case of the WIT's
`types.reason`. An instance runs one call at a time and takes less than a millisecond
to create: create one for each unit of work, and one for each thread.
"""

import http.client
import ssl
import time
from urllib.parse import urlsplit

from wasmtime import Config, Engine, Store, WasiConfig
from wasmtime.component import (
    Component, Linker, ListType, OptionType, Record, RecordType, ResourceAny, Variant,
    VariantType,
)

PACKAGE, VERSION = "sophos:central", "0.2.0"


class Failure(Exception):
    """A failed operation: `reason`, `wait_ms` if known, and all `details`."""

    def __init__(self, details):
        super().__init__(details["message"])
        self.details = details
        self.reason = details["reason"]["tag"]
        self.wait_ms = details["reason"]["val"]


class Central:
    """One session. `obtain(reason)` returns `{"grant": …, "service": …}`, or raises
    `LookupError` with a message for people. `send(request)` is for the embedded worlds
    and sends their requests (see `AllowedHttp`)."""

    # All sessions of a process share the compiled code.
    engine = Engine(Config())
    compiled = {}

    def __init__(self, file, obtain, send=None):
        if file not in self.compiled:
            self.compiled[file] = Component.from_file(self.engine, file)
        self.component = self.compiled[file]
        self.store = Store(self.engine)
        linker = Linker(self.engine)
        if send is None:
            # The linker offers all of WASI; the component imports HTTP and the clock.
            # For a smaller offer use an embedded world.
            linker.add_wasip2()
            linker.add_wasi_http()
            self.store.set_wasi(WasiConfig())
            self.store.set_wasi_http()
        with linker.root() as root:
            with root.add_instance(f"{PACKAGE}/credentials@{VERSION}") as credentials:
                credentials.add_func("obtain", lambda _, reason: access(obtain, reason))
            if send is not None:
                with root.add_instance(f"{PACKAGE}/transport@{VERSION}") as transport:
                    transport.add_func("send", lambda _, request: transport_result(send, request))
                    transport.add_func("now-ms", lambda _: time.monotonic_ns() // 1_000_000)
                    transport.add_func("wait", lambda _, ms: time.sleep(ms / 1_000))
            self.add_imports(root)
        self.instance = linker.instantiate(self.store, self.component)
        self.owned = []

    def add_imports(self, root):
        """Adds the further imports of a world."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for resource in self.owned:
            resource.drop(self.store)
        self.owned.clear()

    def call(self, interface, function, *arguments):
        """Calls a function with plain data: a dict for a record, without its unset
        options, and `{"tag": …, "val": …}` for a variant."""
        result = self.call_raw(interface, function, *arguments)
        # wasmtime returns the bare payload of a result if the types of its cases differ.
        if isinstance(result, Variant) and result.tag in ("ok", "err"):
            result = result.payload
        value = self.lift(result)
        if isinstance(value, dict) and {"reason", "message", "transient"} <= value.keys():
            raise Failure(value)
        return value

    def call_raw(self, interface, function, *arguments):
        """Calls a function and returns wasmtime's own form of the result."""
        within = self.instance.get_export_index(self.store, f"{PACKAGE}/{interface}@{VERSION}")
        index = within and self.instance.get_export_index(self.store, function, within)
        if index is None:
            raise AttributeError(f"the component has no {interface}.{function}")
        func = self.instance.get_func(self.store, index)
        types = func.type(self.store).params
        result = func(self.store, *(lower(type, value) for (_, type), value in zip(types, arguments, strict=True)))
        func.post_return(self.store)
        return result

    def pages(self, interface, function, items, *arguments, options=None):
        """Yields every item of a listing."""
        after = None
        while True:
            last = after if options is None else {**options, "after": after}
            page = self.call(interface, function, *arguments, last)
            yield from page[items]
            after = page["next"]
            if after is None:
                return

    def lift(self, value):
        if isinstance(value, Record):
            return {name: self.lift(member) for name, member in vars(value).items()}
        if isinstance(value, Variant):
            return {"tag": value.tag, "val": self.lift(value.payload)}
        if isinstance(value, list):
            return [self.lift(item) for item in value]
        if isinstance(value, ResourceAny):
            self.owned.append(value)
        return value


def lower(type, value):
    """Converts plain data to wasmtime's form for a type."""
    if isinstance(type, OptionType):
        return None if value is None else lower(type.payload, value)
    if isinstance(type, RecordType):
        record = Record()
        for name, member in type.fields:
            setattr(record, name, lower(member, value.get(name)))
        return record
    if isinstance(type, VariantType):
        case = dict(type.cases)[value["tag"]]
        payload = None if case is None else lower(case, value.get("val"))
        return Variant(value["tag"], payload) if needs_tag(type) else payload
    if isinstance(type, ListType) and not isinstance(value, bytes):
        return [lower(type.element, item) for item in value]
    return value


def needs_tag(type):
    """Whether wasmtime needs a variant's case by name. It takes the bare payload if the
    Python types of the cases differ."""
    seen = set()
    for _, case in type.cases:
        kinds = set()
        case.add_classes(kinds) if case else kinds.add(object)
        if kinds & seen:
            return True
        seen |= kinds
    return False


def record(**members):
    made = Record()
    for name, member in members.items():
        setattr(made, name.replace("_", "-"), member)
    return made


def access(obtain, reason):
    try:
        given = obtain(reason)
    except LookupError as error:
        return error.args[0]
    kind, grant = next(iter(given["grant"].items()))
    payload = {
        "client": lambda: record(id=grant["id"], secret=grant["secret"]),
        "token": lambda: record(value=grant["value"], expires_in=grant.get("expires-in")),
        "host-managed": lambda: None,
    }[kind]()
    service = given.get("service")
    return record(
        grant=Variant(kind, payload),
        # None is `sophos`, and a record is `other`. See `needs_tag`.
        service=service and record(identity=service["identity"], **{"global": service["global"]}),
    )


def transport_result(send, request):
    # A record or a variant: their types differ, so wasmtime takes both without a tag.
    try:
        status, headers, body = send(request)
        return record(status=status, headers=headers, body=body)
    except TransportError as error:
        return Variant(error.case, error.message)


class TransportError(Exception):
    """A missing response: a case of the WIT's `transport.transport-error`."""

    def __init__(self, case, message=None):
        super().__init__(case)
        self.case, self.message = case, message


class AllowedHttp:
    """HTTP over persistent connections, restricted to the hosts that `allowed(host)`
    accepts. Pass an `ssl` context with your company's CA if needed."""

    def __init__(self, allowed=lambda host: host.endswith(".sophos.com"), context=None):
        self.allowed, self.context, self.connections = allowed, context or ssl.create_default_context(), {}

    def __call__(self, request):
        url = urlsplit(request.url)
        if not self.allowed(url.hostname):
            raise TransportError("blocked", f"the destination {url.hostname} is not allowed")
        timeout = getattr(request, "timeout-ms") / 1_000
        path = url._replace(scheme="", netloc="").geturl() or "/"
        origin = (url.scheme, url.netloc)
        connection = self.connections.pop(origin, None) or self.connect(url)
        connection.timeout = timeout
        try:
            if connection.sock is None:
                connection.connect()
        except OSError as error:
            raise TransportError("unreachable", str(error)) from None
        connection.sock.settimeout(timeout)
        try:
            connection.request(request.method, path, bytes(request.body) or None, dict(request.headers))
            response = connection.getresponse()
            body = response.read()
        except TimeoutError:
            raise TransportError("timed-out") from None
        except (OSError, http.client.HTTPException) as error:
            raise TransportError("interrupted", str(error)) from None
        self.connections[origin] = connection
        return response.status, [(name.lower(), value) for name, value in response.getheaders()], body

    def connect(self, url):
        if url.scheme == "https":
            return http.client.HTTPSConnection(url.netloc, context=self.context)
        return http.client.HTTPConnection(url.netloc)

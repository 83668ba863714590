"""Runs the steps of a test against a component: JSON lines in, JSON lines out.

A line with a `component` (a file) opens a session. It also has `transport` (`wasi` or `host`), `service`, `grants`
(one for each request reason) and `allow`, the allowed hosts. The response lists the component's imports. Every
other line is a step, `{"call": "endpoints.search", "arguments": […]}`. In it `"$tenant"` is the last tenant of a
response. The response is `{"ok": …}`, `{"failure": …}` with the names of the WIT, or `{"absent": …}` if the
component lacks the function.
"""

import json
import sys

from central import Central, Failure, AllowedHttp
from wasmtime.component import ResourceAny


def main():
    central = None
    for line in sys.stdin:
        request = json.loads(line)
        if "component" in request:
            central = session(request)
            response = {"ok": list(central.component.type.imports(central.engine))}
        else:
            response = step(central, request)
        print(json.dumps(response), flush=True)


def session(plan):
    def obtain(reason):
        grant = plan["grants"].get(reason)
        if grant is None:
            raise LookupError(f"the plan has no grant when one is {reason}")
        return {"grant": {grant["tag"]: grant.get("val", {})}, "service": plan["service"]}

    send = None if plan["transport"] == "wasi" else AllowedHttp(lambda host: host in plan["allow"])
    return Central(plan["component"], obtain, send)


def step(central, request):
    interface, function = request["call"].split(".")
    arguments = [central.owned[-1] if value == "$tenant" else value for value in request["arguments"]]
    try:
        return {"ok": plain(central, central.call(interface, function, *arguments))}
    except Failure as failure:
        return {"failure": failure.details}
    except AttributeError as absent:
        return {"absent": str(absent)}


def plain(central, value):
    if isinstance(value, dict):
        return {name: plain(central, member) for name, member in value.items()}
    if isinstance(value, list):
        return [plain(central, item) for item in value]
    if isinstance(value, ResourceAny):
        return central.call("tenants", "[method]tenant.summary", value)
    return value


main()

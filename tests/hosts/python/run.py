"""Carries out steps against a component, for the tests: JSON lines in, JSON lines out.

A line with a `component` (a file) opens a session: `transport` (`wasi` or `host`), `service`, `grants` (one for
each occasion), and `allow`, the hosts that may be reached. Its answer is what the component imports. Every
other line is a step, `{"call": "endpoints.search", "arguments": […]}`, in which `"$tenant"` stands for the
last tenant that was seen. Its answer is `{"ok": …}` or `{"failure": …}`, in the names of the WIT, or
`{"absent": …}` when the component has no such function.
"""

import json
import sys

from central import Central, Failure, AllowedHttp
from wasmtime.component import ResourceAny


def main():
    central = None
    for line in sys.stdin:
        wanted = json.loads(line)
        if "component" in wanted:
            central = session(wanted)
            answer = {"ok": list(central.component.type.imports(central.engine))}
        else:
            answer = step(central, wanted)
        print(json.dumps(answer), flush=True)


def session(plan):
    def obtain(occasion):
        grant = plan["grants"].get(occasion)
        if grant is None:
            raise LookupError(f"the plan has no grant when one is {occasion}")
        return {"grant": {grant["tag"]: grant.get("val", {})}, "service": plan["service"]}

    send = None if plan["transport"] == "wasi" else AllowedHttp(lambda host: host in plan["allow"])
    return Central(plan["component"], obtain, send)


def step(central, wanted):
    interface, function = wanted["call"].split(".")
    arguments = [central.owned[-1] if value == "$tenant" else value for value in wanted["arguments"]]
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

"""Instantiates a component with exactly the listed interfaces, for the tests.

Input: one line of JSON with a `component` (a file) and `offers`, lists of interfaces. The offered functions only
record their calls. Output: one line with the component's `imports`, and one result for each offer. If the
component cannot be instantiated, the result is `missing`. Otherwise the program calls `session.whoami`, or
`decisions.check-policy` with an invalid policy, and reports the `reason`, the `message` and the `called` imports.
"""

import json
import sys

from wasmtime import Config, Engine, Store, WasmtimeError
from wasmtime.component import Component, ComponentInstanceType, FuncType, Linker, ResourceType, Variant

# By export, the probe function and its arguments.
PROBE_CALLS = {
    "sophos:central/session@0.2.0": ("whoami", []),
    "sophos:central/decisions@0.2.0": ("check-policy", ["no policy"]),
}


def main():
    request = json.loads(sys.stdin.readline())
    engine = Engine(Config())
    component = Component.from_file(engine, request["component"])
    imports = {name: item.ty for name, item in component.type.imports(engine).items()}
    offers = [check_offer(engine, component, imports, offered) for offered in request["offers"]]
    print(json.dumps({"imports": sorted(map(without_version, imports)), "offers": offers}))


def without_version(name):
    """Returns an interface's name without its version."""
    return name.split("@")[0]


def check_offer(engine, component, imports, offered):
    linker, called, resources = Linker(engine), [], []
    with linker.root() as root:
        for name, of in imports.items():
            if without_version(name) in offered:
                assert isinstance(of, ComponentInstanceType), f"{name} is not an interface"
                with root.add_instance(name) as instance:
                    add_recorders(instance, without_version(name), of.exports(engine), called, resources)
    store = Store(engine)
    try:
        instance = linker.instantiate(store, component)
    except WasmtimeError as error:
        return {"missing": str(error)}
    indices = ((instance.get_export_index(store, name), name) for name in PROBE_CALLS)
    within, name = next((index, name) for index, name in indices if index)
    probe, arguments = PROBE_CALLS[name]
    function = instance.get_func(store, instance.get_export_index(store, probe, within))
    result = function(store, *arguments)
    failure = result.payload if isinstance(result, Variant) else result
    if isinstance(failure, str):
        return {"reason": probe, "message": failure, "called": called}
    return {"reason": failure.reason.tag, "message": failure.message, "called": called}


def add_recorders(instance, interface, exports, called, resources):
    """Adds an interface's functions, which only record their calls, and its resources."""
    for name, item in exports.items():
        if isinstance(item.ty, FuncType):
            instance.add_func(name, record_call(f"{interface}.{name}", called))
        elif isinstance(item.ty, ResourceType):
            # Several interfaces share a resource under different names.
            if item.ty not in resources:
                resources.append(item.ty)
            instance.add_resource(name, ResourceType.host(resources.index(item.ty)), lambda *_: None)


def record_call(function, called):
    def recorder(_, *arguments):
        called.append(function)
        return "there is no grant" if function == "sophos:central/credentials.obtain" else None

    return recorder


main()

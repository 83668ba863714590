"""Offers a component what is on a list and nothing else, for the tests.

A line of JSON comes in: a `component` (a file) and `offers`, each of which lists interfaces. What is offered
does nothing but note that it was called: there is no grant, no answer and no time. A line goes out: all that
the component `imports`, and for each of the `offers`, if the component can be had with it, what the question
that its world answers comes to and what was `called` for that; else what is `missing`. The question is
`session.whoami`, and of the webhook `decisions.check-policy` about no policy.
"""

import json
import sys

from wasmtime import Config, Engine, Store, WasmtimeError
from wasmtime.component import Component, ComponentInstanceType, FuncType, Linker, ResourceType, Variant

# By what is exported, the question and its arguments.
PROBE_CALLS = {
    "sophos:central/session@0.2.0": ("whoami", []),
    "sophos:central/decisions@0.2.0": ("check-policy", ["no policy"]),
}


def main():
    wanted = json.loads(sys.stdin.readline())
    engine = Engine(Config())
    component = Component.from_file(engine, wanted["component"])
    imports = {name: item.ty for name, item in component.type.imports(engine).items()}
    offers = [check_offer(engine, component, imports, offered) for offered in wanted["offers"]]
    print(json.dumps({"imports": sorted(map(without_version, imports)), "offers": offers}))


def without_version(name):
    """An interface without its version."""
    return name.split("@")[0]


def check_offer(engine, component, imports, offered):
    linker, called, resources = Linker(engine), [], []
    with linker.root() as root:
        for name, of in imports.items():
            if without_version(name) in offered:
                assert isinstance(of, ComponentInstanceType), f"{name} is no interface"
                with root.add_instance(name) as instance:
                    add_recorders(instance, without_version(name), of.exports(engine), called, resources)
    store = Store(engine)
    try:
        instance = linker.instantiate(store, component)
    except WasmtimeError as error:
        return {"missing": str(error)}
    indices = ((instance.get_export_index(store, name), name) for name in PROBE_CALLS)
    within, name = next((index, name) for index, name in indices if index)
    question, arguments = PROBE_CALLS[name]
    asked = instance.get_func(store, instance.get_export_index(store, question, within))
    result = asked(store, *arguments)
    failure = result.payload if isinstance(result, Variant) else result
    if isinstance(failure, str):
        return {"reason": question, "message": failure, "called": called}
    return {"reason": failure.reason.tag, "message": failure.message, "called": called}


def add_recorders(instance, interface, exports, called, resources):
    """The functions and resources of an interface, none of which does anything."""
    for name, item in exports.items():
        if isinstance(item.ty, FuncType):
            instance.add_func(name, record_call(f"{interface}.{name}", called))
        elif isinstance(item.ty, ResourceType):
            # Several interfaces speak of the same, and by other names.
            if item.ty not in resources:
                resources.append(item.ty)
            instance.add_resource(name, ResourceType.host(resources.index(item.ty)), lambda *_: None)


def record_call(function, called):
    def noted(_, *arguments):
        called.append(function)
        return "there is no grant" if function == "sophos:central/credentials.obtain" else None

    return noted


main()

"""The results of one client, a line of JSON for each of its public functions."""

import contextlib
import importlib.metadata
import inspect
import io
import json
import sys
import traceback


class Differs(Exception):
    """The client and the simulator disagree."""


def equal(found, expected, what):
    if found != expected:
        raise Differs(f"{what}: expected {shorten(expected)}, found {shorten(found)}")


def true(condition, what):
    if not condition:
        raise Differs(what)


def shorten(value):
    text = repr(value)
    return text if len(text) <= 160 else text[:160] + "…"


class Results:
    """Runs functions of a client and prints one result for each.

    `explained` has the reason for each function that differs; its check proves that behaviour.
    `skipped` has the reason for each function that is not applicable.
    """

    def __init__(self, package, explained=None, skipped=None):
        self.package = package
        self.explained = explained or {}
        self.skipped = skipped or {}
        self.done = set()
        self.print({"client": package, "version": importlib.metadata.version(package)})
        for name, reason in self.skipped.items():
            self.record(name, "not applicable", reason)

    @staticmethod
    def print(line):
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
        sys.stdout.flush()

    def record(self, function, result, reason=""):
        if function in self.done:
            raise ValueError(f"{function} has two results")
        self.done.add(function)
        self.print({"client": self.package, "function": function, "result": result, "reason": reason})

    def of(self, *functions):
        """Runs the decorated check at once, as the result of these functions of the client."""

        def run(check):
            try:
                # Some clients print; only results belong on the standard output.
                with contextlib.redirect_stdout(io.StringIO()):
                    check()
            except (Exception, SystemExit) as error:
                reason = f"{type(error).__name__}: {error}"
                if not isinstance(error, Differs):
                    traceback.print_exc()
                for function in functions:
                    self.record(function, "unexplained", " ".join(reason.split())[:300])
            else:
                for function in functions:
                    reason = self.explained.get(function)
                    self.record(function, "differs" if reason else "ok", reason or "")
            return check

        return run

    def finish(self, *modules):
        """Records each public function of these modules that has no result."""
        for name in sorted(set(public_functions(modules)) - self.done):
            self.record(name, "unexplained", "the check does not call it")
        stale = (set(self.explained) | set(self.skipped)) - set(public_functions(modules))
        for name in sorted(stale - self.done):
            self.record(name, "unexplained", "the client has no such function")


def public_functions(modules):
    """The public functions, and the public methods of public classes, with their own bodies."""
    for module in modules:
        prefix = module.__name__.partition(".")[2]
        for name, value in vars(module).items():
            if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
                continue
            if inspect.isfunction(value):
                yield f"{prefix}.{name}"
            elif inspect.isclass(value) and not issubclass(value, Exception):
                for member, method in vars(value).items():
                    if inspect.isfunction(method) and not member.startswith("_"):
                        yield f"{prefix}.{name}.{member}"

"""The webhook for the tests. The first line of standard input has the settings, the others have commands.

The settings are `component`, `service`, `policy` and `secrets` (files), `ledger` (a folder), `outcomes` (a file
for JSON lines, or null) and `queue` (the same for decisions). The credential is in the environment. A command is
`{"call": "follow-up", "arguments": ["due"]}`, a function of `decisions`.

The first line of output is `{"listening": <address>}`. The others are `{"audit_record": …}` for each entry of the
audit log, and `{"ok": …}` or `{"failure": …}` for each command.
"""

import json
import os
import queue
import sys
import threading
import tomllib

from webhook import FolderStore, WebhookHost, Server, Unavailable


def main():
    settings = json.loads(sys.stdin.readline())
    credential = {"id": os.environ.pop("SOPHOS_CLIENT_ID"), "secret": os.environ.pop("SOPHOS_CLIENT_SECRET")}
    access = {"grant": {"client": credential}, "service": settings["service"]}

    def policy():
        with open(settings["policy"], encoding="utf-8") as file:
            return {"text": file.read(), "webhook-url": address()}

    def secrets(name):
        with open(settings["secrets"], "rb") as file:
            found = tomllib.load(file)["secrets"].get(name)
        if found is None:
            raise Unavailable(f"unknown secret {name!r}")
        return found

    def append_to(name):
        if settings[name] is None:
            return None
        return lambda value: append(settings[name], value)

    host = WebhookHost(
        secrets=secrets,
        ledger=FolderStore(settings["ledger"]),
        policy=policy,
        audit_log=lambda record: write({"audit_record": record}),
        outcomes=append_to("outcomes"),
        enqueue=append_to("queue"),
    )

    def address():
        return f"http://127.0.0.1:{server.server_port}"

    server = CommandServer(("127.0.0.1", 0), settings["component"], lambda _: access, host)
    write({"listening": address()})
    server.serve_forever(poll_interval=0.02)


class CommandServer(Server):
    """Runs commands between requests, and ends with its input."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.follow_up_at = float("inf")
        self.commands = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in sys.stdin:
            self.commands.put(json.loads(line))
        os._exit(0)

    def service_actions(self):
        while not self.commands.empty():
            command = self.commands.get()
            try:
                with self.instance() as isolation:
                    write({"ok": isolation.call_decisions(command["call"], *command["arguments"])})
            except Exception as error:
                write({"failure": str(error)})


def append(file, value):
    with open(file, "a", encoding="utf-8") as lines:
        lines.write(json.dumps(value) + "\n")


def write(value):
    print(json.dumps(value), flush=True)


main()

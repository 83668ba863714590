"""Rotations of secrets, as AWS runs them.

The function is invoked once for each step, with the step, the secret's ARN and the token of the
new version. The first failed step ends the rotation, and its effects stay. The rotation runs in
the background.
"""

import threading
from collections import defaultdict
from collections.abc import Callable

from functions import Functions

SERVICE = "secretsmanager.amazonaws.com"

STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"]


class Rotations:
    """The rotations so far.

    Each is `{"SecretId", "ClientRequestToken", "Steps", "Error"}`: the started steps, and the
    error of the last one or null.
    """

    def __init__(self, functions: Functions) -> None:
        self.functions = functions
        self.all: list[dict] = []
        self.changed = threading.Condition()
        self.at_work = 0
        # Rotations of one secret run one after the other.
        self.turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def possible(self) -> bool:
        """Whether functions can be invoked."""
        return self.functions.known()

    def start(
        self,
        secret: str,
        function: str,
        token: str,
        steps: list[str] = STEPS,
        *,
        is_open: Callable[[], bool],
        then: Callable[[], None],
    ) -> None:
        """Rotates a secret in the background.

        A rotation that is no longer open when it starts does nothing. `then` is called at the
        end, also after a failure.
        """
        record = {"SecretId": secret, "ClientRequestToken": token, "Steps": [], "Error": None}
        with self.changed:
            self.all.append(record)
            self.at_work += 1
            turn = self.turns[secret]

        def run() -> None:
            try:
                with turn:
                    if is_open():
                        self.take(steps, function, record)
                        then()
            except Exception as error:
                record["Error"] = record["Error"] or repr(error)
            finally:
                with self.changed:
                    self.at_work -= 1
                    self.changed.notify_all()

        threading.Thread(target=run, daemon=True).start()

    def take(self, steps: list[str], function: str, record: dict) -> None:
        """Runs the steps in order until one fails."""
        for step in steps:
            record["Steps"].append(step)
            event = {name: record[name] for name in ("SecretId", "ClientRequestToken")}
            answer = self.functions.invoke_for(SERVICE, record["SecretId"], function, {"Step": step, **event})
            record["Error"] = answer.error
            if record["Error"] is not None:
                return

    def wait_until_idle(self) -> list[dict]:
        """Waits until no rotation is in progress and returns all."""
        with self.changed:
            self.changed.wait_for(lambda: self.at_work == 0)
            return [dict(record) for record in self.all]

"""The invokers of functions in a deployed stack: schedules and rules.

A schedule fires on request, with its own target and input, if its role may invoke the function.
A rule delivers an event to a function if the function's policy allows EventBridge. A failed
invocation is retried at once, as often as the function's configuration allows. Then the event
moves to the dead-letter queue. Deliveries run in the background.
"""

import copy
import json
import os
import threading
from datetime import datetime, timezone
from uuid import uuid4

from moto.events.models import Rule
from moto.scheduler.models import scheduler_backends

import stacks
from access import Access
from actions import ACCOUNT
from functions import Answer, Functions
from policies import Call, matches_pattern
from resource_types import client_of

EVENTS = "events.amazonaws.com"
REGION = os.environ["AWS_DEFAULT_REGION"]


class Deliveries:
    """The invocations by rules."""

    def __init__(self, functions: Functions, access: Access) -> None:
        self.functions, self.access = functions, access
        functions.is_invoke_allowed = is_invoke_allowed
        self.all: list[dict] = []
        self.changed = threading.Condition()
        self.at_work = 0

    def wait_until_idle(self) -> list[dict]:
        """Waits until no delivery is in progress and returns all: the rule, the function, the
        number of invocations, the response, and the error or null."""
        with self.changed:
            self.changed.wait_for(lambda: self.at_work == 0)
            return [dict(record) for record in self.all]

    def fire(self, name: str) -> Answer:
        """Fires a schedule now, even if it is disabled."""
        for account in scheduler_backends.values():
            for region, backend in account.items():
                for group in backend.schedule_groups.values():
                    if name in group.schedules:
                        return self.fire_target(group.schedules[name])
        return Answer("", f"unknown schedule {name}")

    def fire_target(self, schedule) -> Answer:
        function, role = schedule.target["Arn"], schedule.target["RoleArn"]
        if not self.access.permits(role, Call("lambda:InvokeFunction", function)):
            return Answer("", f"{role} may not invoke {function}")
        given = schedule.target.get("Input")
        if not given:
            return Answer("", f"missing Input of the schedule for {name_of(function)}")
        words = {"scheduled-time": now(), "execution-id": str(uuid4()), "attempt-number": "1"}
        for word, value in {**words, "schedule-arn": schedule.arn}.items():
            given = given.replace(f"<aws.scheduler.{word}>", value)
        return self.functions.invoke(function, json.loads(given))

    def bring(self, rule: Rule, target: dict, event: dict) -> None:
        """Delivers an event to a function in the background."""
        record = {"Rule": rule.name, "Function": target["Arn"], "Attempts": 0, "Answer": None, "Error": None}
        with self.changed:
            self.all.append(record)
            self.at_work += 1

        def run() -> None:
            try:
                for _ in range(1 + max_retries(target["Arn"])):
                    answer = self.functions.invoke_for(EVENTS, rule.arn, target["Arn"], event)
                    record["Attempts"] += 1
                    record["Answer"], record["Error"] = answer.body, answer.error
                    if answer.error is None:
                        return
                self.give_up(target["Arn"], event)
            except Exception as error:
                record["Error"] = repr(error)
            finally:
                with self.changed:
                    self.at_work -= 1
                    self.changed.notify_all()

        threading.Thread(target=run, daemon=True).start()

    def give_up(self, function: str, event: dict) -> None:
        """Sends a failed event to the function's dead-letter queue, with its role's permissions."""
        for found in stacks.resources_of("AWS::Lambda::Function"):
            queue = found["Properties"].get("DeadLetterConfig", {}).get("TargetArn", "")
            if found["Id"] != name_of(function) or ":sqs:" not in queue:
                continue
            if self.access.permits(found["Properties"]["Role"], Call("sqs:SendMessage", queue)):
                client = client_of("sqs", REGION)
                url = client.get_queue_url(QueueName=name_in(queue))["QueueUrl"]
                client.send_message(QueueUrl=url, MessageBody=json.dumps(event))


def max_retries(function: str) -> int:
    """The maximum number of retries of a function."""
    for given in stacks.resources_of("AWS::Lambda::EventInvokeConfig"):
        if name_of(given["Properties"]["FunctionName"]) == name_of(function):
            return int(given["Properties"].get("MaximumRetryAttempts", 2))
    return 2


def now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def is_invoke_allowed(function: str, service: str, source: str) -> bool:
    """Whether a function's policy allows a service to invoke it for a rule or a secret with
    this ARN. A function outside of stacks allows every service."""
    name = name_of(function)
    if not any(one["Id"] == name for one in stacks.resources_of("AWS::Lambda::Function")):
        return True
    permissions = [one["Properties"] for one in stacks.resources_of("AWS::Lambda::Permission")]
    return any(
        name_of(given["FunctionName"]) == name
        and given["Principal"] == service
        and matches_pattern(given.get("SourceArn", "*"), source)
        and given.get("SourceAccount", ACCOUNT) == ACCOUNT
        for given in permissions
    )


def name_of(function: str) -> str:
    """The name of a function from its ARN or name."""
    return function.split(":function:")[-1].split(":")[0]


def send_part(target: dict, event: dict) -> None:
    """Sends the part of an event at `InputPath` to a queue or a topic, which moto does not."""
    part = event
    for name in target["InputPath"].removeprefix("$").split("."):
        part = part[name] if name else part
    body, arn = json.dumps(part), target["Arn"]
    if ":sqs:" in arn:
        client = client_of("sqs", REGION)
        client.send_message(QueueUrl=client.get_queue_url(QueueName=name_in(arn))["QueueUrl"], MessageBody=body)
    else:
        client_of("sns", REGION).publish(TopicArn=arn, Message=body)


def name_in(arn: str) -> str:
    """The name of a queue from its ARN."""
    return arn.rsplit(":", 1)[-1]


def send_to_targets(rule: Rule, event: dict, transform_input: bool = True, *, moto, deliveries: Deliveries):
    """Sends an event to the targets of a rule, including functions and topics."""
    if rule.state == "DISABLED" or not rule.event_pattern.matches_event(event):
        return
    functions = [target for target in rule.targets if ":lambda:" in target["Arn"]]
    for target in functions:
        brought = copy.deepcopy(event)
        if not isinstance(brought.get("time"), str):
            moment = datetime.fromtimestamp(float(brought.get("time", 0)), timezone.utc)
            brought["time"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        deliveries.bring(rule, target, json.loads(target["Input"]) if "Input" in target else brought)
    parts = [target for target in rule.targets if "InputPath" in target and target not in functions]
    for target in parts:
        send_part(target, event)
    others = copy.copy(rule)
    others.targets = [target for target in rule.targets if target not in functions and target not in parts]
    if others.targets:
        moto(others, event, transform_input)


def install(deliveries: Deliveries) -> None:
    """Patches functions of moto."""
    moto = Rule.send_to_targets
    Rule.send_to_targets = lambda rule, event, transform_input=True: send_to_targets(
        rule, event, transform_input, moto=moto, deliveries=deliveries
    )

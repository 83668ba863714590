"""What invokes functions in a deployed stack: schedules, rules, and rotations.

A schedule is fired on request, with its own target and input, and only if its role may
invoke the function. A rule brings an event to a function only if the function's own policy
lets EventBridge in. One attempt is made, and whoever asked does not wait for a rule's.
"""

import copy
import json
import threading
from datetime import datetime, timezone
from uuid import uuid4

from moto.events.models import Rule
from moto.scheduler.models import scheduler_backends

import stacks
from access import Access
from actions import ACCOUNT
from functions import Answer, Functions
from policies import Call, fits

EVENTS = "events.amazonaws.com"


class Deliveries:
    """The invocations that rules made, once none is at work."""

    def __init__(self, functions: Functions, access: Access) -> None:
        self.functions, self.access = functions, access
        self.all: list[dict] = []
        self.changed = threading.Condition()
        self.at_work = 0

    def settled(self) -> list[dict]:
        """All invocations by rules: the rule, the function, and why it failed, or null."""
        with self.changed:
            self.changed.wait_for(lambda: self.at_work == 0)
            return [dict(record) for record in self.all]

    def fire(self, name: str) -> Answer:
        """Does now what a schedule does when its time comes, also one that is disabled."""
        for account in scheduler_backends.values():
            for region, backend in account.items():
                for group in backend.schedule_groups.values():
                    if name in group.schedules:
                        return self.fire_target(group.schedules[name])
        for rule in stacks.resources_of("AWS::Events::Rule"):
            if rule["Id"] == name and "ScheduleExpression" in rule["Properties"]:
                return self.fire_rule(rule)
        return Answer("", f"there is no schedule {name}")

    def fire_target(self, schedule) -> Answer:
        function, role = schedule.target["Arn"], schedule.target["RoleArn"]
        if not self.access.permits(role, Call("lambda:InvokeFunction", function)):
            return Answer("", f"{role} may not invoke {function}")
        given = schedule.target.get("Input")
        if not given:
            return self.functions.invoke(function, scheduled_event(schedule.arn))
        words = {"scheduled-time": now(), "execution-id": str(uuid4()), "attempt-number": "1"}
        for word, value in {**words, "schedule-arn": schedule.arn}.items():
            given = given.replace(f"<aws.scheduler.{word}>", value)
        return self.functions.invoke(function, json.loads(given))

    def fire_rule(self, rule: dict) -> Answer:
        answer = Answer("", "the rule has no target")
        for target in rule["Properties"].get("Targets", []):
            if not let_in(target["Arn"], EVENTS, rule["Id"]):
                return Answer("", f"EventBridge may not invoke {target['Arn']}")
            given = target.get("Input")
            event = json.loads(given) if given else scheduled_event(rule["Id"])
            answer = self.functions.invoke(target["Arn"], event)
        return answer

    def bring(self, rule: Rule, target: dict, event: dict) -> None:
        """Brings an event to a function in the background."""
        record = {"Rule": rule.name, "Function": target["Arn"], "Answer": None, "Error": None}
        with self.changed:
            self.all.append(record)
            self.at_work += 1

        def run() -> None:
            try:
                if let_in(target["Arn"], EVENTS, rule.name):
                    answer = self.functions.invoke(target["Arn"], event)
                    record["Answer"], record["Error"] = answer.body, answer.error
                else:
                    record["Error"] = f"EventBridge may not invoke {target['Arn']}"
            finally:
                with self.changed:
                    self.at_work -= 1
                    self.changed.notify_all()

        threading.Thread(target=run, daemon=True).start()


def now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def scheduled_event(rule: str) -> dict:
    """The event of a schedule that says nothing else."""
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": now(),
        "resources": [rule],
        "detail": {},
    }


def let_in(function: str, principal: str, source: str) -> bool:
    """Whether a function's own policy lets a service invoke it, on behalf of a rule or a
    secret. A function of no stack lets in everybody."""
    name = function.split(":function:")[-1].split(":")[0]
    if not any(one["Id"] == name for one in stacks.resources_of("AWS::Lambda::Function")):
        return True
    for permission in stacks.resources_of("AWS::Lambda::Permission"):
        given = permission["Properties"]
        own = given["FunctionName"].split(":function:")[-1].split(":")[0] == name
        of = given.get("SourceArn", "*")
        if own and given["Principal"] == principal and (fits(of, source) or of.endswith(source)):
            return given.get("SourceAccount", ACCOUNT) == ACCOUNT
    return False


def send_to_targets(rule: Rule, event: dict, transform_input: bool = True, *, moto, deliveries: Deliveries):
    """Sends an event to the targets of a rule, functions among them."""
    if rule.state == "DISABLED" or not rule.event_pattern.matches_event(event):
        return
    functions = [target for target in rule.targets if ":lambda:" in target["Arn"]]
    for target in functions:
        brought = copy.deepcopy(event)
        if not isinstance(brought.get("time"), str):
            moment = datetime.fromtimestamp(float(brought.get("time", 0)), timezone.utc)
            brought["time"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        deliveries.bring(rule, target, json.loads(target["Input"]) if "Input" in target else brought)
    others = copy.copy(rule)
    others.targets = [target for target in rule.targets if target not in functions]
    if others.targets:
        moto(others, event, transform_input)


def install(deliveries: Deliveries) -> None:
    """Puts what is mended in the place of what moto does."""
    moto = Rule.send_to_targets
    Rule.send_to_targets = lambda rule, event, transform_input=True: send_to_targets(
        rule, event, transform_input, moto=moto, deliveries=deliveries
    )

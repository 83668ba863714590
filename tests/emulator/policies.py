"""The permissions of the roles of deployed stacks, and their evaluation."""

import json
import re
from dataclasses import dataclass

import stacks
from resource_types import ACCOUNT

# The condition keys of every call. Requests count as sent over TLS.
ALWAYS = {
    "aws:SecureTransport": "true",
    "aws:PrincipalAccount": ACCOUNT,
    "aws:ResourceAccount": ACCOUNT,
    "aws:SourceAccount": ACCOUNT,
}


@dataclass(frozen=True)
class Call:
    """An action on a resource, with its condition keys. Several values of one key are lines."""

    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Permission:
    """One action on one resource in a statement, allowed or denied."""

    policy: str
    statement: str
    effect: str
    action: str
    resource: str
    condition: str = "{}"

    def covers(self, call: Call) -> bool:
        return (
            matches_pattern(self.action.lower(), call.action.lower())
            and matches_pattern(self.resource, call.resource)
            and evaluate_condition(json.loads(self.condition), {**ALWAYS, **dict(call.context)})
        )


def matches_pattern(pattern: str, text: str) -> bool:
    """Whether a text matches a pattern with `*` and `?`."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text, re.DOTALL) is not None


def texts(value) -> list[str]:
    """The texts of a value that is one or a list."""
    values = value if isinstance(value, list) else [value]
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in values]


COMPARISONS = {
    "StringEquals": lambda wanted, given: wanted == given,
    "StringEqualsIgnoreCase": lambda wanted, given: wanted.lower() == given.lower(),
    "StringLike": matches_pattern,
    "ArnEquals": matches_pattern,
    "ArnLike": matches_pattern,
    "Bool": lambda wanted, given: wanted.lower() == given.lower(),
    "NumericEquals": lambda wanted, given: float(wanted) == float(given),
}


def evaluate_condition(condition: dict, context: dict[str, str]) -> bool:
    """Whether a condition holds. An unknown operator is an error."""
    context = {key.lower(): value for key, value in context.items()}
    for operator, wanted_by_key in condition.items():
        of_all = operator.startswith("ForAllValues:")
        name = operator.removeprefix("ForAnyValue:").removeprefix("ForAllValues:")
        optional = name.endswith("IfExists")
        name = name.removesuffix("IfExists")
        negated = "Not" in name
        compare = COMPARISONS.get(name.replace("Not", ""))
        for key, wanted in wanted_by_key.items():
            given = context.get(key.lower())
            if name == "Null":
                if (given is None) != (texts(wanted)[0].lower() == "true"):
                    return False
                continue
            if compare is None:
                raise ValueError(f"unknown condition operator {operator}")
            if given is None:
                if optional or negated or of_all:
                    continue
                return False
            found = [any(compare(one, value) for one in texts(wanted)) for value in given.split("\n")]
            if (all(found) if of_all else any(found)) == negated:
                return False
    return True


def permissions_of_document(policy: str, document) -> list[Permission]:
    """The permissions of a policy."""
    document = json.loads(document) if isinstance(document, str) else document
    statements = document["Statement"]
    rights = []
    for number, statement in enumerate(statements if isinstance(statements, list) else [statements]):
        name = statement.get("Sid", str(number))
        condition = json.dumps(statement.get("Condition", {}), sort_keys=True)
        rights += [
            Permission(policy, name, statement["Effect"], action, resource, condition)
            for action in texts(statement.get("Action", []))
            for resource in texts(statement.get("Resource", "*"))
        ]
    return rights


def permissions_of(role: str) -> list[Permission]:
    """All permissions of a role, by its name."""
    properties = next(
        (one["Properties"] for one in stacks.resources_of("AWS::IAM::Role") if one["Id"] == role), {}
    )
    rights = []
    for policy in properties.get("Policies", []):
        rights += permissions_of_document(policy["PolicyName"], policy["PolicyDocument"])
    for kind in ("AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::ManagedPolicy"):
        for policy in stacks.resources_of(kind):
            given = policy["Properties"]
            if role in given.get("Roles", []) or given.get("RoleName") == role:
                rights += permissions_of_document(given.get("PolicyName", policy["Id"]), given["PolicyDocument"])
    for policy in stacks.resources_of("AWS::S3::BucketPolicy"):
        document = permissions_of_document(policy["Id"], policy["Properties"]["PolicyDocument"])
        rights += [right for right in document if right.effect == "Deny"]
    return rights


def granting_permission(rights: list[Permission], call: Call) -> Permission | None:
    """The permission that allows a call; None if it is missing, or if a statement denies it."""
    covering = [right for right in rights if right.covers(call)]
    if any(right.effect == "Deny" for right in covering):
        return None
    return next(iter(covering), None)

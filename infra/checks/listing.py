"""Which folders of a bucket each role may list, and which object it may look for.

S3 decides by `s3:ListBucket` whether a request for an object that is not there gets 404 or 403, and takes the key of
the object for the `s3:prefix` of that decision. So the condition of a role names the folders that its function lists,
and patterns of whole keys for what the function only reads.

A listing need not have a prefix. Then the condition's key is absent, which `...IfExists` lets through and `StringLike`
does not.
"""

import json
import re

from rights import as_list

LIST = "s3:ListBucket"
OPERATORS = {"StringEquals", "StringLike"}
# What a `*` of a resource may stand for, when a key is made of it.
ANY = "x/y-0001.json"


def text(part) -> str:
    """A value of a template as a text, in which what is known at deployment stays a `${...}`."""
    match part:
        case {"Fn::Sub": str(sub)}:
            return sub
        case {"Ref": name}:
            return "${" + name + "}"
        case {"Fn::GetAtt": [*names]}:
            return "${" + ".".join(names) + "}"
    return part if isinstance(part, str) else json.dumps(part, sort_keys=True)


def statements(template: dict):
    """The name of each role, with one statement of its policies that allows something."""
    for name, resource in template["Resources"].items():
        if resource["Type"] != "AWS::IAM::Role":
            continue
        for policy in resource["Properties"].get("Policies", []):
            for statement in as_list(policy["PolicyDocument"]["Statement"]):
                branches = statement.get("Fn::If", [None, statement])[1:]
                yield from ((name, one) for one in branches if one.get("Effect") == "Allow")


def buckets_and_keys(statement: dict):
    """The buckets of a statement, each with the pattern of keys in it or none."""
    for resource in map(text, as_list(statement.get("Resource", []))):
        bucket, _, key = resource.rsplit(":::", 1)[-1].partition("/")
        yield bucket, key or None


def prefixes(statement: dict) -> list[str]:
    """The patterns of prefixes that a statement allows."""
    condition = statement.get("Condition", {})
    keys = [value for operator in OPERATORS for value in as_list(condition.get(operator, {}).get("s3:prefix", []))]
    return [text(value) for value in keys]


def may_list(template: dict, role: str, bucket: str, prefix: str | None) -> bool:
    """Whether a role may list what begins with this prefix; none for a listing without one."""
    for name, statement in statements(template):
        if name != role or LIST not in as_list(statement["Action"]):
            continue
        if bucket not in (one for one, _ in buckets_and_keys(statement)):
            continue
        if "s3:prefix" not in json.dumps(statement.get("Condition", {})):
            return True
        if prefix is None:
            return any(operator.endswith("IfExists") for operator in statement["Condition"])
        optional = [value for key, given in statement["Condition"].items() if key.endswith("IfExists") for value in as_list(given.get("s3:prefix", []))]
        if any(fits(pattern, prefix) for pattern in [*prefixes(statement), *map(text, optional)]):
            return True
    return False


def fits(pattern: str, prefix: str) -> bool:
    """Whether a prefix is one that a pattern with `*` and `?` means."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, prefix, re.DOTALL) is not None


def check_listing(template: dict):
    """Statements that let a role list more than its own folders."""
    own: dict[tuple[str, str], list[str]] = {}
    for role, statement in statements(template):
        if any(action.startswith("s3:") and action != LIST for action in as_list(statement["Action"])):
            for bucket, key in buckets_and_keys(statement):
                own.setdefault((role, bucket), []).append(key or "")
    for role, statement in statements(template):
        if LIST not in as_list(statement["Action"]):
            continue
        others = set(statement.get("Condition", {})) - OPERATORS
        if others or not prefixes(statement):
            yield f"{role} lists by {sorted(others) or 'no condition'}; name prefixes by StringLike or StringEquals"
        for bucket, _ in buckets_and_keys(statement):
            for pattern in prefixes(statement):
                key = pattern.replace("*", ANY)
                if not any(fits(right, key) for right in own.get((role, bucket), [])):
                    yield f"{role} lists {pattern}, but reads and writes nothing there"

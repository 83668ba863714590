"""Whether the policies of a template name what they allow.

Every policy of IAM counts: those within a role, a user or a group, and those that are a resource by themselves. They
are looked at in each case of the template's conditions. A function of CloudFormation that is not known here counts as a
wildcard.

A statement that must allow everything of a service is let through where its condition asks for a tag of the resource,
and the reason stands beside it:

    Metadata:
      consistent:
        skip:
          - { id: <the statement's Sid>, comment: <the reason> }
"""

import itertools
import json
import re

# These know no resource.
ACTIONS_WITHOUT_RESOURCE = {
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "secretsmanager:ListSecrets",
    "secretsmanager:BatchGetSecretValue",
}

# What the ARN of these services ends in is a name, with no type before it.
SERVICES_WITHOUT_RESOURCE_TYPE = {"execute-api", "s3", "sns", "sqs"}

# Stands for a name that is known when the stack is deployed.
NAME = "<name>"
NO_VALUE = object()


def as_list(value) -> list:
    return value if isinstance(value, list) else [value]


def check_permissions(template: dict):
    """What policies allow without a name, and reasons that nothing needs."""
    for name, resource in template["Resources"].items():
        if resource["Type"].startswith("AWS::IAM::"):
            reasons = {skip["id"] for skip in resource.get("Metadata", {}).get("consistent", {}).get("skip", [])}
            needed, found = set(), {}
            for properties in condition_cases(resource["Properties"], template.get("Conditions", {})):
                found |= dict.fromkeys(defects(properties, reasons, needed))
            yield from (f"{name} {defect}" for defect in found)
            for reason in sorted(reasons - needed):
                yield f"{name} has a reason for {reason}, which lets nothing through"


def defects(properties: dict, reasons: set[str], needed: set[str]):
    """The defects of one resource in one case, but for what a reason lets through; that reason is needed."""
    if properties.get("ManagedPolicyArns"):
        yield "has a policy of AWS's making; write down what it needs"
    documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
    documents += [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
    for statement in (one for document in documents for one in as_list(document["Statement"])):
        if statement["Effect"] == "Deny":
            continue
        for key in sorted({"NotAction", "NotResource"} & statement.keys()):
            yield f"allows all but what is named ({key}); name what is allowed"
        actions = set(as_list(statement.get("Action", [])))
        yield from (f"allows {action}; name the actions" for action in sorted(actions) if has_wildcard(action))
        actions -= ACTIONS_WITHOUT_RESOURCE
        everything = [one for one in as_list(statement.get("Resource", [])) if is_unbounded(one)]
        if not actions or not everything:
            continue
        if statement.get("Sid") in reasons and requires_resource_tag(statement):
            needed.add(statement["Sid"])
            continue
        yield f"allows {sorted(actions)} of everything ({everything[0]}); name the resource"


def condition_cases(part, conditions: dict):
    """A part of a template as it is in each case of the conditions that it names."""
    names = conditions_in(part)
    facts = sorted(set().union(*(comparisons_of({"Condition": name}, conditions) for name in names)))
    for held in itertools.product([True, False], repeat=len(facts)):
        truth = dict(zip(facts, held))
        yield resolve(part, {name: evaluate({"Condition": name}, conditions, truth) for name in names})


def conditions_in(part) -> set[str]:
    """The conditions that a part of a template names."""
    if isinstance(part, list):
        return set().union(*map(conditions_in, part))
    if not isinstance(part, dict):
        return set()
    own = {part["Fn::If"][0]} if "Fn::If" in part else set()
    return own.union(*map(conditions_in, part.values()))


def comparisons_of(condition: dict, conditions: dict) -> set[str]:
    """The comparisons that a condition is made of."""
    match condition:
        case {"Condition": name}:
            return comparisons_of(conditions[name], conditions)
        case {"Fn::Not": parts} | {"Fn::And": parts} | {"Fn::Or": parts}:
            return set().union(*(comparisons_of(part, conditions) for part in parts))
    return {json.dumps(condition, sort_keys=True)}


def evaluate(condition: dict, conditions: dict, truth: dict[str, bool]) -> bool:
    """Whether a condition holds, where these comparisons do or do not."""
    match condition:
        case {"Condition": name}:
            return evaluate(conditions[name], conditions, truth)
        case {"Fn::Not": [part]}:
            return not evaluate(part, conditions, truth)
        case {"Fn::And": parts}:
            return all(evaluate(part, conditions, truth) for part in parts)
        case {"Fn::Or": parts}:
            return any(evaluate(part, conditions, truth) for part in parts)
    return truth[json.dumps(condition, sort_keys=True)]


def resolve(part, held: dict[str, bool]):
    """A part of a template without its functions, where these conditions hold and these do not."""
    if isinstance(part, list):
        items = (resolve(item, held) for item in part)
        return [item for item in items if item is not NO_VALUE]
    if not isinstance(part, dict):
        return part
    match part:
        case {"Fn::If": [condition, yes, no]}:
            return resolve(yes if held[condition] else no, held)
        case {"Ref": "AWS::NoValue"}:
            return NO_VALUE
        case {"Ref": _} | {"Fn::GetAtt": _}:
            return NAME
        case {"Fn::Sub": [str(text), dict(given)]}:
            given = {name: resolve(value, held) for name, value in given.items()}
            return re.sub(r"\$\{([^}]+)\}", lambda found: str(given.get(found[1], NAME)), text)
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{[^}]+\}", NAME, text)
        case {"Fn::Join": [str(between), list(items)]}:
            return between.join(map(str, resolve(items, held)))
    if any(name.startswith("Fn::") for name in part):
        return "*"
    members = ((name, resolve(value, held)) for name, value in part.items())
    return {name: value for name, value in members if value is not NO_VALUE}


def is_unbounded(resource: str) -> bool:
    """Whether a resource is everything, or everything of a service."""
    if resource.startswith(NAME):
        # The ARN of another resource of the stack.
        return False
    parts = resource.split(":", 5)
    if len(parts) < 6 or has_wildcard(parts[1] + parts[2]):
        return True
    service, rest = parts[2], parts[5]
    if service not in SERVICES_WITHOUT_RESOURCE_TYPE:
        kind, separator, rest = re.match(r"([^:/]*)([:/]?)(.*)", rest, re.DOTALL).groups()
        if has_wildcard(kind) or not separator:
            return has_wildcard(kind)
    first = next((part for part in re.split("[:/]", rest) if part), "")
    return re.search("[A-Za-z0-9]", first) is None


def has_wildcard(text: str) -> bool:
    return "*" in text or "?" in text


def requires_resource_tag(statement: dict) -> bool:
    """Whether the condition of a statement asks for a tag of the resource."""
    keys = statement.get("Condition", {}).get("StringEquals", {})
    return any(":ResourceTag/" in key for key in keys)

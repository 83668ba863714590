"""Whether the templates fit together, and fit the functions' sources.

    python consistent.py

It needs aws-sam-translator (for its reader of templates), and no network. It fails when

- a policy allows an action with a wildcard, or everything where a name could stand: see `rights.py`;
- a role lists a folder of a bucket that is not its own: see `listing.py`;
- two functions have one role;
- a check is switched off without a reason;
- a variable that a function is given, or a metric or log record that an alarm or the dashboard looks at, is not in
  the sources: an alarm that listens to nothing never rings;
- an alarm is not in the dashboard;
- a stack within the stack is not given what it asks for.
"""

import json
import re
import sys
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

from listing import check_listing
from rights import check_permissions

INFRA = Path(__file__).resolve().parent.parent
ROOT = INFRA.parent
NESTED_TEMPLATES = ["isolation.yaml", "buckets.yaml", "lake.yaml", "athena.yaml", "alarms.yaml", "dashboard.yaml", "notices.yaml"]

def sources() -> str:
    files = [*ROOT.glob("functions/*/src/**/*.rs"), *ROOT.glob("crates/*/src/**/*.rs")]
    return "\n".join(file.read_text() for file in sorted(files))


def check_shared_roles(resources):
    taken = {}
    for name, resource in resources.items():
        if resource["Type"] == "AWS::Lambda::Function":
            role = json.dumps(resource["Properties"]["Role"])
            if role in taken:
                yield f"{name} and {taken[role]} have one role"
            taken[role] = name


def check_skip_reasons(templates):
    for file, template in templates.items():
        for name, resource in template["Resources"].items():
            for check in ("checkov", "consistent"):
                for skip in resource.get("Metadata", {}).get(check, {}).get("skip", []):
                    if len(skip.get("comment", "")) < 10:
                        yield f"{file}: {name} switches {skip.get('id')} off without a reason"


def check_variables(resources, known: str):
    for name, resource in resources.items():
        if resource["Type"] == "AWS::Lambda::Function":
            for variable in resource["Properties"]["Environment"]["Variables"]:
                if f'"{variable}"' not in known:
                    yield f"{name} is given {variable}, which nothing reads"


def check_monitored_names(templates, known: str):
    alarms, dashboard = (json.dumps(templates[name]["Resources"]) for name in ("alarms.yaml", "dashboard.yaml"))
    # Those that are counted from records of a log.
    made = set(re.findall(r'"MetricNamespace": {"Ref": "Namespace"}, "MetricName": "(\w+)"', alarms))
    names = set(re.findall(r'"Namespace": {"Ref": "Namespace"}, "MetricName": "(\w+)"', alarms))
    body = templates["dashboard.yaml"]["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    names |= set(re.findall(r'\["\$\{Namespace\}","(\w+)"', body))
    names |= set(re.findall(r'MetricName=\\"(\w+)\\"', body))
    names |= set(re.findall(r"SELECT \w+\((\w+)\) FROM SCHEMA", alarms))
    if len(names) < 20:
        yield f"only {len(names)} metrics were found in the alarms and the dashboard; the search is wrong"
    for name in sorted(names - made):
        if f'"{name}"' not in known:
            yield f"the metric {name} is watched, and nothing writes it"
    records = re.findall(r'(?:message|event) = (?:\\"|\')([^"\'\\]+)', alarms + dashboard)
    if not records:
        yield "no log record was found in the alarms and the dashboard; the search is wrong"
    for record in sorted(set(records)):
        if f'"{record}"' not in known:
            yield f'the record "{record}" is watched, and nothing writes it'


def check_dashboard_alarms(templates):
    names = {
        (resource["Properties"]["AlarmName"]["Fn::Sub"].removeprefix("${Stack}-"), "Condition" in resource)
        for resource in templates["alarms.yaml"]["Resources"].values()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }
    body = templates["dashboard.yaml"]["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    there = set(re.findall(r":alarm:\$\{Stack\}-([a-z0-9-]+)", body))
    for name, conditional in sorted(names):
        # One that is not always there cannot be named.
        if (name in there) == conditional:
            yield f"the dashboard {'names' if conditional else 'does not name'} the alarm {name}"
    for name in sorted(there - {name for name, _ in names}):
        yield f"the dashboard names the alarm {name}, which does not exist"


def check_nested_parameters(templates):
    for name, resource in templates["template.yaml"]["Resources"].items():
        if resource["Type"] == "AWS::CloudFormation::Stack":
            file = resource["Properties"]["TemplateURL"]
            declared = set(templates[file]["Parameters"])
            passed = set(resource["Properties"]["Parameters"])
            for parameter in sorted(declared ^ passed):
                problem = "is missing" if parameter in declared else f"is not a parameter of {file}"
                yield f"{name}: {parameter} {problem}"


def check_datasets(templates):
    """Each dataset can be chosen, and its folder be written, rolled back and kept from changes."""
    sources = (ROOT / "crates/sophos-export/src/dataset.rs").read_text()
    names = re.findall(r'Self::\w+ => "([a-z_]+)",', sources)
    pattern = templates["template.yaml"]["Parameters"]["Datasets"]["AllowedPattern"]
    statements = {
        one["Sid"]: json.dumps(one["Resource"])
        for name in ("template.yaml", "buckets.yaml")
        for one in statements_of(templates[name])
        if one.get("Sid") in ("Write", "DeleteUncommittedObjects", "WriteOnce")
    }
    if len(names) < 10 or len(statements) != 3:
        yield "the datasets or the statements about their folders were not found; the search is wrong"
    for name in names:
        if not re.fullmatch(pattern, name):
            yield f"the parameter Datasets does not allow {name}"
        for sid, paths in statements.items():
            if f"/{name}/*" not in paths:
                yield f"the statement {sid} lacks the folder of {name}"


def statements_of(node):
    """All statements of policies below a node."""
    if isinstance(node, dict):
        if isinstance(node.get("Statement"), list):
            yield from (one for one in node["Statement"] if isinstance(one, dict))
        node = list(node.values())
    if isinstance(node, list):
        for one in node:
            yield from statements_of(one)


def as_deployed(name: str, template: dict) -> dict:
    """A template after the transform, if it asks for one."""
    kept = (INFRA / "transformed" / name).with_suffix(".json")
    return json.loads(kept.read_text()) if "Transform" in template else template


def main() -> int:
    templates = {name: yaml_parse((INFRA / name).read_text()) for name in ["template.yaml", *NESTED_TEMPLATES]}
    deployed = {name: as_deployed(name, template) for name, template in templates.items()}
    resources = {name: one for template in deployed.values() for name, one in template["Resources"].items()}
    known = sources()
    defects = [
        *(f"{file}: {defect}" for file, template in deployed.items() for defect in check_permissions(template)),
        *(f"{file}: {defect}" for file, template in deployed.items() for defect in check_listing(template)),
        *check_shared_roles(resources),
        *check_skip_reasons(templates),
        *check_variables(resources, known),
        *check_monitored_names(templates, known),
        *check_dashboard_alarms(templates),
        *check_nested_parameters(templates),
        *check_datasets(templates),
    ]
    print("\n".join(defects) if defects else "the templates fit together, and fit the sources")
    return 1 if defects else 0


if __name__ == "__main__":
    sys.exit(main())

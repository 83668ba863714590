"""The templates as CloudFormation gets to see them: the serverless transform, carried out here.

    python transform.py --check     compares them with those that are kept in infra/transformed, and fails on a difference
    python transform.py --update     renews those that are kept

It needs aws-sam-translator 1.115.0, and no network. What the transform adds is part of what is deployed, and no
review of the templates shows it: rights, permissions, names.
"""

import difflib
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")

from samtranslator.translator.transform import transform  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402

INFRA = Path(__file__).resolve().parent.parent
EXPECTED_DIR = INFRA / "transformed"
TEMPLATES = ["template", "isolation", "lake"]


class NoManagedPolicies:
    """The template names no policy that AWS manages; to resolve one would need a network."""

    def load(self):
        return {}


def transformed(name: str) -> str:
    template = yaml_parse((INFRA / f"{name}.yaml").read_text())
    for name, resource in template["Resources"].items():
        # `sam deploy` puts packages and templates there.
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = f"s3://packages/{name}.zip"
        if resource["Type"] == "AWS::CloudFormation::Stack":
            file = resource["Properties"]["TemplateURL"]
            resource["Properties"]["TemplateURL"] = f"https://packages.s3.amazonaws.com/{file}"
    template["Globals"]["Function"].pop("CodeUri", None)
    result = transform(template, {}, NoManagedPolicies())
    return json.dumps(result, indent=2, sort_keys=True) + "\n"


def differences(name: str, now: str) -> list[str]:
    file = EXPECTED_DIR / f"{name}.json"
    kept = file.read_text() if file.exists() else ""
    names = (f"infra/transformed/{name}.json", "as it is now")
    return list(difflib.unified_diff(kept.splitlines(True), now.splitlines(True), *names))


def main(arguments: list[str]) -> int:
    now = {name: transformed(name) for name in TEMPLATES}
    match arguments:
        case ["--update"]:
            EXPECTED_DIR.mkdir(exist_ok=True)
            for name, text in now.items():
                (EXPECTED_DIR / f"{name}.json").write_text(text)
            return 0
        case ["--check"]:
            different = [line for name, text in now.items() for line in differences(name, text)]
            if not different:
                return 0
            sys.stdout.writelines(different)
            print(
                "\nA transformed template has changed. If that is what you mean, renew it with\n"
                "    cargo xtask infra --update\nand commit it.",
                file=sys.stderr,
            )
            return 1
        case _:
            print(__doc__, file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The templates as CloudFormation gets to see them: the serverless transform, carried out here.

    python transform.py             prints infra/transformed.json as it would be now
    python transform.py --check     compares it with the one that is kept, and fails on a difference
    python transform.py --write     renews the one that is kept

It needs aws-sam-translator 1.115.0, and no network. What the transform adds is part of what is deployed, and no
review of the template shows it: rights, permissions, names.
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
KEPT = INFRA / "transformed.json"


class NoManagedPolicies:
    """The template names no policy that AWS manages; to resolve one would need a network."""

    def load(self):
        return {}


def transformed() -> str:
    template = yaml_parse((INFRA / "template.yaml").read_text())
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


def main(arguments: list[str]) -> int:
    now = transformed()
    match arguments:
        case []:
            sys.stdout.write(now)
            return 0
        case ["--write"]:
            KEPT.write_text(now)
            return 0
        case ["--check"]:
            kept = KEPT.read_text() if KEPT.exists() else ""
            if kept == now:
                return 0
            names = ("infra/transformed.json", "as it is now")
            sys.stdout.writelines(difflib.unified_diff(kept.splitlines(True), now.splitlines(True), *names))
            print(
                "\nThe transformed template has changed. If that is what you mean, renew it with\n"
                "    python infra/checks/transform.py --write\nand commit it.",
                file=sys.stderr,
            )
            return 1
        case _:
            print(__doc__, file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

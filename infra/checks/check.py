"""All checks of the templates. They need no AWS account and no network.

    python check.py --sam DIR --checkov DIR

DIR is the folder of an environment's programs, such as venv/bin. The first has aws-sam-cli, with the cfn-lint and
aws-sam-translator that it brings; the second, whose pins do not go with those, checkov. The versions are in
crates/xtask/locks.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

CHECKS = Path(__file__).resolve().parent
INFRA = CHECKS.parent
ROOT = INFRA.parent
REGION = "eu-west-1"
TEMPLATES = ["template.yaml", "isolation.yaml", "buckets.yaml", "lake.yaml", "athena.yaml", "alarms.yaml", "dashboard.yaml", "notices.yaml"]


def commands(sam: Path, checkov: Path):
    templates = [str(INFRA / name) for name in TEMPLATES]
    python = str(sam / "python")
    yield "transform", [python, str(CHECKS / "transform.py"), "--check"]
    yield "consistent", [python, str(CHECKS / "consistent.py")]
    yield "roles and rules", [python, "-B", "-m", "unittest", "discover", "-s", str(CHECKS)]
    for template in templates:
        name = f"sam validate --lint {Path(template).name}"
        yield name, [str(sam / "sam"), "validate", "--lint", "--region", REGION, "--template-file", template]
    yield "cfn-lint", [str(sam / "cfn-lint"), "--regions", REGION, "--", *templates, *map(str, sorted(INFRA.glob("transformed/*.json")))]
    files = [argument for template in templates for argument in ("--file", template)]
    quiet = ["--framework", "cloudformation", "--skip-download", "--quiet", "--compact"]
    yield "checkov", [str(checkov / "checkov"), *files, *quiet]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sam", type=Path, required=True, help="where sam, cfn-lint and their python are")
    parser.add_argument("--checkov", type=Path, required=True, help="where checkov is")
    arguments = parser.parse_args()
    # From the working directory, and not resolved: an environment's python is a link.
    sam, checkov = Path(os.path.abspath(arguments.sam)), Path(os.path.abspath(arguments.checkov))
    environment = {**os.environ, "SAM_CLI_TELEMETRY": "0", "PYTHONWARNINGS": "ignore"}
    failed = []
    for name, command in commands(sam, checkov):
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        print(f"{'ok    ' if done.returncode == 0 else 'FAILED'} {name}", flush=True)
        if done.returncode != 0:
            failed.append(name)
            print(done.stdout + done.stderr, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

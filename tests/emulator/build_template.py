"""Writes a template and its nested templates as `sam build` does, for built programs.

    python build_template.py TEMPLATE PROGRAMS FOLDER

For each SAM function, FOLDER gets a folder with its `Binary` from PROGRAMS as `bootstrap`,
without debug information if `strip` is available. The script also writes the templates there
and prints the path of the first. It needs aws-sam-cli.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from samcli.yamlhelper import yaml_dump, yaml_parse

# The properties that name a local file.
NESTED_LOCATIONS = {"AWS::CloudFormation::Stack": "TemplateURL", "AWS::Serverless::Application": "Location"}


def package(program: Path, folder: Path) -> None:
    """Copies a program into the package folder of a function."""
    folder.mkdir(parents=True, exist_ok=True)
    bootstrap = folder / "bootstrap"
    strip = shutil.which("strip")
    if not strip or subprocess.run([strip, "-o", bootstrap, program], check=False).returncode != 0:
        shutil.copyfile(program, bootstrap)
    bootstrap.chmod(0o755)


def build(template: Path, programs: Path, folder: Path) -> Path:
    """Returns the template with packaged functions, including nested templates."""
    parsed = yaml_parse(template.read_text())
    for name, resource in parsed["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function":
            package(programs / resource["Metadata"]["BuildProperties"]["Binary"], folder / name)
            properties["CodeUri"] = name
        beside = NESTED_LOCATIONS.get(resource["Type"])
        if beside and isinstance(properties.get(beside), str) and "://" not in properties[beside]:
            properties[beside] = str(build(template.parent / properties[beside], programs, folder))
    parsed.get("Globals", {}).get("Function", {}).pop("CodeUri", None)
    built = folder / template.name
    built.write_text(yaml_dump(parsed))
    return built


if __name__ == "__main__":
    print(build(*(Path(argument).resolve() for argument in sys.argv[1:4])))

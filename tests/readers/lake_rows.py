"""Reads the Parquet objects of a lake with DuckDB, and validates each row against the schema of OCSF 1.3.0.

    python lake_rows.py FOLDER

Prints the number of rows and the `metadata.uid` of each class, and the errors.
"""

import json
import sys
from pathlib import Path

import duckdb
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

NAMES = {
    2004: "detection_finding",
    5001: "inventory_info",
    7001: "remediation_activity",
    7002: "file_remediation_activity",
    7003: "process_remediation_activity",
}


def without_nulls(value):
    """A value without the members that a Parquet row has as nulls."""
    if isinstance(value, dict):
        members = {name: without_nulls(member) for name, member in value.items()}
        return {name: member for name, member in members.items() if member is not None} or None
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def validator(schema, class_uid, profiles):
    return Draft202012Validator(schema.get_class_schema(NAMES[class_uid], profiles))


def main(folder: Path):
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema("1.3.0"))
    connection = duckdb.connect()
    validators, rows, errors = {}, {}, []
    for source in sorted(folder.glob("ext/*")):
        read = connection.execute(
            "SELECT to_json(row) FROM read_parquet(?, hive_partitioning = false) AS row",
            [str(source / "**" / "*.parquet")],
        ).fetchall()
        days = connection.execute(
            "SELECT count(*) FROM read_parquet(?, hive_partitioning = true) "
            "WHERE strftime(to_timestamp(time / 1000) AT TIME ZONE 'UTC', '%Y%m%d') != CAST(eventDay AS VARCHAR)",
            [str(source / "**" / "*.parquet")],
        ).fetchone()
        if days[0]:
            errors.append(f"{source.name}: {days[0]} rows in another day")
        for (text,) in read:
            row = without_nulls(json.loads(text))
            class_uid, profiles = row["class_uid"], tuple(row["metadata"].get("profiles", ()))
            if source.name != f"sophos-{class_uid}":
                errors.append(f"{source.name} has a row of {class_uid}")
            if (class_uid, profiles) not in validators:
                validators[class_uid, profiles] = validator(schema, class_uid, list(profiles))
            rows.setdefault(str(class_uid), []).append(row["metadata"]["uid"])
            for error in validators[class_uid, profiles].iter_errors(row):
                errors.append(f"{class_uid} {row['metadata']['event_code'] if 'event_code' in row['metadata'] else ''} "
                              f"{error.json_path}: {error.message[:200]}")
            if row["type_uid"] != class_uid * 100 + row["activity_id"]:
                errors.append(f"{class_uid}: type_uid {row['type_uid']}")
            json.loads(row["raw_data"])
    json.dump({"rows": rows, "errors": sorted(set(errors))}, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

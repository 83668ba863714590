"""Prints an export as DuckDB reads it: the columns, and the id and record of each row in hexadecimal."""

import json
import sys

import duckdb

COLUMNS = {
    "id": "VARCHAR",
    "tenant": "VARCHAR",
    "dataset": "VARCHAR",
    "source": "VARCHAR",
    "time": "VARCHAR",
    "created_at": "VARCHAR",
    "revision": "INTEGER",
    "record": "VARCHAR",
}


def main(objects):
    connection = duckdb.connect()
    read = "FROM read_json(?, format = 'newline_delimited', hive_partitioning = true"
    detected = connection.execute(f"DESCRIBE SELECT * {read})", [objects]).fetchall()
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in COLUMNS.items())
    rows = connection.execute(
        f"SELECT id, record, tenant_id {read}, columns = {{{columns}}}) ORDER BY id", [objects]
    ).fetchall()
    member = connection.execute(
        f"SELECT record->>'$.Name', record->>'$.name' {read}, columns = {{{columns}}}) WHERE id = 'mixed-case'",
        [objects],
    ).fetchone()
    result = {
        "types": {name: kind for name, kind, *_ in detected},
        "rows": [[id, record.encode().hex(), tenant] for id, record, tenant in rows],
        "members": member,
    }
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])

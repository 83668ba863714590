"""Prints Parquet objects as pyarrow, DuckDB and Polars read them: the types of the columns, and the rows."""

import datetime
import json
import sys

import duckdb
import polars
import pyarrow
import pyarrow.parquet

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
MILLISECOND = datetime.timedelta(milliseconds=1)

TYPES = {
    "pyarrow": {
        "string": "text",
        "bool": "boolean",
        "int32": "int32",
        "int64": "int64",
        "timestamp[ms, tz=UTC]": "time",
    },
    "duckdb": {
        "VARCHAR": "text",
        "BOOLEAN": "boolean",
        "INTEGER": "int32",
        "BIGINT": "int64",
        "TIMESTAMP WITH TIME ZONE": "time",
    },
    "polars": {
        "String": "text",
        "Boolean": "boolean",
        "Int32": "int32",
        "Int64": "int64",
        "Datetime(time_unit='ms', time_zone='UTC')": "time",
    },
}


def plain(value):
    """A value as JSON: text in hexadecimal, and a time in milliseconds."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass").hex()
    if isinstance(value, datetime.datetime):
        return (value - EPOCH) // MILLISECOND
    return value


def result(reader, columns, rows):
    return {
        "columns": [[name, TYPES[reader].get(kind, kind)] for name, kind in columns],
        "rows": [[plain(value) for value in row] for row in rows],
    }


def with_pyarrow(path):
    # Without the partition keys of the path, which are no columns of the object.
    table = pyarrow.parquet.ParquetFile(path).read()
    columns = [(field.name, str(field.type)) for field in table.schema]
    return result("pyarrow", columns, zip(*(column.to_pylist() for column in table.columns)))


def with_duckdb(path):
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    read = "FROM read_parquet(?, hive_partitioning = false)"
    columns = [(name, kind) for name, kind, *_ in connection.execute(f"DESCRIBE SELECT * {read}", [path]).fetchall()]
    # Times as milliseconds: the conversion to Python needs pytz.
    selected = ", ".join(
        f'epoch_ms("{name}")' if kind == "TIMESTAMP WITH TIME ZONE" else f'"{name}"' for name, kind in columns
    )
    return result("duckdb", columns, connection.execute(f"SELECT {selected} {read}", [path]).fetchall())


def with_polars(path):
    frame = polars.read_parquet(path, hive_partitioning=False)
    columns = [(name, str(kind)) for name, kind in frame.schema.items()]
    return result("polars", columns, frame.rows())


def metadata(path):
    file = pyarrow.parquet.ParquetFile(path)
    pairs = file.schema_arrow.metadata or {}
    return {key.decode(): value.decode() for key, value in pairs.items() if key.startswith(b"sophos.")}


def main(paths):
    objects = []
    for path in paths:
        readers = {"pyarrow": with_pyarrow(path), "duckdb": with_duckdb(path), "polars": with_polars(path)}
        objects.append({"metadata": metadata(path), "readers": readers})
    json.dump(objects, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])

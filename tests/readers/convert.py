"""Converts exported rows to Parquet on one processor and prints the number of rows, the processor time without the
start of Python and its modules, the bytes and the peak memory.

Usage: convert.py duckdb|pyarrow ROWS OUT COLUMNS, with the rows as .ndjson.gz, and COLUMNS as JSON: the path in the
record of each typed column. pyarrow reads no JSON within a column: it writes the common columns and the record.
"""

import json
import os
import resource
import sys
import time


def with_duckdb(rows, out, columns):
    import duckdb

    begun = time.process_time()
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    typed = "".join(
        f", json_extract_string(record, '$.{path}') AS \"{name}\"" for name, path in columns.items()
    )
    common = "id, tenant, dataset, source, time::TIMESTAMP AS time, created_at::TIMESTAMP AS created_at, revision"
    kinds = "{id: 'VARCHAR', tenant: 'VARCHAR', dataset: 'VARCHAR', source: 'VARCHAR', time: 'VARCHAR', " \
        "created_at: 'VARCHAR', revision: 'INTEGER', record: 'VARCHAR'}"
    count = connection.execute(
        f"COPY (SELECT {common}{typed}, record FROM read_json('{rows}', format = 'newline_delimited', "
        f"columns = {kinds})) TO '{out}' (FORMAT parquet, COMPRESSION zstd)"
    ).fetchone()[0]
    return count, begun


def with_pyarrow(rows, out, _columns):
    import pyarrow
    import pyarrow.json
    import pyarrow.parquet

    begun = time.process_time()
    pyarrow.set_cpu_count(1)
    table = pyarrow.json.read_json(rows, read_options=pyarrow.json.ReadOptions(use_threads=False))
    pyarrow.parquet.write_table(table, out, compression="zstd")
    return table.num_rows, begun


def main(tool, rows, out, columns):
    count, begun = {"duckdb": with_duckdb, "pyarrow": with_pyarrow}[tool](rows, out, json.loads(columns))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({
        "rows": count,
        "cpu_ms": 1000 * (time.process_time() - begun),
        "bytes": os.path.getsize(out),
        "peak_bytes": 1024 * usage.ru_maxrss,
    }))


if __name__ == "__main__":
    main(*sys.argv[1:])

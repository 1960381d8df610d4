"""DuckDB alone: the same records from an NDJSON file into the same kind of lake, in one INSERT on all cores. Prints one JSON line.

usage: sink_file.py FILE FOLDER
"""

import json
import resource
import sys
import time

from sink_lake import COLUMNS, open_lake

file, folder = sys.argv[1:]
connection = open_lake(folder)
shape = ", ".join(f"{name}: '{kind}'" for name, kind in COLUMNS)
pick = ", ".join(f"to_timestamp({name})" if name == "order_time" else name for name, _ in COLUMNS)
start = time.monotonic()
(rows,) = connection.execute(
    f"INSERT INTO lake.orders SELECT {pick} FROM read_json('{file}', format='newline_delimited', columns={{{shape}}})"
).fetchone()
seconds = time.monotonic() - start
connection.close()
usage = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"rows": rows, "seconds": seconds, "memory_mb": usage.ru_maxrss / 1024, "cpu_seconds": usage.ru_utime + usage.ru_stime}))

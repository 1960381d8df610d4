"""The lake of the sinks beside pintail: the same kind, the same columns."""

import duckdb
from tools import ROOT

COLUMNS = [
    ("order_id", "UUID"),
    ("order_time", "DOUBLE"),
    ("customer_id", "VARCHAR"),
    ("product", "VARCHAR"),
    ("quantity", "INTEGER"),
    ("unit_price", "DECIMAL(10,2)"),
    ("region", "VARCHAR"),
]


def open_lake(folder, make=True):
    connection = duckdb.connect(
        config={"extension_directory": str(ROOT / ".deps" / "duckdb" / "extensions"), "autoinstall_known_extensions": False}
    )
    connection.execute("LOAD ducklake")
    connection.execute(f"ATTACH 'ducklake:{folder}/lake.ducklake' AS lake (DATA_PATH '{folder}/data/')")
    if make:
        kinds = ", ".join(f"{name} {'TIMESTAMPTZ' if name == 'order_time' else kind}" for name, kind in COLUMNS)
        connection.execute(f"CREATE TABLE lake.orders ({kinds})")
    return connection

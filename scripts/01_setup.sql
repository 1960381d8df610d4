-- A lake from nothing: the catalog in metadata/, the Parquet files in data/.
-- Run from an empty folder:  pintail sql 01_setup.sql   (or: duckdb < 01_setup.sql)
-- A second run makes the tables again; earlier snapshots stay in the lake's history.

INSTALL ducklake;
LOAD ducklake;

-- ATTACH makes the catalog's file, not its folder. SQL has no mkdir, but a partitioned COPY of no rows makes an empty
-- folder.
COPY (SELECT 1 AS a, 2 AS b WHERE false) TO 'metadata' (FORMAT csv, PARTITION_BY (a), OVERWRITE_OR_IGNORE);

ATTACH 'ducklake:metadata/my_lake.ducklake' AS my_lake (DATA_PATH 'data/');
USE my_lake;

-- DuckLake has no keys and no indexes: a table is its columns and its files.
CREATE OR REPLACE TABLE customers (
    customer_id VARCHAR NOT NULL,
    name        VARCHAR NOT NULL,
    region      VARCHAR
);

CREATE OR REPLACE TABLE products (
    id       INTEGER NOT NULL,
    name     VARCHAR NOT NULL,
    category VARCHAR,
    price    DECIMAL(10, 2),
    stock    INTEGER
);

CREATE OR REPLACE TABLE orders (
    order_id    INTEGER NOT NULL,
    customer_id VARCHAR NOT NULL,
    product_id  INTEGER NOT NULL,
    quantity    INTEGER,
    order_time  TIMESTAMPTZ
);

SHOW TABLES;

DESCRIBE products;

-- Each statement above was a transaction of its own, and each transaction is a snapshot.
SELECT snapshot_id, changes FROM my_lake.snapshots() ORDER BY snapshot_id DESC LIMIT 3;

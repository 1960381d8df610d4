-- Take existing Parquet files into a table, without copying a byte. Needs 01_setup.sql.

INSTALL ducklake;
LOAD ducklake;

ATTACH 'ducklake:metadata/my_lake.ducklake' AS my_lake (DATA_PATH 'data/');
USE my_lake;

-- Some files that another program might have written. The first COPY makes the folder if it is missing (01_setup.sql).
COPY (SELECT 1 AS a, 2 AS b WHERE false) TO 'data' (FORMAT csv, PARTITION_BY (a), OVERWRITE_OR_IGNORE);
COPY (
    SELECT i AS sale_id, DATE '2026-01-01' + (i % 31)::INTEGER AS day, (i % 100)::DECIMAL(10, 2) AS amount FROM range(0, 1000) AS numbers(i)
) TO 'data/sales_january.pq' (FORMAT parquet);
COPY (
    SELECT i AS sale_id, DATE '2026-02-01' + (i % 28)::INTEGER AS day, (i % 100)::DECIMAL(10, 2) AS amount FROM range(1000, 1500) AS numbers(i)
) TO 'data/sales_february.pq' (FORMAT parquet);

-- The table takes its columns from a file; no rows yet.
CREATE OR REPLACE TABLE sales AS FROM read_parquet('data/sales_january.pq') LIMIT 0;

-- Add both files in one transaction. From now on they belong to the lake: merge and cleanup may delete them.
-- DuckLake accepts the same file twice and then has its rows twice, so keep count of what you add.
BEGIN;
CALL ducklake_add_data_files('my_lake', 'sales', 'data/sales_january.pq');
CALL ducklake_add_data_files('my_lake', 'sales', 'data/sales_february.pq');
COMMIT;

SELECT month(day) AS month, count(*) AS sales, sum(amount) AS amount FROM sales GROUP BY ALL ORDER BY ALL;

SELECT parse_filename(data_file) AS file, data_file_size_bytes AS bytes FROM ducklake_list_files('my_lake', 'sales') ORDER BY ALL;

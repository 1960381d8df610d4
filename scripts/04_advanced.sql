-- Schema changes, transactions over several tables, metadata, maintenance. Needs 01_setup.sql and 02_crud.sql.

INSTALL ducklake;
LOAD ducklake;

ATTACH 'ducklake:metadata/my_lake.ducklake' AS my_lake (DATA_PATH 'data/');
USE my_lake;

-- Schema changes touch the catalog only and rewrite no file. The script uses a table of its own, so that it may run
-- again.
CREATE OR REPLACE TABLE catalogue AS SELECT id, name, price FROM products;

ALTER TABLE catalogue ADD COLUMN currency VARCHAR DEFAULT 'EUR'; -- existing rows get the default, too
ALTER TABLE catalogue ADD COLUMN note VARCHAR;
ALTER TABLE catalogue RENAME COLUMN name TO product_name;
ALTER TABLE catalogue ALTER COLUMN id SET DATA TYPE BIGINT;      -- wider types only
ALTER TABLE catalogue DROP COLUMN note;

DESCRIBE catalogue;

SELECT * FROM catalogue ORDER BY id LIMIT 3;

-- One transaction over several tables is one snapshot: the order comes in and the stock goes down, or neither happens.
BEGIN;
INSERT INTO orders
SELECT coalesce(max(order_id), 0) + 1, 'CUST-0001', 1, 2, TIMESTAMPTZ '2026-02-01 12:00:00+00' FROM orders;
UPDATE products SET stock = stock - 2 WHERE id = 1;
COMMIT;

SELECT snapshot_id, changes FROM my_lake.snapshots() ORDER BY snapshot_id DESC LIMIT 1;

-- ROLLBACK leaves nothing of a transaction, not even a snapshot.
BEGIN;
DELETE FROM orders;
ROLLBACK;

SELECT count(*) > 0 AS orders_are_still_there FROM orders;

-- Metadata: tables, settings, and the files that make up a table.
SELECT table_name, file_count, file_size_bytes, delete_file_count FROM ducklake_table_info('my_lake') ORDER BY table_name;

SELECT catalog_type, extension_version, data_path FROM ducklake_settings('my_lake');

SELECT parse_filename(data_file) AS file, data_file_size_bytes AS bytes FROM ducklake_list_files('my_lake', 'orders') ORDER BY ALL;

-- Maintenance. You may run each step at any time, and again.
-- 1 Small inserts wait in the catalog ("inlined"); write them to Parquet.
CALL ducklake_flush_inlined_data('my_lake');

-- 2 Merge many small files into few large ones.
CALL ducklake_merge_adjacent_files('my_lake');

-- 3 Rewrite files of which much is deleted.
CALL ducklake_rewrite_data_files('my_lake', delete_threshold => 0.1);

-- 4 Forget old snapshots: nobody can travel to them any more. The newest always stays. Take a day or more in practice;
--   now() shows the effect here.
SELECT count(*) AS snapshots_before FROM my_lake.snapshots();
CREATE OR REPLACE TEMP TABLE expired AS FROM ducklake_expire_snapshots('my_lake', older_than => now());
SELECT count(*) AS snapshots_after FROM my_lake.snapshots();

-- 5 Delete the files that no snapshot needs any more. The second call only lists those that no snapshot ever knew (a
--   crashed writer's): when another lake has the same data path, its files are among them.
CREATE OR REPLACE TEMP TABLE cleaned AS FROM ducklake_cleanup_old_files('my_lake', cleanup_all => true);
CREATE OR REPLACE TEMP TABLE orphans AS FROM ducklake_delete_orphaned_files('my_lake', older_than => now() - INTERVAL 7 DAY, dry_run => true);

-- The tables read as before.
SELECT (SELECT count(*) FROM products) AS products, (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM catalogue) AS catalogue;

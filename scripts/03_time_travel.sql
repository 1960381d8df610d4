-- Snapshots, the past of a table, and what changed between two points. Needs 01_setup.sql and 02_crud.sql.

INSTALL ducklake;
LOAD ducklake;

ATTACH 'ducklake:metadata/my_lake.ducklake' AS my_lake (DATA_PATH 'data/');
USE my_lake;

-- Every transaction that changed something is a snapshot, with a number and a time.
SELECT snapshot_id, snapshot_time, changes FROM my_lake.snapshots() ORDER BY snapshot_id DESC LIMIT 8;

-- Remember where we stand, then change something, with a message for those who come later.
SET VARIABLE before_sale = (SELECT max(snapshot_id) FROM my_lake.snapshots());
SET VARIABLE before_sale_time = (SELECT max(snapshot_time) FROM my_lake.snapshots());

BEGIN;
UPDATE products SET price = round(price / 2, 2) WHERE category = 'Accessories';
INSERT INTO products VALUES (100, 'Gift card', 'Other', 50.00, 1000);
DELETE FROM products WHERE name = 'Headphones';
CALL my_lake.set_commit_message('scripts', 'half-price sale');
COMMIT;

SET VARIABLE after_sale = (SELECT max(snapshot_id) FROM my_lake.snapshots());

SELECT author, commit_message FROM my_lake.snapshots() WHERE snapshot_id = getvariable('after_sale');

-- The table now, and as it was: by version ...
SELECT id, name, price FROM products ORDER BY id;

SELECT id, name, price FROM products AT (VERSION => getvariable('before_sale')) ORDER BY id;

-- ... and by time. A literal does as well: AT (TIMESTAMP => now() - INTERVAL 1 HOUR).
SELECT id, name, price FROM products AT (TIMESTAMP => getvariable('before_sale_time')) ORDER BY id;

-- Prices before and after, side by side.
SELECT now.name, was.price AS was, now.price AS now
FROM products AS now
JOIN products AS was AT (VERSION => getvariable('before_sale')) USING (id)
WHERE now.price <> was.price
ORDER BY now.name;

-- What the sale did, row by row: an update shows its row before (preimage) and after (postimage). The range includes
-- both of its ends.
SELECT change_type, id, name, price
FROM my_lake.table_changes('products', getvariable('after_sale'), getvariable('after_sale'))
ORDER BY id, change_type DESC;

-- Bring the past back: undo the sale. Read the past first, because after the DELETE the same transaction does not see
-- its deleted rows in older versions either.
CREATE OR REPLACE TEMP TABLE before_sale AS FROM products AT (VERSION => getvariable('before_sale'));

BEGIN;
DELETE FROM products;
INSERT INTO products FROM before_sale;
COMMIT;

SELECT count(*) AS rows_that_differ FROM (
    (FROM products EXCEPT ALL FROM before_sale)
    UNION ALL
    (FROM before_sale EXCEPT ALL FROM products)
);

-- You can attach the whole lake as of a version, read-only:
--   ATTACH 'ducklake:metadata/my_lake.ducklake' AS past (SNAPSHOT_VERSION 5);

-- Insert, read, aggregate, update, delete, in the tables of 01_setup.sql.

INSTALL ducklake;
LOAD ducklake;

ATTACH 'ducklake:metadata/my_lake.ducklake' AS my_lake (DATA_PATH 'data/');
USE my_lake;

-- Start from empty tables, so that the script may run again.
BEGIN;
DELETE FROM orders;
DELETE FROM products;
DELETE FROM customers;
COMMIT;

-- Insert.
INSERT INTO customers VALUES
    ('CUST-0001', 'Ada',    'Europe'),
    ('CUST-0002', 'Björn',  'Europe'),
    ('CUST-0003', 'Chidi',  'Africa'),
    ('CUST-0004', '大輔',   'Asia');

INSERT INTO products (id, name, category, price, stock) VALUES
    (1, 'Laptop',     'Computers',   1299.00,  12),
    (2, 'Monitor',    'Computers',    349.50,  30),
    (3, 'Keyboard',   'Accessories',   79.90, 150),
    (4, 'Mouse',      'Accessories',   29.90, 200),
    (5, 'Headphones', 'Audio',        199.00,  45),
    (6, 'Webcam',     'Accessories',   89.00,   0);

-- Rows may come from any query: here 500 orders, the same ones each time.
INSERT INTO orders
SELECT i,
       format('CUST-{:04d}', 1 + i % 4),
       1 + (i * 7) % 5,
       1 + i % 3,
       TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_hours(i)
FROM range(1, 501) AS numbers(i);

-- Read.
SELECT id, name, price, stock FROM products ORDER BY price DESC;

SELECT o.order_id, c.name AS customer, p.name AS product, o.quantity, o.quantity * p.price AS total
FROM orders o
JOIN customers c USING (customer_id)
JOIN products p ON p.id = o.product_id
ORDER BY total DESC, o.order_id
LIMIT 5;

-- Aggregate.
SELECT p.category, count(*) AS orders, sum(o.quantity) AS pieces, sum(o.quantity * p.price) AS revenue
FROM orders o
JOIN products p ON p.id = o.product_id
GROUP BY p.category
ORDER BY revenue DESC;

SELECT c.region, date_trunc('week', o.order_time)::DATE AS week, count(*) AS orders
FROM orders o
JOIN customers c USING (customer_id)
GROUP BY ALL
ORDER BY ALL
LIMIT 6;

-- Update: take ten per cent off the expensive products.
UPDATE products SET price = round(price * 0.9, 2) WHERE price > 300;

-- Delete the products that are out of stock.
DELETE FROM products WHERE stock = 0;

-- Update or insert in one statement.
MERGE INTO products AS p
USING (VALUES (4, 'Mouse', 'Accessories', 24.90, 180), (7, 'USB hub', 'Accessories', 39.00, 60)) AS new (id, name, category, price, stock)
ON p.id = new.id
WHEN MATCHED THEN UPDATE SET price = new.price, stock = new.stock
WHEN NOT MATCHED THEN INSERT VALUES (new.id, new.name, new.category, new.price, new.stock);

SELECT id, name, price, stock FROM products ORDER BY id;

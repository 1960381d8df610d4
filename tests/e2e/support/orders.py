"""The demo's orders, made in Python so that the judge owes pintail nothing."""

import json
import random
import uuid
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

SCHEMA = (
    "order_id UUID, order_time TIMESTAMPTZ, customer_id VARCHAR, product VARCHAR, quantity INTEGER, "
    "unit_price DECIMAL(10,2), region VARCHAR"
)
COLUMNS = {
    "order_id": "UUID",
    "order_time": "TIMESTAMP WITH TIME ZONE",
    "customer_id": "VARCHAR",
    "product": "VARCHAR",
    "quantity": "INTEGER",
    "unit_price": "DECIMAL(10,2)",
    "region": "VARCHAR",
}
METADATA = {
    "_kafka_partition": "INTEGER",
    "_kafka_offset": "BIGINT",
    "_kafka_timestamp": "TIMESTAMP WITH TIME ZONE",
    "ingest_time": "TIMESTAMP WITH TIME ZONE",
}
# How the judge asks for each column, so that what comes back compares exactly.
SELECT = {"order_id": "order_id::VARCHAR", "order_time": "epoch_us(order_time)", "unit_price": "unit_price::VARCHAR"}

_PRODUCTS = ["Laptop", "Phone", "Tablet", "Monitor", "Keyboard", "Mouse", "Headphones", "Webcam", "Dock", "Köln-Kabel"]
_REGIONS = ["North", "South", "East", "West", "Central", 'Süd"west"']


def microseconds(seconds) -> int:
    """Epoch seconds to microseconds, rounded half away from zero."""
    return int((Decimal(seconds) * 1_000_000).to_integral_value(ROUND_HALF_UP))


@cache
def orders(count: int, seed=1) -> list:
    """count records as Producer.produce takes them; not to be changed by the caller."""
    r = random.Random(seed)
    out = []
    for _ in range(count):
        customer = f"CUST-{r.randint(1, 500):04d}"
        value = json.dumps(
            {
                "order_id": str(uuid.UUID(int=r.getrandbits(128), version=4)),
                "order_time": r.choice([r.randint(0, 2_000_000_000), r.uniform(1.7e9, 1.8e9)]),
                "customer_id": customer,
                "product": r.choice(_PRODUCTS),
                "quantity": r.randint(1, 5),
                "unit_price": r.randint(10_000, 999_999) / 100,
                "region": r.choice(_REGIONS),
            },
            ensure_ascii=r.random() < 0.5,
        )
        out.append({"key": customer.encode(), "value": value.encode()})
    return out


def expected(value: bytes) -> tuple:
    """What a row must hold, in the order of COLUMNS and as SELECT asks for it."""
    o = json.loads(value, parse_float=Decimal)
    price = Decimal(o["unit_price"]).quantize(Decimal("0.01"))
    assert price == o["unit_price"]
    return (o["order_id"], microseconds(o["order_time"]), o["customer_id"], o["product"], o["quantity"], str(price), o["region"])

"""Made-up retail data of any size: the same bytes for the same size, seed and last day, on every machine and day."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path

DAYS = 90
SEED = 42
LAST_DAY = date(2025, 10, 4)  # a fixed date, so that the saved queries' weeks have orders in them
ORDERS_HEADER = "order_id,order_date,customer_id,product_id,qty,unit_price,channel"
CHANNELS = ("web", "store", "mobile")
REGIONS = ("North", "South", "East", "West", "Central")
CATEGORIES = {
    "Books": ("Novel", "Atlas", "Cookbook", "Diary"),
    "Electronics": ("Headphones", "Keyboard", "Speaker", "Charger"),
    "Garden": ("Spade", "Lantern", "Planter", "Hose"),
    "Grocery": ("Coffee", "Olive Oil", "Honey", "Pasta"),
    "Home": ("Lamp", "Blanket", "Mug", "Shelf"),
    "Sports": ("Yoga Mat", "Football", "Bottle", "Racket"),
    "Toys": ("Puzzle", "Kite", "Blocks", "Marbles"),
}
_MAKES = ("Alba", "Borea", "Cirrus", "Delta", "Ember", "Fjord", "Gusto", "Halo")
_FIRST = ("Ada", "Björn", "Chloé", "Diego", "Emma", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kaja", "Luca")
_LAST = ("Almeida", "Berg", "Costa", "Dubois", "Eriksen", "Fischer", "García", "Horváth", "Ivanova", "Jansen")

# Their ids are above those of any sample file. September has thirty days.
LATE_ORDERS = (
    "1000000001,03/10/2025,1,1,2,19.90,web",
    "1000000002,04/10/2025,3,3,4,5.25,mobile",
    '1000000003,31/09/2025,2,2,1,"24,50",store',
)
CORRECTED_ORDERS = ("1000000002,04/10/2025,3,3,3,5.25,mobile", '1000000003,30/09/2025,2,2,1,"24,50",store')

# One price in this many is written as continental spreadsheets do: "147,43".
COMMA_EVERY = 4
_CHUNK = 20_000


def write_sample_data(
    folder: Path,
    *,
    orders: int = 8772,
    customers: int = 500,
    products: int = 200,
    seed: int = SEED,
    until: date = LAST_DAY,
) -> list[Path]:
    """Write customers.csv, products.csv and orders.csv into ``folder`` and return their paths in that order.

    Order dates are DD/MM/YYYY within the 90 days that end with ``until``. Every order names a customer
    and a product that exist. Memory does not grow with ``orders``; each file appears whole or not at all.
    Raises ValueError for a count below 1 and OSError when the folder can't be written.
    """
    for name, count in (("orders", orders), ("customers", customers), ("products", products)):
        if count < 1:
            raise ValueError(f"{name} must be at least 1, not {count}")
    folder.mkdir(parents=True, exist_ok=True)
    catalog = list(_products(products, random.Random(f"{seed}/products")))  # noqa: S311 - not a secret
    prices = [price for _, price in catalog]
    people = _customers(customers, until, random.Random(f"{seed}/customers"))  # noqa: S311
    sales = _orders(orders, customers, prices, until, random.Random(f"{seed}/orders"))  # noqa: S311
    return [
        _write(folder / "customers.csv", "customer_id,customer_name,region,signup_date", people),
        _write(folder / "products.csv", "product_id,product_name,category,list_price", (line for line, _ in catalog)),
        _write(folder / "orders.csv", ORDERS_HEADER, sales),
    ]


def write_late_orders(folder: Path) -> tuple[Path, Path]:
    """Write late/orders.csv and corrected/orders.csv into ``folder`` and return their paths.

    The first has three orders, one with a date that no calendar has. The second has that order with its right date, and
    another one of the three with another quantity. Raises OSError when the folder can't be written.
    """
    files = []
    for name, lines in (("late", LATE_ORDERS), ("corrected", CORRECTED_ORDERS)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        files.append(_write(folder / name / "orders.csv", ORDERS_HEADER, lines))
    return files[0], files[1]


def one_order() -> bytes:
    """An orders file with a single order of the sample data."""
    prices = [price for _, price in _products(200, random.Random(f"{SEED}/products"))]  # noqa: S311
    (line,) = _orders(1, 500, prices, LAST_DAY, random.Random(f"{SEED}/orders"))  # noqa: S311
    return f"{ORDERS_HEADER}\n{line}\n".encode()


def _customers(count: int, until: date, rng: random.Random) -> Iterator[str]:
    for number in range(1, count + 1):
        joined = until - timedelta(days=rng.randrange(DAYS, 1500))
        name = f"{rng.choice(_FIRST)} {rng.choice(_LAST)}"
        yield f"{number},{name},{rng.choice(REGIONS)},{joined:%d/%m/%Y}"


def _products(count: int, rng: random.Random) -> Iterator[tuple[str, int]]:
    """Lines, each with its list price in cents."""
    names = list(CATEGORIES)
    for number in range(1, count + 1):
        category = rng.choice(names)
        cents = rng.randrange(250, 40_000)
        name = f"{rng.choice(_MAKES)} {rng.choice(CATEGORIES[category])}"
        yield f"{number},{name},{category},{cents // 100}.{cents % 100:02d}", cents


def _orders(count: int, customers: int, prices: list[int], until: date, rng: random.Random) -> Iterator[str]:
    days = [f"{until - timedelta(days=DAYS - 1 - day):%d/%m/%Y}" for day in range(DAYS)]
    quantities = list(accumulate((50, 25, 12, 8, 5)))  # most people buy one or two
    channels = list(accumulate((5, 3, 2)))
    draw = rng.random
    for start in range(0, count, _CHUNK):
        size = min(_CHUNK, count - start)
        qtys = rng.choices((1, 2, 3, 4, 5), cum_weights=quantities, k=size)
        ways = rng.choices(CHANNELS, cum_weights=channels, k=size)
        for place in range(size):
            number = start + place
            product = int(draw() * len(prices))
            cents = max(1, int(prices[product] * (0.85 + 0.15 * draw())))  # up to 15% off the list price
            # Dates rise with the order id, as a shop's do, and each day of the 90 gets its share.
            day = days[number * DAYS // count]
            if number % COMMA_EVERY == 0:
                price = f'"{cents // 100},{cents % 100:02d}"'
            else:
                price = f"{cents // 100}.{cents % 100:02d}"
            yield f"{number + 1},{day},{1 + int(draw() * customers)},{product + 1},{qtys[place]},{price},{ways[place]}"


def _write(path: Path, header: str, lines: Iterable[str]) -> Path:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    part = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="", buffering=1 << 20) as out:
            out.write(header + "\n")
            out.writelines(f"{line}\n" for line in lines)
        part.chmod(0o644)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return path

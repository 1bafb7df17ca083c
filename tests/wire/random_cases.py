"""Makes cases at random: dialogues that a client could hold but none does. A seed makes the same case anywhere, and the
case's text is a script like any other: what it finds can be kept under rows/.
"""

import random

from player import MESSAGES
from script import LineReader, make_cases

# (text, parameters): what a statement's name may stand for.
SEARCHES = [
    ("SELECT id, e <-> $1 AS d FROM items ORDER BY d LIMIT 5", 1),
    ("SELECT id FROM items ORDER BY e <-> $1 LIMIT $2", 2),
    ("SELECT id, name FROM items ORDER BY e <-> $1 LIMIT 3", 1),
    ("SELECT id FROM items ORDER BY e <-> '[0,0,0]' LIMIT 4", 0)]
OTHERS = [
    ("SELECT i, $1 FROM generate_series(1, 5) i WHERE $1 <> ''", 1), ("SELECT 1 / length($1)", 1), ("SELECT 1 / 0", 0),
    ("SELECT 'plain'", 0), ("", 0), ("SELEC 1", 0), ("INSERT INTO items (id, e) VALUES (1000, '[0,0,0]')", 0),
    ("DELETE FROM items WHERE id > 300", 0), ("SELECT complain(7)", 0), ("SELECT add_item(1001)", 0),
    ("SELECT name FROM pg_prepared_statements WHERE statement LIKE '%ORDER BY%' ORDER BY 1", 0)]
STATE = [
    "BEGIN", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT a", "ROLLBACK TO a", "RELEASE a", "SET search_path = other, public",
    "SET LOCAL enable_indexscan = off", "RESET ALL", "SET ROLE nobody", "RESET ROLE", "DEALLOCATE ALL", "DISCARD ALL",
    "BEGIN ISOLATION LEVEL REPEATABLE READ", "SET extra_float_digits = 0", "CLOSE ALL"]
SIMPLE = [
    "SELECT id FROM items ORDER BY e <-> '[0,0,0]' LIMIT 3", "SELECT id, name FROM items ORDER BY e <-> '[9.25,0,0]' LIMIT 2",
    "SELECT 1; SELECT 2", "SELECT 1/0", "", "INSERT INTO items (id, e) VALUES (1002, '[0,0,0]')"]
VECTORS = ['"[0,0,0]"', '"[7.25,0,0]"', '"[299.75,0,0]"', '"[1,2]"', '"x"', "null", '""']
VECTOR_WEIGHTS = [6, 4, 4, 1, 1, 1, 1]
NAMES = ["", "", "s", "t"]
PORTALS = ["", "", "", "p", "q"]
STEPS_MAX = 30
DAMAGED_SHARE = 0.15


class Dialogue:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.lines, self.parameters = [], {}
        self.ready_due = 0  # ReadyForQuery that were asked for and not read
        self.in_batch = False

    def write(self):
        self.lines += [f'finally "DELETE FROM {table} WHERE id > 300"' for table in ("items", "other.items")] + ["connect"]
        moves = [self.prepare, self.bind, self.execute, self.bind_and_execute, self.describe, self.close, self.flush,
                 self.sync, self.query, self.read]
        weights = [4, 3, 4, 6, 2, 1, 1, 4, 2, 2]
        for _ in range(self.random.randrange(5, STEPS_MAX)):
            self.random.choices(moves, weights)[0]()
        self.sync()
        self.read()
        return self.lines

    def add(self, line):
        self.lines.append(line)
        self.in_batch = True

    def prepare(self):
        pool = self.random.choices([SEARCHES, OTHERS, [(text, 0) for text in STATE]], [5, 3, 3])[0]
        text, parameters = self.random.choice(pool)
        name = self.random.choice(NAMES)
        if name and self.random.random() < 0.7:
            self.add(f'Close S "{name}"')
        self.parameters[name] = parameters
        self.add(f'Parse name="{name}" query="{text}"')

    def bind(self, portal=None):
        name = self.random.choice(NAMES)
        portal = self.random.choice(PORTALS) if portal is None else portal
        vector = self.random.choices(VECTORS, VECTOR_WEIGHTS)[0]
        values = [vector, self.random.choice(['"1"', '"3"', '"0"', '"400"'])][:self.parameters.get(name, 0)]
        if portal and self.random.random() < 0.7:
            self.add(f'Close P "{portal}"')
        results = self.random.choice(["", "", "1", "0"])
        self.add(f'Bind portal="{portal}" statement="{name}" values=[{", ".join(values)}] results=[{results}]')

    def execute(self, portal=None):
        portal = self.random.choice(PORTALS) if portal is None else portal
        self.add(f'Execute "{portal}" max={self.random.choice([0, 0, 0, 1, 2, 3])}')

    def bind_and_execute(self):
        portal = self.random.choice(PORTALS)
        self.bind(portal)
        if self.random.random() < 0.4:
            self.add(f'Describe P "{portal}"')
        self.execute(portal)

    def describe(self):
        kind = self.random.choice("SP")
        self.add(f'Describe {kind} "{self.random.choice(NAMES if kind == "S" else PORTALS)}"')

    def close(self):
        kind = self.random.choice("SP")
        self.add(f'Close {kind} "{self.random.choice(NAMES if kind == "S" else PORTALS)}"')

    def flush(self):
        self.add("Flush")

    def sync(self):
        self.lines.append("Sync")
        self.ready_due += 1
        self.in_batch = False

    def query(self):
        """Outside a batch only: whether it is skipped there depends on what went before."""
        if self.in_batch:
            self.sync()
        self.lines.append(f'Query "{self.random.choice(self.random.choices([SIMPLE, STATE], [1, 1])[0])}"')
        self.ready_due += 1

    def read(self):
        if self.in_batch:
            self.sync()
        if self.ready_due:
            self.lines.append(f"until ReadyForQuery {self.ready_due} errors=[any]")
        self.ready_due = 0


def damaged(lines, seed):
    """Some messages with a byte or two changed, added or gone. Type and length stay right, so that both sides agree
    where the next one begins."""
    lot = random.Random(seed)
    for line in lines:
        step = LineReader(line, line).read()
        if step.verb not in MESSAGES or step.verb in ("Sync", "Flush") or lot.random() > DAMAGED_SHARE:
            yield line
            continue
        message = MESSAGES[step.verb](*step.words, **step.options)
        payload = bytearray(message[5:])
        for _ in range(lot.choice([1, 1, 2])):
            at, byte = lot.randrange(len(payload) + 1), lot.choice([0, 1, 255, lot.randrange(256)])
            payload[at:at + lot.choice([0, 1])] = lot.choice([b"", bytes([byte])])
        whole = message[:1] + (len(payload) + 4).to_bytes(4, "big") + payload
        yield f'bytes x"{whole.hex()}"'


def random_cases(seeds):
    """Every other seed has damaged messages."""
    for seed in seeds:
        lines = Dialogue(seed).write()
        lines = list(damaged(lines, seed)) if seed % 2 else lines
        yield from make_cases("random", f"seed {seed}", list(enumerate(lines, 1)))

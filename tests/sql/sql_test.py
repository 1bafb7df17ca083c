"""Runs the files of this directory, each directly and through veer at 100 %, and compares what a client sees.

    sql_test.py <veer binary> [directory or file]...

README.md says what a file looks like. What PostgreSQL answers directly is exact: there, indexes are not scanned.
"""

import collections
import pathlib
import re
import sys

from observed import Session, difference, last
from private_servers import Postgres, Veer, fail, session

HERE = pathlib.Path(__file__).parent
QUERY = "[0.1,-0.2,0.3,0.4,-0.5,0.6,0.7,-0.8]"
OTHER = "[0.9,0.1,-0.3,0.4,0.5,-0.6,0.2,0.8]"
MODES = ("local", "rewrite", "pass", "run")
DIFFERENCES_MAX = 30
ROUTE = """
[[route]]
column = "public.foreign_docs.{}"
operator = "<->"
"""
DECLARED = "".join(ROUTE.format(column) + "dimensions = 8\n" for column in "tvrdj") + (
    ROUTE.format("embedding") + 'legacy = "old"\n')
# The shapes that have to be served without being asked for (QUERIES.md A.5).
REQUIRED_SHAPES = ("S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S10", "S11", "S12", "S13", "S14")
FUNCTIONS = [f"public.match_{name}" for name in (
    "items", "documents", "rows", "by_number", "plpgsql", "definer", "setting", "strict", "one", "atomic", "several", "all",
    "column", "label", "cast", "wider", "twice", "nothing", "unused")]
ROUTES = DECLARED + f"""
[[route]]
column = "public.items.embedding"
operator = "<=>"
functions = {FUNCTIONS}
""" + "".join(f"""
[[route]]
column = "public.{column}"
operator = "{operator}"
order_by_similarity = true
tie_breakers = true
""" for column, operator in (("near.e", "<=>"), ("near.e", "<#>"), ("twins.e", "<=>"), ("gaps.e", "<=>"), ("gaps.f", "<=>")))
ROUTES += """
[[route]]
column = "public.papers.e"
operator = "<=>"
columns = ["meta", "tags", "years", "big"]
"""


class Record:
    """One statement of a file, and what is expected of veer."""

    def __init__(self, path, line, header):
        self.place = f"{path.relative_to(HERE)}:{line}"
        self.mode, *self.options = header.split()
        if self.mode not in MODES:
            fail(f"{self.place}: {self.mode!r} is none of {', '.join(MODES)}")
        self.once = "once" in self.options or self.mode == "run"
        self.shapes = [option for option in self.options if re.fullmatch(r"S\d+", option)]
        self.reason = next((option for option in self.options if option not in ("once", *self.shapes)), None)
        self.values = []
        self.lines = []

    def add(self, line):
        if line.startswith("with ") and not self.lines:
            value = line.removeprefix("with ")
            self.values.append(None if value == "NULL" else self.filled(value))
        else:
            self.lines.append(self.filled(line))

    @staticmethod
    def filled(text):
        return text.replace("{q}", QUERY).replace("{other}", OTHER)

    def ways(self, session):
        """Sends it in every way; gives each way's name with what it has shown."""
        sql = "\n".join(self.lines)
        if not self.values:
            yield "simple", session.simple(sql)
            if self.once:
                return
        yield "extended", session.extended(sql, self.values)
        if self.once:
            return
        yield "binary results", session.extended(sql, self.values, binary_results=True)
        for number, seen in enumerate(session.named(sql, self.values)):
            yield f"prepared, step {number}", seen


def read(path):
    records = []
    record = None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if record is None and line and not line.startswith("#"):
            record = Record(path, number, line)
            records.append(record)
        elif not line:
            record = None
        elif record is not None:
            record.add(line)
    return records


def run(records, session, inspect=lambda record, way: None):
    return [(record, way, seen, inspect(record, way)) for record in records for way, seen in record.ways(session)]


def compare_file(path, direct_port, through_port, coverage):
    """All that differs, in words."""
    records = read(path)
    direct = Session(direct_port)
    direct.simple("SET enable_indexscan = off")
    expected = run(records, direct)
    through = Session(through_port)

    def account(record, way):
        searched = record.mode != "run" and way != "prepared, step 0" and not through.in_failed_transaction()
        return last(through) if searched else None

    found = run(records, through, account)
    problems = []
    for (record, way, wanted, _), (_, _, seen, answered) in zip(expected, found):
        where = f"{record.place}, {way}: "
        if different := difference(wanted, seen):
            problems.append(where + different)
        if answered is not None:
            engine, reason = answered
            served = record.mode in ("local", "rewrite")
            right = (engine == "veer" and reason == record.mode) if served else (
                engine == "postgres" and record.reason in (None, reason))
            if not right:
                problems.append(f"{where}{engine} answered ({reason}), not {record.mode} {record.reason or ''}")
    for record in records:
        mode = "pass" if record.mode == "run" else record.mode
        for name in record.shapes if record.mode == "run" else [path.parent.name, *record.shapes]:
            coverage[name][mode] += 1
    return problems


def print_table(coverage):
    """Of each directory, and of each shape."""
    print(f"{'':16}{'LOCAL':>8}{'REWRITE':>8}{'PASS':>8}")
    def directories_first(name):
        shape = re.fullmatch(r"S(\d+)", name)
        return (1, int(shape[1]), "") if shape else (0, 0, name)

    for name in sorted(coverage, key=directories_first):
        modes = coverage[name]
        print(f"{name:16}" + "".join(f"{modes[mode]:8}" for mode in MODES[:3]))


def not_served(coverage):
    return [shape for shape in REQUIRED_SHAPES if not coverage[shape]["local"] + coverage[shape]["rewrite"]]


def main(binary, *names):
    paths = [HERE / name for name in names] or [HERE]
    files = sorted(file for path in paths for file in ([path] if path.is_file() else path.glob("**/*.test")))
    if not files:
        fail("no file to run")
    with Postgres() as postgres:
        with session(postgres.port) as db:
            db.execute((HERE / "tables.sql").read_text())
        with Veer(binary, postgres, ROUTES) as veer:
            coverage = collections.defaultdict(collections.Counter)
            problems = []
            for file in files:
                problems += compare_file(file, postgres.port, veer.port, coverage)
            print_table(coverage)
            statements = sum(sum(modes.values()) for name, modes in coverage.items() if not re.fullmatch(r"S\d+", name))
            print(f"{len(files)} files, {statements} statements")
            if not names:
                problems += [f"no statement of shape {shape} is served" for shape in not_served(coverage)]
            if problems:
                fail(f"{len(problems)} differences\n" + "\n".join(problems[:DIFFERENCES_MAX]))


if __name__ == "__main__":
    main(*sys.argv[1:])

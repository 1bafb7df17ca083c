"""Runs real clients against PostgreSQL and through veer, and compares what they see.

    matrix.py <veer binary> <command of a client> ...

Each client is a program of its own, in the language of its driver. It is run three times: against
PostgreSQL itself, and through veer with 0 % and with 100 % of the searches answered by the index.
It must say the same every time, but for distances within 1e-6, and veer's own account of who
answered must be as the client expects. README.md says what a client prints.
"""

import json
import pathlib
import random
import re
import shlex
import subprocess
import sys
import time

from dialogue import PASSWORD, USER
from private_servers import Postgres, Veer, fail, session, wait_until

DIMENSIONS = 8
ROWS = 1000
PROBES = 8  # more than any driver's threshold for preparing on the server
TOLERANCE = 1e-6
CLIENT_SECONDS_MAX = 240
DIFFERENCES_MAX = 10
CHARACTERS_MAX = 1000
NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?|\d+(?:\.\d+)?e-\d+")

SETUP = f"""
CREATE EXTENSION vector;
CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}';
GRANT ALL ON SCHEMA public TO {USER};
CREATE TABLE docs (id bigint PRIMARY KEY, title text, made timestamptz, e vector({DIMENSIONS}));
CREATE TABLE probes (n int PRIMARY KEY, v text);
CREATE TABLE ledger (id int PRIMARY KEY, amount numeric NOT NULL CHECK (amount >= 0), note text);
GRANT SELECT, INSERT, UPDATE, DELETE ON docs, ledger, probes TO {USER};
-- So many candidates that PostgreSQL's own answer is the exact one.
ALTER DATABASE postgres SET hnsw.ef_search = 400;
"""
LEFT_BEHIND = """
SELECT (SELECT count(*) FROM docs), (SELECT count(*) FROM ledger),
       (SELECT string_agg(relname, ',') FROM pg_class WHERE relnamespace = 'public'::regnamespace),
       (SELECT count(*) FROM pg_prepared_xacts)
"""


def create_tables(port):
    generator = random.Random(7)
    vector = lambda: str([round(generator.uniform(-1, 1), 6) for _ in range(DIMENSIONS)])
    with session(port) as db:
        db.execute(SETUP)
        rows = [(i, f"title {i}", vector()) for i in range(1, ROWS + 1)]
        db.cursor().executemany("INSERT INTO docs VALUES (%s, %s, '2024-01-01', %s)", rows)
        rows = [(n, vector()) for n in range(PROBES)]
        db.cursor().executemany("INSERT INTO probes VALUES (%s, %s)", rows)
        db.execute("CREATE INDEX ON docs USING hnsw (e vector_cosine_ops)")


def same_text(left, right):
    """Equal, but for numbers with a fraction, which may differ by the tolerance."""
    if left == right:
        return True
    numbers = [[float(number) for number in NUMBER.findall(text)] for text in (left, right)]
    return NUMBER.sub("#", left) == NUMBER.sub("#", right) and same(*numbers)


def same(left, right):
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, str) and isinstance(right, str):
        return same_text(left, right)
    if isinstance(left, float) and isinstance(right, float):
        return abs(left - right) <= TOLERANCE
    return type(left) is type(right) and left == right


def run_client(command, port, engine):
    """The steps that the client saw, in order."""
    try:
        run = subprocess.run([*command, str(port), engine], capture_output=True, text=True,
                             timeout=CLIENT_SECONDS_MAX)
    except subprocess.TimeoutExpired as late:
        said = (late.stdout or b"").decode(errors="replace").splitlines()[-3:]
        return [], [f"with {engine}: not done after {CLIENT_SECONDS_MAX} s; its last lines: {said}"]
    steps, problems = [], []
    # libpq's messages name the port, and so does psql.
    for line in re.sub(rf'port (\\"|){port}\b', "port N", run.stdout).splitlines():
        try:
            steps.append(json.loads(line))
        except ValueError:
            problems.append(f"with {engine}: not JSON: {line}")
    if run.returncode != 0:
        problems.append(f"with {engine}: exit status {run.returncode}: {run.stderr[-3000:]}")
    if not steps:
        problems.append(f"with {engine}: no step at all")
    return steps, problems


def differences(direct, through, what):
    if len(direct) != len(through):
        yield f"{what}: {len(through)} steps, directly {len(direct)}"
    for left, right in zip(direct, through):
        if left["step"] != right["step"]:
            yield f"{what}: step '{right['step']}', directly '{left['step']}'"
            return
        if not same(left["result"], right["result"]):
            yield f"{what}: {left['step']}\n{first_difference(left['result'], right['result'])}"


def first_difference(left, right):
    """The innermost list in which two results part."""
    where = ""
    while isinstance(left, list) and isinstance(right, list):
        at = next((n for n, pair in enumerate(zip(left, right)) if not same(*pair)), None)
        if at is None or not isinstance(left[at], list):
            break
        left, right, where = left[at], right[at], f"{where}[{at}]"
    left, right = (json.dumps(value)[:CHARACTERS_MAX] for value in (left, right))
    return f"    result{where}\n    directly     {left}\n    through veer {right}"


def misrouted(steps, percent):
    """Searches that somebody else answered than should have."""
    for step in steps:
        expected, answer = step.get("expected"), step.get("answer")
        if expected is None:
            continue
        engine = "veer" if percent and expected in ("local", "rewrite") else "postgres"
        if answer is None or answer[0] != engine or (percent and answer[1] != expected):
            reason = expected if percent else "anything"
            yield f"at {percent} %: {step['step']}: answered by {answer}, expected {engine}, {reason}"


def counted(port):
    """How many searches veer says that it has answered."""
    with session(port) as db:
        rows = db.execute("SHOW veer.routes").fetchall()
    return sum(int(row[8]) for row in rows)


def left_behind(port):
    with session(port) as db:
        return db.execute(LEFT_BEHIND).fetchone()


def play_through_veer(command, veer, percent, direct):
    veer.set_percent(percent)
    before = counted(veer.port)
    steps, problems = run_client(command, veer.port, "veer")
    by_veer = sum(1 for step in steps if (step.get("answer") or [""])[0] == "veer")
    wait_until(lambda: counted(veer.port) - before >= by_veer, f"veer to count {by_veer} answers")
    counter = counted(veer.port) - before
    problems += differences(direct, steps, f"at {percent} %")
    problems += misrouted(steps, percent)
    if percent == 0 and counter != 0:
        problems.append(f"at 0 %: veer counts {counter} answers of its own")
    if percent == 100 and by_veer == 0:
        problems.append("at 100 %: veer answered nothing")
    return problems, counter


def play(command, postgres, veer):
    clean = left_behind(postgres.port)
    begun = time.monotonic()
    direct, problems = run_client(command, postgres.port, "postgres")
    counter = 0
    for percent in (None, 0, 100):
        if not problems and percent is not None:
            problems, counter = play_through_veer(command, veer, percent, direct)
        if not problems and left_behind(postgres.port) != clean:
            problems.append(f"left something behind: {left_behind(postgres.port)} for {clean}")
    searches = sum(1 for step in direct if step.get("expected") is not None)
    print(f"{pathlib.Path(command[-1]).name}: {len(direct)} steps, {searches} of them searches whose"
          f" answerer is checked; veer answered {counter} at 100 %;"
          f" {time.monotonic() - begun:.1f} s; {'FAILED' if problems else 'no difference'}")
    for problem in problems[:DIFFERENCES_MAX]:
        print("  " + problem)
    return not problems


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    # The clients log in with a password, as SCRAM; everybody else is trusted.
    with Postgres(hba=f"host all {USER} 127.0.0.1/32 scram-sha-256\n") as postgres:
        create_tables(postgres.port)
        with Veer(sys.argv[1], postgres) as veer:
            held = [play(shlex.split(command), postgres, veer) for command in sys.argv[2:]]
            veer.check_running()
            if not all(held):
                fail("veer's log ends with\n" + veer.said()[-2000:])


if __name__ == "__main__":
    main()

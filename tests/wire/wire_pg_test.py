"""Plays protocol scripts against PostgreSQL and through veer, and compares what comes back message by message.

    wire_pg_test.py [--twice] [--seeds FROM TO] <veer binary> [part of a case's name]

PostgreSQL itself says what is right. Each case is played directly, then through veer at 0 % and at 100 %, whole and with
the client's bytes one by one, in panic, and with the server's bytes one by one. known_differences.txt lists which parts
of an answer may differ in which case; an entry that is not needed is an error as well. --twice, for who
writes scripts, plays them against PostgreSQL a second time, in bytes: a script that PostgreSQL itself answers
differently can judge nobody. --seeds: which dialogues made at random are among the cases.
"""

import argparse
import pathlib
import re
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "clients"))  # private_servers

from player import Player  # noqa: E402
from private_servers import fail  # noqa: E402
from protocol import Describer  # noqa: E402
from random_cases import random_cases  # noqa: E402
from script import ScriptError, read_script  # noqa: E402
from stage import Chopper, Referee, StagePostgres, StageVeer, VeerReferee, bound_sanitizer  # noqa: E402

CONTEXT_LINES = 3
RANDOM_SEEDS = (0, 100)
PLACE = re.compile(r" [FLR]='[^']*'")
ORIGIN = re.compile(r"(?<= )(table \d+\.\d+|typmod -?\d+) ")
# What known_differences.txt may leave out of a trace.
LEFT_OUT = {
    "place": lambda trace: [PLACE.sub("", line) for line in trace],
    "origins": lambda trace: [ORIGIN.sub("", line) for line in trace],
    "notices": lambda trace: [line for line in trace if ": NoticeResponse " not in line],
}


def read_cases(part, seeds):
    cases = [case for path in sorted((HERE / "rows").glob("*.pgtest")) for case in read_script(path)]
    cases += random_cases(seeds)
    names = [case.name for case in cases]
    if len(set(names)) != len(names):
        fail(f"two cases have the same name: {sorted(name for name in names if names.count(name) > 1)[0]}")
    return [case for case in cases if part in case.name]


def read_known():
    """{case's name: a key of LEFT_OUT}."""
    known = {}
    for line in (HERE / "known_differences.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, reason = line.partition(" | ")
            what, _, why = reason.partition(": ")
            if what not in LEFT_OUT or not why.strip() or name in known:
                fail(f"known_differences.txt: {line}")
            known[name] = what
    return known


def first_difference(expected, found):
    at = next((i for i, (a, b) in enumerate(zip(expected, found)) if a != b), min(len(expected), len(found)))
    lines = [f"      {line}" for line in expected[max(0, at - CONTEXT_LINES):at]]
    lines += [f"    - {line}" for line in expected[at:at + CONTEXT_LINES]] or ["    - (end)"]
    lines += [f"    + {line}" for line in found[at:at + CONTEXT_LINES]] or ["    + (end)"]
    return "\n".join(lines)


class Comparison:
    def __init__(self, cases, known, postgres):
        self.cases, self.known, self.postgres = cases, known, postgres
        self.expected, self.found_known, self.failed = {}, set(), set()
        self.failures, self.played = [], 0

    def play(self, case, address, referee, piece):
        """(trace, what is wrong besides)."""
        player = Player(address, referee, Describer(self.postgres.relations), piece).play(case)
        self.played += 1
        changed = referee.check_contents()
        return player.trace, player.complaints + ([changed] if changed else [])

    def play_directly(self, piece):
        referee = Referee(self.postgres, self.postgres.port)
        for case in self.cases:
            if piece and case.runs:
                continue
            address = self.postgres.unix_socket if case.unix_socket else self.postgres.port
            trace, complaints = self.play(case, address, referee, piece)
            expected = self.expected.setdefault(case.name, trace)
            self.judge(case, "without veer" + (" in bytes" if piece else ""), expected, trace, complaints)
        referee.close()

    def play_through(self, run, veer, piece, answering):
        referee = VeerReferee(self.postgres, veer, answering)
        for case in self.cases:
            if case.runs and run not in case.runs or case.name in self.failed:
                continue  # one report of a case is enough
            expected = self.expected[case.name]
            trace, complaints = self.play(case, veer.port, referee, piece)
            if trace != expected and case.name in self.known:
                self.found_known.add(case.name)
                leave_out = LEFT_OUT[self.known[case.name]]
                expected, trace = leave_out(expected), leave_out(trace)
            self.judge(case, run, expected, trace, complaints)
        referee.close()

    def judge(self, case, run, expected, trace, complaints):
        problems = [first_difference(expected, trace)] if trace != expected else []
        problems += [f"    {complaint}" for complaint in complaints]
        if problems:
            self.failed.add(case.name)
            self.failures.append("\n".join([f"{case.name}, {run}", *problems]))


def play_all(comparison, binary, postgres, twice):
    started = time.monotonic()
    for piece in (0, 1) if twice else (0,):
        comparison.play_directly(piece)
    with StageVeer(binary, postgres) as veer:
        for percent in (0, 100):
            veer.set_percent(percent)
            for piece in (0, 1):
                run = f"{percent} %" + (" in bytes" if piece else "")
                comparison.play_through(run, veer, piece, answering=percent == 100)
        veer.set_panic()
        comparison.play_through("panic", veer, 0, answering=False)
        veer.check_running()
    # The copy was made through the uncut connection; the slot outlives its veer, and this one has its own.
    with Chopper(postgres, piece=1) as chopper, StageVeer(binary, chopper) as veer:
        veer.set_percent(100)
        comparison.play_through("100 % of a server in bytes", veer, 0, answering=True)
        veer.check_running()
    return time.monotonic() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--twice", action="store_true")
    parser.add_argument("--seeds", type=int, nargs=2, default=RANDOM_SEEDS, metavar=("FROM", "TO"))
    parser.add_argument("veer")
    parser.add_argument("part", nargs="?", default="")
    arguments = parser.parse_args()
    part = arguments.part
    bound_sanitizer()
    try:
        cases, known = read_cases(part, range(*arguments.seeds)), read_known()
        with StagePostgres() as postgres:
            comparison = Comparison(cases, known, postgres)
            seconds = play_all(comparison, arguments.veer, postgres, arguments.twice)
    except ScriptError as error:
        fail(str(error))
    failures = comparison.failures
    failures += [f"{name}: holds, or is gone; take it off known_differences.txt" for name in known
                 if part in name and name not in comparison.found_known | comparison.failed]
    print("\n\n".join(failures) + ("\n" if failures else ""))
    print(f"{len(cases)} cases, {comparison.played} times played in {seconds:.0f} s, {len(failures)} failures,"
          f" {len(comparison.found_known)} known differences")
    sys.exit(1 if failures or not cases else 0)


if __name__ == "__main__":
    main()

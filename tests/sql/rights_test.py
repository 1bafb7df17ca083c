"""Who may see what: roles x grants x row level security x ways to become a role, directly and through veer at 100 %.

    rights_test.py <veer binary> [name of a scene]...

What PostgreSQL says directly is right: rows, or its error. Rights are changed while the sessions that search are open.
"""

import collections
import sys

from observed import Session, difference, last
from private_servers import Postgres, Veer, fail, session, wait_until

QUERY = "[0.1,-0.2,0.3,0.4]"
ROWS = 300

TABLES = """
CREATE EXTENSION vector;
CREATE ROLE readers;
CREATE ROLE keeper LOGIN;
CREATE ROLE alice LOGIN;
CREATE ROLE bob LOGIN IN ROLE readers;
CREATE ROLE carol LOGIN NOINHERIT IN ROLE readers;
CREATE ROLE exempt LOGIN BYPASSRLS IN ROLE readers;
CREATE ROLE boss LOGIN SUPERUSER;
CREATE SCHEMA archive;
GRANT ALL ON SCHEMA archive TO keeper;
CREATE TABLE archive.vault (id bigint PRIMARY KEY, tenant int, title text, secret text, holder name, e vector(4));
ALTER TABLE archive.vault OWNER TO keeper;
SELECT setseed(0.7);
INSERT INTO archive.vault
SELECT i, i % 5, 'title ' || i, 'secret ' || i, (ARRAY['alice', 'bob', 'keeper'])[i % 3 + 1],
       ARRAY[random() - 0.5, random() - 0.5, random() - 0.5, random() - 0.5]::vector
  FROM generate_series(1, {rows}) i;
CREATE INDEX ON archive.vault USING hnsw (e vector_l2_ops);
CREATE TABLE archive.tenants (id int PRIMARY KEY, name text);
INSERT INTO archive.tenants SELECT i, 'tenant ' || i FROM generate_series(0, 4) i;
CREATE POLICY own ON archive.vault USING (holder = current_user);
CREATE VIEW archive.shown AS SELECT id, title, e FROM archive.vault WHERE tenant = 1;
CREATE VIEW archive.barred WITH (security_barrier) AS SELECT id, title, e FROM archive.vault WHERE tenant = 2;
CREATE VIEW archive.asked WITH (security_invoker) AS SELECT id, title, e FROM archive.vault;
CREATE FUNCTION archive.nearest(q vector, k int) RETURNS SETOF bigint LANGUAGE sql STABLE SECURITY DEFINER
    AS 'SELECT id FROM archive.vault ORDER BY e <-> q LIMIT k';
CREATE FUNCTION archive.nearest_invoked(q vector, k int) RETURNS SETOF bigint LANGUAGE plpgsql STABLE
    AS 'BEGIN RETURN QUERY SELECT id FROM archive.vault ORDER BY e <-> q LIMIT k; END';
CREATE PROCEDURE archive.become(who text) LANGUAGE plpgsql AS 'BEGIN PERFORM set_config(''role'', who, false); END';
ALTER DATABASE postgres SET hnsw.ef_search = 1000;
"""

SEARCHES = [
    "SELECT id FROM archive.vault ORDER BY e <-> $1 LIMIT 5",
    "SELECT id, e <-> $1 AS d FROM archive.vault ORDER BY d LIMIT 5",
    "SELECT id, title FROM archive.vault ORDER BY e <-> $1 LIMIT 5",
    "SELECT title FROM archive.vault ORDER BY e <-> $1 LIMIT 5",
    "SELECT id FROM archive.vault WHERE tenant = 1 ORDER BY e <-> $1 LIMIT 5",
    "SELECT id FROM archive.vault WHERE secret <> 'x' ORDER BY e <-> $1 LIMIT 5",
    "SELECT * FROM archive.vault ORDER BY e <-> $1 LIMIT 5",
    "SELECT v.id FROM archive.vault v JOIN archive.tenants t ON t.id = v.tenant ORDER BY v.e <-> $1 LIMIT 5",
    "SELECT count(*) FROM (SELECT id FROM archive.vault ORDER BY e <-> $1 LIMIT 5) s",
    "SELECT v FROM archive.vault v ORDER BY v.e <-> $1 LIMIT 5",
    "SELECT id, title FROM archive.vault WHERE tenant = 1 ORDER BY e <-> $1 LIMIT 5",
    "SELECT id, tenant FROM archive.vault ORDER BY e <-> $1 LIMIT 5",
    "SELECT id FROM archive.vault WHERE secret = 'secret 7' OR tenant = 2 ORDER BY e <-> $1 LIMIT 5",
    "SELECT id, e <-> $1 AS d FROM archive.vault WHERE title IN ('title 1', 'title 2', 'title 3') ORDER BY d LIMIT 2",
    "SELECT id FROM archive.vault WHERE tenant IS NOT NULL AND NOT tenant IN (0, 4) ORDER BY e <-> $1 LIMIT 5 OFFSET 3",
]

GRANTS = {
    "nothing": "",
    "the table": "GRANT SELECT ON archive.vault TO alice, readers",
    "both tables": "GRANT SELECT ON archive.vault, archive.tenants TO alice, readers",
    "key and vector": "GRANT SELECT (id, e) ON archive.vault TO alice, readers",
    "key, vector, title": "GRANT SELECT (id, e, title) ON archive.vault TO alice, readers",
    "key, vector, tenant": "GRANT SELECT (id, e, tenant) ON archive.vault TO alice, readers",
    "vector and title": "GRANT SELECT (e, title) ON archive.vault TO alice, readers",
    "key and title": "GRANT SELECT (id, title) ON archive.vault TO alice, readers",
    "each column": "GRANT SELECT (id, tenant, title, secret, holder, e) ON archive.vault TO alice, readers",
    "everybody": "GRANT SELECT ON archive.vault TO PUBLIC",
    "the table, no schema":
        "GRANT SELECT ON archive.vault TO alice, readers; REVOKE USAGE ON SCHEMA archive FROM PUBLIC",
    "not even the keeper": "REVOKE SELECT ON archive.vault FROM keeper",
    "writing only": "GRANT INSERT, UPDATE, DELETE ON archive.vault TO alice, readers",
}
SECURITY = {
    "no row security": "",
    "row security": "ALTER TABLE archive.vault ENABLE ROW LEVEL SECURITY",
    "row security, forced": "ALTER TABLE archive.vault ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
}
WITHOUT = """
REVOKE ALL ON archive.vault, archive.tenants FROM alice, bob, carol, readers, PUBLIC;
REVOKE ALL (id, tenant, title, secret, holder, e) ON archive.vault FROM alice, bob, carol, readers, PUBLIC;
GRANT ALL ON archive.vault TO keeper;
GRANT USAGE ON SCHEMA archive TO PUBLIC;
ALTER TABLE archive.vault DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;
"""
LOGINS = ("alice", "bob", "carol", "keeper", "exempt", "boss")
BECOMING = {
    "SET ROLE": ("SET ROLE {}", "RESET ROLE"),
    "SET SESSION AUTHORIZATION": ("SET SESSION AUTHORIZATION {}", "RESET SESSION AUTHORIZATION"),
    "SET LOCAL ROLE": ("BEGIN; SET LOCAL ROLE {}", "COMMIT"),
    "set_config": ("SELECT set_config('role', '{}', false)", "SELECT set_config('role', 'none', false)"),
    "a procedure": ("CALL archive.become('{}')", "RESET ROLE"),
    "a block": ("DO 'BEGIN SET ROLE {}; END'", "RESET ROLE"),
    "a savepoint": ("BEGIN; SET LOCAL ROLE readers; SAVEPOINT s; SET LOCAL ROLE boss; ROLLBACK TO s; SET LOCAL ROLE {}",
                    "ROLLBACK"),
}


class Pair:
    """The same user at PostgreSQL and at veer, whose searches are prepared before any right is given."""

    def __init__(self, stage, user):
        self.stage = stage
        self.direct = Session(stage.postgres.port, user)
        self.through = Session(stage.veer.port, user)
        self.direct.simple("SET enable_indexscan = off")
        for number, sql in enumerate(SEARCHES):
            for each in (self.direct, self.through):
                each.connection.prepare(f"search{number}".encode(), sql.encode())

    def say(self, sql):
        for each in (self.direct, self.through):
            each.simple(sql)

    def compare(self, what, send):
        inside = self.through.connection.transaction_status != 0
        if inside:
            self.say("SAVEPOINT before_search")
        different = difference(send(self.direct), send(self.through))
        if inside:
            self.say("ROLLBACK TO before_search")  # an error may have ended the transaction
        answered = last(self.through)
        if different:
            fail(f"{what}: {different} ({answered})")
        self.stage.answers[answered] += 1
        self.stage.compared += 1

    def search(self, what, numbers=range(len(SEARCHES))):
        """Each search in one of the three ways, which take turns."""
        for number in numbers:
            self.stage.turn += 1
            sql = SEARCHES[number]
            way = ("simple", "extended", "prepared")[self.stage.turn % 3]
            if way == "simple":
                send = lambda each: each.simple(sql.replace("$1", f"'{QUERY}'"))
            elif way == "extended":
                send = lambda each: each.extended(sql, [QUERY], binary_results=self.stage.turn % 2 == 0)
            else:
                send = lambda each: each.seen(each.connection.exec_prepared(
                    f"search{number}".encode(), [QUERY.encode()]))
            self.compare(f"{what}, {way}: {sql}", send)


class Stage:
    def __init__(self, postgres, veer):
        self.postgres = postgres
        self.veer = veer
        self.admin = Session(veer.port)
        self.pairs = {}
        self.answers = collections.Counter()
        self.combinations = self.compared = self.turn = 0

    def pair(self, user):
        if user not in self.pairs:
            self.pairs[user] = Pair(self, user)
        return self.pairs[user]

    def change(self, *statements):
        """By another session through veer: from then on it holds for everybody."""
        for sql in filter(None, statements):
            seen = self.admin.simple(sql)
            if seen["error"][1] is not None:
                fail(f"{sql}: {seen['error']}")

    def search(self, what, user, numbers=range(len(SEARCHES))):
        self.combinations += 1
        self.pair(user).search(f"{user}, {what}", numbers)


def scene_logins(stage):
    """Roles that log in themselves, over all grants and forms of row security."""
    for grants, grant in GRANTS.items():
        for security, secure in SECURITY.items():
            stage.change(WITHOUT, grant, secure)
            for number, user in enumerate(LOGINS):
                some = range((stage.combinations // len(LOGINS) + number) % 3, len(SEARCHES), 3)
                stage.search(f"{grants}, {security}", user, some)
    stage.change(WITHOUT)


def scene_becoming(stage):
    """One session of a superuser that becomes somebody else, in every way, and comes back."""
    for grants in ("nothing", "both tables", "key and vector", "key, vector, title"):
        for security in ("no row security", "row security"):
            stage.change(WITHOUT, GRANTS[grants], SECURITY[security])
            for way, (become, back) in BECOMING.items():
                for user in ("alice", "carol", "keeper"):
                    pair = stage.pair("boss")
                    pair.say(become.format(user))
                    stage.search(f"as {user} by {way}, {grants}, {security}", "boss", (0, 2, 4, 7, 10, 12))
                    pair.say(back)
                    stage.search(f"itself again after {way}, {grants}, {security}", "boss", (0, 4))
    stage.change(WITHOUT)


def scene_groups(stage):
    """Membership that comes and goes, and what a role may take on by itself."""
    stage.change(WITHOUT, GRANTS["both tables"])
    carol = stage.pair("carol")
    stage.search("a member who does not inherit", "carol")
    carol.say("SET ROLE readers")
    stage.search("as the group", "carol")
    stage.change("REVOKE SELECT ON archive.vault FROM readers")
    stage.search("as the group, which has lost its rights", "carol")
    stage.change("GRANT SELECT (id, e) ON archive.vault TO readers")
    stage.search("as the group with two columns", "carol")
    carol.say("RESET ROLE")
    stage.change("GRANT SELECT ON archive.vault TO readers")
    for change in ("ALTER ROLE carol INHERIT", "REVOKE readers FROM carol", "GRANT readers TO carol",
                   "ALTER ROLE carol NOINHERIT", "ALTER ROLE carol SUPERUSER", "ALTER ROLE carol NOSUPERUSER"):
        stage.change(change)
        stage.search(f"after {change}", "carol")
    stage.change(WITHOUT)


def scene_mid_session(stage):
    """What changes under a session that searches, each time by another one."""
    stage.change(WITHOUT, GRANTS["both tables"])
    for change in (
            "REVOKE SELECT ON archive.vault FROM alice",
            "GRANT SELECT (id, e) ON archive.vault TO alice",
            "GRANT SELECT (title) ON archive.vault TO alice",
            "GRANT SELECT (tenant) ON archive.vault TO alice",
            "REVOKE SELECT (tenant) ON archive.vault FROM alice",
            "REVOKE SELECT (e) ON archive.vault FROM alice",
            "GRANT SELECT ON archive.vault TO alice",
            "REVOKE SELECT (id, e, title) ON archive.vault FROM alice",
            "REVOKE SELECT ON archive.tenants FROM alice",
            "REVOKE USAGE ON SCHEMA archive FROM PUBLIC",
            "GRANT USAGE ON SCHEMA archive TO PUBLIC",
            "ALTER TABLE archive.vault ENABLE ROW LEVEL SECURITY",
            "CREATE POLICY firsts ON archive.vault USING (tenant < 2)",
            "ALTER POLICY own ON archive.vault USING (false)",
            "DROP POLICY firsts ON archive.vault",
            "ALTER ROLE alice BYPASSRLS",
            "ALTER ROLE alice NOBYPASSRLS",
            "ALTER POLICY own ON archive.vault USING (holder = current_user)",
            "ALTER TABLE archive.vault OWNER TO alice",
            "ALTER TABLE archive.vault FORCE ROW LEVEL SECURITY",
            "ALTER TABLE archive.vault NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE archive.vault OWNER TO keeper",
            "REASSIGN OWNED BY keeper TO boss",
            "ALTER TABLE archive.vault OWNER TO keeper",
            "DO 'BEGIN REVOKE SELECT ON archive.vault FROM alice; END'",
            "BEGIN; GRANT SELECT ON archive.vault TO alice; COMMIT",
            "BEGIN; REVOKE SELECT ON archive.vault FROM alice; ROLLBACK"):
        stage.change(change)
        for user in ("alice", "keeper"):
            stage.search(f"after {change}", user)
    stage.change(WITHOUT)


def scene_row_security_off(stage):
    """SET row_security = off makes an error of what a policy would hide."""
    stage.change(WITHOUT, GRANTS["the table"], SECURITY["row security"])
    for user in ("alice", "keeper", "exempt"):
        stage.pair(user).say("SET row_security = off")
        stage.search("row_security = off", user)
        stage.pair(user).say("RESET row_security")
        stage.search("row_security is on again", user)
    stage.change(WITHOUT)


def scene_views_and_functions(stage):
    """What is lent by a view's or a function's owner, and no more than that."""
    views = ("shown", "barred", "asked")
    statements = [f"SELECT id, title FROM archive.{view} ORDER BY e <-> $1 LIMIT 5" for view in views]
    statements += ["SELECT * FROM archive.nearest($1, 5)", "SELECT * FROM archive.nearest_invoked($1, 5)",
                   "SELECT n FROM archive.nearest($1, 5) n JOIN archive.shown s ON s.id = n",
                   "SELECT v.id FROM archive.vault v JOIN archive.shown s ON s.id = v.id ORDER BY v.e <-> $1 LIMIT 3"]
    lent = ("", "GRANT SELECT ON archive.shown TO alice", "GRANT SELECT ON archive.barred, archive.asked TO alice",
            "GRANT SELECT ON archive.vault TO alice", "REVOKE EXECUTE ON FUNCTION archive.nearest FROM PUBLIC",
            "ALTER VIEW archive.shown OWNER TO keeper", "ALTER TABLE archive.vault ENABLE ROW LEVEL SECURITY",
            "ALTER FUNCTION archive.nearest_invoked SECURITY DEFINER")
    stage.change(WITHOUT)
    for change in lent:
        stage.change(change)
        for user in ("alice", "keeper"):
            stage.combinations += 1
            pair = stage.pair(user)
            for sql in statements:
                pair.compare(f"{user}, after {change}: {sql}", lambda each: each.extended(sql, [QUERY]))
                simple = sql.replace("$1", f"'{QUERY}'")
                pair.compare(f"{user}, after {change}: {simple}", lambda each: each.simple(simple))
            pair.search(f"{user}, after {change}", (0, 2))
    stage.change(WITHOUT)


def scene_one_batch(stage):
    """SET ROLE and a search in one pipeline: nothing is known of the one when the other comes."""
    stage.change(WITHOUT, GRANTS["key and vector"])
    for user in ("alice", "carol", "keeper"):
        for number in (0, 2, 4, 11):
            stage.combinations += 1

            def send(each):
                connection = each.connection
                connection.enter_pipeline_mode()
                seen = []
                for sql, values in ((f"SET ROLE {user}", []), (SEARCHES[number], [QUERY]), ("SET ROLE boss", []),
                                    (SEARCHES[number], [QUERY]), ("RESET ROLE", [])):
                    connection.send_query_params(sql.encode(), each.encoded(values))
                connection.pipeline_sync()
                while len(seen) < 6:
                    if (result := connection.get_result()) is not None:
                        seen.append(each.seen(result))
                connection.exit_pipeline_mode()
                each.simple("RESET ROLE")
                return seen

            pair = stage.pair("boss")
            for wanted, found in zip(send(pair.direct), send(pair.through)):
                if different := difference(wanted, found):
                    fail(f"a batch as {user}: {SEARCHES[number]}: {different}")
    stage.change(WITHOUT)


def scene_local_batch(stage):
    """What SET LOCAL says in a batch without BEGIN is over with its Sync, and with it what was found out meanwhile."""
    stage.change(WITHOUT, "GRANT SELECT ON archive.vault TO readers")
    pair = stage.pair("carol")
    for number in (0, 2, 4, 11):
        stage.combinations += 1

        def send(each):
            connection = each.connection
            connection.enter_pipeline_mode()
            for sql, values in (("SET LOCAL ROLE readers", []), (SEARCHES[number], [QUERY])):
                connection.send_query_params(sql.encode(), each.encoded(values))
            connection.pipeline_sync()
            seen = []
            while len(seen) < 3:
                if (result := connection.get_result()) is not None:
                    seen.append(each.seen(result))
            connection.exit_pipeline_mode()
            return seen

        for wanted, found in zip(send(pair.direct), send(pair.through)):
            if different := difference(wanted, found):
                fail(f"a batch with SET LOCAL: {SEARCHES[number]}: {different}")
        stage.search("after a batch with SET LOCAL", "carol", (number,))
    stage.change(WITHOUT)


def scene_views_with_effects(stage):
    """A search of a view runs the view's functions, and these may do anything, such as becoming somebody else."""
    stage.change(WITHOUT, """
        CREATE FUNCTION archive.turn() RETURNS text LANGUAGE sql AS 'SELECT set_config(''role'', ''alice'', false)';
        CREATE VIEW archive.turning AS SELECT v.*, archive.turn() AS turned FROM archive.vault v;
        GRANT SELECT ON archive.turning TO alice""")
    pair = stage.pair("boss")
    sql = "SELECT id, turned FROM archive.turning ORDER BY e <-> $1 LIMIT 5"
    for send in (lambda each: each.simple(sql.replace("$1", f"'{QUERY}'")), lambda each: each.extended(sql, [QUERY])):
        stage.search("before a view becomes alice", "boss", (0, 1, 2))
        pair.compare(sql, send)
        stage.search("after a view has become alice", "boss", (0, 1, 2))
        pair.say("RESET ROLE")
    stage.change("DROP VIEW archive.turning", "DROP FUNCTION archive.turn", WITHOUT)


def scene_operators(stage):
    """Who may not call the distance's function, or see its schema, gets PostgreSQL's error."""
    stage.change(WITHOUT, GRANTS["both tables"])
    named = "SELECT id FROM archive.vault ORDER BY e OPERATOR(public.<->) $1 LIMIT 5"
    for take, give in (("REVOKE EXECUTE ON FUNCTION l2_distance(vector, vector) FROM PUBLIC",
                        "GRANT EXECUTE ON FUNCTION l2_distance(vector, vector) TO PUBLIC"),
                       ("REVOKE USAGE ON SCHEMA public FROM PUBLIC", "GRANT USAGE ON SCHEMA public TO PUBLIC")):
        for change in (take, give):
            stage.change(change)
            stage.search(f"after {change}", "alice", (0, 1, 2, 4))
            stage.pair("alice").compare(f"after {change}: {named}", lambda each: each.extended(named, [QUERY]))
    stage.change(WITHOUT)


def scene_past_veer(stage):
    """REVOKE at PostgreSQL itself: a new session sees it at once, an old one when its facts have aged."""
    stage.change(WITHOUT, GRANTS["both tables"])
    stage.search("before REVOKE past veer", "alice")
    with session(stage.postgres.port) as db:
        db.execute("REVOKE SELECT ON archive.vault FROM alice")
    del stage.pairs["alice"]
    stage.search("after REVOKE past veer, in a new session", "alice")
    with session(stage.postgres.port) as db:
        db.execute("GRANT SELECT ON archive.vault TO alice")
    old = stage.pair("alice").through
    answered = lambda: old.simple(SEARCHES[0].replace("$1", f"'{QUERY}'"))["status"] == "TUPLES_OK"
    wait_until(answered, "GRANT past veer")
    with session(stage.postgres.port) as db:
        db.execute("REVOKE SELECT ON archive.vault FROM alice")
    wait_until(lambda: not answered(), "REVOKE past veer")
    stage.search("after REVOKE past veer, in an old session", "alice")
    stage.change(WITHOUT)


def check_coverage(stage):
    """A test in which everything passes would prove nothing."""
    for (engine, reason), times in stage.answers.most_common():
        print(f"{engine:10}{reason:20}{times:8}")
    for answered in (("veer", "local"), ("veer", "rewrite"), ("postgres", "row_security"),
                     ("postgres", "not_permitted")):
        if stage.answers[answered] < 50:
            fail(f"only {stage.answers[answered]} answers were {answered}")
    if stage.combinations < 100:
        fail("too few combinations")


def main(binary, *names):
    scenes = [each for name, each in globals().items() if name.startswith("scene_") and (not names or name in names)]
    with Postgres() as postgres:
        with session(postgres.port) as db:
            db.execute(TABLES.replace("{rows}", str(ROWS)))
        # Every column is copied: whoever may not see one could be answered from its copy.
        with Veer(binary, postgres, 'columns = "all"') as veer:
            stage = Stage(postgres, veer)
            for scene in scenes:
                scene(stage)
                print(f"{scene.__name__}: {stage.combinations} combinations, {stage.compared} searches", flush=True)
            if not names:
                check_coverage(stage)


if __name__ == "__main__":
    main(*sys.argv[1:])

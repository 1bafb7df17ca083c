import java.io.ByteArrayOutputStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.PGStatement;
import org.postgresql.copy.CopyManager;
import org.postgresql.util.PGobject;

/** pgjdbc: server-prepared statements, binary transfer, fetch sizes, autosave, batches, every preferQueryMode. */
public final class PgjdbcClient {
    private static final String KEY_AND_DISTANCE =
            "SELECT id, e <=> ?::vector AS d FROM docs ORDER BY e <=> ?::vector LIMIT ?";
    private static final String WHOLE_ROWS =
            "SELECT id, title, made, e <=> ?::vector AS d FROM docs ORDER BY d LIMIT ?";
    private static final String EVERY_TYPE = """
            SELECT 1::int2 AS a, 2::int4 AS b, 3::int8 AS c, 1.5::float4 AS d, 0.1::float8 AS e, 12.3400::numeric AS f,
            'text' AS g, 'c'::char(3) AS h, true AS i, '\\x00ff'::bytea AS j, '2024-02-29'::date AS k,
            '2024-02-29 12:00:00.123456+02'::timestamptz AS l, '1 day 02:03:04'::interval AS m, '{1,NULL,3}'::int[] AS n,
            '{"a": [1, null]}'::jsonb AS o, '00000000-0000-0000-0000-000000000001'::uuid AS p, NULL::text AS q, 'ü' AS r""";
    private static final String LARGE = "SELECT i, repeat(md5(i::text), 20) FROM generate_series(1, 20000) i";
    private static final List<String> FAILING = List.of(
            "SELEC 1", "SELECT * FROM nowhere", "SELECT 1/0", "INSERT INTO ledger VALUES (1, -1)",
            "INSERT INTO ledger VALUES (1, NULL)", "SELECT nothing FROM docs",
            "SELECT id FROM docs ORDER BY e <=> '[1,2,3]' LIMIT 5", "SELECT 'x'::int");
    private static final String IS_ASLEEP = "SELECT count(*) FROM pg_stat_activity"
            + " WHERE query LIKE '%pg_sleep(600)%' AND wait_event = 'PgSleep'";

    private final Dialogue dialogue;
    private final List<String> probes = new ArrayList<>();

    private PgjdbcClient(Dialogue dialogue) throws SQLException {
        this.dialogue = dialogue;
        try (Connection db = dialogue.connect()) {
            query(db, "SELECT v FROM probes ORDER BY n").forEach(row -> probes.add((String) row.get(0)));
        }
    }

    private static List<List<Object>> query(Connection db, String sql) throws SQLException {
        try (Statement statement = db.createStatement(); ResultSet result = statement.executeQuery(sql)) {
            return Dialogue.rows(result);
        }
    }

    private static int update(Connection db, String sql) throws SQLException {
        try (Statement statement = db.createStatement()) {
            return statement.executeUpdate(sql);
        }
    }

    private static void bind(PreparedStatement statement, int vectors, String probe, int limit) throws SQLException {
        for (int number = 1; number <= vectors; number++) {
            statement.setString(number, probe);
        }
        statement.setInt(vectors + 1, limit);
    }

    private static int vectors(String sql) {
        return (int) sql.chars().filter(each -> each == '?').count() - 1;
    }

    private static List<List<Object>> nearest(Connection db, String sql, String probe, int limit) throws SQLException {
        try (PreparedStatement statement = db.prepareStatement(sql)) {
            bind(statement, vectors(sql), probe, limit);
            return Dialogue.rows(statement.executeQuery());
        }
    }

    private void connections() throws Exception {
        try (Connection db = dialogue.connect("ApplicationName", "pgjdbc client", "options", "-c statement_timeout=54321")) {
            dialogue.note("connect", List.of(
                    db.getMetaData().getDatabaseProductVersion(), query(db, "SHOW application_name"),
                    query(db, "SHOW statement_timeout"), db.unwrap(PGConnection.class).getParameterStatus("TimeZone") != null,
                    db.isValid(10)));
            List<Object> columns = new ArrayList<>();
            ResultSet found = db.getMetaData().getColumns(null, "public", "ledger", null);
            while (found.next()) {
                columns.add(List.of(found.getString("COLUMN_NAME"), found.getString("TYPE_NAME")));
            }
            dialogue.note("metadata", columns);
        }
        dialogue.fails("wrong password", () -> dialogue.connect("password", "correct house"));
        dialogue.fails("no such database", () -> dialogue.connectTo("nowhere"));
    }

    private void values(Connection db) throws Exception {
        try (PreparedStatement statement = db.prepareStatement(EVERY_TYPE)) {
            for (int round = 0; round < 8; round++) {
                ResultSet result = statement.executeQuery();
                ResultSetMetaData about = result.getMetaData();
                List<Object> columns = new ArrayList<>();
                for (int column = 1; column <= about.getColumnCount(); column++) {
                    columns.add(List.of(about.getColumnName(column), about.getColumnTypeName(column), about.getPrecision(column)));
                }
                dialogue.note("every type " + round, List.of(columns, Dialogue.rows(result)));
            }
        }
        try (PreparedStatement statement = db.prepareStatement("SELECT ?::int, ?, ?::text, ?::bytea, ?::float8, ?::bool")) {
            for (int round = 0; round < 8; round++) {
                statement.setInt(1, round);
                statement.setString(2, "ü".repeat(round));
                statement.setNull(3, Types.VARCHAR);
                statement.setBytes(4, new byte[] {0, 1});
                statement.setDouble(5, 0.1);
                statement.setBoolean(6, true);
                dialogue.note("parameters " + round, Dialogue.rows(statement.executeQuery()));
            }
        }
        try (Statement statement = db.createStatement()) {
            List<Object> seen = new ArrayList<>();
            boolean rows = statement.execute("SELECT 1; UPDATE ledger SET id = id; SELECT 2 UNION ALL SELECT 3");
            while (rows || statement.getUpdateCount() != -1) {
                seen.add(rows ? Dialogue.rows(statement.getResultSet()) : statement.getUpdateCount());
                rows = statement.getMoreResults();
            }
            dialogue.note("several statements", seen);
            statement.execute("DO $$ BEGIN RAISE NOTICE 'heard %', 1 USING DETAIL = 'a detail'; END $$");
            dialogue.note("notice", Dialogue.describe(statement.getWarnings()));
        }
    }

    /** Past the fifth execution pgjdbc prepares on the server, and then asks for binary results. */
    private void searches(String how, boolean prepares, String... options) throws Exception {
        try (Connection db = dialogue.connect(options)) {
            for (String expected : List.of("local", "rewrite")) {
                String sql = expected.equals("local") ? KEY_AND_DISTANCE : WHOLE_ROWS;
                try (PreparedStatement statement = db.prepareStatement(sql)) {
                    for (String probe : probes) {
                        dialogue.search("search, " + how, expected, db, () -> {
                            bind(statement, vectors(sql), probe, 5);
                            return Dialogue.rows(statement.executeQuery());
                        });
                    }
                    if (prepares) {
                        dialogue.note("prepared, " + how, statement.unwrap(PGStatement.class).isUseServerPrepare());
                    }
                }
                dialogue.search("search by a literal, " + how, expected, db, () -> query(db,
                        sql.replace("?::vector", "'" + probes.get(0) + "'").replace("?", "5")));
            }
        }
    }

    /** As pgvector's own Java support sends it: an object of the type's name, here as text. */
    private void objects(Connection db) throws Exception {
        PGobject vector = new PGobject();
        vector.setType("vector");
        for (String probe : probes) {
            vector.setValue(probe);
            try (PreparedStatement statement = db.prepareStatement("SELECT id, title, e FROM docs ORDER BY e <=> ? LIMIT 5")) {
                dialogue.search("search for an object", "rewrite", db, () -> {
                    statement.setObject(1, vector);
                    return Dialogue.rows(statement.executeQuery());
                });
            }
        }
    }

    private void transactions(Connection db) throws Exception {
        String probe = probes.get(0);
        db.setAutoCommit(false);
        dialogue.search("search in a transaction", "local", db, () -> nearest(db, KEY_AND_DISTANCE, probe, 5));
        update(db, "INSERT INTO ledger VALUES (1, 10)");
        Savepoint savepoint = db.setSavepoint("s");
        dialogue.fails("error in a savepoint", () -> update(db, "INSERT INTO ledger VALUES (1, 10)"));
        dialogue.fails("statement in a failed transaction", () -> query(db, "SELECT 1"));
        dialogue.fails("search in a failed transaction", () -> nearest(db, KEY_AND_DISTANCE, probe, 5));
        db.rollback(savepoint);
        dialogue.search("search after a write", "transaction_wrote", db, () -> nearest(db, KEY_AND_DISTANCE, probe, 5));
        db.commit();
        dialogue.note("committed", query(db, "SELECT count(*) FROM ledger"));
        update(db, "DELETE FROM ledger");
        db.rollback();
        dialogue.note("rolled back", query(db, "SELECT count(*) FROM ledger"));
        dialogue.note("deleted", update(db, "DELETE FROM ledger"));
        db.commit();
        db.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        dialogue.search("search at REPEATABLE READ", "isolation", db, () -> nearest(db, WHOLE_ROWS, probe, 5));
        db.commit();
        db.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
        db.setAutoCommit(true);
        dialogue.search("search after them", "rewrite", db, () -> nearest(db, WHOLE_ROWS, probe, 5));
    }

    /**
     * With autosave=always pgjdbc puts a savepoint before each statement, in the same write to the socket. With
     * conservative it does where a plan could have gone stale, and then prepares again.
     */
    private void autosave(String mode) throws Exception {
        try (Connection db = dialogue.connect("autosave", mode)) {
            db.setAutoCommit(false);
            for (String probe : probes) {
                dialogue.note("search, autosave " + mode, nearest(db, KEY_AND_DISTANCE, probe, 3));
            }
            dialogue.fails("error, autosave " + mode, () -> nearest(db, KEY_AND_DISTANCE, "[1,2,3]", 3));
            if (mode.equals("conservative")) {
                db.rollback();
            }
            dialogue.note("after the error, autosave " + mode, nearest(db, WHOLE_ROWS, probes.get(1), 3));
            update(db, "CREATE TEMP TABLE mine AS SELECT 1 AS a");
            try (PreparedStatement stale = db.prepareStatement("SELECT * FROM mine")) {
                for (int round = 0; round < 7; round++) {
                    dialogue.note("before ALTER, autosave " + mode, Dialogue.rows(stale.executeQuery()));
                }
                update(db, "ALTER TABLE mine ADD b int DEFAULT 2");
                dialogue.note("after ALTER, autosave " + mode, Dialogue.rows(stale.executeQuery()));
            }
            db.rollback();
        }
    }

    private void writes(Connection db) throws Exception {
        String probe = probes.get(0);
        update(db, "INSERT INTO docs VALUES (90001, 'nearest', '2024-01-01', '" + probe + "')");
        dialogue.search("search for what was inserted", "local", db, () -> nearest(db, KEY_AND_DISTANCE, probe, 3));
        update(db, "DELETE FROM docs WHERE id = 90001");
        dialogue.search("search for what was deleted", "local", db, () -> nearest(db, KEY_AND_DISTANCE, probe, 3));
    }

    private void batches(String... options) throws Exception {
        try (Connection db = dialogue.connect(options)) {
            try (PreparedStatement insert = db.prepareStatement("INSERT INTO ledger VALUES (?, ?)")) {
                for (int id = 0; id < 1000; id++) {
                    insert.setInt(1, id);
                    insert.setInt(2, id);
                    insert.addBatch();
                }
                int[] counts = insert.executeBatch();
                dialogue.note("batch", List.of(counts.length, query(db, "SELECT count(*), sum(amount) FROM ledger")));
                for (int id = 1005; id > 995; id--) {
                    insert.setInt(1, id);
                    insert.setInt(2, id);
                    insert.addBatch();
                }
                dialogue.fails("batch that fails", insert::executeBatch);
            }
            try (PreparedStatement insert = db.prepareStatement("INSERT INTO ledger VALUES (?, 1)", Statement.RETURN_GENERATED_KEYS)) {
                for (int id = 2000; id < 2010; id++) {
                    insert.setInt(1, id);
                    insert.addBatch();
                }
                insert.executeBatch();
                dialogue.note("batch, returning", Dialogue.rows(insert.getGeneratedKeys()));
            }
            dialogue.note("deleted", update(db, "DELETE FROM ledger") > 0);
        }
    }

    private void cursors() throws Exception {
        try (Connection db = dialogue.connect("defaultRowFetchSize", "3")) {
            db.setAutoCommit(false);
            for (String sql : List.of(KEY_AND_DISTANCE, WHOLE_ROWS)) {
                try (PreparedStatement statement = db.prepareStatement(sql)) {
                    for (String probe : probes) {
                        bind(statement, vectors(sql), probe, 10);
                        dialogue.note("fetch size 3", Dialogue.rows(statement.executeQuery()));
                    }
                    bind(statement, vectors(sql), probes.get(0), 10);
                    ResultSet abandoned = statement.executeQuery();
                    abandoned.next();
                    dialogue.note("abandoned", abandoned.getLong(1));
                    abandoned.close();
                    statement.setFetchSize(100);
                    dialogue.note("fetch size 100", Dialogue.rows(statement.executeQuery()));
                }
            }
            try (Statement statement = db.createStatement()) {
                statement.setFetchSize(500);
                long length = 0;
                for (ResultSet result = statement.executeQuery(LARGE); result.next();) {
                    length += result.getString(2).length();
                }
                dialogue.note("large by fetch size", length);
            }
            try (Statement statement = db.createStatement()) {
                statement.setMaxRows(2);
                dialogue.note("max rows", Dialogue.rows(statement.executeQuery(
                        KEY_AND_DISTANCE.replace("?::vector", "'" + probes.get(0) + "'").replace("?", "5"))));
            }
            db.commit();
        }
    }

    private void errors(Connection db) throws Exception {
        for (String sql : FAILING) {
            dialogue.fails("error " + sql, () -> query(db, sql));
            for (int round = 0; round < 6; round++) {
                dialogue.fails("error " + sql + ", prepared", () -> {
                    try (PreparedStatement statement = db.prepareStatement(sql)) {
                        return statement.execute();
                    }
                });
            }
        }
        for (String wrong : List.of("[1,2,3]", "[1,2,", "", "[1,2,3,4,5,6,7,NaN]")) {
            dialogue.fails("vector " + wrong, () -> nearest(db, KEY_AND_DISTANCE, wrong, 5));
        }
        dialogue.search("search after errors", "local", db, () -> nearest(db, KEY_AND_DISTANCE, probes.get(0), 5));
    }

    private void copies(Connection db) throws Exception {
        CopyManager copy = db.unwrap(PGConnection.class).getCopyAPI();
        StringBuilder lines = new StringBuilder();
        for (int id = 0; id < 5000; id++) {
            lines.append(id).append('\t').append(id).append("\tnote ").append(id).append('\n');
        }
        dialogue.note("COPY in", copy.copyIn("COPY ledger FROM STDIN", new StringReader(lines.toString())));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        long rows = copy.copyOut("COPY (SELECT * FROM ledger ORDER BY id) TO STDOUT", out);
        dialogue.note("COPY out", List.of(rows, out.size(), out.toString(StandardCharsets.UTF_8).contentEquals(lines)));
        dialogue.fails("COPY of what is no row", () -> copy.copyIn("COPY ledger FROM STDIN", new StringReader("no row\n")));
        dialogue.note("deleted", update(db, "DELETE FROM ledger"));
    }

    private void asynchronous(Connection db) throws Exception {
        update(db, "LISTEN news");
        try (Connection other = dialogue.connect()) {
            query(other, "SELECT pg_notify('news', 'ü ' || n) FROM generate_series(1, 3) n");
        }
        List<Object> heard = new ArrayList<>();
        while (heard.size() < 3) {
            for (PGNotification each : db.unwrap(PGConnection.class).getNotifications(180_000)) {
                heard.add(List.of(each.getName(), each.getParameter()));
            }
        }
        dialogue.note("notified", heard);
        update(db, "UNLISTEN *");
    }

    private void cancels(Connection db) throws Exception {
        try (Connection other = dialogue.connect(); Statement sleeper = db.createStatement()) {
            for (int round = 0; round < 3; round++) {
                CompletableFuture<Void> cancelled = CompletableFuture.runAsync(() -> {
                    try {
                        Dialogue.waitUntil(() -> query(other, IS_ASLEEP).get(0).get(0).equals(1L), "the sleeper");
                        sleeper.cancel();
                    } catch (Exception error) {
                        throw new IllegalStateException(error);
                    }
                });
                dialogue.fails("cancelled", () -> sleeper.execute("SELECT pg_sleep(600)"));
                cancelled.join();
                dialogue.search("search after being cancelled", "local", db,
                        () -> nearest(db, KEY_AND_DISTANCE, probes.get(0), 5));
            }
        }
        try (Statement statement = db.createStatement()) {
            statement.setQueryTimeout(1);
            dialogue.fails("timed out", () -> statement.execute("SELECT pg_sleep(600)"));
        }
        dialogue.search("search after a timeout", "rewrite", db, () -> nearest(db, WHOLE_ROWS, probes.get(0), 5));
    }

    private void play() throws Exception {
        connections();
        try (Connection db = dialogue.connect()) {
            values(db);
            searches("defaults", true);
            searches("prepared at once", true, "prepareThreshold", "1");
            searches("binary at once", true, "prepareThreshold", "-1");
            searches("text only", true, "binaryTransfer", "false");
            searches("not prepared", false, "prepareThreshold", "0");
            searches("simple", false, "preferQueryMode", "simple");
            searches("extendedForPrepared", false, "preferQueryMode", "extendedForPrepared");
            searches("extendedCacheEverything", false, "preferQueryMode", "extendedCacheEverything");
            objects(db);
            transactions(db);
            autosave("always");
            autosave("conservative");
            writes(db);
            batches();
            batches("reWriteBatchedInserts", "true");
            cursors();
            errors(db);
            copies(db);
            asynchronous(db);
            cancels(db);
            List<List<Object>> rows = query(db, LARGE);
            dialogue.note("large", List.of(rows.size(), rows.get(rows.size() - 1)));
        }
    }

    public static void main(String[] arguments) throws Exception {
        new PgjdbcClient(new Dialogue(arguments)).play();
    }
}

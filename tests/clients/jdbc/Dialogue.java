import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/** A Java client's half of the matrix: says what it saw, one line of JSON a step (see ../README.md). */
final class Dialogue {
    interface Action<T> {
        T run() throws Exception;
    }

    private static final long SECONDS_MAX = 180;

    final int port;
    final boolean throughVeer;

    Dialogue(String[] arguments) {
        port = Integer.parseInt(arguments[0]);
        throughVeer = arguments[1].equals("veer");
    }

    /** Options in pairs: name, value. */
    Connection connect(String... options) throws SQLException {
        return connectTo("postgres", options);
    }

    Connection connectTo(String database, String... options) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", "app");
        properties.setProperty("password", "correct horse");
        for (int at = 0; at < options.length; at += 2) {
            properties.setProperty(options[at], options[at + 1]);
        }
        return DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + port + "/" + database, properties);
    }

    void note(String step, Object result) {
        System.out.println("{\"step\":" + json(step) + ",\"result\":" + json(result) + "}");
    }

    /** Asked again while the index is behind, as it may be after what might have been a write. */
    void search(String step, String expected, Connection session, Action<List<?>> ask) throws Exception {
        List<?> rows;
        List<?> answer;
        do {
            rows = ask.run();
            answer = throughVeer ? answerer(session) : null;
        } while (answer != null && answer.get(1).equals("behind"));
        if (rows.isEmpty()) {
            throw new IllegalStateException(step + ": no rows");
        }
        System.out.println("{\"step\":" + json(step) + ",\"result\":" + json(rows) + ",\"expected\":" + json(expected)
                + ",\"answer\":" + json(answer) + "}");
    }

    private static List<?> answerer(Connection session) throws SQLException {
        try (Statement statement = session.createStatement();
                ResultSet last = statement.executeQuery("SHOW veer.last")) {
            last.next();
            return List.of(last.getString("engine"), last.getString("reason"));
        }
    }

    void fails(String step, Action<?> call) throws Exception {
        try {
            call.run();
        } catch (SQLException error) {
            note(step, describe(error));
            return;
        }
        throw new IllegalStateException(step + ": no error");
    }

    static List<Object> describe(SQLException error) {
        List<Object> told = new ArrayList<>();
        for (SQLException each = error; each != null; each = each.getNextException()) {
            told.add(each.getClass().getSimpleName());
            told.add(each.getSQLState());
            told.add(each.getMessage());
            ServerErrorMessage server = each instanceof PSQLException psql ? psql.getServerErrorMessage() : null;
            if (server != null) {
                told.add(server.getSeverity());
                told.add(server.getDetail());
                told.add(server.getPosition());
                told.add(server.getConstraint());
            }
        }
        return told;
    }

    /** Each row as what getObject() makes of it. */
    static List<List<Object>> rows(ResultSet result) throws SQLException {
        ResultSetMetaData columns = result.getMetaData();
        List<List<Object>> rows = new ArrayList<>();
        while (result.next()) {
            List<Object> row = new ArrayList<>();
            for (int column = 1; column <= columns.getColumnCount(); column++) {
                row.add(result.getObject(column));
            }
            rows.add(row);
        }
        return rows;
    }

    static void waitUntil(Action<Boolean> holds, String what) throws Exception {
        long deadline = System.nanoTime() + SECONDS_MAX * 1_000_000_000L;
        while (!holds.run()) {
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException("waited in vain for " + what);
            }
        }
    }

    private static String json(Object value) {
        if (value == null) {
            return "null";
        }
        if (value instanceof Number && !(value instanceof Double d && !Double.isFinite(d))) {
            return value.toString();
        }
        if (value instanceof List<?> list) {
            StringBuilder text = new StringBuilder("[");
            list.forEach(each -> text.append(text.length() > 1 ? "," : "").append(json(each)));
            return text.append(']').toString();
        }
        if (value instanceof byte[] bytes) {
            return json(java.util.HexFormat.of().formatHex(bytes));
        }
        StringBuilder text = new StringBuilder("\"");
        for (char each : value.toString().toCharArray()) {
            text.append(each < ' ' || each == '"' || each == '\\' || each > '~'
                    ? String.format("\\u%04x", (int) each) : String.valueOf(each));
        }
        return text.append('"').toString();
    }
}

#include "storage/partitions.hpp"
#include "tests/integration/recording_observer.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

using namespace veer;
using namespace veer::tests;
using storage::sync::Syncer;

// A partitioned table is one table of the copy. What its partitions do is in the stream, or in the
// catalogue alone, and then it is copied again.

namespace {

/// Beyond 2 kB a vector is stored out of line, and an UPDATE elsewhere sends it as unchanged.
constexpr int dimensions = 600;

std::string vector_sql(const std::string& number) {
    return "array_fill((" + number + ")::real, '{" + std::to_string(dimensions) + "}')::vector";
}

/// docs ─┬ docs_1
///       ├ docs_2: was a table of its own, with its columns in another order and one that is gone
///       └ docs_3 ─┬ docs_3_low
///                 └ docs_3_high
void create_docs(const PostgresServer& server) {
    const std::string type = "vector(" + std::to_string(dimensions) + ")";
    server.exec(
        "CREATE TABLE docs (region bigint, id bigint, n int DEFAULT 0, emb " + type +
        ", PRIMARY KEY (region, id)) PARTITION BY LIST (region);"
        "CREATE TABLE docs_1 PARTITION OF docs FOR VALUES IN (1);"
        "CREATE TABLE docs_2 (emb " +
        type +
        ", gone text, n int DEFAULT 0, id bigint NOT NULL, region bigint NOT NULL);"
        "ALTER TABLE docs_2 DROP COLUMN gone;"
        "ALTER TABLE docs ATTACH PARTITION docs_2 FOR VALUES IN (2);"
        "CREATE TABLE docs_3 PARTITION OF docs FOR VALUES IN (3, 4) PARTITION BY RANGE (id);"
        "CREATE TABLE docs_3_low PARTITION OF docs_3 FOR VALUES FROM (0) TO (50);"
        "CREATE TABLE docs_3_high PARTITION OF docs_3 FOR VALUES FROM (50) TO (1000000);"
        "CREATE INDEX docs_emb ON docs USING hnsw (emb vector_l2_ops);"
        "INSERT INTO docs SELECT i % 4 + 1, i, 0, " +
        vector_sql("i") + " FROM generate_series(1, 100) i"
    );
}

/// Regions are 1 to 5.
TableRows docs_in_postgres(const PostgresServer& server) {
    TableRows all;
    for (char region = 1; region <= 5; ++region) {
        storage::RowKey prefix;
        storage::append_key_column(prefix, std::string(7, '\0') + region);
        const std::string number = std::to_string(region);
        for (const auto& [id, vectors] :
             rows_in_postgres(server, "docs WHERE region = " + number)) {
            all.emplace(prefix + id, vectors);
        }
    }
    return all;
}

/// Once the catalogue has been looked at and the table is copied again, if it has to be.
bool become_equal(const PostgresServer& server, const RecordingObserver& observer) {
    return wait_until([&] {
        return observer.table_rows("docs") == docs_in_postgres(server) &&
               observer.tables().size() == 1;
    });
}

/// As it is in the fingerprint.
std::string tree_in_postgres(const PostgresServer& server) {
    return server.value(
        "SELECT " + storage::fingerprint_tree_sql() +
        " FROM pg_class c WHERE c.oid = 'docs'::regclass"
    );
}

bool refused(const RecordingObserver& observer, const std::string& why) {
    return wait_until([&] { return observer.told(why); });
}

}  // namespace

TEST_CASE("A partitioned table is copied and followed as one", "[storage]") {
    const PostgresServer server;
    create_docs(server);
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    REQUIRE(observer.tables().size() == 1);
    CHECK(observer.table_rows("docs").size() == 100);
    CHECK(observer.table_rows("docs") == docs_in_postgres(server));
    CHECK(
        server.value("SELECT string_agg(prrelid::regclass::text, ',') FROM pg_publication_rel") ==
        "docs"
    );

    server.exec("INSERT INTO docs VALUES (1, 1001, 0, " + vector_sql("7") + ")");
    server.exec("INSERT INTO docs_2 (id, region, emb) VALUES (1002, 2, " + vector_sql("8") + ")");
    server.exec("INSERT INTO docs_3_high VALUES (4, 1003, 0, " + vector_sql("9") + ")");
    server.exec("UPDATE docs SET emb = emb + emb WHERE id % 7 = 0");
    server.exec("UPDATE docs SET n = n + 1 WHERE id % 3 = 0");     // vectors that are unchanged
    server.exec("UPDATE docs_2 SET id = id + 2000 WHERE id < 9");  // other keys, the same vectors
    server.exec("DELETE FROM docs WHERE id % 11 = 0; DELETE FROM docs_1 WHERE id = 1001");
    REQUIRE(caught_up(server, observer));
    CHECK(observer.table_rows("docs") == docs_in_postgres(server));

    // From one partition to another, between those of different layouts and levels, and back.
    server.exec("UPDATE docs SET region = 2 WHERE region = 1");
    server.exec("UPDATE docs SET region = 3 WHERE region = 2 AND id % 2 = 0");
    server.exec("UPDATE docs SET id = id + 6000 WHERE region = 4 AND id < 50");
    server.exec(
        "BEGIN; UPDATE docs SET region = 1 WHERE id = 99; UPDATE docs SET region = 4 WHERE id = "
        "99; COMMIT"
    );
    REQUIRE(caught_up(server, observer));
    CHECK(observer.table_rows("docs") == docs_in_postgres(server));
    CHECK(observer.copies("docs") == 1);

    server.exec(
        "BEGIN; TRUNCATE docs; INSERT INTO docs VALUES (3, 5, 0, " + vector_sql("1") + "); COMMIT"
    );
    CHECK(become_equal(server, observer));
    CHECK(observer.table_rows("docs").size() == 1);
    CHECK(observer.violations().empty());
}

TEST_CASE("Partitions that come, go or are emptied mean another copy", "[storage]") {
    const PostgresServer server;
    create_docs(server);
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(become_equal(server, observer));

    const std::string row = "(5, 1, 0, " + vector_sql("1") + ")";
    const std::string other = "(5, 2, 0, " + vector_sql("2") + ")";
    for (const std::string& change :
         {std::string{"TRUNCATE docs_1"},
          std::string{"TRUNCATE docs_3"},
          std::string{"DROP TABLE docs_3_low"},
          std::string{"ALTER TABLE docs DETACH PARTITION docs_2"},
          std::string{"ALTER TABLE docs ATTACH PARTITION docs_2 FOR VALUES IN (2)"},
          std::string{"ALTER TABLE docs DETACH PARTITION docs_2 CONCURRENTLY"},
          "DELETE FROM docs_2 WHERE id < 30; INSERT INTO docs_2 (region, id, emb) VALUES (2, "
          "3000, " +
              vector_sql("3") + "); ALTER TABLE docs ATTACH PARTITION docs_2 FOR VALUES IN (2)",
          // None of this is in the stream, and the partition and its file are the same afterwards.
          std::string{
              "BEGIN; ALTER TABLE docs DETACH PARTITION docs_2; DELETE FROM docs_2 WHERE id = 3000;"
              "ALTER TABLE docs ATTACH PARTITION docs_2 FOR VALUES IN (2); COMMIT"},
          "CREATE TABLE docs_5 PARTITION OF docs FOR VALUES IN (5); INSERT INTO docs VALUES " + row,
          std::string{"DROP TABLE docs_5"},
          // What is emptied where it was made keeps its file.
          std::string{"BEGIN; CREATE TABLE docs_5 PARTITION OF docs FOR VALUES IN (5); "}
              .append("INSERT INTO docs VALUES ")
              .append(row)
              .append("; TRUNCATE docs_5; INSERT INTO docs VALUES ")
              .append(other)
              .append("; COMMIT")}) {
        INFO(change);
        server.exec(change);
        REQUIRE(become_equal(server, observer));
    }
    syncer.stop();
    server.exec("TRUNCATE docs_5");
    RecordingObserver again;
    Syncer restarted{options(server), again};
    restarted.start();
    REQUIRE(become_equal(server, again));
    CHECK(again.table_rows("docs").size() == std::stoul(server.value("SELECT count(*) FROM docs")));
    CHECK(observer.violations().empty());
    CHECK(again.violations().empty());
}

TEST_CASE("Rows of a partition that comes and goes at once are gone with it", "[storage]") {
    const PostgresServer server;
    create_docs(server);
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(become_equal(server, observer));
    // Whenever the catalogue is looked at, the partitions are the same.
    for (int round = 0; round < 3; ++round) {
        server.exec(
            "CREATE TABLE docs_5 PARTITION OF docs FOR VALUES IN (5); INSERT INTO docs VALUES "
            "(5, 1, 0, " +
            vector_sql("1") + ")"
        );
        server.exec("DROP TABLE docs_5");
        REQUIRE(caught_up(server, observer));
        CHECK(become_equal(server, observer));
    }
    CHECK(observer.violations().empty());
}

TEST_CASE("What a copy read of a partition that came meanwhile is not kept", "[storage]") {
    const PostgresServer server;
    create_docs(server);
    const std::string many = vector_sql("i") + " FROM generate_series(1, 400) i";  // some pages
    server.exec(
        "CREATE TABLE docs_5 (LIKE docs, PRIMARY KEY (region, id));"
        "INSERT INTO docs_5 SELECT 5, i, 0, " +
        many + "; INSERT INTO docs SELECT 1, 1000 + i, 0, " + many
    );
    auto slowly = options(server);
    slowly.catalogue_every = std::chrono::hours(1);
    slowly.copy.connections = 2;
    slowly.copy.range_bytes = 8192;
    slowly.copy.bytes_per_second = 200'000;
    RecordingObserver observer;
    Syncer syncer{slowly, observer};
    syncer.start();
    REQUIRE(wait_until([&] { return read_unwatched(server); }));
    SECTION("emptied before") {
        server.exec("DELETE FROM docs_5; ALTER TABLE docs ATTACH PARTITION docs_5 FOR VALUES IN (5)"
        );
    }
    SECTION("gone at once") {
        server.exec("ALTER TABLE docs ATTACH PARTITION docs_5 FOR VALUES IN (5)");
        server.exec("DROP TABLE docs_5");  // waits for who has read of it
    }
    CHECK(become_equal(server, observer));
    CHECK(observer.violations().empty());
}

TEST_CASE("A partition that comes empty costs no copy, nor does its going", "[storage]") {
    const PostgresServer server;
    create_docs(server);
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(become_equal(server, observer));
    const auto row = [](int region, int id) {
        return "INSERT INTO docs VALUES (" + std::to_string(region) + ", " + std::to_string(id) +
               ", 0, " + vector_sql(std::to_string(id)) + ")";
    };
    // As a client's session would: what it sees of the partitions is what the copy was made of.
    const auto followed = [&] {
        return wait_until([&] {
            const auto tables = observer.tables();
            return std::any_of(tables.begin(), tables.end(), [&](const storage::Table& table) {
                return table.name == "docs" &&
                       table.fingerprint.find(tree_in_postgres(server)) != std::string::npos;
            });
        });
    };
    const auto equal = [&] {
        return wait_until([&] { return observer.table_rows("docs") == docs_in_postgres(server); });
    };
    REQUIRE(followed());

    server.exec("CREATE TABLE docs_5 PARTITION OF docs FOR VALUES IN (5)");
    REQUIRE(followed());
    server.exec(row(5, 1) + "; " + row(5, 2) + "; DELETE FROM docs WHERE id = 2");
    server.exec(
        "CREATE TABLE docs_3_more PARTITION OF docs_3 FOR VALUES FROM (1000000) TO (2000000)"
    );
    REQUIRE(followed());
    server.exec(row(3, 1'500'000));
    server.exec(
        "CREATE TABLE docs_6 PARTITION OF docs FOR VALUES IN (6) PARTITION BY RANGE (id);"
        "CREATE TABLE docs_6_low PARTITION OF docs_6 FOR VALUES FROM (0) TO (10)"
    );
    REQUIRE(followed());
    server.exec("CREATE TABLE docs_7 (LIKE docs INCLUDING ALL)");
    server.exec("ALTER TABLE docs ATTACH PARTITION docs_7 FOR VALUES IN (7)");
    REQUIRE(followed());
    CHECK(equal());

    server.exec("DROP TABLE docs_6");
    REQUIRE(followed());
    server.exec("ALTER TABLE docs DETACH PARTITION docs_7; DROP TABLE docs_7");
    REQUIRE(followed());
    server.exec(row(5, 2'000'000) + "; UPDATE docs SET region = 1 WHERE id = 2000000");
    CHECK(equal());
    CHECK(observer.copies("docs") == 1);

    SECTION("one with rows goes") {
        server.exec("DROP TABLE docs_5");
    }
    SECTION("one that has had rows goes") {
        server.exec("DELETE FROM docs WHERE region = 5");
        REQUIRE(equal());
        server.exec("DROP TABLE docs_5");
    }
    SECTION("one is emptied") {
        server.exec("TRUNCATE docs_5");
    }
    SECTION("one comes with rows") {
        server.exec(
            "CREATE TABLE docs_6 (LIKE docs INCLUDING ALL);"
            "INSERT INTO docs_6 SELECT 5, id, n, emb FROM docs WHERE region = 1; DROP TABLE docs_5;"
            "ALTER TABLE docs ATTACH PARTITION docs_6 FOR VALUES IN (5)"
        );
    }
    REQUIRE(followed());
    CHECK(equal());
    CHECK(observer.copies("docs") == 2);
    CHECK(observer.violations().empty());
}

TEST_CASE("Whatever partitions do while rows come, the copy is the table", "[storage]") {
    const PostgresServer server;
    create_docs(server);
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random{seed};
    const std::string create = "CREATE TABLE IF NOT EXISTS docs_5 (LIKE docs INCLUDING ALL)";
    const std::string attach = "ALTER TABLE docs ATTACH PARTITION docs_5 FOR VALUES IN (5)";
    const std::string insert =
        "INSERT INTO docs_5 SELECT 5, i, 0, " + vector_sql("i") +
        " FROM generate_series(1, 5) i ON CONFLICT (region, id) DO UPDATE SET emb = excluded.emb";
    const std::vector<std::string> statements{
        create,
        attach,
        create + "; " + attach,
        "BEGIN; " + create + "; " + insert + "; " + attach + "; COMMIT",
        insert,
        insert,
        "BEGIN; " + insert + "; DELETE FROM docs_5; COMMIT",
        "TRUNCATE docs_5",
        "DELETE FROM docs_5",
        "ALTER TABLE docs DETACH PARTITION docs_5",
        "DROP TABLE docs_5",
    };
    // A copy that another change makes void puts the next one off, within one life.
    for (int life = 0; life < 8; ++life) {
        RecordingObserver observer;
        Syncer syncer{options(server), observer};
        syncer.start();
        const auto equal = [&] {  // docs_5 is a table of its own at times
            return wait_until([&] {
                return observer.table_rows("docs") == docs_in_postgres(server);
            });
        };
        REQUIRE(equal());
        for (auto steps = 2 + random() % 10; steps > 0; --steps) {
            try {
                server.exec(statements[random() % statements.size()]);
            } catch (const std::runtime_error&) {
                // There is no such partition, or there is one.
            }
            if (random() % 4 == 0) {  // else a look at the catalogue may see the end of many steps
                REQUIRE(equal());
            }
        }
        CHECK(equal());
        CHECK(observer.violations() == std::vector<std::string>{});
    }
}

TEST_CASE("A partition that cannot be followed refuses its table, and no other", "[storage]") {
    const PostgresServer server;
    create_docs(server);
    server.exec(
        "CREATE TABLE plain (id bigint PRIMARY KEY, emb vector(3));"
        "CREATE INDEX ON plain USING hnsw (emb vector_l2_ops);"
        "CREATE TABLE parts (id bigint PRIMARY KEY, emb vector(3)) PARTITION BY RANGE (id);"
        "CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (9);"
        "CREATE INDEX ON part USING hnsw (emb vector_l2_ops)"
    );
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    const auto complete = [&](std::size_t count) {
        return wait_until([&] { return observer.tables().size() == count; });
    };
    REQUIRE(complete(2));
    CHECK(refused(observer, "it is a partition"));
    const std::pair<std::string, std::string> troubles[] = {
        {"SET UNLOGGED",
         "its partition public.docs_1 is unlogged; run: ALTER TABLE public.docs_1 SET LOGGED;"},
        {"REPLICA IDENTITY NOTHING", "run: ALTER TABLE public.docs_1 REPLICA IDENTITY DEFAULT;"}};
    for (const auto& [how, why] : troubles) {
        server.exec("ALTER TABLE docs_1 " + how);
        REQUIRE(complete(1));
        CHECK(refused(observer, why));
        server.exec(
            "INSERT INTO plain SELECT max(id) + 1, '[1,2,3]' FROM (SELECT 0 AS id UNION SELECT id "
            "FROM plain) p"
        );
        REQUIRE(wait_until([&] {
            return observer.table_rows("plain") == rows_in_postgres(server, "plain");
        }));
        server.exec(why.substr(why.find("run: ") + 5));
        REQUIRE(complete(2));
        CHECK(observer.table_rows("docs") == docs_in_postgres(server));
    }
    CHECK(observer.copies("plain") == 1);
    CHECK(observer.violations().empty());
}

TEST_CASE("A publication whose partitions speak for themselves is mended", "[storage]") {
    const PostgresServer server;
    create_docs(server);
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(become_equal(server, observer));
    const std::string name = server.value("SELECT pubname FROM pg_publication");
    server.exec("ALTER PUBLICATION " + name + " SET (publish_via_partition_root = false)");
    server.exec("INSERT INTO docs VALUES (1, 5001, 0, " + vector_sql("4") + ")");
    CHECK(become_equal(server, observer));
    CHECK(wait_until([&] { return server.value("SELECT pubviaroot FROM pg_publication") == "t"; }));
    server.exec("INSERT INTO docs VALUES (1, 5002, 0, " + vector_sql("4") + ")");
    CHECK(become_equal(server, observer));
    CHECK(observer.violations().empty());
}

TEST_CASE("A partitioned table that joins a publication made by hand costs no other", "[storage]") {
    const PostgresServer server;
    server.exec(
        "CREATE TABLE plain (id bigint PRIMARY KEY, emb vector(3));"
        "INSERT INTO plain SELECT i, ARRAY[i, 0, 1]::vector FROM generate_series(1, 50) i;"
        "CREATE INDEX plain_emb ON plain USING hnsw (emb vector_l2_ops)"
    );
    const std::string name =
        "veer_" + storage::store::Store::open(store_directory(server)).value().instance();
    server.exec("CREATE PUBLICATION " + name + " FOR TABLE ONLY plain");
    RecordingObserver observer;
    Syncer syncer{options(server), observer};
    syncer.start();
    REQUIRE(caught_up(server, observer));
    create_docs(server);
    REQUIRE(wait_until([&] { return observer.tables().size() == 2; }));
    // Of the view that has this one, the syncer has seen what became of the publication, too.
    server.exec("CREATE TABLE third (LIKE plain INCLUDING ALL)");
    REQUIRE(wait_until([&] { return observer.tables().size() == 3; }));
    CHECK(observer.table_rows("docs") == docs_in_postgres(server));
    CHECK(observer.copies("plain") == 1);
    CHECK(observer.violations().empty());
}

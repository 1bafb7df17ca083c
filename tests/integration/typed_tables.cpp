#include "tests/integration/typed_tables.hpp"

#include "tests/support/postgres_client.hpp"

#include <unistd.h>

#include <chrono>
#include <stdexcept>

namespace veer::tests {

namespace {

// setseed() makes random() the same in every run. Rows 1 and 2 are NULL and zero.
constexpr const char* tables = R"(
    CREATE FUNCTION random_vector(dimensions int) RETURNS vector LANGUAGE sql VOLATILE AS
        $$ SELECT array_agg(random() * 2 - 1)::vector FROM generate_series(1, dimensions) $$;
    CREATE FUNCTION random_bits(length int) RETURNS text LANGUAGE sql VOLATILE AS
        $$ SELECT string_agg((random() > 0.5)::int::text, '') FROM generate_series(1, length) $$;
    CREATE FUNCTION random_elements(count int) RETURNS text LANGUAGE sql VOLATILE AS
        $$ SELECT '{' || string_agg(k || ':' || (random() * 2 - 1)::real, ',') || '}/100000'
             FROM (SELECT DISTINCT (1 + floor(random() * 30))::int AS k
                     FROM generate_series(1, count)) AS drawn $$;
    SELECT setseed(0.42);
    CREATE TABLE vectors (id bigint PRIMARY KEY, note text, e vector(9));
    INSERT INTO vectors SELECT i, 'note ' || i, random_vector(9 + 0 * i) FROM generate_series(3, 700) i;
    INSERT INTO vectors VALUES (1, 'null', NULL), (2, 'zero', '[0,0,0,0,0,0,0,0,0]');
    CREATE TABLE halfvecs (id bigint PRIMARY KEY, note text, e halfvec(9));
    INSERT INTO halfvecs SELECT i, 'note ' || i, random_vector(9 + 0 * i) FROM generate_series(3, 700) i;
    INSERT INTO halfvecs VALUES (1, 'null', NULL), (2, 'zero', '[0,0,0,0,0,0,0,0,0]');
    CREATE TABLE bits (id bigint PRIMARY KEY, note text, e bit(100));
    INSERT INTO bits SELECT i, 'note ' || i, random_bits(100 + 0 * i)::bit(100)
      FROM generate_series(3, 700) i;
    INSERT INTO bits VALUES (1, 'null', NULL), (2, 'zero', repeat('0', 100)::bit(100));
    CREATE TABLE sparsevecs (id bigint PRIMARY KEY, note text, e sparsevec(100000));
    INSERT INTO sparsevecs SELECT i, 'note ' || i, random_elements(12 + 0 * i)::sparsevec
      FROM generate_series(3, 700) i;
    INSERT INTO sparsevecs VALUES (1, 'null', NULL), (2, 'zero', '{}/100000');
    ALTER DATABASE postgres SET hnsw.ef_search = 400;
)";

std::filesystem::path fresh_directory() {
    std::string name = (std::filesystem::temp_directory_path() / "veer-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
        throw std::runtime_error("no temporary directory");
    }
    return name;
}

void add_dense(std::vector<TypedSearch>& list) {
    const std::vector<std::string> malformed{
        "[1,2,3]",
        "[1,2,3,4,5,6,7,8,9,10]",
        "[1,2,3,4,5,6,7,8,NaN]",
        "[1,2,3,4,5,6,7,8,1e39]",
        "[1,2,3,4,5,6,7,8,]",
        "[]",
        "abc",
        "{1:1}/9",
        ""};
    const std::string query = "[0.1,-0.2,0.3,0.4,-0.5,0.6,0.7,-0.8,0.9]";
    const std::vector<std::string> zeros{"[0,0,0,0,-0,0,0,0,0]"};
    list.push_back({"vectors", "vector(9)", "<+>", "vector_l1_ops", query, {}, malformed});
    std::vector<std::string> halves = malformed;
    halves.insert(halves.end(), {"[1,2,3,4,5,6,7,8,65520]", "[1,2,3,4,5,6,7,8,-1e5]"});
    const auto add = [&](const char* symbol, const char* operators, auto zero_queries) {
        list.push_back({"halfvecs", "halfvec(9)", symbol, operators, query, zero_queries, halves});
    };
    const std::vector<std::string> none;
    std::vector<std::string> small_zeros = zeros;
    small_zeros.emplace_back("[1e-8,0,0,0,0,0,0,0,0]");  // zero once it is rounded
    add("<->", "halfvec_l2_ops", none);
    add("<#>", "halfvec_ip_ops", none);
    add("<=>", "halfvec_cosine_ops", small_zeros);
    add("<+>", "halfvec_l1_ops", none);
}

void add_bits(std::vector<TypedSearch>& list) {
    std::string query;
    for (int i = 0; i < 20; ++i) {
        query += "01101";
    }
    const std::string digits = std::string(99, '1');
    const std::vector<std::string> malformed{
        "", "0101", digits + "00", digits + "2", ' ' + digits, digits + ' ', "[1]"};
    list.push_back({"bits", "bit(100)", "<~>", "bit_hamming_ops", query, {}, malformed});
    list.push_back({"bits", "bit(100)", "<%>", "bit_jaccard_ops", query, {}, malformed});
}

void add_sparse(std::vector<TypedSearch>& list) {
    const std::string query = "{1:0.5,3:-0.25,7:0.75,12:0.1,29:-0.9,100000:0.3}/100000";
    const std::vector<std::string> malformed{
        "{1:1}/99999",
        "{100001:1}/100000",
        "{0:1}/100000",
        "{1:1,1:2}/100000",
        "{1:NaN}/100000",
        "{1:1e39}/100000",
        "{1:1}",
        "{1:1}/100000 x",
        "[1]",
        ""};
    const std::vector<std::string> none;
    const std::vector<std::string> zeros{"{}/100000", "{5:0}/100000"};
    const auto add = [&](const char* symbol, const char* operators, auto zero_queries) {
        list.push_back(
            {"sparsevecs", "sparsevec(100000)", symbol, operators, query, zero_queries, malformed}
        );
    };
    add("<->", "sparsevec_l2_ops", none);
    add("<#>", "sparsevec_ip_ops", none);
    add("<=>", "sparsevec_cosine_ops", zeros);
    add("<+>", "sparsevec_l1_ops", none);
}

}  // namespace

std::string TypedSearch::distance(const std::string& vector) const {
    return "e " + operator_name + ' ' + vector;
}

std::string TypedSearch::select(const std::string& outputs, const std::string& vector) const {
    return "SELECT " + outputs + " FROM " + table + " ORDER BY " + distance(vector) + " LIMIT 10";
}

std::vector<TypedSearch> typed_searches() {
    std::vector<TypedSearch> list;
    add_dense(list);
    add_bits(list);
    add_sparse(list);
    return list;
}

TypedTables::TypedTables()
    : directory(fresh_directory()),
      veer(directory / "veer", create_tables(), "[defaults]\npercent = 100\n") {
    const std::size_t wanted = typed_searches().size();
    Client client(through());
    const bool live = wait_until(
        [&] {
            std::size_t count = 0;
            for (const auto& row : client.simple("SHOW veer.routes").rows) {
                count += row.at(4) == "live" ? 1 : 0;
            }
            return count == wanted;
        },
        std::chrono::minutes(3)
    );
    if (!live) {
        throw std::runtime_error("waited in vain for live routes:\n" + veer.log());
    }
}

TypedTables::~TypedTables() {
    veer.stop();
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
}

std::string TypedTables::create_tables() {
    Client client(postgres.dsn());
    std::string sql = tables;
    for (const TypedSearch& search : typed_searches()) {
        sql += "CREATE INDEX ON " + search.table + " USING hnsw (e " + search.operator_class + ");";
    }
    const Outcome made = client.simple(sql + "ANALYZE");
    if (!made.sqlstate.empty()) {
        throw std::runtime_error("tables: " + made.message);
    }
    return postgres.dsn();
}

}  // namespace veer::tests

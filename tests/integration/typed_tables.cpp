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
    SELECT setseed(0.42);
    CREATE TABLE vectors (id bigint PRIMARY KEY, note text, e vector(9));
    INSERT INTO vectors SELECT i, 'note ' || i, random_vector(9 + 0 * i) FROM generate_series(3, 700) i;
    INSERT INTO vectors VALUES (1, 'null', NULL), (2, 'zero', '[0,0,0,0,0,0,0,0,0]');
    CREATE TABLE halfvecs (id bigint PRIMARY KEY, note text, e halfvec(9));
    INSERT INTO halfvecs SELECT i, 'note ' || i, random_vector(9 + 0 * i) FROM generate_series(3, 700) i;
    INSERT INTO halfvecs VALUES (1, 'null', NULL), (2, 'zero', '[0,0,0,0,0,0,0,0,0]');
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
        std::chrono::minutes(1)
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

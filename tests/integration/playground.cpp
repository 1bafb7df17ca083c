#include "tests/integration/playground.hpp"

#include <unistd.h>

#include <stdexcept>

namespace veer::tests {

namespace {

// setseed() makes random() the same in every run.
constexpr const char* tables = R"(
    CREATE EXTENSION IF NOT EXISTS vector;
    CREATE FUNCTION random_vector(dimensions int) RETURNS vector LANGUAGE sql VOLATILE AS
        $$ SELECT array_agg(random() * 2 - 1)::vector FROM generate_series(1, dimensions) $$;
    CREATE FUNCTION noisy(n int) RETURNS int LANGUAGE plpgsql VOLATILE AS $$ BEGIN RETURN n; END $$;
    SELECT setseed(0.42);
    CREATE TABLE docs (id bigint PRIMARY KEY, title text, category int, made timestamptz, e vector(8));
    INSERT INTO docs SELECT i, 'title ' || i, i % 10, '2024-01-01'::timestamptz + i * interval '1 hour',
           random_vector(8 + 0 * i::int) FROM generate_series(1, 2000) i;
    CREATE INDEX ON docs USING hnsw (e vector_cosine_ops);
    CREATE TABLE points (id uuid PRIMARY KEY, n int, e vector(8));
    INSERT INTO points SELECT md5(i::text)::uuid, i, random_vector(8 + 0 * i::int)
      FROM generate_series(1, 1000) i;
    CREATE INDEX ON points USING hnsw (e vector_l2_ops);
    CREATE TABLE inner_products (id int PRIMARY KEY, e vector(8));
    INSERT INTO inner_products SELECT i, random_vector(8 + 0 * i::int) FROM generate_series(1, 1000) i;
    CREATE INDEX ON inner_products USING hnsw (e vector_ip_ops);
    CREATE TABLE pairs (a int, b smallint, note text, e vector(8), PRIMARY KEY (a, b));
    INSERT INTO pairs SELECT i / 10, i % 10, 'note ' || i, random_vector(8 + 0 * i::int)
      FROM generate_series(1, 1000) i;
    CREATE INDEX ON pairs USING hnsw (e vector_l2_ops);
    CREATE TABLE named (name text PRIMARY KEY, e vector(8));
    INSERT INTO named SELECT 'it''s \ "' || i || '", {a,b} é', random_vector(8 + 0 * i::int)
      FROM generate_series(1, 500) i;
    CREATE INDEX ON named USING hnsw (e vector_cosine_ops);
    ANALYZE;
    ALTER DATABASE postgres SET hnsw.ef_search = 400;
)";

constexpr std::size_t route_count = 5;

void await(const std::string& what, const std::function<bool()>& holds) {
    if (!wait_until(holds)) {
        throw std::runtime_error("waited in vain for " + what);
    }
}

}  // namespace

Playground::Playground(const std::string& toml, VeerProcess::Build build)
    : directory(fresh_directory()), veer(directory / "veer", create_tables(), toml, build) {
    await_live();
}

std::filesystem::path Playground::fresh_directory() {
    std::string name = (std::filesystem::temp_directory_path() / "veer-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
        throw std::runtime_error("no temporary directory");
    }
    return name;
}

std::string Playground::create_tables() {
    make_tables(postgres);
    return postgres.dsn();
}

void Playground::make_tables(const PostgresServer& server) {
    Client client(server.dsn());
    const Outcome made = client.simple(tables);
    if (!made.sqlstate.empty()) {
        throw std::runtime_error("tables: " + made.message);
    }
}

std::string Playground::direct() const {
    return postgres.dsn();
}

std::string Playground::through() const {
    return veer.dsn("user=postgres dbname=postgres");
}

void Playground::await_live() {
    Client client(through());
    await("five live routes", [&] {
        const Outcome routes = client.simple("SHOW veer.routes");
        std::size_t live = 0;
        for (const auto& row : routes.rows) {
            live += row.at(4) == "live" ? 1 : 0;
        }
        return live == route_count;
    });
}

void Playground::await_percent(const std::string& percent) {
    Client client(through());
    await(percent + " percent", [&] {
        const Outcome routes = client.simple("SHOW veer.routes");
        bool all = routes.rows.size() == route_count;
        for (const auto& row : routes.rows) {
            all = all && row.at(7) == percent;
        }
        return all;
    });
}

Playground::~Playground() {
    veer.stop();
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
}

}  // namespace veer::tests

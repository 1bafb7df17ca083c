// What does it cost to decide who answers a search?
//
//     decision_bench [--quick]
//
// In nanoseconds of the thread's processor time, the least of some rounds: others on the machine
// disturb little. A statement's plan is in the cache ("hit"), the session's facts are known.

#include "router/decide.hpp"
#include "router/router.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace veer::bench {
namespace {

constexpr std::int32_t dimensions = 1536;

double thread_nanoseconds() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return 1e9 * static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec);
}

storage::Table documents() {
    storage::Table table;
    table.oid = {4711};
    table.schema = "public";
    table.name = "docs";
    table.columns = {
        {.name = "id",
         .attnum = 1,
         .type_oid = 20,
         .type_length = 8,
         .typmod = -1,
         .not_null = true},
        {.name = "e",
         .attnum = 2,
         .type_oid = 16385,
         .type_length = -1,
         .typmod = dimensions,
         .not_null = false}};
    table.key = {0};
    table.vectors = {1};
    table.indexes = {
        {.name = "docs_e",
         .method = "hnsw",
         .vector = 0,
         .operator_name = "<=>",
         .operator_oid = 9}};
    return table;
}

void make_live(index::Replica& replica) {
    replica.begin("app", {documents()});
    storage::Row row;
    storage::append_key_column(row.key, std::string(8, '\1'));
    row.vectors.emplace_back(std::vector<float>(dimensions, 1.0F));
    replica.rows({4711}, std::vector<storage::Row>{row});
    replica.ready({100});
    storage::sync::Status streaming;
    streaming.phase = storage::sync::Phase::streaming;
    replica.status(streaming);
}

router::SessionFacts facts() {
    router::SessionFacts facts;
    facts.table_unchanged = facts.permitted = facts.table_visible = facts.operator_visible =
        facts.type_visible = facts.read_committed = facts.index_scans = facts.shortest_floats =
            true;
    facts.row_security = facts.wrote = false;
    facts.extension_schema = "public";
    facts.role = "app";
    return facts;
}

/// As texts write embeddings: seven digits.
std::string made_up_vector() {
    std::mt19937 chance{7};
    std::normal_distribution<double> normal{0, 0.03};
    std::string text = "[";
    for (std::int32_t i = 0; i < dimensions; ++i) {
        char number[32];
        std::snprintf(number, sizeof number, "%.7f", normal(chance));
        text += (i == 0 ? "" : ",") + std::string(number);
    }
    return text + "]";
}

std::string sent_bytes(const storage::Vector& vector) {
    std::string bytes{
        static_cast<char>(dimensions >> 8), static_cast<char>(dimensions & 255), 0, 0};
    for (const float number : std::get<std::vector<float>>(vector)) {
        std::uint32_t word = 0;
        std::memcpy(&word, &number, sizeof word);
        for (const unsigned shift : {24U, 16U, 8U, 0U}) {
            bytes += static_cast<char>(word >> shift & 255U);
        }
    }
    return bytes;
}

/// Which of the decision's parts a figure is of.
class Decision {
  public:
    explicit Decision(router::Router& router) : router_{router} {}

    router::Statement read(std::string_view text) { return router_.read(text); }

    /// What a session does with a statement it has read: values, bucket, share, facts.
    void judge(const router::Statement& statement, std::span<const router::ParameterValue> values) {
        const auto routes = router_.routes();
        const parser::NearestNeighbourQuery& query = *statement.search();
        const router::Route& route = *routes->find(query);
        const auto filled = router::fill_in(
            query,
            {.parameters = values, .literals = statement.normalised.literals},
            route,
            wanted_max
        );
        const auto& search = std::get<router::Search>(filled);
        const router::Asked asked{
            .bucket =
                router::first_bucket(route, statement.hint, statement.plan->shape, search.vector),
            .hint = &statement.hint,
            .shape = statement.plan->shape_id,
            .k = search.limit};
        if (!router::outputs_known(route, query) ||
            router::settled_without_facts(route, {}, asked)) {
            std::abort();
        }
        const auto decided =
            router::decide(*routes, route, query, facts_, asked, search.complete());
        served_ += std::holds_alternative<router::Service>(decided) ? 1 : 0;
    }

    std::size_t served() const { return served_; }

  private:
    static constexpr std::uint64_t wanted_max = 1000;

    router::Router& router_;
    router::SessionFacts facts_ = facts();
    std::size_t served_ = 0;
};

double least(std::size_t rounds, std::size_t times, const std::function<void()>& work) {
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t round = 0; round < rounds; ++round) {
        const double before = thread_nanoseconds();
        for (std::size_t i = 0; i < times; ++i) {
            work();
        }
        least = std::min(least, (thread_nanoseconds() - before) / static_cast<double>(times));
    }
    return least;
}

int run(bool quick) {
    config::Config config;
    config.defaults.percent = 100;
    index::Replica replica{1};
    router::Router router{config, replica};
    make_live(replica);
    Decision decision{router};
    const std::size_t rounds = quick ? 3 : 20;
    const std::size_t times = quick ? 200 : 2000;

    const std::string vector = made_up_vector();
    const std::string by_parameter =
        "SELECT id, e <=> $1 AS d FROM docs ORDER BY e <=> $1 LIMIT $2";
    const std::string by_literal =
        "SELECT id, e <=> '" + vector + "' AS d FROM docs ORDER BY d LIMIT 10";
    const router::Statement literal = decision.read(by_literal);
    const router::Statement parameter = decision.read(by_parameter);

    std::vector<router::ParameterValue> as_text{{.bytes = vector}, {.bytes = "10"}};
    decision.judge(parameter, as_text);
    const auto routes = router.routes();
    const auto filled = router::fill_in(
        *parameter.search(), {.parameters = as_text, .literals = {}}, routes->routes[0], 1000
    );
    const std::string bytes = sent_bytes(std::get<router::Search>(filled).vector);
    std::vector<router::ParameterValue> as_bytes{{.bytes = bytes, .binary = true}, {.bytes = "10"}};

    const auto print = [&](const char* what, const std::function<void()>& work) {
        std::printf("  %-64s%10.0f\n", what, least(rounds, times, work));
    };
    std::printf("  %-64s%10s\n", "1536 dimensions, plan in the cache", "ns");
    print("text with parameters: read", [&] { (void)decision.read(by_parameter); });
    print("  its values in binary: decided", [&] { decision.judge(parameter, as_bytes); });
    print("  read and decided", [&] { decision.judge(decision.read(by_parameter), as_bytes); });
    print("  its values in text (16 kB): decided", [&] { decision.judge(parameter, as_text); });
    print("text with the vector in it (16 kB): read", [&] { (void)decision.read(by_literal); });
    print("  decided", [&] { decision.judge(literal, {}); });
    print("  read and decided", [&] { decision.judge(decision.read(by_literal), {}); });
    return decision.served() > 0 ? 0 : 1;
}

}  // namespace
}  // namespace veer::bench

int main(int argc, char** argv) {
    return veer::bench::run(argc > 1 && std::string_view{argv[1]} == "--quick");
}

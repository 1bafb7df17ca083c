#include "tests/demo/console.hpp"
#include "tests/demo/scene.hpp"
#include "tests/demo/search.hpp"

#include <cmath>

namespace veer::demo {
namespace {

constexpr std::size_t queries_measured = 200;
constexpr std::size_t queries_per_turn = 50;
constexpr double recall_tolerance = 0.01;
constexpr double distance_tolerance = 1e-5;

using Queries = std::vector<std::vector<float>>;

struct Engines {
    explicit Engines(const Scene& scene) : direct(scene.direct), veer(scene.veer) {
        veer.execute(std::string(always_veer));
    }

    Connection direct;
    Connection veer;
};

void show_example(const Scene& scene, Terminal& terminal, Checks& checks) {
    Engines engines(scene);
    const Question question{.table = "documents", .projection = Projection::row};
    Searcher direct(engines.direct, question);
    Searcher veer(engines.veer, question);
    const std::vector<float> query = scene.corpus.embedding(scene.table.rows);
    const Answer expected = direct.search(query);
    const Answer answer = veer.search(query);
    const LastSearch last = last_search(engines.veer);

    terminal.heading("One search: SELECT id, title, ... ORDER BY embedding <=> $1 LIMIT 10");
    terminal.line(
        terminal.dim("      id  title                                      PostgreSQL      veer")
    );
    bool same = expected.neighbours.size() == answer.neighbours.size();
    for (std::size_t i = 0; i < answer.neighbours.size(); i++) {
        const Neighbour& row = answer.neighbours[i];
        const bool there = i < expected.neighbours.size() && expected.neighbours[i].id == row.id;
        same = same && there &&
               std::abs(expected.neighbours[i].distance - row.distance) < distance_tolerance;
        terminal.line(
            right_aligned(std::to_string(row.id), 8) + "  " + padded(row.title, 42) +
            right_aligned(there ? fixed(expected.neighbours[i].distance, 6) : "other row", 11) +
            right_aligned(fixed(row.distance, 6), 10)
        );
    }
    checks.expect(
        last.engine == "veer" && answer.neighbours.size() == neighbours_wanted,
        "answered by " + last.engine + " (SHOW veer.last: " + last.reason + ")" +
            (same ? ", the same rows and distances" : ", approximate as pgvector is")
    );
}

struct Measured {
    Tally direct;
    Tally veer;
    std::size_t answered_by_veer = 0;
};

/// Both engines take turns, so that a noisy machine disturbs both alike.
Measured measure(
    Engines& engines,
    Projection projection,
    const Queries& warming,
    const Queries& queries,
    std::span<const Ids> truth
) {
    const Question question{.table = "documents", .projection = projection};
    Searcher direct(engines.direct, question);
    Searcher veer(engines.veer, question);
    for (const std::vector<float>& query : warming) {
        direct.search(query);
        veer.search(query);
    }
    Measured measured;
    for (std::size_t turn = 0; turn < queries.size(); turn += queries_per_turn) {
        for (std::size_t i = turn; i < turn + queries_per_turn; i++) {
            measured.direct.add(direct.search(queries[i]), truth[i]);
        }
        for (std::size_t i = turn; i < turn + queries_per_turn; i++) {
            measured.veer.add(veer.search(queries[i]), truth[i]);
            measured.answered_by_veer += last_search(engines.veer).engine == "veer" ? 1 : 0;
        }
    }
    return measured;
}

std::string table_row(std::string_view what, std::string_view engine, const Tally& tally) {
    return padded(what, 24) + padded(engine, 12) + right_aligned(fixed(tally.recall(), 3), 9) +
           right_aligned(fixed(tally.percentile(0.5), 2), 9) +
           right_aligned(fixed(tally.percentile(0.95), 2), 9) +
           right_aligned(grouped(std::lround(tally.searches_per_second())), 12);
}

void print_measured(std::string_view what, const Measured& measured, Terminal& terminal) {
    const double faster =
        measured.veer.searches_per_second() / measured.direct.searches_per_second();
    terminal.line(table_row(what, "pgvector", measured.direct));
    terminal.line(
        table_row("", "veer", measured.veer) + terminal.strong("  " + fixed(faster, 1) + " x")
    );
}

void check_measured(const std::string& what, const Measured& measured, Checks& checks) {
    const std::size_t wanted = measured.veer.size();
    checks.expect(
        measured.answered_by_veer == wanted &&
            measured.veer.recall() >= measured.direct.recall() - recall_tolerance,
        what + ": " + std::to_string(measured.answered_by_veer) + " of " + std::to_string(wanted) +
            " answered by veer, recall not below pgvector's (within 0.01)"
    );
}

}  // namespace

void compare_engines(const Scene& scene, Terminal& terminal, Checks& checks) {
    show_example(scene, terminal, checks);

    Queries warming;
    Queries queries;
    for (std::size_t i = 0; i < queries_measured; i++) {
        queries.push_back(scene.corpus.embedding(scene.table.rows + i));
        warming.push_back(scene.corpus.embedding(scene.table.rows + queries_measured + i));
    }
    Engines engines(scene);
    Connection judge(scene.direct);
    const std::vector<Ids> truth = exact_answers(judge, {.table = "documents"}, queries);
    const Measured by_key = measure(engines, Projection::key, warming, queries, truth);
    const Measured by_row = measure(engines, Projection::row, warming, queries, truth);

    terminal.heading("200 searches for 10 neighbours, one connection, prepared, binary vectors");
    terminal.line(
        terminal.dim("columns asked for       answered by recall@10   p50 ms   p95 ms  searches/s")
    );
    print_measured("id, distance", by_key, terminal);
    print_measured("id, title, category, d.", by_row, terminal);
    check_measured("LOCAL", by_key, checks);
    check_measured("REWRITE", by_row, checks);
}

}  // namespace veer::demo

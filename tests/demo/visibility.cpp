#include "tests/demo/console.hpp"
#include "tests/demo/scene.hpp"
#include "tests/demo/search.hpp"

#include <array>
#include <chrono>
#include <thread>

namespace veer::demo {
namespace {

constexpr std::int64_t new_id = 9'000'001;
constexpr double patience_ms = 10'000;

struct Sighting {
    bool as_wanted = false;
    double distance = 0;
    double after_ms = 0;
    std::int64_t nearest = 0;
};

/// Searches until veer itself gives an answer in which the row is nearest (or is not).
Sighting await_sighting(
    Connection& connection, Searcher& searcher, std::span<const float> query, bool wanted
) {
    const auto started = std::chrono::steady_clock::now();
    Sighting sighting;
    while (!sighting.as_wanted && sighting.after_ms < patience_ms) {
        const Answer answer = searcher.search(query);
        const bool by_veer = last_search(connection).engine == "veer";
        const std::chrono::duration<double, std::milli> passed =
            std::chrono::steady_clock::now() - started;
        sighting.after_ms = passed.count();
        if (!answer.neighbours.empty()) {
            sighting.nearest = answer.neighbours[0].id;
            sighting.distance = answer.neighbours[0].distance;
            sighting.as_wanted = by_veer && (sighting.nearest == new_id) == wanted;
        }
        if (!sighting.as_wanted) {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
    }
    return sighting;
}

std::string described(const Sighting& sighting) {
    return "nearest is id " + std::to_string(sighting.nearest) + " at distance " +
           fixed(sighting.distance, 6) + ", after " + fixed(sighting.after_ms, 0) + " ms";
}

}  // namespace

void show_visibility(const Scene& scene, Terminal& terminal, Checks& checks) {
    Connection connection(scene.veer);
    connection.execute(std::string(always_veer));
    connection.prepare(
        "new_document",
        "INSERT INTO documents (id, title, category, tenant, embedding) "
        "VALUES (" +
            std::to_string(new_id) + ", 'Written through veer', 'demo', 1, $1)"
    );
    Searcher searcher(connection, {.table = "documents"});
    const std::vector<float> embedding = scene.corpus.embedding(scene.table.rows + 5'000'000);
    const std::string parameter = vector_bytes(embedding);

    terminal.heading("A row written through veer");
    connection.run("new_document", std::array{parameter});
    const Sighting there = await_sighting(connection, searcher, embedding, true);
    checks.expect(
        there.as_wanted && there.distance < 1e-6,
        "INSERT id " + std::to_string(new_id) + ": " + described(there)
    );
    connection.execute("DELETE FROM documents WHERE id = " + std::to_string(new_id));
    const Sighting gone = await_sighting(connection, searcher, embedding, false);
    checks.expect(gone.as_wanted, "DELETE it again:   " + described(gone));
}

}  // namespace veer::demo

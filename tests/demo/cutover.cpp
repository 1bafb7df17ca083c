#include "tests/demo/console.hpp"
#include "tests/demo/scene.hpp"
#include "tests/demo/search.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

namespace veer::demo {
namespace {

constexpr std::size_t searches_per_step = 1000;
constexpr double reload_seconds = 10;
constexpr auto counter_patience = std::chrono::seconds(3);

struct Step {
    int percent = 0;
    double least = 0;
    double most = 0;
};

constexpr std::array<Step, 4> steps{{{0, 0, 0}, {10, 7, 13}, {100, 100, 100}, {0, 0, 0}}};

/// Replaces the file at once, as an editor or a deployment tool does, and tells veer.
void configure(const Scene& scene, int percent) {
    const std::string draft = scene.veer_config + ".new";
    std::ofstream(draft) << "[[route]]\ncolumn = \"public.documents.embedding\"\n"
                         << "operator = \"<=>\"\npercent = " << percent << "\n";
    std::filesystem::rename(draft, scene.veer_config);
    if (kill(scene.veer_pid, SIGHUP) != 0) {
        throw std::runtime_error("veer is not running any more");
    }
}

struct Count {
    std::int64_t veer = 0;
    std::int64_t postgres = 0;

    std::int64_t all() const { return veer + postgres; }
};

/// Counts the answers since before; the counters may be a moment behind the last answer.
Count answered_since(Connection& console, const RouteStatus& before) {
    const auto deadline = std::chrono::steady_clock::now() + counter_patience;
    Count count;
    do {
        const RouteStatus now =
            await_route(console, "documents", reload_seconds, [](const auto&) { return true; });
        count = {.veer = now.veer - before.veer, .postgres = now.postgres - before.postgres};
        if (count.all() < static_cast<std::int64_t>(searches_per_step)) {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
    } while (count.all() < static_cast<std::int64_t>(searches_per_step) &&
             std::chrono::steady_clock::now() < deadline);
    return count;
}

}  // namespace

void show_cutover(const Scene& scene, Terminal& terminal, Checks& checks) {
    terminal.heading("Traffic moves by veer.toml and SIGHUP: who answers 1,000 different searches");
    Connection console(scene.veer);
    Connection client(scene.veer);
    Searcher searcher(client, {.table = "documents"});
    std::size_t next = scene.table.rows + 10'000;
    for (const Step& step : steps) {
        configure(scene, step.percent);
        const RouteStatus before =
            await_route(console, "documents", reload_seconds, [&](const RouteStatus& status) {
                return status.percent == step.percent;
            });
        for (std::size_t i = 0; i < searches_per_step; i++) {
            searcher.search(scene.corpus.embedding(next++));
        }
        const Count count = answered_since(console, before);
        const double share =
            100.0 * static_cast<double>(count.veer) / static_cast<double>(searches_per_step);
        checks.expect(
            count.all() == searches_per_step && share >= step.least && share <= step.most,
            "percent = " + padded(std::to_string(step.percent), 5) + bar(share / 100, 20) +
                "  veer " + right_aligned(std::to_string(count.veer), 4) + ", PostgreSQL " +
                right_aligned(std::to_string(count.postgres), 4)
        );
    }
}

}  // namespace veer::demo

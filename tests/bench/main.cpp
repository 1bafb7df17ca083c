#include "tests/bench/race.hpp"
#include "tests/demo/console.hpp"
#include "tests/demo/terminal.hpp"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <map>
#include <optional>
#include <string>

namespace veer::bench {
namespace {

constexpr double live_seconds = 600;
constexpr double share_wanted = 0.999;

constexpr std::string_view usage =
    "usage: veer_bench load --direct DSN\n"
    "       veer_bench wait --veer DSN\n"
    "       veer_bench knn --direct DSN --veer DSN [--rounds N] [--clients N] [--ratios FILE]\n"
    "all with [--rows N] [--dims N] [--queries N] [--data DIRECTORY with base.npy and query.npy]\n";

class Options {
  public:
    Options(int argc, char** argv) {
        for (int i = 2; i + 1 < argc; i += 2) {
            values_[std::string(argv[i]).substr(2)] = argv[i + 1];
        }
    }

    std::string text(const std::string& name) const {
        const auto found = values_.find(name);
        return found == values_.end() ? "" : found->second;
    }

    std::size_t number(const std::string& name, std::size_t otherwise) const {
        const std::string value = text(name);
        return value.empty() ? otherwise : std::strtoul(value.c_str(), nullptr, 10);
    }

  private:
    std::map<std::string, std::string> values_;
};

std::vector<Dataset> datasets(const Options& options) {
    const std::size_t queries = options.number("queries", 200);
    std::vector<Dataset> datasets;
    datasets.push_back(made_up(options.number("rows", 50'000), options.number("dims", 384), queries)
    );
    if (auto vectors = real(options.text("data"), queries)) {
        datasets.push_back(std::move(*vectors));
    }
    return datasets;
}

std::string described(const Dataset& dataset) {
    return demo::grouped(static_cast<std::int64_t>(dataset.table.rows)) + " x " +
           std::to_string(dataset.table.dimensions) + ", " + dataset.title;
}

void load(const Options& options, demo::Terminal& terminal) {
    const auto advance = [&](double share) {
        terminal.advance(share);
    };
    for (const Dataset& dataset : datasets(options)) {
        terminal.begin("loaded " + described(dataset));
        demo::load_documents(options.text("direct"), dataset.table, dataset.source, advance);
        terminal.end();
        terminal.begin("pgvector has built its hnsw index (vector_cosine_ops, m 16, 64)");
        demo::build_hnsw(options.text("direct"), dataset.table, advance);
        terminal.end();
    }
}

void wait(const Options& options, demo::Terminal& terminal) {
    demo::Connection console(options.text("veer"));
    for (const Dataset& dataset : datasets(options)) {
        terminal.begin("veer is live with " + described(dataset));
        demo::await_route(
            console,
            dataset.table.name,
            live_seconds,
            [&](const demo::RouteStatus& status) {
                terminal.advance(status.progress / 100);
                return status.state == "live";
            }
        );
        terminal.end();
    }
}

std::string table_row(const Comparison& comparison) {
    const double ratio =
        comparison.veer.searches_per_second / comparison.direct.searches_per_second;
    const bool local = comparison.projection == demo::Projection::key;
    return demo::padded(local ? "LOCAL" : "REWRITE", 10) +
           demo::right_aligned(std::to_string(comparison.ef_search), 9) +
           demo::right_aligned(demo::fixed(comparison.direct.recall, 3), 11) +
           demo::right_aligned(demo::fixed(comparison.veer.recall, 3), 8) +
           demo::right_aligned(
               demo::grouped(std::lround(comparison.direct.searches_per_second)), 12
           ) +
           demo::right_aligned(
               demo::grouped(std::lround(comparison.veer.searches_per_second)), 10
           ) +
           demo::right_aligned(demo::fixed(ratio, 2), 10);
}

void note_ratio(std::ofstream& notes, const Dataset& dataset, const Comparison& comparison) {
    const bool local = comparison.projection == demo::Projection::key;
    const std::string what = dataset.table.name + (local ? ", LOCAL" : ", REWRITE") +
                             ", ef_search " + std::to_string(comparison.ef_search);
    const double ratio =
        comparison.veer.searches_per_second / comparison.direct.searches_per_second;
    notes << demo::padded(what, 42) << "veer/pgvector " << demo::fixed(ratio, 2) << "   recall "
          << demo::fixed(comparison.veer.recall, 3) << " vs "
          << demo::fixed(comparison.direct.recall, 3) << "\n";
}

/// Returns whether veer itself has answered whatever it was asked.
bool race_once(Race& race, const Dataset& dataset, std::ofstream& notes, demo::Terminal& terminal) {
    bool all_by_veer = true;
    for (const demo::Projection projection : {demo::Projection::key, demo::Projection::row}) {
        for (const int ef_search : {40, 100, 200}) {
            const Comparison comparison = race.run(ef_search, projection);
            terminal.line(table_row(comparison));
            note_ratio(notes, dataset, comparison);
            if (comparison.answered_by_veer < share_wanted) {
                const std::string share = demo::fixed(100 * comparison.answered_by_veer, 1);
                terminal.bad("only " + share + " % of these were answered by veer");
                all_by_veer = false;
            }
        }
    }
    return all_by_veer;
}

/// Under conditions that have nothing to do with the vectors, at one breadth; the same columns as
/// LOCAL.
bool race_filtered(
    RaceOptions options, const Dataset& dataset, std::ofstream& notes, demo::Terminal& terminal
) {
    constexpr int ef_search = 100;
    bool all_by_veer = true;
    for (const int thousandth : {500, 100, 10, 1}) {
        options.condition = "tenant < " + std::to_string(thousandth);
        Race race(options, dataset);
        const Comparison comparison = race.run(ef_search, demo::Projection::key);
        const std::string share = demo::fixed(thousandth / 10.0, 1) + " %";
        terminal.line(table_row(comparison) + "  of " + share);
        notes << demo::padded(dataset.table.name + ", " + share + " of the rows", 42)
              << "veer/pgvector "
              << demo::fixed(
                     comparison.veer.searches_per_second / comparison.direct.searches_per_second, 2
                 )
              << "   recall " << demo::fixed(comparison.veer.recall, 3) << " vs "
              << demo::fixed(comparison.direct.recall, 3) << "\n";
        all_by_veer = all_by_veer && comparison.answered_by_veer >= share_wanted;
    }
    return all_by_veer;
}

bool knn(const Options& options, demo::Terminal& terminal) {
    const RaceOptions race_options{
        .direct = options.text("direct"),
        .veer = options.text("veer"),
        .rounds = options.number("rounds", 3),
        .clients = options.number("clients", 1),
        .condition = "true"};
    std::ofstream notes(options.text("ratios"), std::ios::app);
    bool all_by_veer = true;
    for (const Dataset& dataset : datasets(options)) {
        Race race(race_options, dataset);
        terminal.heading(
            "knn: " + described(dataset) +
            ", cosine, k = 10, c = " + std::to_string(race_options.clients)
        );
        terminal.line(terminal.dim("                      recall@10          searches/s (medians)")
        );
        terminal.line(
            terminal.dim("answer    ef_search   pgvector    veer    pgvector      veer  veer/pgv.")
        );
        all_by_veer = race_once(race, dataset, notes, terminal) && all_by_veer;
        all_by_veer = race_filtered(race_options, dataset, notes, terminal) && all_by_veer;
    }
    return all_by_veer;
}

int run(int argc, char** argv) {
    const std::string command = argc > 1 ? argv[1] : "";
    const Options options(argc, argv);
    demo::Terminal terminal;
    if (command == "load") {
        load(options, terminal);
    } else if (command == "wait") {
        wait(options, terminal);
    } else if (command == "knn") {
        return knn(options, terminal) ? 0 : 1;
    } else {
        std::fputs(usage.data(), stderr);
        return 2;
    }
    return 0;
}

}  // namespace
}  // namespace veer::bench

int main(int argc, char** argv) {
    try {
        return veer::bench::run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "\n  ✗ %s\n", error.what());
        return 1;
    }
}

#include "tests/bench/knn.hpp"
#include "tests/bench/latency.hpp"
#include "tests/demo/console.hpp"
#include "tests/demo/terminal.hpp"

#include <chrono>
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

constexpr std::string_view usage =
    "usage: veer_bench load --direct DSN --build FILE\n"
    "       veer_bench wait --direct DSN --veer DSN --build FILE --began SECONDS --ratios FILE\n"
    "       veer_bench knn --direct DSN --veer DSN --rounds N --ratios FILE --points FILE\n"
    "       veer_bench latency --veer DSN [--clients N] [--seconds N] [--seed N] [--rate N]\n"
    "                  [--samples FILE]\n"
    "all with --rows N --dims N --queries N --metric cosine|l2, or --data DIRECTORY with base.npy\n"
    "and query.npy\n";

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

Dataset dataset_of(const Options& options) {
    const std::size_t queries = options.number("queries", 300);
    const index::Metric metric =
        options.text("metric") == "l2" ? index::Metric::l2 : index::Metric::cosine;
    if (auto vectors = real(options.text("data"), queries, metric)) {
        return std::move(*vectors);
    }
    return made_up(options.number("rows", 50'000), options.number("dims", 384), queries, metric);
}

double now() {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration<double>(since).count();
}

/// Leaves in the file what CREATE INDEX took, seconds.
void load(const Options& options, demo::Terminal& terminal) {
    const auto advance = [&](double share) {
        terminal.advance(share);
    };
    const Dataset dataset = dataset_of(options);
    for (const Dataset& each : {ten_of(dataset), dataset}) {
        terminal.begin("loaded " + described(each));
        demo::load_documents(options.text("direct"), each.table, each.source, advance);
        terminal.end();
        terminal.begin("pgvector has built its hnsw index (m 16, ef_construction 64)");
        const double seconds = demo::build_hnsw(options.text("direct"), each.table, advance);
        terminal.end();
        std::ofstream(options.text("build")) << seconds << '\n';
    }
}

double index_bytes(const std::string& dsn, const std::string& table) {
    demo::Connection connection(dsn);
    const demo::Rows rows = connection.execute(
        "SELECT pg_relation_size(indexrelid) FROM pg_index JOIN pg_class c ON c.oid = indexrelid "
        "JOIN pg_am a ON a.oid = relam WHERE amname = 'hnsw' AND indrelid = '" +
        table + "'::regclass"
    );
    return std::strtod(std::string(rows.text(0, 0)).c_str(), nullptr);
}

/// `began`: when veer was started, so that its own start counts.
void wait(const Options& options, demo::Terminal& terminal) {
    demo::Connection console(options.text("veer"));
    const Dataset dataset = dataset_of(options);
    terminal.begin("veer is live with " + described(dataset));
    const auto is_live = [&](const demo::RouteStatus& status) {
        terminal.advance(status.progress / 100);
        return status.state == "live";
    };
    const demo::RouteStatus live =
        demo::await_route(console, dataset.table.name, live_seconds, is_live);
    const double seconds = now() - std::strtod(options.text("began").c_str(), nullptr);
    demo::await_route(console, ten_of(dataset).table.name, live_seconds, is_live);
    terminal.end();
    double create_index = 0;
    std::ifstream(options.text("build")) >> create_index;
    const double theirs = index_bytes(options.text("direct"), dataset.table.name);
    const auto ours = static_cast<double>(live.memory);
    const auto cached = static_cast<double>(live.cached);
    const auto rows = static_cast<double>(dataset.table.rows);
    std::ofstream ratios(options.text("ratios"), std::ios::app);
    ratios << demo::padded(described(dataset) + ", start to live / CREATE INDEX", 60)
           << demo::fixed(seconds / create_index, 2) << "   " << demo::fixed(seconds, 1) << " s, "
           << demo::fixed(create_index, 1) << " s\n"
           << demo::padded(described(dataset) + ", index bytes, veer / pgvector", 60)
           << demo::fixed(ours / theirs, 2) << "   " << demo::fixed(ours / rows, 0) << ", "
           << demo::fixed(theirs / rows, 0) << " a row\n"
           << demo::padded(described(dataset) + ", with its file's part of the page cache", 60)
           << demo::fixed((ours + cached) / theirs, 2) << "   "
           << demo::fixed((ours + cached) / rows, 0) << " a row\n";
}

bool race(const Options& options, demo::Terminal& terminal) {
    const KnnOptions knn_options{
        .race =
            {.direct = options.text("direct"),
             .veer = options.text("veer"),
             .rounds = options.number("rounds", 3)},
        .ratios = options.text("ratios"),
        .points = options.text("points")};
    return knn(knn_options, dataset_of(options), terminal);
}

/// "median p99 searches", milliseconds, for a script.
void latency(const Options& options) {
    const Dataset dataset = dataset_of(options);
    const Latencies found = measure_latencies(
        {.dsn = options.text("veer"),
         .clients = options.number("clients", 1),
         .seconds = options.number("seconds", 4),
         .seed = options.number("seed", 0),
         .rate = options.number("rate", 0),
         .samples = options.text("samples")},
        dataset
    );
    std::printf("%.4f %.4f %zu\n", found.median_ms, found.p99_ms, found.searches);
}

int run(int argc, char** argv) {
    const std::string command = argc > 1 ? argv[1] : "";
    const Options options(argc, argv);
    demo::Terminal terminal;
    if (command == "load") {
        load(options, terminal);
    } else if (command == "wait") {
        wait(options, terminal);
    } else if (command == "latency") {
        latency(options);
    } else if (command == "knn") {
        return race(options, terminal) ? 0 : 1;
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

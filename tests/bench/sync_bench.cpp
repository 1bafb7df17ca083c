// How fast do changes reach veer's index, and what do they cost the searches beside them?
//
//     sync_bench load   --direct DSN --rows N --dims N
//     sync_bench live   --veer DSN
//     sync_bench stream --direct DSN --veer DSN --rows N --dims N --seconds N --ratios FILE
//
// stream, each over the table that load made:
//   1. searches alone, then beside a writer of 1,000 updates of vectors a second, each a
//   transaction
//      of its own, directly at PostgreSQL: latency of both;
//   2. rows written directly, one at a time, alone and beside that writer: from the return of
//   COMMIT until a search finds it;
//   3. rows written and searched for through veer: what a search waits for (freshness is causal);
//   4. rows inserted as fast as PostgreSQL takes them: how many a second are searchable.

#include "tests/demo/console.hpp"
#include "tests/demo/load.hpp"
#include "tests/demo/scene.hpp"
#include "tests/demo/search.hpp"
#include "tests/demo/terminal.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace veer::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr double live_seconds = 600;
constexpr std::size_t changes_per_second = 1000;
constexpr std::size_t ready_count = 1000;
constexpr std::size_t sightings = 300;
constexpr double patience_ms = 1'000;

struct Options {
    std::string direct;
    std::string veer;
    std::string ratios;
    std::size_t rows = 100'000;
    std::size_t dims = 768;
    double seconds = 4;
};

double percentile(std::vector<double> values, double share) {
    std::sort(values.begin(), values.end());
    const double rank = std::ceil(share * static_cast<double>(values.size()));
    return values.at(static_cast<std::size_t>(std::max(rank, 1.0)) - 1);
}

std::string described(const std::vector<double>& milliseconds) {
    return "p50 " + demo::fixed(percentile(milliseconds, 0.5), 2) + " ms, p99 " +
           demo::fixed(percentile(milliseconds, 0.99), 2) + " ms";
}

double since(Clock::time_point began) {
    return Milliseconds(Clock::now() - began).count();
}

class Bench {
  public:
    Bench(const Options& options, demo::Terminal& terminal)
        : options_(options),
          terminal_(terminal),
          corpus_(options.dims),
          ratios_(options.ratios, std::ios::app),
          reader_(options.veer),
          searcher_(reader_, {.table = "documents"}),
          writer_(options.direct) {
        reader_.execute(std::string(demo::always_veer));
        prepare(writer_);
    }

    void run() {
        terminal_.heading("sync: latencies");
        searches_beside_changes();
        sightings_of_direct_writes();
        sightings_of_own_writes();
        terminal_.heading("sync: inserts as fast as PostgreSQL takes them");
        inserts();
    }

  private:
    static void prepare(demo::Connection& connection) {
        connection.prepare(
            "insert", "INSERT INTO documents (id, tenant, embedding) VALUES ($1, 1, $2)"
        );
        connection.prepare("update", "UPDATE documents SET embedding = $2 WHERE id = $1");
    }

    /// Made before the clock runs.
    std::vector<std::string> ready_embeddings() {
        std::vector<std::string> ready;
        for (std::size_t i = 0; i < ready_count; i++) {
            ready.push_back(demo::vector_bytes(fresh_embedding()));
        }
        return ready;
    }

    std::vector<float> fresh_embedding() { return corpus_.embedding(next_document_++); }

    /// Searches for a while, each for another vector.
    std::vector<double> search_for(double seconds) {
        std::vector<double> milliseconds;
        const auto began = Clock::now();
        while (since(began) < seconds * 1000) {
            milliseconds.push_back(searcher_.search(fresh_embedding()).milliseconds);
        }
        return milliseconds;
    }

    /// Updates rows at an even pace until told to stop; says how many it did.
    std::size_t update_until(
        const std::vector<std::string>& embeddings, const std::atomic<bool>& stopping
    ) const {
        demo::Connection connection(options_.direct);
        prepare(connection);
        const auto began = Clock::now();
        std::size_t done = 0;
        while (!stopping) {
            std::this_thread::sleep_until(
                began + done * std::chrono::microseconds(1'000'000 / changes_per_second)
            );
            std::string id;
            demo::append_int(id, 1 + done * 7919 % options_.rows, 8);
            connection.run("update", std::array{id, embeddings[done % ready_count]});
            done++;
        }
        return done;
    }

    /// Returns how many updates a second there really were.
    template <class Work>
    double beside_updates(const Work& work) {
        const std::vector<std::string> embeddings = ready_embeddings();
        std::atomic<bool> stopping{false};
        std::size_t changes = 0;
        const auto began = Clock::now();
        std::thread updates([&] { changes = update_until(embeddings, stopping); });
        work();
        stopping = true;
        updates.join();
        return static_cast<double>(changes) / since(began) * 1000;
    }

    void searches_beside_changes() {
        (void)search_for(1);
        const std::vector<double> idle = search_for(options_.seconds);
        std::vector<double> busy;
        const double rate = beside_updates([&] { busy = search_for(options_.seconds); });
        terminal_.line("a search, idle                          " + described(idle));
        terminal_.line(
            "a search beside " + demo::fixed(rate, 0) + " updates/s           " + described(busy)
        );
        note(
            "search p99 beside " + demo::fixed(rate, 0) + " updates/s / idle",
            percentile(busy, 0.99) / percentile(idle, 0.99)
        );
    }

    /// Milliseconds until a search finds the row; none where the walk does not come to it, which
    /// happens to one in a hundred nearest rows.
    std::optional<double> await_sighting(std::int64_t id, const std::vector<float>& embedding) {
        const auto began = Clock::now();
        while (since(began) < patience_ms) {
            const demo::Answer answer = searcher_.search(embedding);
            if (!answer.neighbours.empty() && answer.neighbours.front().id == id) {
                return since(began);
            }
        }
        return std::nullopt;
    }

    std::int64_t insert(demo::Connection& connection, const std::vector<float>& embedding) {
        const std::int64_t number = next_id_++;
        std::string id;
        demo::append_int(id, static_cast<std::uint64_t>(number), 8);
        connection.run("insert", std::array{id, demo::vector_bytes(embedding)});
        return number;
    }

    /// Rows written directly, one at a time: milliseconds until a search finds each.
    std::vector<double> sight_direct_writes() {
        std::vector<double> milliseconds;
        for (std::size_t i = 0; i < sightings; i++) {
            const std::vector<float> embedding = fresh_embedding();
            const std::int64_t id = insert(writer_, embedding);
            if (const auto after = await_sighting(id, embedding)) {
                milliseconds.push_back(*after);
            }
        }
        note("of so many rows, found", static_cast<double>(milliseconds.size()));
        return milliseconds;
    }

    void sightings_of_direct_writes() {
        reader_.execute("SET hnsw.ef_search = 200");
        const std::vector<double> alone = sight_direct_writes();
        terminal_.line("from COMMIT at PostgreSQL to a search    " + described(alone));
        note("commit to searchable, p99 ms", percentile(alone, 0.99));
        std::vector<double> busy;
        const double rate = beside_updates([&] { busy = sight_direct_writes(); });
        terminal_.line(
            "the same beside " + demo::fixed(rate, 0) + " updates/s           " + described(busy)
        );
        note(
            "commit to searchable beside " + demo::fixed(rate, 0) + " updates/s, p99 ms",
            percentile(busy, 0.99)
        );
    }

    /// Another session writes through veer; the first search afterwards has to see it.
    void sightings_of_own_writes() {
        demo::Connection writer(options_.veer);
        prepare(writer);
        std::vector<double> milliseconds;
        std::size_t missed = 0;
        for (std::size_t i = 0; i < sightings; i++) {
            const std::vector<float> embedding = fresh_embedding();
            const std::int64_t id = insert(writer, embedding);
            const demo::Answer answer = searcher_.search(embedding);
            milliseconds.push_back(answer.milliseconds);
            missed += answer.neighbours.empty() || answer.neighbours.front().id != id ? 1U : 0U;
        }
        terminal_.line("a search right after a write by veer    " + described(milliseconds));
        note("causal search p99 ms", percentile(milliseconds, 0.99));
        note("of so many such searches, without the row", static_cast<double>(missed));
    }

    void inserts() {
        demo::Connection console(options_.veer);
        const std::int64_t before = demo::route_status(console, "documents").value().rows;
        const std::vector<std::string> ready = ready_embeddings();
        const auto began = Clock::now();
        std::int64_t written = 0;
        while (since(began) < options_.seconds * 1000) {
            writer_.execute("BEGIN");
            for (int i = 0; i < 100; i++) {
                std::string id;
                demo::append_int(id, static_cast<std::uint64_t>(next_id_++), 8);
                const auto number = static_cast<std::size_t>(written) % ready_count;
                // No two alike: those would share a node of the graph.
                std::string embedding = ready[number].substr(0, ready[number].size() - 4);
                const auto last = static_cast<float>(written) * 1e-6F;
                demo::append_int(embedding, std::bit_cast<std::uint32_t>(last), 4);
                writer_.run("insert", std::array{id, embedding});
                written++;
            }
            writer_.execute("COMMIT");
        }
        const double wrote = since(began) / 1000;
        demo::await_route(console, "documents", live_seconds, [&](const demo::RouteStatus& seen) {
            return seen.rows == before + written;
        });
        const double took = since(began) / 1000;
        const auto count = static_cast<double>(written);
        terminal_.line(
            demo::grouped(written) + " rows written at " + demo::fixed(count / wrote, 0) +
            "/s, searchable at " + demo::fixed(count / took, 0) + "/s"
        );
        note("inserts searchable a second", count / took);
    }

    void note(const std::string& what, double figure) {
        ratios_ << demo::padded(what, 60) << demo::fixed(figure, 2) << "\n";
    }

    Options options_;
    demo::Terminal& terminal_;
    demo::Corpus corpus_;
    std::ofstream ratios_;
    demo::Connection reader_;
    demo::Searcher searcher_;
    demo::Connection writer_;
    std::size_t next_document_ = 10'000'000;
    std::int64_t next_id_ = 10'000'000;
};

/// With an index that PostgreSQL keeps at little cost: pgvector's hnsw takes far longer for each
/// change than veer does.
void load(const Options& options, demo::Terminal& terminal) {
    const demo::Corpus corpus(options.dims);
    const demo::Table table{.name = "documents", .rows = options.rows, .dimensions = options.dims};
    const auto advance = [&](double share) {
        terminal.advance(share);
    };
    terminal.begin("loaded " + demo::grouped(static_cast<std::int64_t>(options.rows)) + " rows");
    demo::load_documents(
        options.direct, table, [&](std::size_t number) { return corpus.document(number); }, advance
    );
    terminal.end();
    demo::Connection(options.direct)
        .execute(
            "CREATE INDEX ON documents USING ivfflat (embedding vector_cosine_ops) WITH (lists = "
            "10)"
        );
}

void live(const Options& options) {
    demo::Connection console(options.veer);
    demo::await_route(console, "documents", live_seconds, [](const demo::RouteStatus& status) {
        return status.state == "live";
    });
}

int run(int argc, char** argv) {
    std::map<std::string, std::string> values;
    for (int i = 2; i + 1 < argc; i += 2) {
        values[std::string(argv[i]).substr(2)] = argv[i + 1];
    }
    const auto number = [&](const std::string& name, std::size_t otherwise) {
        return values.contains(name) ? std::strtoul(values[name].c_str(), nullptr, 10) : otherwise;
    };
    const Options options{
        .direct = values["direct"],
        .veer = values["veer"],
        .ratios = values["ratios"],
        .rows = number("rows", 100'000),
        .dims = number("dims", 768),
        .seconds = static_cast<double>(number("seconds", 4))};
    const std::string command = argc > 1 ? argv[1] : "";
    demo::Terminal terminal;
    if (command == "load") {
        load(options, terminal);
    } else if (command == "live") {
        live(options);
    } else if (command == "stream") {
        Bench(options, terminal).run();
    } else {
        std::fputs("usage: sync_bench load|live|stream, see the head of sync_bench.cpp\n", stderr);
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

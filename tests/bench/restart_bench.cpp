// How long does a restart take, from a store's rows with a checkpoint of the graph and without?
//
//     restart_bench DIRECTORY [ROWS DIMENSIONS]...
//
// Each set is loaded into a store, built, checkpointed and closed; then a new replica is filled
// from the store as the sync fills it. Then a fifth of the rows, of at most 50,000, is replaced,
// ten times, and the index is compared with one that is built of what is left. Processor seconds
// beside those of the clock, as others disturb.

#include "index/replica.hpp"
#include "storage/store/rocks_chunks.hpp"
#include "storage/store/store.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <filesystem>
#include <random>

namespace veer::bench {
namespace {

constexpr unsigned builders = 2;
constexpr std::size_t batch = 1000;
constexpr storage::TableOid table_oid{1};

double seconds_of(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Prints what `work` takes.
template <class Work>
void timed(const char* what, Work work) {
    const double wall = seconds_of(CLOCK_MONOTONIC);
    const double processor = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    work();
    std::printf(
        "  %-42s %8.3f s, %8.3f s of processor\n",
        what,
        seconds_of(CLOCK_MONOTONIC) - wall,
        seconds_of(CLOCK_PROCESS_CPUTIME_ID) - processor
    );
    std::fflush(stdout);
}

storage::Table table_of(std::int32_t dimensions, std::size_t rows) {
    storage::Table table;
    table.oid = table_oid;
    table.schema = "public";
    table.name = "items";
    table.columns.resize(2);
    table.columns[1].name = "embedding";
    table.columns[1].attnum = 2;
    table.columns[1].typmod = dimensions;
    table.key = {0};
    table.vectors = {1};
    table.indexes.resize(1);
    table.indexes[0].operator_name = "<=>";
    table.estimated_rows = static_cast<double>(rows);
    return table;
}

/// Rows around centres, in batches.
template <class Visit>
void made_up(std::size_t rows, std::size_t dimensions, Visit visit) {
    std::mt19937_64 random{7};
    std::normal_distribution<float> normal;
    std::vector<std::vector<float>> centres(100, std::vector<float>(dimensions));
    for (auto& centre : centres) {
        for (float& x : centre) {
            x = normal(random);
        }
    }
    std::vector<storage::Row> some;
    for (std::size_t i = 0; i < rows; ++i) {
        std::vector<float> vector = centres[random() % centres.size()];
        for (float& x : vector) {
            x += 0.4F * normal(random);
        }
        storage::RowKey key;
        std::string bytes(8, '\0');
        for (std::size_t byte = 0; byte < 8; ++byte) {
            bytes[7 - byte] = static_cast<char>(i >> (8 * byte));
        }
        storage::append_key_column(key, bytes);
        some.push_back({std::move(key), {std::move(vector)}});
        if (some.size() == batch || i + 1 == rows) {
            visit(some);
            some.clear();
        }
    }
}

/// As the sync does when it resumes.
void fill(
    index::Replica& replica, const storage::store::Store& store, const storage::Table& table
) {
    replica.begin("app", {table});
    std::vector<storage::Row> some;
    store
        .for_each_row(
            table_oid,
            [&](storage::Row&& row) {
                some.push_back(std::move(row));
                if (some.size() == batch) {
                    replica.rows(table_oid, some);
                    some.clear();
                }
                return true;
            }
        )
        .value();
    replica.rows(table_oid, some);
    replica.ready({1});
}

using Vectors = std::vector<std::vector<float>>;

Vectors vectors_of(std::size_t rows, std::size_t dimensions) {
    Vectors vectors;
    made_up(rows, dimensions, [&](const std::vector<storage::Row>& some) {
        for (const storage::Row& row : some) {
            vectors.push_back(std::get<std::vector<float>>(std::get<storage::Vector>(row.vectors[0])
            ));
        }
    });
    return vectors;
}

double recall(const index::RouteIndex& index, const Vectors& queries) {
    constexpr std::size_t k = 10;
    constexpr std::size_t ef = 40;
    std::size_t found = 0;
    for (const std::vector<float>& query : queries) {
        const double farthest = index.search_exact(query, k)->back().distance;
        for (const index::Hit& hit : *index.search(query, k, ef)) {
            found += hit.distance <= farthest ? 1U : 0U;
        }
    }
    return static_cast<double>(found) / static_cast<double>(k * queries.size());
}

/// Ten rounds of replacing a fifth of the rows, one transaction of 100 rows after the other.
void wear(std::size_t rows, std::size_t dimensions) {
    constexpr std::size_t rounds = 10;
    constexpr std::size_t changes = 100;
    const index::IndexOptions options{
        .metric = index::Metric::cosine, .dimensions = static_cast<std::uint32_t>(dimensions)};
    const Vectors all = vectors_of(rows * 3 + 200, dimensions);
    const Vectors queries{all.end() - 200, all.end()};
    std::vector<index::RouteIndex::Entry> now;
    for (std::size_t i = 0; i < rows; ++i) {
        now.push_back({std::to_string(i), all[i]});
    }
    index::RouteIndex index{options};
    index.load(now, builders);
    index.publish();
    double longest = 0;
    for (std::size_t changed = 0; changed < rows / 5 * rounds; ++changed) {
        index::RouteIndex::Entry& row = now[changed % rows];
        row.vector = all[rows + changed];
        const double began = seconds_of(CLOCK_MONOTONIC);
        (void)index.put(row.key, row.vector);
        if (changed % changes == 0) {
            index.publish();
        }
        longest = std::max(longest, seconds_of(CLOCK_MONOTONIC) - began);
    }
    index.publish();
    index.settle();
    index::RouteIndex fresh{options};
    fresh.load(now, builders);
    fresh.publish();
    std::printf(
        "  ten rounds: %zu rebuilds, %zu nodes linked again, recall@10 at ef 40 %.4f (built anew "
        "%.4f), "
        "memory %.2f x, longest change %.0f ms\n",
        static_cast<std::size_t>(index.rebuilds()),
        static_cast<std::size_t>(index.relinked()),
        recall(index, queries),
        recall(fresh, queries),
        static_cast<double>(index.memory_bytes()) / static_cast<double>(fresh.memory_bytes()),
        1e3 * longest
    );
}

/// Vectors where they are by default.
index::ReplicaOptions replica_options(
    const std::filesystem::path& directory, storage::ChunkStore* checkpoints
) {
    return {
        .threads = builders,
        .vector_file = {directory, std::size_t{8} << 20},
        .checkpoints = checkpoints};
}

void run(const std::filesystem::path& directory, std::size_t rows, std::size_t dimensions) {
    std::printf("%zu x %zu\n", rows, dimensions);
    std::filesystem::remove_all(directory);
    const storage::Table table = table_of(static_cast<std::int32_t>(dimensions), rows);
    {
        auto store = storage::store::Store::open(directory / "rows").value();
        made_up(rows, dimensions, [&](const std::vector<storage::Row>& some) {
            store.write_rows(table_oid, some).value();
        });
        store.sync().value();
    }
    {
        auto store = storage::store::Store::open(directory / "rows").value();
        const auto chunks = storage::store::open_chunks(directory / "graphs").value();
        index::Replica replica{replica_options(directory, chunks.get())};
        timed("start without a checkpoint", [&] { fill(replica, store, table); });
        timed("checkpoint of all", [&] { replica.stop(); });
        std::uint64_t bytes = 0;
        for (const std::string& key : chunks->keys("g").value()) {
            bytes += key.size() + chunks->read(key).value()->size();
        }
        std::printf(
            "  checkpoint: %.1f MB, %.0f bytes a row\n",
            1e-6 * static_cast<double>(bytes),
            static_cast<double>(bytes) / static_cast<double>(rows)
        );
    }
    std::optional<storage::store::Store> store;
    std::unique_ptr<storage::ChunkStore> chunks;
    timed("opening both stores", [&] {
        store.emplace(storage::store::Store::open(directory / "rows").value());
        chunks = storage::store::open_chunks(directory / "graphs").value();
    });
    index::Replica replica{replica_options(directory, chunks.get())};
    timed("start from the checkpoint", [&] { fill(replica, *store, table); });
    std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace veer::bench

namespace {

constexpr unsigned long worn_rows_max = 50'000;

int run_all(int count, char** values) {
    if (count < 2 || count % 2 != 0) {
        std::fprintf(stderr, "restart_bench DIRECTORY [ROWS DIMENSIONS]...\n");
        return 2;
    }
    for (int i = 2; i + 1 < count; i += 2) {
        veer::bench::run(
            std::filesystem::path{values[1]} / "restart",
            std::strtoul(values[i], nullptr, 10),
            std::strtoul(values[i + 1], nullptr, 10)
        );
        veer::bench::wear(
            std::min(std::strtoul(values[i], nullptr, 10), worn_rows_max),
            std::strtoul(values[i + 1], nullptr, 10)
        );
    }
    return 0;
}

}  // namespace

int main(int count, char** values) {
    try {
        return run_all(count, values);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}

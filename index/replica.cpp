#include "index/replica.hpp"

#include "index/checkpoint.hpp"
#include "index/elements.hpp"
#include "index/upkeep.hpp"
#include "index/waiters.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>
#include <variant>

namespace veer::index {

namespace {

constexpr std::uint32_t elements_max = 16'000;

/// The column that an index of the table is on; null where the table is not what it should be.
const storage::Column* column_of(const storage::Table& table, std::size_t vector) {
    if (vector >= table.vectors.size() || table.vectors[vector] >= table.columns.size()) {
        return nullptr;
    }
    return &table.columns[table.vectors[vector]];
}

/// The elements of its vectors, whose dimensions pgvector demands to be fixed; else 0.
std::uint32_t dimensions_of(const storage::Table& table, std::size_t vector) {
    const storage::Column* const column = column_of(table, vector);
    if (column == nullptr || column->typmod < 1) {
        return 0;
    }
    const std::uint32_t elements =
        element_count(column->kind, static_cast<std::uint32_t>(column->typmod));
    return elements > elements_max ? 0 : elements;
}

/// Requires dimensions_of() it.
storage::VectorKind kind_of(const IndexedColumn& column) {
    return column_of(column.table, column.ann.vector)->kind;
}

/// The vector of one column; empty for NULL. May refer to `memory`.
std::span<const float> vector_of(
    const storage::Row& row, std::size_t vector, std::vector<float>& memory
) {
    if (vector >= row.vectors.size()) {
        return {};
    }
    const auto* const value = std::get_if<storage::Vector>(&row.vectors[vector]);
    return value != nullptr ? elements_of(*value, memory) : std::span<const float>{};
}

/// A checkpoint must not be most of what veer does.
constexpr int pause_per_checkpoint = 10;

/// What a clean stop may spend on the last one.
constexpr std::chrono::seconds last_checkpoint_max{5};

std::string name_of(const storage::Table& table, const storage::AnnIndex& ann) {
    return table.schema + '.' + table.name + '.' + table.columns[table.vectors[ann.vector]].name +
           ' ' + ann.operator_name;
}

/// What a checkpoint is found by: names change, and are those of another table then.
std::string checkpoint_name(const storage::Table& table, const storage::AnnIndex& ann) {
    return std::to_string(table.oid.value) + '.' +
           std::to_string(table.columns[table.vectors[ann.vector]].attnum) + ' ' +
           ann.operator_name;
}

template <class... Fs>
struct Overloaded : Fs... {
    using Fs::operator()...;
};

template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

}  // namespace

class Replica::Impl {
  public:
    explicit Impl(ReplicaOptions options)
        : options_{std::move(options)},
          budget_{std::make_shared<MemoryBudget>(options_.memory_bytes_max)} {
        options_.threads = std::max(options_.threads, 1U);
    }

    void stop();

    void begin(const std::string& database, const std::vector<storage::Table>& tables);
    void rows(storage::TableOid table, std::span<const storage::Row> rows);
    void ready(storage::Lsn applied);
    void apply(const storage::Transaction& transaction);
    void redefine(const std::vector<storage::Table>& tables);
    void advance(storage::Lsn lsn);
    void status(const storage::sync::Status& status);

    std::shared_ptr<const Generation> generation() const {
        const std::lock_guard lock{mutex_};
        return generation_;
    }

    storage::Lsn applied() const {
        const std::lock_guard lock{mutex_};
        return applied_;
    }

    storage::sync::Status status() const {
        const std::lock_guard lock{mutex_};
        return status_;
    }

    WaiterId wait_for(storage::Lsn lsn, std::function<void()> done) {
        const std::lock_guard lock{mutex_};
        return applied_ >= lsn ? 0 : waiters_.add(lsn, std::move(done));
    }

    void cancel(WaiterId waiter) {
        const std::lock_guard lock{mutex_};
        waiters_.cancel(waiter);
    }

  private:
    /// One column's index, as the syncer's thread writes it.
    struct Writer {
        storage::TableOid table;
        std::size_t vector = 0;
        std::shared_ptr<RouteIndex> index;
    };

    /// Calls `visit(index, vector)` for every index of the table.
    template <class Visit>
    void each_of(storage::TableOid table, Visit visit) {
        for (const Writer& writer : writers_) {
            if (writer.table == table) {
                visit(*writer.index, writer.vector);
            }
        }
    }

    std::uint64_t route_bytes_max(const IndexedColumn& column) const;
    std::string too_large(const IndexedColumn& column, std::uint64_t rows, std::uint64_t planned)
        const;
    std::shared_ptr<RouteIndex> make_index(
        const IndexedColumn& column, Metric metric, std::uint64_t rows
    ) const;
    void restore(const IndexedColumn& column, RouteIndex& index);
    void sweep_checkpoints(const std::vector<IndexedColumn>& columns);
    void say_restored() const;
    std::chrono::milliseconds write_checkpoints(const std::function<bool()>& stop);
    void change(const storage::Change& change);
    std::shared_ptr<Generation> plan(
        const std::string& database, const std::vector<storage::Table>& tables
    ) const;
    static void say_refused(const IndexedColumn& column);
    void refuse_missing();
    void publish_live();

    ReplicaOptions options_;
    /// Of one generation: the indexes of the one before go when the last search lets go of them,
    /// which must not refuse the new ones.
    std::shared_ptr<MemoryBudget> budget_;
    std::vector<Writer> writers_;  ///< the syncer's thread's
    bool ready_ = false;           ///< the syncer's thread's
    std::mutex checkpoint_mutex_;  ///< taken first
    std::atomic<bool> checkpoints_interrupted_{false};

    mutable std::mutex mutex_;
    std::shared_ptr<const Generation> generation_ = std::make_shared<const Generation>();
    storage::Lsn applied_;
    storage::sync::Status status_;
    Waiters waiters_;
    Upkeep checkpoints_{[this](const std::atomic<bool>& stopping) {
        return write_checkpoints([&] { return stopping.load(); });
    }};
};

std::uint64_t Replica::Impl::route_bytes_max(const IndexedColumn& column) const {
    const std::uint64_t bytes =
        options_.route_bytes_max ? options_.route_bytes_max(column.table, column.ann) : 0;
    return bytes == 0 ? ReplicaOptions::unlimited : bytes;
}

/// Why an index of so many rows may not be begun; empty where it may. `planned` is for others.
std::string Replica::Impl::too_large(
    const IndexedColumn& column, std::uint64_t rows, std::uint64_t planned
) const {
    const std::uint64_t bytes =
        memory_estimate(rows, dimensions_of(column.table, column.ann.vector), column.ann.m);
    const std::uint64_t own = route_bytes_max(column);
    const std::uint64_t left = budget_->bytes_max() - std::min(planned, budget_->bytes_max());
    if (bytes <= std::min(own, left)) {
        return {};
    }
    return "Its index needs " + std::to_string(bytes) + " bytes of memory for " +
           std::to_string(rows) + " rows, and " + std::to_string(std::min(own, left)) +
           (own < left ? " are allowed (memory_max of its route)."
                       : " are left ([limits] index_memory_max).");
}

std::shared_ptr<RouteIndex> Replica::Impl::make_index(
    const IndexedColumn& column, Metric metric, std::uint64_t rows
) const {
    return std::make_shared<RouteIndex>(IndexOptions{
        .metric = metric,
        .dimensions = dimensions_of(column.table, column.ann.vector),
        .kind = kind_of(column),
        .m = column.ann.m,
        .ef_construction = column.ann.ef_construction,
        .expected_rows = rows,
        .memory_bytes_max = route_bytes_max(column),
        .budget = budget_});
}

void Replica::Impl::restore(const IndexedColumn& column, RouteIndex& index) {
    // A checkpoint's dead vectors have one size; sparse ones are linked from the rows at each
    // start.
    if (options_.checkpoints == nullptr || kind_of(column) == storage::VectorKind::sparsevec) {
        return;
    }
    const auto begun =
        index.restore(*options_.checkpoints, checkpoint_name(column.table, column.ann));
    if (!begun.has_value()) {
        spdlog::warn(
            "index: the checkpoint of {} is of no use, its graph is built from the rows: {}",
            name_of(column.table, column.ann),
            begun.error().message
        );
    }
}

/// Checkpoints of what is indexed no more go.
void Replica::Impl::sweep_checkpoints(const std::vector<IndexedColumn>& columns) {
    auto keys = options_.checkpoints->keys("g");
    if (!keys.has_value()) {
        return;
    }
    std::erase_if(*keys, [&](const std::string& key) {
        return std::any_of(columns.begin(), columns.end(), [&](const IndexedColumn& column) {
            return key.starts_with(checkpoint::key_prefix(checkpoint_name(column.table, column.ann))
            );
        });
    });
    if (!keys->empty()) {
        (void)options_.checkpoints->commit("swept", "", *keys);
    }
}

void Replica::Impl::say_restored() const {
    for (const IndexedColumn& column : generation()->columns) {
        if (const auto restored = column.index->restored()) {
            spdlog::info(
                "index: the graph of {} is the checkpoint's: {} rows as they were, {} linked anew, "
                "{} gone",
                name_of(column.table, column.ann),
                restored->rows,
                restored->other,
                restored->lost
            );
        }
    }
}

std::chrono::milliseconds Replica::Impl::write_checkpoints(const std::function<bool()>& stop) {
    using std::chrono::milliseconds;
    const std::lock_guard checkpoint_lock{checkpoint_mutex_};
    const std::function<bool()> stopping = [&] {
        return checkpoints_interrupted_ || stop();
    };
    const auto began = std::chrono::steady_clock::now();
    const std::shared_ptr<const Generation> current = generation();
    for (const IndexedColumn& column : current->columns) {
        const storage::Lsn position = applied();  // at least this is in what is published
        // Searches see it as const; a checkpoint changes nothing of what they see.
        const auto index = std::const_pointer_cast<RouteIndex>(column.index);
        const auto written = index->checkpoint(position, stopping);
        if (!written.has_value() && !stopping()) {
            spdlog::warn(
                "index: no checkpoint of {}: {}",
                name_of(column.table, column.ann),
                written.error().message
            );
        } else if (written.has_value() && *written > 0) {
            spdlog::debug(
                "index: checkpoint of {} at {}: {} bytes",
                name_of(column.table, column.ann),
                to_string(position),
                *written
            );
        }
    }
    const auto spent =
        std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began);
    return std::max(options_.checkpoint_interval, spent * pause_per_checkpoint);
}

void Replica::Impl::stop() {
    checkpoints_.stop();
    const auto until = std::chrono::steady_clock::now() + last_checkpoint_max;
    if (options_.checkpoints != nullptr && ready_) {
        write_checkpoints([&] { return std::chrono::steady_clock::now() > until; });
    }
}

std::shared_ptr<Generation> Replica::Impl::plan(
    const std::string& database, const std::vector<storage::Table>& tables
) const {
    auto next = std::make_shared<Generation>();
    next->number = generation()->number + 1;
    next->database = database;
    std::uint64_t planned = 0;
    for (const storage::Table& table : tables) {
        const auto rows =
            static_cast<std::uint64_t>(std::clamp(table.estimated_rows * 1.1, 0.0, 1e9));
        for (const storage::AnnIndex& ann : table.indexes) {
            const auto metric = metric_of(ann.operator_name);
            const std::uint32_t dimensions = dimensions_of(table, ann.vector);
            const bool known =
                std::any_of(next->columns.begin(), next->columns.end(), [&](const auto& column) {
                    return column.table.oid == table.oid && column.vector == ann.vector &&
                           column.ann.operator_name == ann.operator_name;
                });
            if (!metric || dimensions == 0 || known) {
                continue;
            }
            IndexedColumn column{table, ann.vector, ann, nullptr, ""};
            column.refused = too_large(column, rows, planned);
            column.index = make_index(column, *metric, column.refused.empty() ? rows : 0);
            planned += column.refused.empty() ? memory_estimate(rows, dimensions, ann.m) : 0;
            next->columns.push_back(std::move(column));
        }
    }
    return next;
}

void Replica::Impl::begin(const std::string& database, const std::vector<storage::Table>& tables) {
    // A checkpoint of what was before must not be written under the name of what comes.
    checkpoints_interrupted_ = true;
    const std::lock_guard checkpoint_lock{checkpoint_mutex_};
    checkpoints_interrupted_ = false;
    budget_ = std::make_shared<MemoryBudget>(options_.memory_bytes_max);
    const std::shared_ptr<Generation> next = plan(database, tables);
    writers_.clear();
    ready_ = false;
    std::vector<Waiters::Done> told;
    {
        std::shared_ptr<const Generation> old = next;
        const std::lock_guard lock{mutex_};
        std::swap(generation_, old);  // the old indexes die outside the lock
        applied_ = {};
        told = waiters_.all();
    }
    for (const auto& done : told) {
        done();
    }
    for (const IndexedColumn& column : next->columns) {
        if (!column.refused.empty()) {
            say_refused(column);
            continue;
        }
        auto index = std::const_pointer_cast<RouteIndex>(column.index);
        restore(column, *index);
        writers_.push_back({column.table.oid, column.vector, std::move(index)});
    }
    if (options_.checkpoints != nullptr) {
        sweep_checkpoints(next->columns);
    }
}

void Replica::Impl::rows(storage::TableOid table, std::span<const storage::Row> rows) {
    std::vector<RouteIndex::Entry> entries(rows.size());
    std::vector<std::vector<float>> memory(rows.size());
    each_of(table, [&](RouteIndex& index, std::size_t vector) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
            entries[i] = {rows[i].key, vector_of(rows[i], vector, memory[i])};
        }
        index.load(entries, options_.threads);
    });
    refuse_missing();
}

void Replica::Impl::ready(storage::Lsn applied) {
    for (const Writer& writer : writers_) {
        writer.index->publish();
    }
    refuse_missing();
    ready_ = true;  // live once the stream runs, see status()
    say_restored();
    advance(applied);
    if (options_.checkpoints != nullptr && options_.checkpoint_interval.count() > 0) {
        checkpoints_.request();
    }
}

void Replica::Impl::apply(const storage::Transaction& transaction) {
    for (const storage::Change& one : transaction.changes) {
        change(one);
    }
    for (const Writer& writer : writers_) {
        writer.index->publish();
    }
    refuse_missing();
    advance(transaction.end_lsn);
}

/// The indexes stay, under a new generation that names their tables as they are now.
void Replica::Impl::redefine(const std::vector<storage::Table>& tables) {
    const auto find = [&](storage::TableOid oid) {
        return std::find_if(tables.begin(), tables.end(), [&](const storage::Table& table) {
            return table.oid == oid;
        });
    };
    std::erase_if(writers_, [&](const Writer& writer) {
        return find(writer.table) == tables.end();
    });
    auto next = std::make_shared<Generation>(*generation());
    std::erase_if(next->columns, [&](const IndexedColumn& column) {
        return find(column.table.oid) == tables.end();
    });
    for (IndexedColumn& column : next->columns) {
        column.table = *find(column.table.oid);
    }
    ++next->number;
    std::shared_ptr<const Generation> old = std::move(next);
    const std::lock_guard lock{mutex_};
    std::swap(generation_, old);
}

void Replica::Impl::change(const storage::Change& change) {
    std::vector<float> memory;
    const auto upsert = [&](const storage::Upsert& row) {
        each_of(row.table, [&](RouteIndex& index, std::size_t vector) {
            if (row.old_key) {
                index.erase(*row.old_key);
            }
            // A vector that cannot be indexed is not in pgvector's index either; put() counts it.
            (void)index.put(row.row.key, vector_of(row.row, vector, memory));
        });
    };
    const auto remove = [&](const storage::Delete& row) {
        each_of(row.table, [&](RouteIndex& index, std::size_t) { index.erase(row.key); });
    };
    const auto truncate = [&](const storage::Truncate& all) {
        for (const storage::TableOid table : all.tables) {
            each_of(table, [](RouteIndex& index, std::size_t) { index.clear(); });
        }
    };
    std::visit(Overloaded{upsert, remove, truncate}, change);
}

void Replica::Impl::advance(storage::Lsn lsn) {
    std::vector<Waiters::Done> told;
    {
        const std::lock_guard lock{mutex_};
        applied_ = std::max(applied_, lsn);
        told = waiters_.reached(applied_);
    }
    for (const auto& done : told) {
        done();
    }
}

void Replica::Impl::status(const storage::sync::Status& status) {
    {
        const std::lock_guard lock{mutex_};
        status_ = status;
    }
    publish_live();
}

void Replica::Impl::say_refused(const IndexedColumn& column) {
    spdlog::error(
        "index: {} is left to Postgres: {}", name_of(column.table, column.ann), column.refused
    );
}

/// Before anyone is told that the rows are there. What was built so far is given up, so that others
/// have the memory.
void Replica::Impl::refuse_missing() {
    const std::shared_ptr<const Generation> current = generation();
    std::shared_ptr<Generation> next;
    for (std::size_t i = 0; i < current->columns.size(); ++i) {
        const IndexedColumn& column = current->columns[i];
        const std::uint64_t missing = column.index->missing_rows();
        if (missing == 0 || !column.refused.empty()) {
            continue;
        }
        next = next ? next : std::make_shared<Generation>(*current);
        IndexedColumn& refused = next->columns[i];
        // Past its own bound it says so; else what others have taken counts.
        const std::uint64_t taken = budget_->used() - column.index->memory_bytes();
        const std::uint64_t rows = column.index->rows() + missing;
        refused.refused = too_large(column, rows, taken);
        if (refused.refused.empty()) {
            refused.refused = std::to_string(missing) + " rows found no memory for their index.";
        }
        std::erase_if(writers_, [&](const Writer& writer) { return writer.index == column.index; });
        refused.index = make_index(column, column.index->options().metric, 0);
        say_refused(refused);
    }
    if (next) {
        std::shared_ptr<const Generation> old = std::move(next);
        const std::lock_guard lock{mutex_};
        std::swap(generation_, old);
    }
}

void Replica::Impl::publish_live() {
    const std::lock_guard lock{mutex_};
    const bool live = ready_ && status_.phase == storage::sync::Phase::streaming;
    if (generation_->live != live) {
        auto next = std::make_shared<Generation>(*generation_);
        next->live = live;
        generation_ = std::move(next);
    }
}

Replica::Replica(ReplicaOptions options) : impl_{std::make_unique<Impl>(std::move(options))} {}

Replica::~Replica() = default;

void Replica::begin(const std::string& database, const std::vector<storage::Table>& tables) {
    impl_->begin(database, tables);
}

void Replica::rows(storage::TableOid table, std::span<const storage::Row> rows) {
    impl_->rows(table, rows);
}

void Replica::ready(storage::Lsn applied) {
    impl_->ready(applied);
}

void Replica::apply(const storage::Transaction& transaction) {
    impl_->apply(transaction);
}

void Replica::redefine(const std::vector<storage::Table>& tables) {
    impl_->redefine(tables);
}

void Replica::applied(storage::Lsn lsn) {
    impl_->advance(lsn);
}

void Replica::status(const storage::sync::Status& status) {
    impl_->status(status);
}

void Replica::stop() {
    impl_->stop();
}

std::shared_ptr<const Generation> Replica::generation() const {
    return impl_->generation();
}

storage::Lsn Replica::applied() const {
    return impl_->applied();
}

storage::sync::Status Replica::status() const {
    return impl_->status();
}

Replica::WaiterId Replica::wait_for(storage::Lsn lsn, std::function<void()> done) {
    return impl_->wait_for(lsn, std::move(done));
}

void Replica::cancel(WaiterId waiter) {
    impl_->cancel(waiter);
}

}  // namespace veer::index

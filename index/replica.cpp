#include "index/replica.hpp"

#include "index/column_writer.hpp"
#include "index/graph_checkpoints.hpp"
#include "index/retired.hpp"
#include "index/waiters.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>

namespace veer::index {

namespace {

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
          budget_{std::make_shared<MemoryBudget>(options_.memory_bytes_max)},
          checkpoints_{
              options_.checkpoints,
              options_.checkpoint_interval,
              {[this] { return generation(); },
               [this] {
                   return applied();
               }}} {
        options_.threads = std::max(options_.threads, 1U);
    }

    void stop() { checkpoints_.stop(); }

    void begin(const std::string& database, const std::vector<storage::Table>& tables);
    void rows(storage::TableOid table, std::span<const storage::Row> rows);
    void ready(storage::Lsn applied);
    void apply(const storage::Transaction& transaction);
    void redefine(const std::vector<storage::Table>& tables);
    void write(std::span<const storage::Change> changes);
    void join(const storage::Table& table);
    void part(std::span<const storage::Change> changes);
    void joined(storage::TableOid table);
    void end_joining();
    void remove(const std::function<bool(storage::TableOid)>& gone);
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

    std::uint32_t timeline() const {
        const std::lock_guard lock{mutex_};
        return status_.timeline;
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
    using Writer = ColumnWriter;

    std::vector<Writer> writers() const {
        const std::lock_guard lock{mutex_};
        return writers_;
    }

    /// Calls `visit(writer)` for every index of the table.
    template <class Visit>
    static void each_of(const std::vector<Writer>& writers, storage::TableOid table, Visit visit) {
        for (const Writer& writer : writers) {
            if (writer.table == table) {
                visit(writer);
            }
        }
    }

    void begin_indexes(const std::vector<IndexedColumn>& columns);
    void complete(const std::function<bool(const Writer&)>& which);
    std::uint64_t route_bytes_max(const IndexedColumn& column) const;
    std::string too_large(const IndexedColumn& column, std::uint64_t rows, std::uint64_t planned)
        const;
    IndexOptions index_options(const IndexedColumn& column) const;
    std::shared_ptr<RouteIndex> make_index(IndexedColumn& column, std::uint64_t rows) const;
    static void change(const std::vector<Writer>& writers, const storage::Change& change);
    void plan(const std::vector<storage::Table>& tables, Generation& next) const;
    static void say_refused(const IndexedColumn& column);
    void refuse_missing(bool joined);
    void publish_live();

    ReplicaOptions options_;
    /// Of one begin(): the indexes before it go once the last search lets go of them, which must
    /// not refuse the new ones.
    std::shared_ptr<MemoryBudget> budget_;

    mutable std::mutex mutex_;
    std::vector<Writer> writers_;
    /// From join() to joined() or abandon(), in another thread than redefine(): its columns may not
    /// have writers yet, or none.
    std::optional<storage::TableOid> joining_;
    std::shared_ptr<const Generation> generation_ = std::make_shared<const Generation>();
    storage::Lsn applied_;
    storage::sync::Status status_;
    Waiters waiters_;
    Retirement retirement_;
    GraphCheckpoints checkpoints_;  ///< writes from a thread of its own: dies first
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
    const std::uint64_t bytes = memory_estimate(rows, index_options(column));
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

IndexOptions Replica::Impl::index_options(const IndexedColumn& column) const {
    return {
        .metric = metric_of(column.ann.operator_name).value_or(Metric::l2),
        .dimensions = dimensions_of(column.table, column.ann.vector),
        .kind = kind_of(column),
        .m = column.ann.m,
        .ef_construction = column.ann.ef_construction,
        .quantization = options_.quantization ? options_.quantization(column.table, column.ann)
                                              : Quantization::automatic,
        .memory_bytes_max = route_bytes_max(column),
        .budget = budget_,
        .columns = types_of(column.table),
        .vector_file = options_.vector_file};
}

/// A refused column's index has nothing to hold. One that cannot be made refuses its column.
std::shared_ptr<RouteIndex> Replica::Impl::make_index(IndexedColumn& column, std::uint64_t rows)
    const {
    IndexOptions options = index_options(column);
    if (column.refused.empty()) {
        // A file's room would be taken from the disk at once.
        options.expected_rows = options.vector_file.used() ? 0 : rows;
        try {
            return std::make_shared<RouteIndex>(options);
        } catch (const std::exception& thrown) {
            column.refused = "Its index cannot be made, for lack of memory or of room in " +
                             options_.vector_file.directory + ": " + thrown.what() + ".";
        }
    }
    options.expected_rows = 0;
    options.vector_file = {};
    return std::make_shared<RouteIndex>(std::move(options));
}

/// Adds the columns of these tables.
void Replica::Impl::plan(const std::vector<storage::Table>& tables, Generation& next) const {
    std::uint64_t planned = next.columns.empty() ? 0 : budget_->used();
    for (const storage::Table& table : tables) {
        const auto rows =
            static_cast<std::uint64_t>(std::clamp(table.estimated_rows * 1.1, 0.0, 1e9));
        for (const storage::AnnIndex& ann : table.indexes) {
            const auto metric = metric_of(ann.operator_name);
            const std::uint32_t dimensions = dimensions_of(table, ann.vector);
            const bool known =
                std::any_of(next.columns.begin(), next.columns.end(), [&](const auto& column) {
                    return column.table.oid == table.oid && column.vector == ann.vector &&
                           column.ann.legacy == ann.legacy &&
                           column.ann.operator_name == ann.operator_name;
                });
            if (!metric || dimensions == 0 || known) {
                continue;
            }
            IndexedColumn column{table, ann.vector, ann, nullptr, "", false, false};
            column.refused = too_large(column, rows, planned);
            column.index = make_index(column, rows);
            column.sources = ann.declared ? std::make_shared<SourceCensus>() : nullptr;
            planned += column.refused.empty() ? memory_estimate(rows, index_options(column)) : 0;
            next.columns.push_back(std::move(column));
        }
    }
}

void Replica::Impl::begin(const std::string& database, const std::vector<storage::Table>& tables) {
    const auto checkpoint_lock = checkpoints_.interrupt();
    budget_ = std::make_shared<MemoryBudget>(options_.memory_bytes_max);
    auto next = std::make_shared<Generation>();
    next->number = generation()->number + 1;
    next->database = database;
    plan(tables, *next);
    std::vector<Waiters::Done> told;
    {
        Retiring gone{retirement_};
        std::vector<Writer> dying;
        std::shared_ptr<const Generation> old = next;
        const std::lock_guard lock{mutex_};
        gone.all = gone_since(*generation_, *next);
        std::swap(generation_, old);  // the old indexes die outside the lock
        std::swap(writers_, dying);
        applied_ = {};
        told = waiters_.all();
    }
    for (const auto& done : told) {
        done();
    }
    begin_indexes(next->columns);
    if (!tables.empty()) {  // else all join, and find theirs
        checkpoints_.sweep(next->columns);
    }
}

void Replica::Impl::begin_indexes(const std::vector<IndexedColumn>& columns) {
    for (const IndexedColumn& column : columns) {
        if (!column.refused.empty()) {
            say_refused(column);
            continue;
        }
        auto index = std::const_pointer_cast<RouteIndex>(column.index);
        checkpoints_.restore(column, *index);
        const std::lock_guard lock{mutex_};
        writers_.push_back({column.table.oid, column.ann, std::move(index), column.sources});
    }
}

void Replica::Impl::rows(storage::TableOid table, std::span<const storage::Row> rows) {
    const std::vector<Writer> all = writers();
    each_of(all, table, [&](const Writer& writer) { writer.load(rows, options_.threads); });
    refuse_missing(false);
}

void Replica::Impl::ready(storage::Lsn applied) {
    for (const Writer& writer : writers()) {
        writer.publish();
    }
    refuse_missing(false);
    complete([](const Writer&) { return true; });  // live once the stream runs, see status()
    for (const IndexedColumn& column : generation()->columns) {
        GraphCheckpoints::say_restored(column);
        say_unparsable(column);
    }
    advance(applied);
    checkpoints_.request();
}

void Replica::Impl::complete(const std::function<bool(const Writer&)>& which) {
    {
        const std::lock_guard lock{mutex_};
        for (Writer& writer : writers_) {
            writer.joined = writer.joined || which(writer);
        }
    }
    publish_live();
}

void Replica::Impl::apply(const storage::Transaction& transaction) {
    write(transaction.changes);
    advance(transaction.end_lsn);
}

/// To complete tables, visible at once.
void Replica::Impl::write(std::span<const storage::Change> changes) {
    const std::vector<Writer> all = writers();
    for (const storage::Change& one : changes) {
        change(all, one);
    }
    for (const Writer& writer : all) {
        if (writer.joined) {
            writer.publish();
        }
    }
    refuse_missing(true);
}

/// The indexes stay, under a new generation that names their tables as they are now.
void Replica::Impl::redefine(const std::vector<storage::Table>& tables) {
    const auto find = [&](storage::TableOid oid) {
        return std::find_if(tables.begin(), tables.end(), [&](const storage::Table& table) {
            return table.oid == oid;
        });
    };
    // Asked under the lock: a table that begins to join meanwhile stays.
    remove([&](storage::TableOid oid) { return find(oid) == tables.end() && joining_ != oid; });
    const std::lock_guard lock{mutex_};
    auto next = std::make_shared<Generation>(*generation_);
    for (IndexedColumn& column : next->columns) {
        if (find(column.table.oid) != tables.end()) {
            column.redefine(*find(column.table.oid));
        }
    }
    ++next->number;
    generation_ = std::move(next);
}

void Replica::Impl::join(const storage::Table& table) {
    const auto checkpoint_lock = checkpoints_.interrupt();
    remove([&](storage::TableOid oid) { return oid == table.oid; });
    std::vector<IndexedColumn> added;
    {
        const std::lock_guard lock{mutex_};
        auto next = std::make_shared<Generation>(*generation_);
        ++next->number;
        const auto before = static_cast<std::ptrdiff_t>(next->columns.size());
        joining_ = table.oid;
        plan({table}, *next);
        added.assign(next->columns.begin() + before, next->columns.end());
        generation_ = std::move(next);
    }
    begin_indexes(added);
}

/// Of a table that joins, or of a transaction that is not complete: visible with the next
/// publish().
void Replica::Impl::part(std::span<const storage::Change> changes) {
    const std::vector<Writer> all = writers();
    for (const storage::Change& one : changes) {
        change(all, one);
    }
    refuse_missing(false);
}

void Replica::Impl::joined(storage::TableOid table) {
    each_of(writers(), table, [](const Writer& writer) { writer.publish(); });
    refuse_missing(false);
    complete([table](const Writer& writer) { return writer.table == table; });
    end_joining();
    for (const IndexedColumn& column : generation()->columns) {
        if (column.table.oid == table) {
            GraphCheckpoints::say_restored(column);
            say_unparsable(column);
        }
    }
    checkpoints_.request();
}

void Replica::Impl::end_joining() {
    const std::lock_guard lock{mutex_};
    joining_.reset();
}

/// Takes these tables out, under a new generation; the others' columns stay as they are. `gone` is
/// asked under the lock.
void Replica::Impl::remove(const std::function<bool(storage::TableOid)>& gone) {
    Retiring indexes{retirement_};
    std::vector<Writer> dying;  // outside the lock
    std::shared_ptr<const Generation> old;
    const std::lock_guard lock{mutex_};
    const auto& columns = generation_->columns;
    if (std::none_of(columns.begin(), columns.end(), [&](const IndexedColumn& column) {
            return gone(column.table.oid);
        })) {
        return;
    }
    for (const Writer& writer : writers_) {
        if (gone(writer.table)) {
            dying.push_back(writer);
        }
    }
    std::erase_if(writers_, [&](const Writer& writer) { return gone(writer.table); });
    auto next = std::make_shared<Generation>(*generation_);
    std::erase_if(next->columns, [&](const IndexedColumn& column) {
        return gone(column.table.oid);
    });
    ++next->number;
    indexes.all = gone_since(*generation_, *next);
    old = std::move(next);
    std::swap(generation_, old);
}

void Replica::Impl::change(const std::vector<Writer>& writers, const storage::Change& change) {
    const auto upsert = [&](const storage::Upsert& row) {
        each_of(writers, row.table, [&](const Writer& writer) { writer.put(row); });
    };
    const auto remove = [&](const storage::Delete& row) {
        each_of(writers, row.table, [&](const Writer& writer) { writer.erase(row.key); });
    };
    const auto truncate = [&](const storage::Truncate& all) {
        for (const storage::TableOid table : all.tables) {
            each_of(writers, table, [](const Writer& writer) { writer.clear(); });
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
    spdlog::error("index: {} is left to Postgres: {}", name_of(column), column.refused);
}

/// Before anyone is told that the rows are there. What was built so far is given up, so that others
/// have the memory.
void Replica::Impl::refuse_missing(bool joined) {
    const auto mine = [&](const IndexedColumn& column) {
        return column.refused.empty() && column.complete == joined &&
               column.index->missing_rows() > 0;
    };
    const std::shared_ptr<const Generation> current = generation();
    if (std::none_of(current->columns.begin(), current->columns.end(), mine)) {
        return;
    }
    Retiring indexes{retirement_};
    std::vector<Writer> dying;  // outside the lock
    std::shared_ptr<const Generation> old;
    const std::lock_guard lock{mutex_};
    auto next = std::make_shared<Generation>(*generation_);
    for (IndexedColumn& column : next->columns) {
        if (!mine(column)) {
            continue;
        }
        // Past its own bound it says so; else what others have taken counts.
        const std::uint64_t missing = column.index->missing_rows();
        const std::uint64_t taken = budget_->used() - column.index->memory_bytes();
        column.refused = too_large(column, column.index->rows() + missing, taken);
        if (column.refused.empty()) {
            column.refused = std::to_string(missing) + " rows found no memory for their index.";
        }
        for (const Writer& writer : writers_) {
            if (writer.index == column.index) {
                dying.push_back(writer);
            }
        }
        std::erase_if(writers_, [&](const Writer& writer) { return writer.index == column.index; });
        column.index = make_index(column, 0);
        say_refused(column);
    }
    indexes.all = gone_since(*generation_, *next);
    old = std::move(next);
    std::swap(generation_, old);
}

void Replica::Impl::publish_live() {
    const std::lock_guard lock{mutex_};
    const bool streaming = status_.phase == storage::sync::Phase::streaming;
    auto next = std::make_shared<Generation>(*generation_);
    bool changed = false;
    for (IndexedColumn& column : next->columns) {
        const bool complete =
            column.complete ||
            std::any_of(writers_.begin(), writers_.end(), [&](const Writer& writer) {
                return writer.index == column.index && writer.joined;
            });
        const bool live = complete && streaming && column.refused.empty();
        changed = changed || complete != column.complete || live != column.live;
        column.complete = complete;
        column.live = live;
    }
    if (changed) {
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

void Replica::part(std::span<const storage::Change> changes) {
    impl_->part(changes);
}

void Replica::apply(const storage::Transaction& transaction) {
    impl_->apply(transaction);
}

void Replica::redefine(const std::vector<storage::Table>& tables) {
    impl_->redefine(tables);
}

void Replica::join(const storage::Table& table) {
    impl_->join(table);
}

void Replica::catch_up(storage::TableOid /*table*/, std::span<const storage::Change> changes) {
    impl_->part(changes);
}

void Replica::joined(storage::TableOid table) {
    impl_->joined(table);
}

void Replica::abandon(storage::TableOid table) {
    impl_->end_joining();
    impl_->remove([table](storage::TableOid oid) { return oid == table; });
}

void Replica::repair(std::span<const storage::Change> changes) {
    impl_->write(changes);
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

std::uint32_t Replica::timeline() const {
    return impl_->timeline();
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

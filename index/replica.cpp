#include "index/replica.hpp"

#include "index/waiters.hpp"

#include <algorithm>
#include <variant>

namespace veer::index {

namespace {

constexpr std::int32_t dimensions_max = 16'000;

/// The fixed dimensions of a vector column, which pgvector demands of an indexed one; else 0.
std::uint32_t dimensions_of(const storage::Table& table, std::size_t vector) {
    if (vector >= table.vectors.size() || table.vectors[vector] >= table.columns.size()) {
        return 0;
    }
    const std::int32_t typmod = table.columns[table.vectors[vector]].typmod;
    return typmod >= 1 && typmod <= dimensions_max ? static_cast<std::uint32_t>(typmod) : 0;
}

/// The vector of one column; empty for NULL.
std::span<const float> vector_of(const storage::Row& row, std::size_t vector) {
    if (vector >= row.vectors.size()) {
        return {};
    }
    const auto* const value = std::get_if<std::vector<float>>(&row.vectors[vector]);
    return value != nullptr ? std::span<const float>{*value} : std::span<const float>{};
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
    Impl(unsigned threads, std::uint64_t memory_bytes_max)
        : threads_{std::max(threads, 1U)}, memory_bytes_max_{memory_bytes_max} {}

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
        storage::sync::Status status = status_;
        if (!missing_.empty()) {
            status.reason = missing_;
        }
        return status;
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

    void change(const storage::Change& change);
    void note_missing();
    void publish_live();

    const unsigned threads_;
    const std::uint64_t memory_bytes_max_;
    std::vector<Writer> writers_;  ///< the syncer's thread's
    bool ready_ = false;           ///< the syncer's thread's

    mutable std::mutex mutex_;
    std::shared_ptr<const Generation> generation_ = std::make_shared<const Generation>();
    storage::Lsn applied_;
    storage::sync::Status status_;
    std::string missing_;  ///< what found no memory; empty when all is well
    Waiters waiters_;
};

void Replica::Impl::begin(const std::string& database, const std::vector<storage::Table>& tables) {
    auto next = std::make_shared<Generation>();
    next->number = generation()->number + 1;
    next->database = database;
    std::vector<Writer> writers;
    for (const storage::Table& table : tables) {
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
            auto index = std::make_shared<RouteIndex>(IndexOptions{
                .metric = *metric,
                .dimensions = dimensions,
                .m = ann.m,
                .ef_construction = ann.ef_construction,
                .expected_rows =
                    static_cast<std::uint64_t>(std::clamp(table.estimated_rows * 1.1, 0.0, 1e9)),
                .memory_bytes_max = memory_bytes_max_});
            writers.push_back({table.oid, ann.vector, index});
            next->columns.push_back({table, ann.vector, ann, std::move(index)});
        }
    }
    writers_ = std::move(writers);
    ready_ = false;
    std::vector<Waiters::Done> told;
    std::shared_ptr<const Generation> old = std::move(next);
    {
        const std::lock_guard lock{mutex_};
        std::swap(generation_, old);  // the old indexes die outside the lock
        applied_ = {};
        missing_.clear();
        told = waiters_.all();
    }
    for (const auto& done : told) {
        done();
    }
}

void Replica::Impl::rows(storage::TableOid table, std::span<const storage::Row> rows) {
    std::vector<RouteIndex::Entry> entries(rows.size());
    each_of(table, [&](RouteIndex& index, std::size_t vector) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
            entries[i] = {rows[i].key, vector_of(rows[i], vector)};
        }
        index.load(entries, threads_);
    });
    note_missing();
}

void Replica::Impl::ready(storage::Lsn applied) {
    for (const Writer& writer : writers_) {
        writer.index->publish();
    }
    ready_ = true;  // live once the stream runs, see status()
    advance(applied);
}

void Replica::Impl::apply(const storage::Transaction& transaction) {
    for (const storage::Change& one : transaction.changes) {
        change(one);
    }
    for (const Writer& writer : writers_) {
        writer.index->publish();
    }
    note_missing();
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
    const auto upsert = [&](const storage::Upsert& row) {
        each_of(row.table, [&](RouteIndex& index, std::size_t vector) {
            if (row.old_key) {
                index.erase(*row.old_key);
            }
            // A vector that cannot be indexed is not in pgvector's index either; put() counts it.
            (void)index.put(row.row.key, vector_of(row.row, vector));
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

/// Before anyone is told that the rows are there.
void Replica::Impl::note_missing() {
    const std::shared_ptr<const Generation> current = generation();
    for (const IndexedColumn& column : current->columns) {
        const std::uint64_t rows = column.index->missing_rows();
        if (rows == 0) {
            continue;
        }
        {
            const std::lock_guard lock{mutex_};
            missing_ = std::to_string(rows) + " rows of " + column.table.schema + '.' +
                       column.table.name + " found no memory for their " +
                       column.ann.operator_name + " index";
        }
        publish_live();
        return;
    }
}

void Replica::Impl::publish_live() {
    const std::lock_guard lock{mutex_};
    const bool live =
        ready_ && status_.phase == storage::sync::Phase::streaming && missing_.empty();
    if (generation_->live != live) {
        auto next = std::make_shared<Generation>(*generation_);
        next->live = live;
        generation_ = std::move(next);
    }
}

Replica::Replica(unsigned threads, std::uint64_t memory_bytes_max)
    : impl_{std::make_unique<Impl>(threads, memory_bytes_max)} {}

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

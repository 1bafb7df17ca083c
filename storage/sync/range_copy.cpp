#include "storage/sync/range_copy.hpp"

#include "storage/source/table_copy.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <iterator>
#include <thread>
#include <utility>
#include <vector>

namespace veer::storage::sync {

namespace {

/// Since PostgreSQL 14 such a condition reads the pages alone that it names.
std::string condition_of(const PageRange& range) {
    const auto tid = [](std::uint32_t page) {
        return "'(" + std::to_string(page) + ",0)'::pg_catalog.tid";
    };
    std::string condition = "ctid OPERATOR(pg_catalog.>=) " + tid(range.first);
    if (range.end != PageRange::no_end) {
        condition += " AND ctid OPERATOR(pg_catalog.<) " + tid(range.end);
    }
    return condition;
}

/// Of a partitioned table, each partition has pages of the same numbers, and a condition of pages
/// is one of every partition: the longest one says how many there are.
Result<TableSize> read_size(source::Connection& connection, TableOid table) {
    const std::string oid = std::to_string(table.value);
    auto size = connection.query(
        "SELECT coalesce(pg_catalog.max(pg_catalog.pg_relation_size(f.oid)), 0) / "
        "       pg_catalog.current_setting('block_size')::pg_catalog.int8, "
        "       coalesce(pg_catalog.sum(pg_catalog.pg_table_size(f.oid)), 0)::pg_catalog.int8 "
        "  FROM (SELECT t.relid AS oid FROM pg_catalog.pg_partition_tree(" +
        oid + ") t WHERE t.isleaf UNION SELECT " + oid + "::pg_catalog.regclass) f"
    );
    if (!size.has_value()) {
        return size.error();
    }
    return TableSize{
        static_cast<std::uint64_t>(size->integer(0, 0)),
        static_cast<std::uint64_t>(size->integer(0, 1))};
}

/// The rows of a range that are not in the store yet.
class Waiting {
  public:
    Waiting(store::Store& store, TableOid table) : store_{store}, table_{table} {}

    Result<void> add(std::vector<Row>&& rows, std::size_t bytes) {
        bytes_ += bytes + rows.size() * row_overhead;
        if (rows_.empty()) {
            rows_ = std::move(rows);
        } else {
            std::move(rows.begin(), rows.end(), std::back_inserter(rows_));
        }
        return bytes_ >= bytes_max ? flush() : Result<void>{};
    }

    Result<void> flush() {
        auto written = rows_.empty() ? Result<void>{} : store_.write_rows(table_, rows_);
        rows_.clear();
        bytes_ = 0;
        return written;
    }

  private:
    static constexpr std::size_t bytes_max = 32U << 20U;
    /// About what a row takes in memory beside its bytes.
    static constexpr std::size_t row_overhead = 256;

    store::Store& store_;
    TableOid table_;
    std::vector<Row> rows_;
    std::size_t bytes_ = 0;
};

/// Joins whatever happens.
class Threads {
  public:
    Threads() = default;
    Threads(const Threads&) = delete;
    Threads& operator=(const Threads&) = delete;

    ~Threads() {
        for (std::thread& thread : threads_) {
            thread.join();
        }
    }

    void add(std::function<void()> work) { threads_.emplace_back(std::move(work)); }

  private:
    std::vector<std::thread> threads_;
};

/// As many as the machine lets us have, beside the caller's thread.
void add_helpers(Threads& threads, std::size_t readers, const std::function<void()>& work) {
    try {
        for (std::size_t reader = 1; reader < readers; ++reader) {
            threads.add(work);
        }
    } catch (const std::exception& thrown) {
        spdlog::info("sync: the copy reads with fewer connections: {}", thrown.what());
    }
}

}  // namespace

RangeCopy::RangeCopy(Context context, store::CopyRecord& record)
    : context_{std::move(context)}, record_{record}, pace_{context_.limits.bytes_per_second} {}

Result<void> RangeCopy::run(source::Connection& leader) {
    if (auto planned = plan(leader); !planned.has_value()) {
        return planned;
    }
    const std::size_t readers = std::min<std::size_t>(context_.limits.connections, left_.size());
    std::string snapshot;
    if (readers > 1) {
        auto exported = leader.query("SELECT pg_catalog.pg_export_snapshot()");
        if (!exported.has_value()) {
            return exported.error();
        }
        snapshot = exported->text(0, 0);
    }
    {
        Threads helpers;
        add_helpers(helpers, readers, [this, &snapshot] { help(snapshot); });
        read_or_fail([&] { return read_ranges(leader); });
    }
    return failure();
}

Result<void> RangeCopy::plan(source::Connection& leader) {
    auto size = read_size(leader, record_.table.oid);
    if (!size.has_value()) {
        return size.error();
    }
    const std::uint32_t pages_max = pages_of(*size, context_.limits.range_bytes);
    const std::vector<PageRange> left = ranges_left(size->pages, pages_max, record_.done);
    left_.assign(left.begin(), left.end());
    return {};
}

Result<source::Connection> RangeCopy::open_helper(const std::string& snapshot) const {
    auto opened = source::Connection::open(context_.options);
    if (!opened.has_value()) {
        return opened;
    }
    auto begun = source::begin_copying(*opened, snapshot, record_.table);
    if (!begun.has_value()) {
        return begun.error();
    }
    return opened;
}

void RangeCopy::help(const std::string& snapshot) {
    read_or_fail([&]() -> Result<void> {
        auto connection = open_helper(snapshot);
        if (!connection.has_value()) {
            spdlog::info(
                "sync: {}.{} is copied with a connection less: {}",
                record_.table.schema,
                record_.table.name,
                connection.error().message
            );
            return {};
        }
        auto read = read_ranges(*connection);
        const std::scoped_lock lock{mutex_};
        ended_.push_back(std::move(*connection));
        return read;
    });
}

/// The libraries below may throw where memory runs out. Of that, too, the other readers are told:
/// else they would read all that is left.
void RangeCopy::read_or_fail(const std::function<Result<void>()>& read) {
    try {
        if (auto done = read(); !done.has_value()) {
            fail(done.error());
        }
    } catch (const std::exception& thrown) {
        fail({Errc::unexpected, std::string{"The copy failed: "} + thrown.what() + "."});
    }
}

Result<void> RangeCopy::read_ranges(source::Connection& connection) {
    while (const auto range = next()) {
        auto read = wait_for_room();
        read = read.has_value() ? read_range(connection, *range) : read;
        if (!read.has_value()) {
            return read;
        }
    }
    return {};
}

Result<void> RangeCopy::read_range(source::Connection& connection, const PageRange& range) {
    std::uint64_t rows_read = 0;
    std::uint64_t bytes_read = 0;
    Waiting waiting{context_.store, record_.table.oid};
    const auto take = [&](std::vector<Row>&& rows, std::size_t bytes) {
        const std::size_t count = rows.size();
        rows_read += count;
        bytes_read += bytes;
        auto added = waiting.add(std::move(rows), bytes);
        return added.has_value() ? advance(count, bytes) : added;
    };
    const std::string condition = condition_of(range) + context_.condition;
    auto done = source::copy_rows(connection, record_.table, condition, take);
    done = done.has_value() ? waiting.flush() : done;
    return done.has_value() ? finish(range, rows_read, bytes_read) : done;
}

/// Fails where going on would be for nothing.
Result<void> RangeCopy::advance(std::size_t rows, std::size_t bytes) {
    if (auto failed = failure(); !failed.has_value()) {
        return failed;
    }
    if (auto ended = context_.interrupted(); !ended.has_value()) {
        return ended;
    }
    context_.progress.copied(record_.table.oid, rows, bytes);
    CopyPace::Clock::duration pause{};
    {
        const std::scoped_lock lock{mutex_};
        pause = pace_.take(bytes, CopyPace::Clock::now());
    }
    return wait(pause);
}

/// In pieces, as there is more than one reason not to go on.
Result<void> RangeCopy::wait(CopyPace::Clock::duration time) const {
    constexpr std::chrono::milliseconds piece{100};
    const CopyPace::Clock::time_point until = CopyPace::Clock::now() + time;
    for (auto left = time; left > CopyPace::Clock::duration::zero();
         left = until - CopyPace::Clock::now()) {
        if (auto ended = context_.interrupted(); !ended.has_value()) {
            return ended;
        }
        context_.options.wake->sleep(
            std::min(piece, std::chrono::ceil<std::chrono::milliseconds>(left))
        );
    }
    return {};
}

/// Else the stream's writes would wait for what the copy brings. Not for ever, as the snapshot is
/// held meanwhile.
Result<void> RangeCopy::wait_for_room() const {
    constexpr std::chrono::seconds wait_max{60};
    constexpr std::chrono::milliseconds look_again{100};
    const auto until = CopyPace::Clock::now() + wait_max;
    while (context_.store.crowded() && CopyPace::Clock::now() < until) {
        if (auto failed = failure(); !failed.has_value()) {
            return failed;
        }
        if (auto waited = wait(look_again); !waited.has_value()) {
            return waited;
        }
    }
    return {};
}

std::optional<PageRange> RangeCopy::next() {
    const std::scoped_lock lock{mutex_};
    if (left_.empty() || failed_.has_value()) {
        return std::nullopt;
    }
    const PageRange range = left_.front();
    left_.pop_front();
    return range;
}

Result<void> RangeCopy::finish(const PageRange& range, std::uint64_t rows, std::uint64_t bytes) {
    const std::scoped_lock lock{mutex_};
    add_range(record_.done, range);
    record_.rows += rows;
    record_.bytes += bytes;
    return context_.store.save_copy(record_);
}

Result<void> RangeCopy::failure() const {
    const std::scoped_lock lock{mutex_};
    return failed_.has_value() ? Result<void>{*failed_} : Result<void>{};
}

void RangeCopy::fail(const Error& error) {
    const std::scoped_lock lock{mutex_};
    if (!failed_.has_value()) {
        failed_ = error;
    }
}

}  // namespace veer::storage::sync

#include "storage/sync/table_load.hpp"

#include "storage/store/encoding.hpp"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace veer::storage::sync {

namespace {

constexpr std::size_t batch_rows_max = 1'000;
constexpr std::size_t batch_bytes_max = 8U << 20U;
constexpr std::size_t batches_max = 4;

using Batch = std::vector<Row>;

/// Between the one who reads and the one who builds. Either may end it.
class Batches {
  public:
    /// Waits for room; false once nobody takes any more.
    bool put(Batch batch) {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return waiting_.size() < batches_max || closed_; });
        if (closed_) {
            return false;
        }
        waiting_.push_back(std::move(batch));
        changed_.notify_all();
        return true;
    }

    /// Nothing once all are taken and no more come.
    std::optional<Batch> take() {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return !waiting_.empty() || closed_; });
        if (waiting_.empty()) {
            return std::nullopt;
        }
        Batch batch = std::move(waiting_.front());
        waiting_.pop_front();
        changed_.notify_all();
        return batch;
    }

    void close() {
        const std::scoped_lock lock{mutex_};
        closed_ = true;
        changed_.notify_all();
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Batch> waiting_;
    bool closed_ = false;
};

Result<void> read_batches(const store::View& view, const Table& table, Batches& batches) {
    Batch batch;
    std::size_t bytes = 0;
    bool fits = true;
    bool wanted = true;
    auto read = view.for_each_row(table.oid, std::nullopt, [&](Row&& row) {
        fits =
            row.vectors.size() == table.vectors.size() && row.values.size() == table.copied.size();
        if (!fits) {
            return false;
        }
        bytes += store::stored_bytes(row);
        batch.push_back(std::move(row));
        if (batch.size() >= batch_rows_max || bytes >= batch_bytes_max) {
            wanted = batches.put(std::exchange(batch, {}));
            bytes = 0;
        }
        return wanted;
    });
    if (!read.has_value()) {
        return read;
    }
    if (!fits) {
        return Error{Errc::gone, "A stored row has another number of columns than its table."};
    }
    if (wanted && !batch.empty()) {
        batches.put(std::move(batch));
    }
    return {};
}

/// Ends the reader whatever ends the caller, be it an exception.
class Reader {
  public:
    Reader(const store::View& view, const Table& table, Batches& batches)
        : batches_{batches}, thread_{[this, &view, &table] {
              run(view, table);
          }} {}

    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    ~Reader() { (void)end(); }

    Result<void> end() {
        batches_.close();
        if (thread_.joinable()) {
            thread_.join();
        }
        return read_;
    }

  private:
    /// The libraries below may throw where memory runs out.
    void run(const store::View& view, const Table& table) {
        try {
            read_ = read_batches(view, table, batches_);
        } catch (const std::exception& thrown) {
            read_ = Error{
                Errc::unexpected, std::string{"The rows cannot be read: "} + thrown.what() + "."};
        }
        batches_.close();
    }

    Batches& batches_;
    Result<void> read_;
    std::thread thread_;
};

}  // namespace

Result<void> load_table(
    const store::View& view,
    const Table& table,
    Progress& progress,
    const std::function<Result<void>()>& interrupted
) {
    Batches batches;
    Reader reader{view, table, batches};
    while (const auto batch = batches.take()) {
        if (auto ended = interrupted(); !ended.has_value()) {
            return ended;
        }
        progress.rows(table.oid, *batch);
    }
    return reader.end();
}

}  // namespace veer::storage::sync

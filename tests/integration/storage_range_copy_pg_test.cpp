#include "storage/source/catalogue.hpp"
#include "storage/sync/range_copy.hpp"
#include "tests/integration/recording_observer.hpp"

#include <catch2/catch_test_macros.hpp>

#include <condition_variable>
#include <mutex>
#include <new>
#include <string>
#include <thread>

// What becomes of a copy's other readers where one fails.

using namespace veer;
using namespace veer::storage;
using tests::PostgresServer;

namespace {

Result<source::Connection> begin_leading(const source::ConnectOptions& options) {
    auto leader = source::Connection::open(options);
    REQUIRE(leader.has_value());
    REQUIRE(leader->query("BEGIN ISOLATION LEVEL REPEATABLE READ").has_value());
    return leader;
}

/// Lets the caller's thread run out of memory at its first rows, and all others wait for that.
class MemoryLoss {
  public:
    Result<void> operator()() {
        std::unique_lock lock{mutex_};
        if (std::this_thread::get_id() == leader_) {
            lost_ = true;
            changed_.notify_all();
            throw std::bad_alloc{};
        }
        changed_.wait(lock, [this] { return lost_; });
        return {};
    }

  private:
    std::thread::id leader_ = std::this_thread::get_id();
    std::mutex mutex_;
    std::condition_variable changed_;
    bool lost_ = false;
};

}  // namespace

TEST_CASE("The readers of a copy end with the one that runs out of memory", "[storage]") {
    const PostgresServer server;
    server.exec(
        "CREATE TABLE docs (id bigint PRIMARY KEY, e vector(100));"
        "INSERT INTO docs SELECT i, array_fill(i::real, '{100}')::vector "
        "FROM generate_series(1, 20000) i;"
        "CREATE INDEX ON docs USING ivfflat (e vector_l2_ops) WITH (lists = 1)"
    );
    const source::Wake wake;
    const source::ConnectOptions options{server.dsn(), "veer_test", false, &wake};
    auto leader = begin_leading(options);
    auto found = source::discover(*leader, {});
    REQUIRE(found.has_value());

    auto store = store::Store::open(tests::store_directory(server)).value();
    tests::RecordingObserver observer;
    sync::Progress progress{observer};
    const sync::CopyLimits limits{2, 0, 8U << 10U};  // a range is a page
    store::CopyRecord record;
    record.table = found->tables.at(0);
    MemoryLoss loss;
    sync::RangeCopy copy{
        {store,
         progress,
         options,
         limits,
         {},
         [&loss] {
             return loss();
         }},
        record};
    const auto done = copy.run(*leader);
    REQUIRE(done.has_error());
    CHECK(done.error().message.find("The copy failed") != std::string::npos);
    CHECK_FALSE(sync::is_read(record));
}

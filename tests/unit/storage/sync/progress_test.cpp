#include "storage/sync/progress.hpp"

#include "tests/unit/storage/sample_table.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer::storage;
using namespace veer::storage::sync;
using veer::tests::row_of;
using veer::tests::sample_table;

namespace {

class CountingObserver : public Observer {
  public:
    void begin(const std::string&, const std::vector<Table>&) override {}

    void rows(TableOid, std::span<const Row>) override {}

    void ready(Lsn) override {}

    void apply(const Transaction&) override {}

    void applied(Lsn) override {}

    void status(const Status& status) override {
        last = status;
        ++count;
    }

    Status last;
    int count = 0;
};

}  // namespace

TEST_CASE("Progress tells a new phase at once and rows at most ten times a second", "[storage]") {
    CountingObserver observer;
    Progress progress{observer};
    progress.begin("app", {sample_table()});
    progress.enter(Phase::copying, "");
    const int after_phase = observer.count;
    CHECK(observer.last.phase == Phase::copying);
    CHECK(observer.last.rows_estimated == 12);
    const std::vector<Row> rows{row_of(1, NullVector{}, NullVector{})};
    for (int batch = 0; batch < 1'000; ++batch) {
        progress.rows({100}, rows);
    }
    CHECK(observer.count < after_phase + 100);
    progress.ready({0x10});
    progress.enter(Phase::streaming, "");
    CHECK(observer.last.phase == Phase::streaming);
    CHECK(observer.last.rows_done == 1'000);
}

TEST_CASE("Progress knows what the observer has", "[storage]") {
    CountingObserver observer;
    Progress progress{observer};
    const std::vector<Table> tables{sample_table()};
    CHECK_FALSE(progress.ready_for(tables, {}));
    progress.begin("app", tables);
    CHECK_FALSE(progress.ready_for(tables, {}));
    progress.ready({0x10});
    CHECK(progress.ready_for(tables, {0x10}));
    CHECK_FALSE(progress.ready_for(tables, {0x11}));
    progress.applied({0x11});
    CHECK(progress.ready_for(tables, {0x11}));
    CHECK_FALSE(progress.ready_for({sample_table(101)}, {0x11}));
    progress.begin("app", {});
    CHECK_FALSE(progress.ready_for(tables, {0x11}));
    CHECK(progress.begun_empty());
}

TEST_CASE("While the first table is copied nothing streams; a second stops nobody", "[storage]") {
    CountingObserver observer;
    Progress progress{observer};
    const Table first = sample_table(100);
    const Table second = sample_table(101);
    progress.begin("app", {});
    progress.ready({0x10});
    progress.expect({first}, {{{}, "public.no_key", TableState::refused, "no key", 0, 0}});
    progress.enter(Phase::streaming, "");
    CHECK(observer.last.phase == Phase::copying);
    progress.join(first);
    CHECK(observer.last.tables.at(0).state == TableState::copying);
    CHECK(observer.last.tables.at(1).state == TableState::refused);
    progress.set_state(first, TableState::catching_up, "");
    CHECK(observer.last.phase == Phase::copying);
    progress.joined(first);
    CHECK(observer.last.phase == Phase::streaming);
    CHECK(progress.ready_for({first}, {0x10}));
    progress.expect({first, second}, {});
    progress.set_state(second, TableState::waiting, "its table is locked");
    CHECK(observer.last.phase == Phase::streaming);
    REQUIRE(observer.last.tables.size() == 2);
    CHECK(observer.last.tables.at(0).state == TableState::streaming);
    CHECK(observer.last.tables.at(1).reason == "its table is locked");
    progress.expect({first}, {});
    CHECK(observer.last.tables.size() == 1);
    progress.redefine({});
    CHECK(observer.last.tables.empty());
}

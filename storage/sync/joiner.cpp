#include "storage/sync/joiner.hpp"

#include "storage/source/catalogue.hpp"
#include "storage/source/publication.hpp"
#include "storage/source/table_copy.hpp"
#include "storage/sync/resume.hpp"
#include "storage/sync/spool_replay.hpp"
#include "storage/sync/table_at_point.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace veer::storage::sync {

namespace {

using Clock = JoinSchedule::Clock;

/// A spool that is no longer than this is left to the stream's thread.
constexpr std::size_t short_spool = 200;

std::string name_of(const Table& table) {
    return table.schema + "." + table.name;
}

}  // namespace

Joiner::Joiner(Context context) : context_{std::move(context)} {
    context_.options.wake = &wake_;
    thread_ = std::thread{[this] {
        run();
    }};
}

Joiner::~Joiner() {
    {
        const std::scoped_lock lock{mutex_};
        stopping_ = true;
    }
    wake_.wake();
    changed_.notify_all();
    thread_.join();
}

void Joiner::want(std::vector<Table> tables) {
    const std::scoped_lock lock{mutex_};
    const bool under_way = stage_ == Stage::copying || stage_ == Stage::ready;
    if (under_way && !refused_.has_value()) {
        const Table* const now = find_table(tables, joining_->table.oid);
        if (now == nullptr || !joining_->table.same_rows(as_copied(*now, joining_->table))) {
            refused_ = "The table was changed while it was copied.";
        }
    }
    wanted_ = std::move(tables);
    changed_.notify_all();
}

void Joiner::note_failure(TableOid table) {
    const std::scoped_lock lock{mutex_};
    context_.schedule.failed(table, JoinSchedule::Failure::costly, Clock::now());
}

Joiner::Stage Joiner::stage() const {
    const std::scoped_lock lock{mutex_};
    return stage_;
}

bool Joiner::active() const {
    const std::scoped_lock lock{mutex_};
    return stage_ != Stage::idle || context_.schedule.due(wanted_, Clock::now()) <= Clock::now();
}

Table Joiner::table() const {
    const std::scoped_lock lock{mutex_};
    return joining_->table;
}

Joiner::Complete Joiner::complete() const {
    const std::scoped_lock lock{mutex_};
    return *joining_;
}

void Joiner::spooling() {
    enter(Stage::copying);
}

bool Joiner::claim() {
    const std::scoped_lock lock{mutex_};
    if (stage_ != Stage::ready || refused_.has_value()) {
        return false;
    }
    stage_ = Stage::finishing;
    changed_.notify_all();
    return true;
}

void Joiner::joined() {
    const std::scoped_lock lock{mutex_};
    std::erase_if(wanted_, [this](const Table& table) { return table.oid == joining_->table.oid; });
    context_.schedule.joined(joining_->table.oid, Clock::now());
    stage_ = Stage::idle;
    changed_.notify_all();
}

void Joiner::refuse(const std::string& why) {
    const std::scoped_lock lock{mutex_};
    refused_ = why;
    changed_.notify_all();
}

void Joiner::forgotten() {
    enter(Stage::idle);
}

void Joiner::enter(Stage stage) {
    const std::scoped_lock lock{mutex_};
    stage_ = stage;
    changed_.notify_all();
}

/// Fails where going on would be for nothing.
Result<void> Joiner::interrupted() const {
    const std::scoped_lock lock{mutex_};
    if (stopping_) {
        return Error{Errc::connection, "The copy was interrupted."};
    }
    if (refused_.has_value()) {
        return Error{Errc::gone, *refused_};
    }
    return {};
}

/// Waits until the stream's thread has answered.
Result<void> Joiner::wait_past(Stage stage) {
    {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [&] {
            return stage_ != stage || stopping_ || (refused_.has_value() && stage != Stage::over);
        });
        if (stage_ != stage) {
            return {};
        }
    }
    return interrupted();
}

std::optional<Table> Joiner::next() {
    std::unique_lock lock{mutex_};
    for (;;) {
        if (stopping_) {
            return std::nullopt;
        }
        if (auto table = context_.schedule.next(wanted_, Clock::now())) {
            refused_.reset();
            return table;
        }
        changed_.wait_until(lock, context_.schedule.due(wanted_, Clock::now()));
    }
}

void Joiner::run() {
    while (auto table = next()) {
        attempt(*table);
    }
}

void Joiner::attempt(const Table& wanted) {
    rows_copied_ = false;
    auto table = prepare(wanted);
    if (!table.has_value()) {
        connection_.reset();
        tell_failure(wanted, table.error());
        return;
    }
    {
        const std::scoped_lock lock{mutex_};
        joining_ = Complete{*table, {}, {}};
        stage_ = Stage::asking;
    }
    if (auto asked = wait_past(Stage::asking); !asked.has_value()) {
        return;  // only a stop ends it
    }
    spdlog::info("sync: copying {}", name_of(*table));
    auto copied = copy_or_tell(*table);
    if (copied.has_value()) {
        enter(Stage::ready);
        copied = wait_past(Stage::ready);
    }
    if (copied.has_value()) {
        copied = wait_past(Stage::finishing);
    }
    if (copied.has_value()) {
        return;
    }
    connection_.reset();
    context_.progress.abandon(table->oid);
    tell_failure(*table, copied.error());
    enter(Stage::over);
    (void)wait_past(Stage::over);
}

void Joiner::tell_failure(const Table& table, const Error& error) {
    const bool refused = error.code == Errc::not_permitted;
    context_.progress.set_state(
        table, refused ? TableState::refused : TableState::waiting, error.message
    );
    const std::scoped_lock lock{mutex_};
    if (stopping_) {
        return;
    }
    spdlog::warn("sync: {} is not copied: {}", name_of(table), error.message);
    const auto failure =
        rows_copied_ ? JoinSchedule::Failure::costly : JoinSchedule::Failure::cheap;
    context_.schedule.failed(table.oid, failure, Clock::now());
}

Result<void> Joiner::connect() {
    if (connection_.has_value()) {
        return {};
    }
    auto opened = source::Connection::open(context_.options);
    if (!opened.has_value()) {
        return opened.error();
    }
    connection_.emplace(std::move(*opened));
    return {};
}

/// What changed while the table was out of the publication, the spool does not have. From here on
/// the next look at the catalogue notices.
Result<void> Joiner::check_published() {
    auto published = source::read_publication(*connection_, context_.name);
    if (!published.has_value()) {
        return published.error();
    }
    const Complete joining = complete();
    if (!published->has_value() ||
        !source::continues_publication(
            joining.publication_fingerprint, **published, joining.table.oid
        )) {
        return Error{Errc::gone, "The table was out of the publication while it was copied."};
    }
    return {};
}

/// What does not need the stream's thread. Publishing comes before the slot: of a transaction that
/// began before, pgoutput may leave changes out.
Result<Table> Joiner::prepare(const Table& wanted) {
    if (auto connected = connect(); !connected.has_value()) {
        return connected.error();
    }
    auto catalogue = source::discover(*connection_, context_.columns);
    if (!catalogue.has_value()) {
        return catalogue.error();
    }
    const Table* const table = find_table(catalogue->tables, wanted.oid);
    if (table == nullptr) {
        return Error{Errc::gone, "The table has no usable vector index any more."};
    }
    auto published = source::join_publication(*connection_, context_.name, *table);
    return published.has_value() ? Result<Table>{*table} : published.error();
}

/// The libraries below may throw where memory runs out.
Result<void> Joiner::copy_or_tell(const Table& table) {
    try {
        context_.progress.join(table);
        return copy(table);
    } catch (const std::exception& thrown) {
        return Error{Errc::unexpected, std::string{"The copy failed: "} + thrown.what() + "."};
    }
}

Result<void> Joiner::copy(const Table& table) {
    const std::string slot = context_.name + "_join";
    auto at = open_at_point(
        {context_.options, slot, context_.name, context_.columns, context_.identity},
        *connection_,
        table
    );
    if (!at.has_value()) {
        return at.error();
    }
    {
        const std::scoped_lock lock{mutex_};
        joining_->consistent_point = at->point;
        joining_->publication_fingerprint = at->publication_fingerprint;
    }
    auto copied = source::copy_table(at->connection, table, [&](std::span<const Row> rows) {
        rows_copied_ = true;
        if (auto ended = interrupted(); !ended.has_value()) {
            return ended;
        }
        auto written = context_.store.write_rows(table.oid, rows);
        if (written.has_value()) {
            context_.progress.rows(table.oid, rows);
        }
        return written;
    });
    if (!copied.has_value()) {
        return copied;
    }
    if (auto ended = at->connection.query("COMMIT"); !ended.has_value()) {
        return ended.error();
    }
    context_.progress.set_state(table, TableState::catching_up, "");
    for (std::size_t replayed = short_spool; replayed >= short_spool;) {
        if (auto ended = interrupted(); !ended.has_value()) {
            return ended;
        }
        auto page = replay_spool(context_.store, context_.progress, table.oid, at->point);
        if (!page.has_value()) {
            return page.error();
        }
        replayed = *page;
    }
    return check_published();
}

}  // namespace veer::storage::sync

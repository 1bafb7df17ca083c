#include "storage/sync/joiner.hpp"

#include "storage/sync/resume.hpp"
#include "storage/sync/surviving.hpp"

#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace veer::storage::sync {

namespace {

using Clock = JoinSchedule::Clock;

/// Of the copy and of those who build its index, who inherit it: a third of the processor time of
/// whoever else wants some, be it a session, the stream or Postgres itself.
constexpr int niceness = 5;

std::string name_of(const Table& table) {
    return table.schema + "." + table.name;
}

}  // namespace

Joiner::Joiner(Context context) : context_{std::move(context)} {
    context_.options.wake = &wake_;
    thread_ = std::thread{[this] {
        setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), niceness);
        surviving("the copy of tables that join", wake_, [this] { run(); });
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

bool Joiner::goes_on() const {
    const std::scoped_lock lock{mutex_};
    return goes_on_;
}

bool Joiner::keeps() const {
    const std::scoped_lock lock{mutex_};
    return keeps_;
}

void Joiner::spooling(bool goes_on) {
    const std::scoped_lock lock{mutex_};
    goes_on_ = goes_on;
    stage_ = Stage::copying;
    changed_.notify_all();
}

bool Joiner::note_position(Lsn position) {
    const std::scoped_lock lock{mutex_};
    position_ = position;
    if (awaited_.has_value()) {
        changed_.notify_all();
    }
    return awaited_.has_value() && *awaited_ > position;
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

/// Waits until the spool has all that commits before.
Result<void> Joiner::wait_for(Lsn position) {
    {
        std::unique_lock lock{mutex_};
        awaited_ = position;
        changed_.wait(lock, [&] {
            return position_ >= position || stopping_ || refused_.has_value();
        });
        awaited_.reset();
    }
    return interrupted();
}

std::optional<Table> Joiner::next() {
    std::unique_lock lock{mutex_};
    for (;;) {
        if (stopping_) {
            return std::nullopt;
        }
        const std::optional<TableOid> begun = this->begun();
        if (auto table = context_.schedule.next(wanted_, Clock::now(), begun)) {
            refused_.reset();
            return table;
        }
        changed_.wait_until(lock, context_.schedule.due(wanted_, Clock::now(), begun));
    }
}

/// Whose copy was cut short.
std::optional<TableOid> Joiner::begun() const {
    const auto record = context_.store.copy();
    return record.has_value() && record->has_value() ? std::optional{(*record)->table.oid}
                                                     : std::nullopt;
}

void Joiner::run() {
    while (auto table = next()) {
        attempt(*table);
    }
}

void Joiner::attempt(const Table& wanted) {
    rows_copied_ = false;
    advanced_ = false;
    auto table = prepare(wanted);
    auto record = table.has_value() ? find_record(*table) : table.error();
    if (!record.has_value()) {
        connection_.reset();
        tell_failure(wanted, record.error());
        return;
    }
    {
        const std::scoped_lock lock{mutex_};
        joining_ = Complete{*table, {}, {}, {}, partitions_};
        goes_on_ = record->has_value();
        keeps_ = false;
        stage_ = Stage::asking;
    }
    if (auto asked = wait_past(Stage::asking); !asked.has_value()) {
        return;  // only a stop ends it
    }
    if (!goes_on()) {
        record->reset();
    }
    const auto before = record->has_value() ? (*record)->done : std::vector<store::PageRange>{};
    auto copied = copy_or_tell(*table, std::move(*record));
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
    const auto saved = context_.store.copy();
    {
        const std::scoped_lock lock{mutex_};
        // What is there of an earlier copy was not touched where this one got no slot, say.
        const Errc why = copied.error().code;
        const bool untouched = !rows_copied_ && why != Errc::gone && why != Errc::disk;
        keeps_ = (why == Errc::connection || untouched) && saved.has_value() && saved->has_value();
        advanced_ = keeps_ && (*saved)->done != before;
    }
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
    auto failure = JoinSchedule::Failure::cheap;
    if (rows_copied_ && !keeps_) {
        failure = JoinSchedule::Failure::costly;
    } else if (advanced_) {
        failure = JoinSchedule::Failure::advanced;
    }
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

}  // namespace veer::storage::sync

#include "storage/sync/follower.hpp"

#include "storage/sync/partition_changes.hpp"
#include "storage/sync/resolve.hpp"
#include "storage/sync/resume.hpp"
#include "storage/sync/spool_replay.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace veer::storage::sync {

namespace {

constexpr std::chrono::milliseconds sync_every{200};
/// A table that joins asks between two events: the stream is not waited for longer than this.
constexpr std::chrono::milliseconds joining_every{10};
/// So much WAL without a transaction for us before veer writes one: the slot stays at the landmark.
constexpr std::uint64_t landmark_bytes = 1U << 20U;

/// Of a streamed message with its subtransaction, of others without one.
Result<source::pgoutput::Streamed> decode(std::string_view message, bool streaming) {
    if (streaming) {
        return source::pgoutput::decode_streamed(message);
    }
    auto decoded = source::pgoutput::decode(message);
    if (!decoded.has_value()) {
        return decoded.error();
    }
    return source::pgoutput::Streamed{std::move(*decoded), 0};
}

/// Without room on disk, what memory has to hold is bounded as generously.
TransactionAssembler::Limits limits(const TransactionLimits& wanted) {
    TransactionAssembler::Limits limits;
    if (wanted.disk_max > 0) {
        limits.memory_max = wanted.memory_max;
        limits.disk_max = wanted.disk_max;
    }
    return limits;
}

OpenSpill spill_to(const store::Store& store) {
    return [&store](std::uint32_t xid) {
        return store.open_spill(xid);
    };
}

}  // namespace

Follower::Follower(Context context, const Start& start)
    : context_{std::move(context)},
      assembler_{
          start.state.tables,
          limits(context_.transactions),
          context_.transactions.disk_max == 0 ? nullptr : spill_to(context_.store)},
      check_{start.state.history, start.state.applied, start.confirmed_flush},
      landmarks_{start.landmarks},
      tables_{start.state.tables},
      publication_fingerprint_{start.state.publication_fingerprint},
      partitions_{start.partitions},
      confirmed_{start.confirmed_flush},
      history_{start.state.history},
      stored_history_{start.state.history},
      stored_{start.state.applied},
      silence_{context_.silence_max, Clock::now()},
      sync_due_{Clock::now() + sync_every},
      status_due_{Clock::now()} {
    if (start.joining.has_value()) {
        joining_ = Joining{*start.joining, {}, {}, {}};
    }
    follow_tables();
}

Result<void> Follower::step() {
    Clock::time_point deadline = std::min(sync_due_, status_due_);
    if (!view_.has_value() || context_.joiner.active()) {
        deadline = std::min(deadline, Clock::now() + joining_every);
    }
    auto event = context_.stream.next(deadline);
    if (!event.has_value()) {
        return event.error();
    }
    const bool silent = std::holds_alternative<source::Silence>(*event);
    if (silent && silence_.given_up(Clock::now())) {
        return Error{Errc::connection, "Postgres has said nothing, and has been asked."};
    }
    bool reply = false;
    Result<void> taken;
    if (const auto* const data = std::get_if<source::XLogData>(&*event)) {
        taken = take(data->message);
    } else if (const auto* const keepalive = std::get_if<source::Keepalive>(&*event)) {
        reply = keepalive->reply_requested;
        taken = take(*keepalive);
    }
    if (taken.has_value() && proven() && !assembler_.inside()) {
        if (!verifying_) {
            verifying_ = true;
            tell_verifier();
        }
        const bool later = retake_.has_value() && context_.progress.position() >= *retake_;
        taken = later ? take(CatalogueView{*view_}) : taken;
        taken = taken.has_value() ? tend_joining() : taken;
        taken = taken.has_value() ? tend_repair() : taken;
    }
    if (!silent) {
        silence_.heard(Clock::now());
    }
    return taken.has_value() ? run_timers(reply) : taken;
}

Result<void> Follower::sync() {
    const Lsn position = context_.progress.position();
    if (position > stored_ || history_ != stored_history_) {
        if (auto written = context_.store.write({}, position, history_); !written.has_value()) {
            return written;
        }
        stored_ = position;
        stored_history_ = history_;
    }
    if (durable_ == stored_ && durable_history_ == stored_history_) {
        return {};
    }
    auto synced = context_.store.sync();
    if (!synced.has_value()) {
        return synced.error();
    }
    durable_ = *synced;
    durable_history_ = stored_history_;
    return {};
}

Result<void> Follower::take(std::string_view message) {
    namespace pgoutput = source::pgoutput;
    auto decoded = decode(message, assembler_.streaming());
    if (!decoded.has_value()) {
        // Of one table, and its trouble alone, where as much can be read.
        const auto owner = pgoutput::owner_of(message, assembler_.streaming());
        if (!owner.has_value() || !assembler_.inside()) {
            return decoded.error();
        }
        auto checked = check_begun();
        if (checked.has_value()) {
            assembler_.fail(*owner, decoded.error().message);
        }
        return checked;
    }
    if (auto checked = check(decoded->message); !checked.has_value()) {
        return checked;
    }
    auto transaction = assembler_.take(decoded->message, decoded->xid);
    if (!transaction.has_value()) {
        return transaction.error();
    }
    return transaction->has_value() ? apply(std::move(**transaction)) : Result<void>{};
}

/// Before the assembler has it. A transaction shows the history with its first change, and a
/// streamed one with its end, as that says which it is.
Result<void> Follower::check(const source::pgoutput::Message& message) {
    namespace pgoutput = source::pgoutput;
    if (const auto* const begin = std::get_if<pgoutput::Begin>(&message)) {
        begun_ = *begin;
        return {};
    }
    if (const auto* const commit = std::get_if<pgoutput::StreamCommit>(&message)) {
        const pgoutput::Begin begun{commit->commit_lsn, commit->timestamp, commit->xid};
        if (!assembler_.told(commit->xid)) {
            check_.take_empty(begun);
            return {};
        }
        auto fresh = check_.take(begun);
        if (fresh.has_value() && !*fresh) {
            assembler_.skip_streamed(commit->xid);
        }
        return fresh.has_value() ? Result<void>{} : fresh.error();
    }
    if (std::holds_alternative<pgoutput::Commit>(message) && begun_.has_value()) {
        check_.take_empty(*std::exchange(begun_, std::nullopt));
    }
    const auto* const said = std::get_if<pgoutput::LogicalMessage>(&message);
    const bool remark = std::holds_alternative<pgoutput::Origin>(message) ||
                        (said != nullptr && said->prefix != flush_prefix);
    return remark ? Result<void>{} : check_begun();
}

/// A change of the transaction that has begun comes, if it is the first one.
Result<void> Follower::check_begun() {
    if (!begun_.has_value()) {
        return {};
    }
    auto fresh = check_.take(*std::exchange(begun_, std::nullopt));
    if (fresh.has_value() && !*fresh) {
        assembler_.skip_rows();
    }
    return fresh.has_value() ? Result<void>{} : fresh.error();
}

Result<void> Follower::take(const source::Keepalive& keepalive) {
    if (assembler_.inside()) {
        return {};
    }
    if (auto passed = check_.passed(keepalive.wal_end); !passed.has_value()) {
        return passed;
    }
    if (keepalive.wal_end > context_.progress.position()) {
        context_.progress.applied(keepalive.wal_end);
    }
    return {};
}

/// Before the transaction in which they failed is stored: tables leave, and the one that is joining
/// is unreadable here, which does not matter before its consistent point. Who is excused need not
/// wait for its next copy.
Result<void> Follower::settle(
    Lsn commit_lsn, TableFailures failures, const std::set<TableOid>& excused
) {
    if (failures.empty()) {
        return {};
    }
    if (joining_.has_value()) {
        if (auto failed = failures.extract(joining_->table.oid); !failed.empty()) {
            joining_->unreadable_at = commit_lsn;
            joining_->unreadable = failed.mapped();
            if (auto noted = context_.store.note_unreadable(commit_lsn); !noted.has_value()) {
                return noted;
            }
        }
    }
    auto left = leave(failures);
    follow_tables();
    for (const auto& [table, why] : failures) {
        if (!excused.contains(table)) {
            context_.joiner.note_failure(table);
        }
    }
    want_others();
    return left;
}

Result<void> Follower::leave(const TableFailures& failures) {
    std::vector<Table> kept;
    std::vector<Table> left;
    std::partition_copy(
        tables_.begin(),
        tables_.end(),
        std::back_inserter(left),
        std::back_inserter(kept),
        [&](const Table& table) { return failures.contains(table.oid); }
    );
    if (left.empty()) {
        return {};
    }
    if (auto stored = keep(std::move(kept), publication_fingerprint_); !stored.has_value()) {
        return stored;
    }
    for (const Table& table : left) {
        fresh_.erase(table.oid);
        const std::string& why = failures.at(table.oid);
        spdlog::warn("sync: {}.{} is to be copied again: {}", table.schema, table.name, why);
        if (!view_.has_value() || find_table(view_->catalogue.tables, table.oid) != nullptr) {
            context_.progress.set_state(table, TableState::waiting, "Copying again: " + why + ".");
        }
    }
    return {};
}

/// Replaces the complete tables, durably.
Result<void> Follower::keep(std::vector<Table> tables, std::string publication_fingerprint) {
    if (verifying_) {  // before the rows of those that leave are gone
        context_.verifier.set_tables(tables, {});
    }
    auto stored = context_.store.redefine(tables, publication_fingerprint);
    if (stored.has_value()) {
        tables_ = std::move(tables);
        publication_fingerprint_ = std::move(publication_fingerprint);
        context_.progress.redefine(tables_);
        tell_verifier();
    }
    return stored;
}

void Follower::follow_tables() {
    std::vector<Table> tables = tables_;
    Partitions partitions = partitions_;
    if (joining_.has_value()) {
        tables.push_back(joining_->table);
        for (const auto& [table, known] : joining_->partitions) {
            partitions[table] = known;
        }
    }
    assembler_.redefine(std::move(tables));
    assembler_.know(std::move(partitions));
}

/// The tables that are to be complete, and are not.
std::vector<Table> Follower::others() const {
    std::vector<Table> others;
    if (view_.has_value()) {
        for (const Table& table : view_->catalogue.tables) {
            if (find_table(tables_, table.oid) == nullptr) {
                others.push_back(table);
            }
        }
    }
    return others;
}

void Follower::want_others() {
    if (view_.has_value()) {
        context_.progress.expect(view_->catalogue.tables, refusals(view_->catalogue));
        context_.joiner.want(others());
    }
}

Result<void> Follower::take(const CatalogueView& view) {
    view_ = view;
    std::vector<Table> before = tables_;
    std::vector<Table> now = view.catalogue.tables;
    follow_partitions(before, now);
    Reconciled reconciled = reconcile(before, publication_fingerprint_, now, view.publication);
    if (auto left = leave(reconciled.left); !left.has_value()) {
        return left;
    }
    if (auto different = difference(tables_, reconciled.kept)) {
        spdlog::info("sync: going on, though {}", *different);
        std::string versions = source::fingerprint(view.publication, reconciled.kept);
        if (auto stored = keep(std::move(reconciled.kept), std::move(versions));
            !stored.has_value()) {
            return stored;
        }
    }
    follow_tables();
    want_others();
    tell_verifier();
    return {};
}

/// Changes the lists so that nothing of partitions tells them apart that does not matter, or not
/// yet.
void Follower::follow_partitions(std::vector<Table>& before, std::vector<Table>& now) {
    Partitions partitions = view_->catalogue.partitions;
    const Lsn position = context_.progress.position();
    retake_.reset();
    for (Table& table : before) {
        const auto known = partitions_.find(table.oid);
        const auto found = partitions.find(table.oid);
        const auto same = std::find_if(now.begin(), now.end(), [&](const Table& each) {
            return each.oid == table.oid;
        });
        if (known == partitions_.end() || found == partitions.end() || same == now.end()) {
            continue;
        }
        std::set<TableOid>& fresh = fresh_[table.oid];
        std::erase_if(fresh, [&](TableOid one) {
            return assembler_.named().contains(one) || !known->second.contains(one);
        });
        const PartitionFacts facts{view_->empty, fresh, view_->looked, position};
        switch (judge_partitions(known->second, found->second, facts)) {
            case PartitionChange::followed:
                fresh.merge(came_since(known->second, found->second));
                table = with_partitions_of(std::move(table), *same);
                break;
            case PartitionChange::early:
                found->second = known->second;
                *same = table;
                retake_ = view_->looked;
                context_.nudge.request();
                break;
            case PartitionChange::none:
            case PartitionChange::lost:
                break;
        }
    }
    partitions_ = std::move(partitions);
}

/// Nothing before the history is proven: what is compared must be of the stream's server.
void Follower::tell_verifier() {
    if (verifying_) {
        context_.verifier.set_tables(tables_, others());
    }
}

/// The rows were wrong as of the repair's position; which of them still are, the writes since then
/// say.
Result<void> Follower::tend_repair() {
    const std::optional<Repair> repair = context_.verifier.take_repair();
    if (!repair.has_value()) {
        return {};
    }
    if (!repair->copy_again.empty()) {
        TableFailures failures;
        if (find_table(tables_, repair->table.oid) != nullptr) {
            failures.emplace(repair->table.oid, repair->copy_again);
        }
        auto left = settle(context_.progress.position(), std::move(failures));
        context_.verifier.repaired(0);
        return left;
    }
    std::vector<Change> due;
    for (const Change& change : repair->changes) {
        if (context_.verifier.still_due(*repair, change)) {
            due.push_back(change);
        }
    }
    if (!due.empty()) {
        const Lsn position = context_.progress.position();
        if (auto written = context_.store.write(due, position, history_); !written.has_value()) {
            return written;
        }
        stored_ = position;
        stored_history_ = history_;
        context_.progress.repair(due);
    }
    context_.verifier.repaired(due.size());
    return {};
}

Result<void> Follower::tend_joining() {
    switch (context_.joiner.stage()) {
        case Joiner::Stage::asking:
            return begin_spool();
        case Joiner::Stage::copying:
            if (spools_too_much()) {
                context_.joiner.refuse(std::string{spool_full});
            }
            if (context_.joiner.note_position(context_.progress.position())) {
                context_.nudge.request();
            }
            return {};
        case Joiner::Stage::ready:
            return finish_joining();
        case Joiner::Stage::over:
            return end_spool();
        case Joiner::Stage::idle:
            return tend_waiting();
        case Joiner::Stage::finishing:
            return {};
    }
    return {};
}

bool Follower::spools_too_much() const {
    return context_.spool_max > 0 && context_.store.spooled() > context_.spool_max;
}

/// A copy that was cut short waits for its next attempt, if there is one.
Result<void> Follower::tend_waiting() {
    if (!joining_.has_value() || !view_.has_value()) {
        return {};
    }
    const bool wanted = find_table(view_->catalogue.tables, joining_->table.oid) != nullptr;
    return wanted && !spools_too_much() ? Result<void>{} : forget_joining();
}

/// Rows, spool and all that is known of the table that is joining.
Result<void> Follower::forget_joining() {
    const TableOid oid = joining_->table.oid;
    joining_.reset();
    follow_tables();
    return context_.store.forget(oid);
}

Result<void> Follower::begin_spool() {
    const Table table = context_.joiner.table();
    const bool same = joining_.has_value() && joining_->table.oid == table.oid;
    const bool goes_on = same && context_.joiner.goes_on();
    if (joining_.has_value() && !goes_on) {
        if (auto forgotten = forget_joining(); !forgotten.has_value()) {
            return forgotten;
        }
    }
    if (!goes_on) {
        if (auto forgotten = context_.store.forget(table.oid); !forgotten.has_value()) {
            return forgotten;
        }
        joining_ = Joining{table, {}, {}, {}};
    }
    joining_->table = table;
    joining_->partitions = context_.joiner.complete().partitions;
    follow_tables();
    context_.joiner.spooling(goes_on);
    return {};
}

/// The rows are those of the table at the consistent point and what the spool had then; the stream
/// may still be before that point, and would send those changes again.
Result<void> Follower::finish_joining() {
    const Joiner::Complete complete = context_.joiner.complete();
    if (context_.progress.position() < complete.consistent_point) {
        context_.nudge.request();
        return {};
    }
    if (!context_.joiner.claim()) {
        return {};
    }
    if (!joining_->unreadable.empty() && joining_->unreadable_at >= complete.first_point) {
        context_.joiner.refuse(joining_->unreadable);
        return {};
    }
    const TableOid oid = complete.table.oid;
    for (std::size_t replayed = 1; replayed > 0;) {
        auto page = replay_spool(context_.store, context_.progress, oid, complete.consistent_point);
        if (!page.has_value() && page.error().code == Errc::disk) {
            return page.error();
        }
        if (!page.has_value()) {
            context_.joiner.refuse(page.error().message);
            return {};
        }
        replayed = *page;
    }
    std::vector<Table> tables = tables_;
    tables.push_back(complete.table);
    const std::string versions = publication_fingerprint_ + complete.publication_fingerprint;
    if (auto stored = context_.store.join(tables, versions); !stored.has_value()) {
        return stored;
    }
    tables_ = std::move(tables);
    publication_fingerprint_ = versions;
    for (const auto& [table, known] : joining_->partitions) {
        partitions_[table] = known;
    }
    joining_.reset();
    retake_.reset();  // the view that follows knows of the table
    tell_verifier();
    context_.progress.joined(complete.table);
    context_.joiner.joined();
    joined_ = true;
    spdlog::info(
        "sync: {}.{} is complete at {}",
        complete.table.schema,
        complete.table.name,
        to_string(context_.progress.position())
    );
    return {};
}

Result<void> Follower::end_spool() {
    auto forgotten =
        joining_.has_value() && !context_.joiner.keeps() ? forget_joining() : Result<void>{};
    context_.joiner.forgotten();
    return forgotten;
}

Result<void> Follower::run_timers(bool reply) {
    const Clock::time_point now = Clock::now();
    const bool confirming = reply || now >= status_due_;
    if (reply && proven() && has_landmark()) {
        history_.confirmed = context_.progress.position();
    }
    if (confirming || now >= sync_due_) {
        if (auto synced = sync(); !synced.has_value()) {
            return synced;
        }
        sync_due_ = now + sync_every;
    }
    if (confirming) {
        status_due_ = now + status_every;
        want_landmark();
        return confirm(reply);
    }
    return {};
}

void Follower::want_landmark() {
    if (proven() && !landmarks_) {
        history_.landmark = {};
    }
    const std::uint64_t since =
        context_.progress.position().value - history_.landmark.commit_lsn.value;
    if (proven() && landmarks_ && (!has_landmark() || since > landmark_bytes)) {
        context_.nudge.request();
    }
}

Result<void> Follower::confirm(bool all) {
    const bool asks = silence_.asks(Clock::now());
    if (!proven()) {
        return context_.stream.confirm(confirmed_, confirmed_, asks);
    }
    const Lsn landmark = durable_history_.landmark.commit_lsn;
    const bool hold = !all && durable_history_.landmark != store::Landmark{};
    confirmed_ = std::max(confirmed_, hold ? landmark : durable_);
    return context_.stream.confirm(context_.progress.position(), confirmed_, asks);
}

}  // namespace veer::storage::sync

#include "storage/source/publication.hpp"
#include "storage/source/slot.hpp"
#include "storage/sync/session.hpp"

#include <spdlog/spdlog.h>

namespace veer::storage::sync {

namespace {

constexpr std::size_t load_rows_max = 1'000;
constexpr std::size_t load_bytes_max = 8U << 20U;

/// Collects loaded rows, and tells the observer in batches.
class Loader {
  public:
    Loader(const Table& table, Progress& progress) : table_{table}, progress_{progress} {}

    void add(Row&& row) {
        for (const VectorValue& value : row.vectors) {
            const auto* const vector = std::get_if<Vector>(&value);
            bytes_ += vector == nullptr ? 0 : bytes_of(*vector);
        }
        for (const ColumnValue& value : row.values) {
            const auto* const text = std::get_if<std::string>(&value);
            bytes_ += text == nullptr ? 0 : text->size();
        }
        rows_.push_back(std::move(row));
        if (rows_.size() >= load_rows_max || bytes_ >= load_bytes_max) {
            flush();
        }
    }

    void flush() {
        if (!rows_.empty()) {
            progress_.rows(table_.oid, rows_);
        }
        rows_.clear();
        bytes_ = 0;
    }

  private:
    const Table& table_;
    Progress& progress_;
    std::vector<Row> rows_;
    std::size_t bytes_ = 0;
};

}  // namespace

/// Forgets everything, and begins a stream without a table; all of them join it.
Result<void> Session::start_over(const source::Catalogue& catalogue, const std::string& why) {
    spdlog::info("sync: copying {} tables: {}", catalogue.tables.size(), why);
    auto before = context_.store.state();
    if (!before.has_value()) {
        return before.error();
    }
    const bool first = !before->has_value() || (*before)->slot.empty();
    source::Connection& connection = *catalogue_connection_;
    store::SyncState state;
    state.system_id = catalogue.system_id;
    state.database = catalogue.database;
    state.slot = name_;
    state.publication = name_;
    state.history.timeline = identity_.timeline;
    // Old progress is forgotten before anything of the new copy is made: a crash must not pair the
    // two.
    if (auto reset = context_.store.reset(state); !reset.has_value()) {
        return reset;
    }
    context_.progress.begin(catalogue.database, {});
    context_.progress.expect(catalogue.tables, refusals(catalogue));
    context_.progress.enter(Phase::copying, first ? "" : "Copying again: " + why);
    if (auto dropped = source::drop_slot(connection, name_, name_); !dropped.has_value()) {
        return dropped;
    }
    const auto idle = source::idle_veer_slots(connection, name_);
    if (idle.has_value() && !idle->empty()) {
        spdlog::warn(
            "sync: idle replication slots hold WAL back: {}; if no other veer needs them, "
            "drop them with pg_drop_replication_slot()",
            *idle
        );
    }
    // Before the slot: WAL from before the publication existed cannot be decoded.
    auto published = source::ensure_publication(connection, name_, catalogue.tables);
    if (!published.has_value()) {
        return published;
    }
    auto slot = source::create_slot(*replication_, name_);
    if (!slot.has_value()) {
        return slot.error();
    }
    if (auto finished = context_.store.finish_copy(*slot); !finished.has_value()) {
        return finished;
    }
    context_.progress.ready(*slot);
    return {};
}

Result<void> Session::load(const store::SyncState& state) {
    if (context_.progress.ready_for(state.tables, state.applied)) {
        context_.progress.redefine(state.tables);
        return {};
    }
    context_.progress.begin(state.database, state.tables);
    context_.progress.enter(Phase::loading, "");
    for (const Table& table : state.tables) {
        Loader loader{table, context_.progress};
        bool fits = true;
        auto read = context_.store.for_each_row(table.oid, [&](Row&& row) {
            fits = row.vectors.size() == table.vectors.size() &&
                   row.values.size() == table.copied.size();
            if (fits) {
                loader.add(std::move(row));
            }
            return fits && interrupted().has_value();
        });
        if (!read.has_value()) {
            return read;
        }
        if (!fits) {
            return Error{Errc::gone, "A stored row has another number of columns than its table."};
        }
        if (auto ended = interrupted(); !ended.has_value()) {
            return ended;
        }
        loader.flush();
    }
    context_.progress.ready(state.applied);
    return {};
}

}  // namespace veer::storage::sync

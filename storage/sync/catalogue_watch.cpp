#include "storage/sync/catalogue_watch.hpp"

#include "storage/source/catalogue.hpp"
#include "storage/source/slot.hpp"
#include "storage/sync/partition_changes.hpp"
#include "storage/sync/resume.hpp"
#include "storage/sync/surviving.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <set>
#include <utility>

namespace veer::storage::sync {

namespace {

/// The stream takes a view with its next message, or after 200 ms.
constexpr std::chrono::milliseconds soon{500};

bool same(const CatalogueView& one, const CatalogueView& other) {
    return one.publication == other.publication &&
           one.catalogue.refused == other.catalogue.refused &&
           !difference(one.catalogue.tables, other.catalogue.tables).has_value();
}

}  // namespace

CatalogueWatch::CatalogueWatch(
    source::ConnectOptions options,
    std::string publication,
    ColumnChoices columns,
    std::chrono::milliseconds every,
    std::chrono::milliseconds leave_after
)
    : options_{std::move(options)},
      publication_{std::move(publication)},
      columns_{std::move(columns)},
      every_{every},
      leave_after_{leave_after} {
    options_.wake = &wake_;
    thread_ = std::thread{[this] {
        surviving("the watch of the catalogue", wake_, [this] { run(); });
    }};
}

CatalogueWatch::~CatalogueWatch() {
    wake_.wake();
    thread_.join();
}

std::optional<std::string> CatalogueWatch::finding() const {
    if (!found_.load(std::memory_order_acquire)) {
        return std::nullopt;
    }
    const std::scoped_lock lock{mutex_};
    return finding_;
}

void CatalogueWatch::run() {
    std::optional<source::Connection> connection;
    for (;; wake_.sleep(to_leave_ ? std::min(every_, soon) : every_)) {
        if (wake_.woken()) {
            return;
        }
        if (!connection.has_value()) {
            auto opened = source::Connection::open(options_);
            if (!opened.has_value()) {
                continue;
            }
            connection.emplace(std::move(*opened));
        }
        look_at_timeline(*connection);
        auto seen = look(*connection);
        if (!seen.has_value()) {
            connection.reset();
        } else if (seen->has_value()) {
            const std::scoped_lock lock{mutex_};
            finding_ = std::move(*seen);
            found_.store(true, std::memory_order_release);
            return;
        }
    }
}

std::optional<CatalogueView> CatalogueWatch::take_view() {
    if (!changed_.load(std::memory_order_acquire)) {
        return std::nullopt;
    }
    const std::scoped_lock lock{mutex_};
    changed_.store(false, std::memory_order_release);
    std::optional<CatalogueView> view = std::exchange(view_, std::nullopt);
    handed_out_ = view_number_;
    return view_looked_ == asked_.load(std::memory_order_acquire) ? std::move(view) : std::nullopt;
}

Result<std::optional<std::string>> CatalogueWatch::look(source::Connection& connection) {
    if (const std::uint64_t asked = asked_.load(std::memory_order_acquire); asked != looked_) {
        looked_ = asked;
        last_.reset();
    }
    auto catalogue = source::discover(connection, columns_);
    if (!catalogue.has_value()) {
        return catalogue.error();
    }
    if (catalogue->tables.empty()) {
        return std::optional<std::string>{"there is no table with a usable vector index any more"};
    }
    auto publication = source::read_publication(connection, publication_);
    if (!publication.has_value()) {
        return publication.error();
    }
    if (!publication->has_value()) {
        return std::optional<std::string>{
            "the publication " + publication_ + " is gone or was changed"};
    }
    // A table that was dropped between the two questions has left its publication, too.
    auto again = source::discover(connection, columns_);
    if (!again.has_value()) {
        return again.error();
    }
    if (difference(catalogue->tables, again->tables).has_value()) {
        return std::optional<std::string>{};  // the next look sees it whole
    }
    CatalogueView view{std::move(*catalogue), std::move(**publication)};
    auto whole = look_at_partitions(connection, view);
    if (!whole.has_value() || !*whole) {
        return whole.has_value() ? Result<std::optional<std::string>>{std::nullopt} : whole.error();
    }
    tell(std::move(view));
    to_leave_ = taken_.load(std::memory_order_acquire) != told_;
    if (to_leave_ && std::chrono::steady_clock::now() - told_at_ < leave_after_) {
        return std::optional<std::string>{};
    }
    auto kept = keep_publication(connection, again->tables);
    return kept.has_value() ? Result<std::optional<std::string>>{std::nullopt} : kept.error();
}

/// Whether those that have come since the first look are empty; false where what the view says of
/// them is past already.
Result<bool> CatalogueWatch::look_at_partitions(
    source::Connection& connection, CatalogueView& view
) {
    const Partitions& all = view.catalogue.partitions;
    for (const auto& [table, list] : all) {
        PartitionList& judged = judged_.try_emplace(table, list).first->second;
        std::set<TableOid> came = came_since(judged, list);
        std::erase_if(came, [&list = list](TableOid one) { return !has_rows(list.at(one)); });
        auto empty = source::find_empty(connection, table, list, came);
        if (!empty.has_value() || !empty->has_value()) {
            return empty.has_value() ? Result<bool>{false} : empty.error();
        }
        empty_.merge(**empty);
        judged = list;
    }
    std::erase_if(judged_, [&](const auto& table) { return !all.contains(table.first); });
    std::erase_if(empty_, [&](const auto& one) {
        return std::none_of(all.begin(), all.end(), [&](const auto& table) {
            return table.second.contains(one.first);
        });
    });
    if (all.empty()) {
        return true;
    }
    auto looked = source::insert_end(connection);
    if (!looked.has_value()) {
        return looked.error();
    }
    view.empty = empty_;
    view.looked = *looked;
    return true;
}

/// What cannot be asked for, or is not known (a standby that has just begun: 0), says nothing.
void CatalogueWatch::look_at_timeline(source::Connection& connection) {
    const auto rows = connection.query(
        "SELECT CASE WHEN pg_catalog.pg_is_in_recovery()"
        " THEN (SELECT r.min_recovery_end_timeline FROM pg_catalog.pg_control_recovery() r)"
        " ELSE pg_catalog.concat('x', pg_catalog.\"left\"(pg_catalog.pg_walfile_name("
        "pg_catalog.pg_current_wal_insert_lsn()), 8))::pg_catalog.bit(32)::pg_catalog.int4 END"
    );
    const std::int64_t now = rows.has_value() ? rows->integer(0, 0) : 0;
    if (timeline_ == 0) {
        timeline_ = now;
    } else if (now != 0 && now != timeline_) {
        moved_.store(true, std::memory_order_release);
    }
}

void CatalogueWatch::tell(CatalogueView view) {
    if (last_.has_value() && same(*last_, view)) {
        return;
    }
    last_ = view;
    told_at_ = std::chrono::steady_clock::now();
    const std::scoped_lock lock{mutex_};
    view_ = std::move(view);
    view_looked_ = looked_;
    view_number_ = ++told_;
    changed_.store(true, std::memory_order_release);
}

/// Fails where the connection is lost.
Result<void> CatalogueWatch::keep_publication(
    source::Connection& connection, const std::vector<Table>& kept
) {
    auto left = source::leave_publication(connection, publication_, kept);
    const std::string warning = left.has_value() ? "" : left.error().message;
    if (!warning.empty() && warning != warned_) {
        spdlog::warn("sync: {}", warning);
    }
    warned_ = warning;
    return left.has_value() || left.error().code != Errc::connection ? Result<void>{} : left;
}

}  // namespace veer::storage::sync

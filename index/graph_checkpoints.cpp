#include "index/graph_checkpoints.hpp"

#include "index/checkpoint.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <string>
#include <utility>

namespace veer::index {

namespace {

/// A checkpoint must not be most of what veer does.
constexpr int pause_per_checkpoint = 10;

/// What a clean stop may spend on the last one.
constexpr std::chrono::seconds last_checkpoint_max{5};

/// Names change, and are those of another table then.
std::string checkpoint_name(const IndexedColumn& column) {
    const storage::Table& table = column.table;
    const auto attnum = [&table](std::size_t vector) {
        return std::to_string(table.columns[table.vectors[vector]].attnum);
    };
    std::string columns = attnum(column.ann.vector);
    if (column.ann.legacy.has_value()) {
        columns += '+' + attnum(*column.ann.legacy);
    }
    return std::to_string(table.oid.value) + '.' + columns + ' ' + column.ann.operator_name;
}

}  // namespace

GraphCheckpoints::GraphCheckpoints(
    storage::ChunkStore* store, std::chrono::milliseconds interval, Source source
)
    : store_{store}, interval_{interval}, source_{std::move(source)} {}

std::unique_lock<std::mutex> GraphCheckpoints::interrupt() {
    interrupted_ = true;
    std::unique_lock lock{mutex_};
    interrupted_ = false;
    return lock;
}

void GraphCheckpoints::restore(const IndexedColumn& column, RouteIndex& index) {
    // A checkpoint's dead vectors have one size; sparse ones are linked from the rows at each
    // start.
    if (store_ == nullptr || kind_of(column) == storage::VectorKind::sparsevec) {
        return;
    }
    const auto begun = index.restore(*store_, checkpoint_name(column));
    if (!begun.has_value()) {
        spdlog::warn(
            "index: the checkpoint of {} is of no use, its graph is built from the rows: {}",
            name_of(column),
            begun.error().message
        );
    }
}

void GraphCheckpoints::say_restored(const IndexedColumn& column) {
    if (const auto restored = column.index->restored()) {
        spdlog::info(
            "index: the graph of {} is the checkpoint's: {} rows as they were, {} linked anew, "
            "{} gone",
            name_of(column),
            restored->rows,
            restored->other,
            restored->lost
        );
    }
}

void GraphCheckpoints::sweep(const std::vector<IndexedColumn>& columns) {
    if (store_ == nullptr) {
        return;
    }
    auto keys = store_->keys("g");
    if (!keys.has_value()) {
        return;
    }
    std::erase_if(*keys, [&](const std::string& key) {
        return std::any_of(columns.begin(), columns.end(), [&](const IndexedColumn& column) {
            return key.starts_with(checkpoint::key_prefix(checkpoint_name(column)));
        });
    });
    if (!keys->empty()) {
        (void)store_->commit("swept", "", *keys);
    }
}

void GraphCheckpoints::request() {
    if (store_ != nullptr && interval_.count() > 0) {
        upkeep_.request();
    }
}

std::chrono::milliseconds GraphCheckpoints::write(const std::function<bool()>& stop) {
    using std::chrono::milliseconds;
    const std::lock_guard lock{mutex_};
    const std::function<bool()> stopping = [&] {
        return interrupted_ || stop();
    };
    const auto began = std::chrono::steady_clock::now();
    const std::shared_ptr<const Generation> current = source_.generation();
    for (const IndexedColumn& column : current->columns) {
        if (!column.complete) {
            continue;
        }
        const storage::Lsn position = source_.applied();  // at least this is in what is published
        // Searches see it as const; a checkpoint changes nothing of what they see.
        const auto index = std::const_pointer_cast<RouteIndex>(column.index);
        const auto written = index->checkpoint(position, stopping);
        if (!written.has_value() && !stopping()) {
            spdlog::warn(
                "index: no checkpoint of {}: {}", name_of(column), written.error().message
            );
        } else if (written.has_value() && *written > 0) {
            spdlog::debug(
                "index: checkpoint of {} at {}: {} bytes",
                name_of(column),
                to_string(position),
                *written
            );
        }
    }
    const auto spent =
        std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began);
    return std::max(interval_, spent * pause_per_checkpoint);
}

void GraphCheckpoints::stop() {
    upkeep_.stop();
    const auto until = std::chrono::steady_clock::now() + last_checkpoint_max;
    if (store_ != nullptr) {
        write([&] { return std::chrono::steady_clock::now() > until; });
    }
}

}  // namespace veer::index

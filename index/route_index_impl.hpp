#pragma once

#include "index/checkpoint_writer.hpp"
#include "index/matches.hpp"
#include "index/rebuild.hpp"
#include "index/records.hpp"
#include "index/restore.hpp"
#include "index/retired.hpp"
#include "index/route_index.hpp"
#include "index/segment.hpp"
#include "index/unplaced_rows.hpp"
#include "index/upkeep.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace veer::index {

/// The state of a RouteIndex: the writer's, what searches see of it, and the two threads beside it.
///
///     writer_          put, erase, ...: the segment, who lives, the open transaction
///     mutex_           the snapshot that searches take; held for moments, taken last
///     checkpoint_mutex_ one checkpoint at a time; taken first
class RouteIndex::Impl {
  public:
    /// A row that is put or loaded.
    struct Row {
        std::string_view key;
        std::span<const float> vector;
        std::span<const storage::ColumnValue> values;
    };

    /// What a search sees: taken whole, under the mutex, so that a swap of the segment and the
    /// number of the last transaction can never be mixed.
    struct Snapshot {
        std::shared_ptr<const Segment> segment;
        Sequence published = 0;
        std::size_t live = 0;
        std::size_t slots = 0;
        std::shared_ptr<const Records> records;
        std::shared_ptr<MatchCache> matches;  ///< of `records`
        std::size_t record_count = 0;
        Unplaced unplaced = {};
    };

    explicit Impl(IndexOptions options);

    const IndexOptions& options() const { return options_; }

    const Space& space() const { return space_; }

    Snapshot snapshot() const {
        const std::lock_guard lock{mutex_};
        return snapshot_;
    }

    std::uint64_t rejected() const { return rejected_.load(std::memory_order_relaxed); }

    std::uint64_t missing() const { return missing_.load(std::memory_order_relaxed); }

    void load(std::span<const Entry> entries, unsigned threads);
    Result<void> put(const Row& row);
    void erase(std::string_view key);
    void clear();
    void publish();
    Result<std::vector<Hit>> search(const SearchRequest& request, bool exact) const;

    storage::Result<bool> restore(storage::ChunkStore& store, const std::string& name);
    storage::Result<std::uint64_t> checkpoint(
        storage::Lsn position, const std::function<bool()>& stopping
    );

    std::optional<Restored> restored() const {
        const std::lock_guard lock{mutex_};
        return restored_;
    }

    void request_rebuild() {
        rebuild_wanted_ = true;
        upkeep_.request();
    }

    bool rebuilding() const { return rebuild_wanted_ || rebuilding_; }

    void settle() { upkeep_.settle(); }

    void stop_upkeep() { upkeep_.stop(); }

    std::string upkeep_trouble() const {
        const std::lock_guard lock{mutex_};
        return upkeep_trouble_;
    }

    std::uint64_t rows() {
        const auto lock = writing();
        return live_.size();
    }

    std::uint64_t rebuilds() const { return rebuilds_.load(std::memory_order_relaxed); }

    std::uint64_t relinked() const { return relinked_.load(std::memory_order_relaxed); }

    std::uint64_t memory_bytes() const {
        const Snapshot view = snapshot();
        return view.segment->memory_bytes() + view.records->memory_bytes();
    }

    FileBytes file_bytes() const;

  private:
    static constexpr std::size_t capacity_min = 1024;

    GraphOptions graph_options() const {
        return {
            .m = options_.m,
            .ef_construction = options_.ef_construction,
            .seed = options_.seed,
            .quantization = options_.quantization,
            .vector_file = options_.vector_file};
    }

    /// The writer's lock. A mutex is not fair, and a writer that takes it again at once would keep
    /// upkeep from it: so it lets whoever waits go first.
    std::unique_lock<std::mutex> writing() {
        upkeep_waits_.wait(true);
        return std::unique_lock{writer_};
    }

    std::unique_lock<std::mutex> keeping_up() {
        upkeep_waits_ = true;
        std::unique_lock lock{writer_};
        upkeep_waits_ = false;
        upkeep_waits_.notify_all();
        return lock;
    }

    static Result<std::vector<Slot>> find(
        const Space& space, const Snapshot& view, const SearchRequest& request, bool exact
    );
    static Result<std::vector<Slot>> find_matching(
        const Space& space, const Snapshot& view, const SearchRequest& request, bool exact
    );

    std::size_t slots_max() const;

    Room room() const {
        Room room{slots_max(), options_.budget, Records::bytes_per_slot(options_.columns)};
        if (!space_.fixed_size()) {
            room.bytes_max = options_.memory_bytes_max;
        }
        return room;
    }

    std::uint64_t texts_max() const;

    std::shared_ptr<Records> make_records() const {
        return std::make_shared<Records>(
            options_.columns, Records::records_max(options_.columns), options_.budget
        );
    }

    Result<std::optional<Slot>> stage(const Row& row);
    Result<void> set_values(Slot slot, std::span<const storage::ColumnValue> values);
    void kill(Slot slot);
    void remove(std::string_view key);
    std::vector<Restore::Claim> fill_restored(std::span<const Entry> entries);
    void finish_restore();
    bool is_worn() const;
    bool has_worn_records() const;
    bool has_grown() const;
    bool needs_upkeep() const;
    bool judge_codes();

    std::chrono::milliseconds keep_up(const std::atomic<bool>& stopping);
    bool rebuild(const std::atomic<bool>& stopping);
    bool rebuild_from(
        const std::shared_ptr<Segment>& old,
        const std::shared_ptr<Records>& records,
        Sequence published,
        std::size_t live,
        Changes begin,
        const std::atomic<bool>& stopping
    );
    bool copy_all(Rebuild& rebuild, Changes changes, const std::atomic<bool>& stopping);
    std::optional<bool> exchange(
        Rebuild& rebuild,
        bool catches_up,
        Changes& changes,
        std::chrono::nanoseconds& held,
        const std::atomic<bool>& stopping
    );
    bool renew_records(const std::atomic<bool>& stopping);
    bool exchange_records(
        RecordsCopy& copy, std::size_t tail_max, std::size_t& end, const std::atomic<bool>& stopping
    );
    void repair(const std::atomic<bool>& stopping);

    IndexOptions options_;
    Space space_;

    // The writer's, and upkeep's for moments; both hold writer_.
    std::mutex writer_;
    std::atomic<bool> upkeep_waits_{false};
    std::shared_ptr<Segment> segment_;
    std::shared_ptr<Records> records_;                 ///< of segment_
    std::shared_ptr<MatchCache> matches_;              ///< of records_
    std::unordered_map<std::string_view, Slot> live_;  ///< views of the segment's keys
    UnplacedRows unplaced_;                            ///< rows that live_ does not have
    Sequence open_ = 1;                                ///< the open transaction
    unsigned builders_ = 1;                            ///< of the last load, for a rebuild
    std::unique_ptr<Restore> restore_;                 ///< between restore() and publish()
    std::vector<Slot> unlinked_;                       ///< rows that came meanwhile
    std::optional<std::vector<Slot>> deaths_;          ///< since a rebuild looked last
    std::size_t checked_slots_ = 0;                    ///< how many there were at the last repair
    std::size_t no_memory_for_ = no_slot;              ///< rows that upkeep last found none for

    // Upkeep's alone, once there is nothing to be restored.
    Retired retired_;                 ///< what searches that began before may still use
    bool codes_chosen_anew_ = false;  ///< by a rebuild, and have not been found good since
    std::atomic<std::size_t> vectors_walked_until_ = 0;  ///< rows: fewer are rebuilt without codes

    std::atomic<std::uint64_t> rejected_{0};
    std::atomic<std::uint64_t> missing_{0};
    std::atomic<std::uint64_t> rebuilds_{0};
    std::atomic<bool> rebuild_wanted_{false};  ///< by somebody
    std::atomic<bool> rebuilding_{false};
    std::atomic<std::uint64_t> relinked_{0};
    mutable std::mutex mutex_;  ///< taken last, held for moments
    Snapshot snapshot_;
    std::string upkeep_trouble_;
    std::optional<Restored> restored_;
    std::mutex checkpoint_mutex_;  ///< taken first
    std::unique_ptr<CheckpointWriter> checkpoints_;
    Upkeep upkeep_{[this](const std::atomic<bool>& stopping) {
        return keep_up(stopping);
    }};
};

}  // namespace veer::index

#include "index/route_index.hpp"

#include "index/checkpoint_writer.hpp"
#include "index/nearest.hpp"
#include "index/rebuild.hpp"
#include "index/restore.hpp"
#include "index/segment.hpp"
#include "index/upkeep.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <new>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace veer::index {

namespace {

constexpr std::size_t capacity_min = 1024;

/// Catalogue estimates can be absurd; beyond this an index grows by doubling.
constexpr std::size_t expected_rows_max = std::size_t{4} << 20;

/// Below this a rebuild saves nothing that anyone could notice.
constexpr std::size_t dead_slots_min = 1000;
constexpr std::size_t dead_share = 5;  ///< one in five

/// So many new slots later it is looked again for nodes out of reach: this many, and one in ten.
constexpr std::size_t new_slots_min = 1000;
constexpr std::size_t new_share = 10;

/// Changes that a rebuild may copy while the writer waits: at first, and at last, when it falls
/// behind a writer that changes rows as fast as they are copied.
constexpr std::size_t tail_min = 32;
constexpr unsigned tail_doublings = 7;

/// When a rebuild that found no memory is tried again.
constexpr std::chrono::milliseconds retry_after{10'000};

}  // namespace

class RouteIndex::Impl {
  public:
    /// What a search sees: taken whole, under the mutex, so that a swap of the segment and the
    /// number of the last transaction can never be mixed.
    struct Snapshot {
        std::shared_ptr<const Segment> segment;
        Sequence published = 0;
        std::size_t live = 0;
        std::size_t slots = 0;
    };

    explicit Impl(const IndexOptions& options)
        : options_{options}, space_{options.metric, options.dimensions, options.kind} {
        const std::size_t expected = std::min(
            std::clamp<std::size_t>(options.expected_rows, capacity_min, expected_rows_max),
            slots_max()
        );
        auto segment = Segment::create(space_, graph_options(), expected, room());
        if (!segment) {
            segment = Segment::create(
                space_, graph_options(), std::min(capacity_min, slots_max()), room()
            );
        }
        if (!segment) {
            throw std::bad_alloc{};
        }
        segment_ = std::move(*segment);
        snapshot_.segment = segment_;
    }

    const IndexOptions& options() const { return options_; }

    const Space& space() const { return space_; }

    Snapshot snapshot() const {
        const std::lock_guard lock{mutex_};
        return snapshot_;
    }

    std::uint64_t rejected() const { return rejected_.load(std::memory_order_relaxed); }

    std::uint64_t missing() const { return missing_.load(std::memory_order_relaxed); }

    void load(std::span<const Entry> entries, unsigned threads);
    Result<void> put(std::string_view key, std::span<const float> vector);
    void erase(std::string_view key);
    void clear();
    void publish();

    storage::Result<bool> restore(storage::ChunkStore& store, const std::string& name);
    storage::Result<std::uint64_t> checkpoint(
        storage::Lsn position, const std::function<bool()>& stopping
    );

    std::optional<Restored> restored() const {
        const std::lock_guard lock{mutex_};
        return restored_;
    }

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

    std::uint64_t memory_bytes() const { return snapshot().segment->memory_bytes(); }

  private:
    GraphOptions graph_options() const {
        return {
            .m = options_.m,
            .ef_construction = options_.ef_construction,
            .seed = options_.seed,
            .quantization = options_.quantization};
    }

    /// What a rebuild has to follow.
    struct Changes {
        std::size_t end = 0;
        std::vector<Slot> dead;
    };

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

    std::size_t slots_max() const;

    Room room() const { return {slots_max(), options_.budget}; }

    Result<std::optional<Slot>> stage(std::string_view key, std::span<const float> vector);
    void kill(Slot slot);
    void remove(std::string_view key);
    void finish_restore();
    bool is_worn() const;
    bool has_grown() const;

    std::chrono::milliseconds keep_up(const std::atomic<bool>& stopping);
    bool rebuild(const std::atomic<bool>& stopping);
    bool rebuild_from(
        const std::shared_ptr<Segment>& old,
        Sequence published,
        std::size_t live,
        Changes begin,
        const std::atomic<bool>& stopping
    );
    bool copy_all(Rebuild& rebuild, Changes changes, const std::atomic<bool>& stopping);
    std::optional<bool> exchange(
        Rebuild& rebuild, std::size_t tail_max, Changes& changes, const std::atomic<bool>& stopping
    );
    void repair(const std::atomic<bool>& stopping);

    IndexOptions options_;
    Space space_;

    // The writer's, and upkeep's for moments; both hold writer_.
    std::mutex writer_;
    std::atomic<bool> upkeep_waits_{false};
    std::shared_ptr<Segment> segment_;
    std::unordered_map<std::string_view, Slot> live_;  ///< views of the segment's keys
    Sequence open_ = 1;                                ///< the open transaction
    unsigned builders_ = 1;                            ///< of the last load, for a rebuild
    std::unique_ptr<Restore> restore_;                 ///< between restore() and publish()
    std::vector<Slot> unlinked_;                       ///< rows that came meanwhile
    std::optional<std::vector<Slot>> deaths_;          ///< since a rebuild looked last
    std::size_t checked_slots_ = 0;                    ///< how many there were at the last repair

    std::atomic<std::uint64_t> rejected_{0};
    std::atomic<std::uint64_t> missing_{0};
    std::atomic<std::uint64_t> rebuilds_{0};
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

std::size_t RouteIndex::Impl::slots_max() const {
    return std::min<std::size_t>(
        options_.memory_bytes_max / memory_estimate(1, options_.dimensions, options_.m), no_slot
    );
}

/// Stores one row without linking it; the slot to link, if it needs that.
Result<std::optional<Slot>> RouteIndex::Impl::stage(
    std::string_view key, std::span<const float> vector
) {
    const Result<void> checked = vector.empty() ? Result<void>{} : space_.check(vector);
    if (vector.empty() || !checked) {
        remove(key);
        if (vector.empty() || checked.error() == Errc::zero_norm) {
            return std::nullopt;
        }
        rejected_.fetch_add(1, std::memory_order_relaxed);
        return checked.error();
    }
    const auto current = live_.find(key);
    if (current != live_.end() && segment_->holds(current->second, vector)) {
        return std::nullopt;
    }
    if (const auto reserved = segment_->make_room(segment_->graph().size() + 1); !reserved) {
        return reserved.error();
    }
    const auto added = segment_->add(key, vector, open_);
    if (!added) {
        return added.error();
    }
    if (current != live_.end()) {
        kill(current->second);
        current->second = added->slot;
    } else {
        live_.emplace(added->key, added->slot);
    }
    return added->needs_link ? std::optional{added->slot} : std::nullopt;
}

Result<void> RouteIndex::Impl::put(std::string_view key, std::span<const float> vector) {
    const auto lock = writing();
    finish_restore();
    const auto staged = stage(key, vector);
    if (!staged) {
        missing_ += staged.error() == Errc::out_of_memory ? 1U : 0U;
        return staged.error();
    }
    if (!*staged) {
        return {};
    }
    (void)segment_->train();  // without memory for codes, vectors do
    auto linked = segment_->link_one(**staged);
    missing_ += linked ? 0U : 1U;
    return linked;
}

void RouteIndex::Impl::load(std::span<const Entry> entries, unsigned threads) {
    const auto lock = writing();
    builders_ = std::max(threads, 1U);
    (void)segment_->make_room(
        segment_->graph().size() + entries.size()
    );  // at once; else each row asks for itself
    std::vector<Slot> nodes;
    nodes.reserve(entries.size());
    for (const Entry& entry : entries) {
        if (restore_ && restore_->take(entry.key, entry.vector, live_)) {
            continue;
        }
        const auto staged = stage(entry.key, entry.vector);
        if (!staged) {
            missing_ += staged.error() == Errc::out_of_memory ? 1U : 0U;
        } else if (*staged) {
            nodes.push_back(**staged);
        }
    }
    if (restore_) {
        unlinked_.insert(unlinked_.end(), nodes.begin(), nodes.end());
        return;  // nodes without a vector yet lead nowhere
    }
    (void)segment_->train();  // without memory for codes, vectors do
    missing_ += segment_->link(nodes, builders_);
}

storage::Result<bool> RouteIndex::Impl::restore(
    storage::ChunkStore& store, const std::string& name
) {
    const std::lock_guard checkpoint_lock{checkpoint_mutex_};
    checkpoints_ = std::make_unique<CheckpointWriter>(store, name, options_);
    auto begun = Restore::begin(store, name, options_, space_, graph_options(), room());
    if (!begun.has_value()) {
        return begun.error();
    }
    if (*begun == nullptr) {
        return false;
    }
    const auto lock = writing();
    restore_ = std::move(*begun);
    segment_ = restore_->segment();
    return true;
}

void RouteIndex::Impl::finish_restore() {
    if (!restore_) {
        return;
    }
    const std::unique_ptr<Restore> restore = std::move(restore_);
    const Restore::Finished finished = restore->finish(unlinked_);
    (void)segment_->train();  // without memory for codes, vectors do
    missing_ += segment_->link(unlinked_, builders_) + (finished.in_memory ? 0U : 1U);
    unlinked_ = {};
    const std::lock_guard lock{mutex_};
    snapshot_.segment = segment_;
    restored_ = {finished.taken, live_.size() - finished.taken, finished.lost};
    if (checkpoints_) {
        checkpoints_->resume(segment_, restore->manifest());
    }
}

/// One that has not been published has nothing that the checkpoint before has not.
storage::Result<std::uint64_t> RouteIndex::Impl::checkpoint(
    storage::Lsn position, const std::function<bool()>& stopping
) {
    const std::lock_guard lock{checkpoint_mutex_};
    const Snapshot view = snapshot();
    if (view.published == 0 || !checkpoints_) {
        return std::uint64_t{0};
    }
    try {
        auto written =
            checkpoints_->write({view.segment, view.slots, view.published, position}, stopping);
        return written.has_value() ? storage::Result<std::uint64_t>{written->bytes}
                                   : storage::Result<std::uint64_t>{written.error()};
    } catch (const std::exception& error) {
        return storage::Error{storage::Errc::unexpected, error.what()};
    }
}

void RouteIndex::Impl::kill(Slot slot) {
    segment_->kill(slot, open_);
    if (deaths_) {
        deaths_->push_back(slot);
    }
}

void RouteIndex::Impl::remove(std::string_view key) {
    const auto row = live_.find(key);
    if (row != live_.end()) {
        kill(row->second);
        live_.erase(row);
    }
}

void RouteIndex::Impl::erase(std::string_view key) {
    const auto lock = writing();
    finish_restore();
    remove(key);
}

void RouteIndex::Impl::clear() {
    const auto lock = writing();
    finish_restore();
    for (const auto& [key, slot] : live_) {
        kill(slot);
    }
    live_.clear();
}

void RouteIndex::Impl::publish() {
    const auto lock = writing();
    finish_restore();
    Snapshot next{segment_, open_, live_.size(), segment_->graph().size()};
    {
        const std::lock_guard snapshot_lock{mutex_};
        std::swap(snapshot_, next);
    }
    ++open_;
    if (is_worn() || has_grown()) {
        upkeep_.request();
    }
}

bool RouteIndex::Impl::is_worn() const {
    const std::size_t slots = segment_->graph().size();
    const std::size_t dead = slots - live_.size();
    return dead > dead_slots_min && dead * dead_share > slots;
}

bool RouteIndex::Impl::has_grown() const {
    const std::size_t fresh = segment_->graph().size() - checked_slots_;
    return fresh > new_slots_min && fresh * new_share > checked_slots_;
}

std::chrono::milliseconds RouteIndex::Impl::keep_up(const std::atomic<bool>& stopping) {
    bool worn = false;
    {
        const auto lock = keeping_up();
        worn = is_worn();
    }
    const bool rebuilt = !worn || rebuild(stopping);
    if (!stopping) {
        repair(stopping);
    }
    return rebuilt ? std::chrono::milliseconds{0} : retry_after;
}

/// False where it found no memory.
bool RouteIndex::Impl::rebuild(const std::atomic<bool>& stopping) {
    std::shared_ptr<Segment> old;
    Sequence published = 0;
    std::size_t live = 0;
    Changes begin;
    {
        const auto lock = keeping_up();
        old = segment_;
        published = open_ - 1;
        live = live_.size();
        begin.end = old->graph().size();
        deaths_.emplace();
    }
    const bool done = rebuild_from(old, published, live, std::move(begin), stopping);
    {
        const auto lock = keeping_up();
        deaths_.reset();
    }
    const std::lock_guard lock{mutex_};
    upkeep_trouble_.clear();
    if (!done && !stopping) {
        const std::uint64_t bytes = memory_estimate(live, options_.dimensions, options_.m);
        upkeep_trouble_ = "It cannot be rebuilt without its deleted rows: that needs " +
                          std::to_string(bytes) + " bytes of memory";
        if (options_.budget) {
            upkeep_trouble_ += ", and of [limits] index_memory_max " +
                               std::to_string(options_.budget->left()) + " are left";
        }
        upkeep_trouble_ += '.';
    }
    return done || stopping;
}

bool RouteIndex::Impl::rebuild_from(
    const std::shared_ptr<Segment>& old,
    Sequence published,
    std::size_t live,
    Changes begin,
    const std::atomic<bool>& stopping
) {
    const std::size_t capacity = std::min(std::max(capacity_min, live * 5 / 4), slots_max());
    auto fresh = Segment::create(space_, graph_options(), capacity, room());
    if (!fresh || !(*fresh)->make_room(std::max<std::size_t>(live, 1))) {
        return false;
    }
    try {
        Rebuild rebuild{old, *fresh, published};
        return copy_all(rebuild, std::move(begin), stopping);
    } catch (const std::exception&) {
        return false;
    }
}

/// Copies, and looks what has changed meanwhile, until that is little.
bool RouteIndex::Impl::copy_all(
    Rebuild& rebuild, Changes changes, const std::atomic<bool>& stopping
) {
    const unsigned threads = std::max(1U, builders_ / 2);  // searches need the others
    for (unsigned round = 0;; ++round) {
        if (!rebuild.follow(changes.end, changes.dead, threads, stopping)) {
            return false;
        }
        const std::size_t tail_max = tail_min << std::min(round, tail_doublings);
        const auto exchanged = exchange(rebuild, tail_max, changes, stopping);
        if (!exchanged || *exchanged) {
            return exchanged.has_value();
        }
    }
}

/// Copies the tail and puts the fresh segment in the old one's place, where the tail is short; else
/// says false, and in `changes` what is to be copied first; nothing where that failed.
std::optional<bool> RouteIndex::Impl::exchange(
    Rebuild& rebuild, std::size_t tail_max, Changes& changes, const std::atomic<bool>& stopping
) {
    Snapshot before;  // dies outside of the locks
    const auto lock = keeping_up();
    changes = {segment_->graph().size(), std::exchange(*deaths_, {})};
    if (changes.end - rebuild.copied() + changes.dead.size() > tail_max) {
        return false;
    }
    if (!rebuild.follow(changes.end, changes.dead, 1, stopping)) {
        return std::nullopt;
    }
    segment_ = rebuild.fresh();
    live_.swap(rebuild.live());
    checked_slots_ = 0;
    ++rebuilds_;
    const std::lock_guard snapshot_lock{mutex_};
    before = snapshot_;
    snapshot_.segment = segment_;
    snapshot_.slots = segment_->graph().size();
    return true;
}

/// Beside the writer, which may link other nodes meanwhile.
void RouteIndex::Impl::repair(const std::atomic<bool>& stopping) {
    std::shared_ptr<Segment> segment;
    std::size_t slots = 0;
    {
        const auto lock = keeping_up();
        if (!has_grown()) {
            return;
        }
        segment = segment_;
        slots = segment->graph().size();
    }
    relinked_ += segment->repair(slots, stopping);
    const auto lock = keeping_up();
    checked_slots_ = segment == segment_ ? slots : checked_slots_;
}

RouteIndex::RouteIndex(IndexOptions options) : impl_{std::make_unique<Impl>(options)} {}

RouteIndex::~RouteIndex() = default;

storage::Result<bool> RouteIndex::restore(storage::ChunkStore& store, const std::string& name) {
    return impl_->restore(store, name);
}

std::optional<RouteIndex::Restored> RouteIndex::restored() const {
    return impl_->restored();
}

storage::Result<std::uint64_t> RouteIndex::checkpoint(
    storage::Lsn position, const std::function<bool()>& stopping
) {
    return impl_->checkpoint(position, stopping);
}

void RouteIndex::settle() {
    impl_->settle();
}

void RouteIndex::stop_upkeep() {
    impl_->stop_upkeep();
}

std::string RouteIndex::upkeep_trouble() const {
    return impl_->upkeep_trouble();
}

std::uint64_t RouteIndex::rebuilds() const {
    return impl_->rebuilds();
}

std::uint64_t RouteIndex::relinked() const {
    return impl_->relinked();
}

std::uint64_t RouteIndex::memory_bytes() const {
    return impl_->memory_bytes();
}

const IndexOptions& RouteIndex::options() const {
    return impl_->options();
}

void RouteIndex::load(std::span<const Entry> entries, unsigned threads) {
    impl_->load(entries, threads);
}

Result<void> RouteIndex::put(const std::string& key, std::span<const float> vector) {
    return impl_->put(key, vector);
}

void RouteIndex::erase(const std::string& key) {
    impl_->erase(key);
}

void RouteIndex::clear() {
    impl_->clear();
}

void RouteIndex::publish() {
    impl_->publish();
}

Result<std::vector<Hit>> RouteIndex::search(
    std::span<const float> query, std::size_t k, std::size_t ef, const SearchLimits& limits
) const {
    const Space& space = impl_->space();
    if (const auto checked = space.check(query); !checked) {
        return checked.error();
    }
    const Impl::Snapshot view = impl_->snapshot();
    const Nearest nearest{space, *view.segment, view.slots, view.published, limits};
    return nearest.walk(query, std::min(k, view.live), std::max({ef, k, std::size_t{1}}));
}

Result<std::vector<Hit>> RouteIndex::search_exact(
    std::span<const float> query, std::size_t k, const SearchLimits& limits
) const {
    const Space& space = impl_->space();
    if (const auto checked = space.check(query); !checked) {
        return checked.error();
    }
    const Impl::Snapshot view = impl_->snapshot();
    const Nearest nearest{space, *view.segment, view.slots, view.published, limits};
    return nearest.scan(query, std::min(k, view.live));
}

double RouteIndex::distance(std::span<const float> a, std::span<const float> b) const {
    std::vector<float> code_a(Space::code_floats(a));
    std::vector<float> code_b(Space::code_floats(b));
    impl_->space().encode(a, code_a.data());
    impl_->space().encode(b, code_b.data());
    return impl_->space().reported(code_a.data(), code_b.data());
}

std::uint64_t RouteIndex::live_rows() const {
    return impl_->snapshot().live;
}

std::uint64_t RouteIndex::rows() const {
    return impl_->rows();
}

std::uint64_t RouteIndex::dead_slots() const {
    const Impl::Snapshot view = impl_->snapshot();
    return view.slots - view.live;
}

std::uint64_t RouteIndex::missing_rows() const {
    return impl_->missing();
}

std::uint64_t memory_estimate(std::uint64_t rows, std::uint32_t dimensions, std::uint32_t m) {
    return rows * Segment::bytes_per_row(dimensions, m);
}

std::uint64_t RouteIndex::rejected() const {
    return impl_->rejected();
}

}  // namespace veer::index

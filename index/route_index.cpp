#include "index/route_index.hpp"

#include "index/nearest.hpp"
#include "index/segment.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <new>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace veer::index {

namespace {

constexpr std::size_t capacity_min = 1024;

/// Catalogue estimates can be absurd; beyond this an index grows by doubling.
constexpr std::size_t expected_rows_max = std::size_t{4} << 20;

/// A row's entries in the maps from key and from vector to slot: two nodes and their buckets.
constexpr std::size_t map_bytes_per_row = 112;

/// Below this a rebuild saves nothing that anyone could notice.
constexpr std::size_t dead_slots_min = 1000;
constexpr std::size_t dead_share = 5;  ///< one in five

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
        : options_{options}, space_{options.metric, options.dimensions} {
        const std::size_t expected = std::min(
            std::clamp<std::size_t>(options.expected_rows, capacity_min, expected_rows_max),
            slots_max()
        );
        auto segment = Segment::create(space_, graph_options(), expected);
        if (!segment) {
            segment = Segment::create(space_, graph_options(), std::min(capacity_min, slots_max()));
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

  private:
    GraphOptions graph_options() const {
        return {
            .m = options_.m,
            .ef_construction = options_.ef_construction,
            .seed = options_.seed,
            .quantization = options_.quantization};
    }

    std::size_t slots_max() const;
    Result<void> reserve(std::size_t more);
    Result<std::optional<Slot>> stage(std::string_view key, std::span<const float> vector);
    bool is_worn() const;
    void compact();
    void show();

    IndexOptions options_;
    Space space_;

    // The writer's.
    std::shared_ptr<Segment> segment_;
    std::unordered_map<std::string_view, Slot> live_;  ///< views of the segment's keys
    Sequence open_ = 1;                                ///< the open transaction
    unsigned builders_ = 1;                            ///< of the last load, for a rebuild

    std::atomic<std::uint64_t> rejected_{0};
    std::atomic<std::uint64_t> missing_{0};
    mutable std::mutex mutex_;
    Snapshot snapshot_;
};

std::size_t RouteIndex::Impl::slots_max() const {
    return options_.memory_bytes_max / memory_estimate(1, options_.dimensions, options_.m);
}

Result<void> RouteIndex::Impl::reserve(std::size_t more) {
    const std::size_t needed = segment_->graph().size() + more;
    const std::size_t capacity = segment_->graph().capacity();
    if (needed <= capacity) {
        return {};
    }
    if (needed > slots_max()) {
        return make_error_code(Errc::out_of_memory);
    }
    if (segment_->reserve(std::min(std::max(needed, 2 * capacity), slots_max()))) {
        return {};
    }
    return segment_->reserve(needed);
}

/// Stores one row without linking it; the slot to link, if it needs that.
Result<std::optional<Slot>> RouteIndex::Impl::stage(
    std::string_view key, std::span<const float> vector
) {
    const Result<void> checked = vector.empty() ? Result<void>{} : space_.check(vector);
    if (vector.empty() || !checked) {
        erase(key);
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
    if (const auto reserved = reserve(1); !reserved) {
        return reserved.error();
    }
    const auto added = segment_->add(key, vector, open_);
    if (!added) {
        return added.error();
    }
    if (current != live_.end()) {
        segment_->versions().set_death(current->second, open_);
        current->second = added->slot;
    } else {
        live_.emplace(added->key, added->slot);
    }
    return added->needs_link ? std::optional{added->slot} : std::nullopt;
}

Result<void> RouteIndex::Impl::put(std::string_view key, std::span<const float> vector) {
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
    builders_ = std::max(threads, 1U);
    (void)reserve(entries.size());  // at once; else each row asks for itself
    std::vector<Slot> nodes;
    nodes.reserve(entries.size());
    for (const Entry& entry : entries) {
        const auto staged = stage(entry.key, entry.vector);
        if (!staged) {
            missing_ += staged.error() == Errc::out_of_memory ? 1U : 0U;
        } else if (*staged) {
            nodes.push_back(**staged);
        }
    }
    (void)segment_->train();  // without memory for codes, vectors do
    missing_ += segment_->link(nodes, builders_);
}

void RouteIndex::Impl::erase(std::string_view key) {
    const auto row = live_.find(key);
    if (row != live_.end()) {
        segment_->versions().set_death(row->second, open_);
        live_.erase(row);
    }
}

void RouteIndex::Impl::clear() {
    for (const auto& [key, slot] : live_) {
        segment_->versions().set_death(slot, open_);
    }
    live_.clear();
}

void RouteIndex::Impl::show() {
    Snapshot next{segment_, open_, live_.size(), segment_->graph().size()};
    const std::lock_guard lock{mutex_};
    std::swap(snapshot_, next);  // so that an old segment dies outside the lock
}

void RouteIndex::Impl::publish() {
    show();
    if (is_worn()) {
        compact();
        show();
    }
    ++open_;
}

bool RouteIndex::Impl::is_worn() const {
    const std::size_t slots = segment_->graph().size();
    const std::size_t dead = slots - live_.size();
    return dead > dead_slots_min && dead * dead_share > slots;
}

/// Builds a graph of the live rows aside. Requires that the open transaction has just been
/// published, so that no reader to come can ask for a dead slot.
void RouteIndex::Impl::compact() {
    auto created =
        Segment::create(space_, graph_options(), std::max(capacity_min, live_.size() * 5 / 4));
    if (!created) {
        return;  // the old one still answers; the next publish() tries again
    }
    Segment& fresh = **created;
    std::unordered_map<std::string_view, Slot> live;
    live.reserve(live_.size());
    std::vector<Slot> nodes;
    const std::size_t slots = segment_->graph().size();
    for (Slot slot = 0; slot < slots; ++slot) {
        if (segment_->versions().death(slot) != never) {
            continue;
        }
        const std::span<const float> vector{segment_->graph().code(slot), space_.dimensions()};
        const auto added = fresh.add(segment_->keys().get(slot), vector, open_);
        if (!added) {
            return;
        }
        live.emplace(added->key, added->slot);
        if (added->needs_link) {
            nodes.push_back(added->slot);
        }
    }
    (void)fresh.train();
    if (fresh.link(nodes, builders_) == 0) {
        segment_ = std::move(*created);
        live_ = std::move(live);
    }
}

RouteIndex::RouteIndex(IndexOptions options) : impl_{std::make_unique<Impl>(options)} {}

RouteIndex::~RouteIndex() = default;

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
    return impl_->space().reported(a.data(), b.data());
}

std::uint64_t RouteIndex::live_rows() const {
    return impl_->snapshot().live;
}

std::uint64_t RouteIndex::dead_slots() const {
    const Impl::Snapshot view = impl_->snapshot();
    return view.slots - view.live;
}

std::uint64_t RouteIndex::missing_rows() const {
    return impl_->missing();
}

std::uint64_t memory_estimate(std::uint64_t rows, std::uint32_t dimensions, std::uint32_t m) {
    return rows * (Segment::bytes_per_slot(dimensions, m) + map_bytes_per_row);
}

std::uint64_t RouteIndex::rejected() const {
    return impl_->rejected();
}

}  // namespace veer::index

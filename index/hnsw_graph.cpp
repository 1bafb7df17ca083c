#include "index/hnsw_graph.hpp"

#include "index/graph_search.hpp"
#include "index/graph_store.hpp"
#include "index/neighbours.hpp"
#include "index/reach.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <exception>
#include <limits>
#include <mutex>
#include <new>
#include <random>
#include <span>

namespace veer::index {

namespace {

constexpr int level_max = 30;

/// At 128 dimensions codes were measured to save nothing, at 384 a third of a search (README).
constexpr std::uint32_t quantized_dimensions_min = 256;

/// Codes that the processor's own caches hold are read faster than signs are judged: with 2,496
/// rows of 384 dimensions searches took a tenth longer by signs.
constexpr std::size_t screened_bytes_min = std::size_t{32} << 20;

/// Below, too many walks would be led astray.
constexpr double agreement_min = 0.95;

/// When what there are so many of is judged again.
std::size_t judged_growth(std::size_t slots) {
    return slots + slots / 2;
}

GraphOptions bounded(GraphOptions options) {
    options.m = std::clamp(options.m, 2U, m_max);
    options.ef_construction = std::clamp(options.ef_construction, options.m, 10'000U);
    return options;
}

/// Whether there will be codes, unless training shows that they are too coarse.
bool walks_codes(const Space& space, const GraphOptions& options) {
    return options.quantization != Quantization::none && Sq8::fits(space) &&
           (options.quantization == Quantization::sq8 ||
            space.dimensions() >= quantized_dimensions_min);
}

}  // namespace

using Entry = GraphSearch::Entry;

class HnswGraph::Impl {
  public:
    Impl(const Space& space, const GraphOptions& options, std::size_t slots_max)
        : options_{bounded(options)},
          store_{
              space,
              options_.m,
              slots_max,
              walks_codes(space, options_) ? options_.vector_file : VectorFile{}},
          levels_{options_.seed},
          next_training_{
              options_.quantization == Quantization::none || options_.walk_vectors ||
                      !Sq8::fits(space)
                  ? never_trained
                  : trained_rows_min} {}

    const GraphOptions& options() const { return options_; }

    GraphStore& store() { return store_; }

    const GraphStore& store() const { return store_; }

    Slot append(std::span<const float> vector) { return store_.append(vector, draw_level()); }

    bool train();

    bool codes_to_be_judged() const {
        return options_.quantization == Quantization::automatic && store_.walked() != nullptr &&
               store_.size() >= std::max(trained_rows_min, next_judgement_.load(relaxed));
    }

    void judge_codes(std::span<const Slot> sample);

    void doubt_codes() { next_judgement_.store(0, relaxed); }

    void link(Slot slot);
    std::size_t repair(std::size_t slots, const std::atomic<bool>& stopping);
    void finish_restored(Slot entry, const std::vector<bool>& lost);

    GraphSearch searching() const { return {store_, entry(), screens()}; }

    bool screens() const {
        const std::size_t bytes = store_.size() * Sq8::code_bytes(store_.space().dimensions());
        return options_.quantization == Quantization::sq8 || bytes >= screened_bytes_min;
    }

    Slot entry_slot() const { return entry().slot; }

    Entry entry() const {
        const std::uint64_t packed = entry_.load(std::memory_order_acquire);
        return {static_cast<Slot>(packed), static_cast<int>(packed >> 32)};
    }

  private:
    static constexpr std::memory_order relaxed = std::memory_order_relaxed;
    static constexpr std::size_t never_trained = std::numeric_limits<std::size_t>::max();

    static std::uint64_t pack(Entry entry) {
        return static_cast<std::uint64_t>(entry.level) << 32 | entry.slot;
    }

    int draw_level();
    void raise_entry(Entry mine);

    template <class Measure>
    void link_over(const Measure& measure, Slot slot);

    template <class Measure>
    void bridge_over(const Measure& measure, const std::vector<bool>& lost);

    template <class Measure>
    bool relink_over(const Measure& measure, Slot slot);

    GraphOptions options_;
    GraphStore store_;
    std::mt19937_64 levels_;
    std::size_t next_training_;
    std::atomic<std::size_t> next_judgement_{0};  ///< how many slots make it due
    std::atomic<std::uint64_t> entry_{pack({})};
};

int HnswGraph::Impl::draw_level() {
    std::uniform_real_distribution<double> uniform{0.0, 1.0};
    const double level = -std::log(1.0 - uniform(levels_)) / std::log(options_.m);
    return std::min(static_cast<int>(level), level_max);
}

/// Where codes would be too coarse, it tries again when there are four times as many rows.
bool HnswGraph::Impl::train() {
    if (store_.size() < next_training_ || store_.sq8() != nullptr) {
        return true;
    }
    const bool forced = options_.quantization == Quantization::sq8;
    if (!forced && store_.space().dimensions() < quantized_dimensions_min) {
        next_training_ = never_trained;
        return true;
    }
    next_training_ = 4 * store_.size();
    next_judgement_.store(judged_growth(store_.size()), relaxed);
    return store_.train(forced ? 0 : agreement_min);
}

/// The rows that come later may be of another kind: of another model, or closer together.
void HnswGraph::Impl::judge_codes(std::span<const Slot> sample) {
    next_judgement_.store(judged_growth(store_.size()), relaxed);
    if (store_.walked() != nullptr && store_.agreement(sample) < agreement_min) {
        store_.give_codes_up();
    }
}

/// The `ef` nearest that are found on a layer, in no order.
template <class Measure>
std::vector<Found>& found_on(
    const Walk<Measure>& walk, std::span<const Found> from, int layer, std::size_t ef
) {
    WalkMemory& memory = walk_memory();
    const SearchLimits unlimited;
    Effort effort{unlimited};
    walk.layer(
        from,
        layer,
        ef,
        memory,
        effort,
        [](Slot) {},
        [&](Found found) { keep(memory.results, ef, found); }
    );
    return memory.results;
}

/// Where a search begins the layer `to`; what is linked there has to be where it comes.
template <class Measure>
std::vector<Found> starts_on(const Walk<Measure>& walk, Entry top, int to) {
    std::vector<Found> starts{walk.at(top.slot)};
    for (int layer = top.level; layer > to; --layer) {
        starts = found_on(walk, starts, layer, GraphSearch::starts_least);
    }
    return starts;
}

/// Searches all layers before it links any: see invariant 2.
template <class Measure>
void HnswGraph::Impl::link_over(const Measure& measure, Slot slot) {
    const int level = store_.links().level(slot);
    std::uint64_t empty = pack({});
    if (entry_.compare_exchange_strong(empty, pack({slot, level}), std::memory_order_acq_rel)) {
        return;
    }
    const Entry top = entry();
    const Walk<Measure> walk{measure, store_.links(), measure.code(slot)};
    const int highest = std::min(level, top.level);
    std::vector<std::vector<Found>> nearby(static_cast<std::size_t>(highest) + 1);
    std::vector<Found> starts = starts_on(walk, top, highest);
    for (int layer = highest; layer >= 0; --layer) {
        std::vector<Found>& found = found_on(walk, starts, layer, options_.ef_construction);
        // One that is read back may be known to others already.
        std::erase_if(found, [&](Found one) { return one.slot == slot; });
        nearby[static_cast<std::size_t>(layer)] = found;
        std::sort(found.begin(), found.end(), Nearer{});
        starts.assign(
            found.begin(),
            found.begin() +
                static_cast<std::ptrdiff_t>(std::min(found.size(), GraphSearch::starts_least))
        );
    }
    Neighbours<Measure> neighbours{measure, store_.links(), options_.m};
    for (int layer = 0; layer <= highest; ++layer) {
        neighbours.connect(slot, layer, nearby[static_cast<std::size_t>(layer)]);
    }
    raise_entry({slot, level});
}

void HnswGraph::Impl::link(Slot slot) {
    if (store_.walked() != nullptr) {
        link_over(OverCodes{store_}, slot);
    } else {
        link_over(OverVectors{store_}, slot);
    }
}

/// Links a node on the bottom layer as if it were new, and keeps the links that it has; false where
/// it has been found after all.
template <class Measure>
bool HnswGraph::Impl::relink_over(const Measure& measure, Slot slot) {
    const Entry top = entry();
    const Walk<Measure> walk{measure, store_.links(), measure.code(slot)};
    std::vector<Found> starts = starts_on(walk, top, 0);
    // Where an upper layer leads to it, the bottom one shall, too.
    std::erase_if(starts, [&](Found start) { return start.slot == slot; });
    if (starts.empty()) {
        starts.push_back(walk.at(top.slot));
    }
    std::vector<Found> nearby = found_on(walk, starts, 0, options_.ef_construction);
    const bool found =
        std::any_of(nearby.begin(), nearby.end(), [&](Found one) { return one.slot == slot; });
    if (!found) {
        Neighbours<Measure>{measure, store_.links(), options_.m}.reconnect(slot, nearby);
    }
    return !found;
}

template <class Measure>
void HnswGraph::Impl::bridge_over(const Measure& measure, const std::vector<bool>& lost) {
    LinkLists& links = store_.links();
    Neighbours<Measure> neighbours{measure, links, options_.m};
    const auto is_lost = [&](Slot slot) {
        return slot < lost.size() && lost[slot];
    };
    const auto each = [&](bool of_lost, auto visit) {
        for (Slot slot = 0; slot < lost.size(); ++slot) {
            for (int layer = 0; is_lost(slot) == of_lost && layer <= links.level(slot); ++layer) {
                visit(slot, layer);
            }
        }
    };
    each(false, [&](Slot slot, int layer) {
        neighbours.bridge(slot, layer, is_lost);
        if (is_lost(links.parent(slot))) {
            links.set_parent(slot, no_slot);
        }
    });
    each(true, [&](Slot slot, int layer) {
        links.at(slot, layer).write({}, 0);
        links.set_parent(slot, no_slot);
        links.touch(slot, LinkLists::links_changed);
    });
}

void HnswGraph::Impl::finish_restored(Slot entry, const std::vector<bool>& lost) {
    if (std::find(lost.begin(), lost.end(), true) == lost.end()) {
        // As it was written.
    } else if (store_.walked() != nullptr) {
        bridge_over(OverCodes{store_}, lost);
    } else {
        bridge_over(OverVectors{store_}, lost);
    }
    entry_ = entry == no_slot ? pack({}) : pack({entry, store_.links().level(entry)});
}

std::size_t HnswGraph::Impl::repair(std::size_t slots, const std::atomic<bool>& stopping) {
    if (entry().slot == no_slot) {
        return 0;
    }
    Reach reach{store_.links(), entry().slot, slots};
    std::size_t relinked = 0;
    for (Slot lost = reach.next_lost(stopping); lost != no_slot; lost = reach.next_lost(stopping)) {
        const bool linked = store_.walked() != nullptr ? relink_over(OverCodes{store_}, lost)
                                                       : relink_over(OverVectors{store_}, lost);
        relinked += linked ? 1U : 0U;
    }
    return relinked;
}

void HnswGraph::Impl::raise_entry(Entry mine) {
    std::uint64_t seen = entry_.load(std::memory_order_acquire);
    while (static_cast<int>(seen >> 32) < mine.level &&
           !entry_.compare_exchange_weak(seen, pack(mine), std::memory_order_acq_rel)) {
    }
}

HnswGraph::HnswGraph(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}

HnswGraph::~HnswGraph() = default;

Result<std::unique_ptr<HnswGraph>> HnswGraph::create(
    const Space& space, const GraphOptions& options, std::size_t slots_max
) {
    try {
        auto impl = std::make_unique<Impl>(space, options, slots_max);
        return std::unique_ptr<HnswGraph>(new HnswGraph{std::move(impl)});
    } catch (const std::exception&) {
        return make_error_code(Errc::out_of_memory);
    }
}

std::size_t HnswGraph::file_bytes_per_slot(const Space& space, const GraphOptions& options) {
    return options.vector_file.used() && walks_codes(space, options)
               ? GraphStore::vector_bytes(space.dimensions())
               : 0;
}

std::size_t HnswGraph::bytes_per_slot(std::uint32_t dimensions, std::uint32_t m) {
    return GraphStore::bytes_per_slot(dimensions, std::clamp(m, 2U, m_max));
}

const GraphStore& HnswGraph::store() const {
    return impl_->store();
}

GraphStore& HnswGraph::restored_store() {
    return impl_->store();
}

Slot HnswGraph::entry() const {
    return impl_->entry_slot();
}

Result<Slot> HnswGraph::append_empty(int level) {
    const Slot slot = impl_->store().append_empty(level);
    return slot != no_slot ? Result<Slot>{slot} : make_error_code(Errc::out_of_memory);
}

Result<void> HnswGraph::finish_restored(Slot entry, const std::vector<bool>& lost) {
    try {
        impl_->finish_restored(entry, lost);
        return {};
    } catch (const std::exception&) {
        return make_error_code(Errc::out_of_memory);
    }
}

Result<void> HnswGraph::reserve(std::size_t slots) {
    return impl_->store().reserve(slots) ? Result<void>{} : make_error_code(Errc::out_of_memory);
}

std::size_t HnswGraph::capacity() const {
    return impl_->store().capacity();
}

std::size_t HnswGraph::links_per_node() const {
    return std::size_t{2} * impl_->options().m;
}

std::size_t HnswGraph::code_lines() const {
    return impl_->store().code_lines();
}

std::size_t HnswGraph::sign_lines() const {
    return impl_->screens() ? impl_->store().sign_lines() : 0;
}

std::size_t HnswGraph::size() const {
    return impl_->store().size();
}

const float* HnswGraph::code(Slot slot) const {
    return impl_->store().vector(slot);
}

std::span<const float> HnswGraph::vector(Slot slot) const {
    return impl_->store().space().vector_of(code(slot));
}

void HnswGraph::prefetch(Slot slot) const {
    impl_->store().prefetch_vector(slot);
}

Result<Slot> HnswGraph::append(std::span<const float> vector) {
    try {
        const Slot slot = impl_->append(vector);
        return slot != no_slot ? Result<Slot>{slot} : make_error_code(Errc::out_of_memory);
    } catch (const std::exception&) {
        return make_error_code(Errc::out_of_memory);
    }
}

Result<void> HnswGraph::train() {
    try {
        return impl_->train() ? Result<void>{} : make_error_code(Errc::out_of_memory);
    } catch (const std::exception&) {
        return make_error_code(Errc::out_of_memory);
    }
}

bool HnswGraph::codes_to_be_judged() const {
    return impl_->codes_to_be_judged();
}

void HnswGraph::judge_codes(std::span<const Slot> sample) {
    try {
        impl_->judge_codes(sample);
    } catch (const std::exception&) {
        // Without memory for it they are as good as they were.
    }
}

void HnswGraph::doubt_codes() {
    impl_->doubt_codes();
}

bool HnswGraph::codes_are_coarse() const {
    return impl_->store().gave_codes_up();
}

Result<void> HnswGraph::link(Slot slot) {
    try {
        impl_->link(slot);
        return {};
    } catch (const std::exception&) {
        return make_error_code(Errc::out_of_memory);
    }
}

std::size_t HnswGraph::repair(std::size_t slots, const std::atomic<bool>& stopping) {
    try {
        return impl_->repair(slots, stopping);
    } catch (const std::exception&) {
        return 0;  // for want of memory; the next time tries again
    }
}

Result<Precision> HnswGraph::search(
    const float* query,
    std::size_t want,
    std::size_t ef,
    const Versions& versions,
    Sequence published,
    const SearchLimits& limits,
    std::vector<Found>& found
) const {
    try {
        return impl_->searching().walk(query, want, ef, versions, published, limits, found);
    } catch (const std::exception&) {
        return make_error_code(Errc::out_of_memory);
    }
}

Result<Precision> HnswGraph::search_matching(
    const float* query,
    const ChooseEf& choose_ef,
    const MatchingRows& rows,
    const SearchLimits& limits,
    std::vector<Found>& found
) const {
    try {
        return impl_->searching().walk_matching(query, choose_ef, rows, limits, found);
    } catch (const std::exception&) {
        return make_error_code(Errc::out_of_memory);
    }
}

Result<Precision> HnswGraph::compare_matching(
    const float* query,
    const MatchingRows& rows,
    std::size_t want,
    const SearchLimits& limits,
    std::vector<Found>& found
) const {
    try {
        return impl_->searching().compare_matching(query, rows, want, limits, found);
    } catch (const std::exception&) {
        return make_error_code(Errc::out_of_memory);
    }
}

}  // namespace veer::index

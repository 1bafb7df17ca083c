#include "index/hnsw_graph.hpp"

#include "index/visited_set.hpp"

#include <hnswlib/hnswlib.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <mutex>
#include <new>
#include <random>
#include <stdexcept>

namespace veer::index {

namespace {

constexpr std::size_t line_bytes = 64;
constexpr std::size_t huge_page_bytes = std::size_t{2} << 20;
constexpr std::uint32_t m_max = 100;
constexpr int level_max = 30;

std::size_t round_up(std::size_t value, std::size_t step) {
    return (value + step - 1) / step * step;
}

GraphOptions bounded(GraphOptions options) {
    options.m = std::clamp(options.m, 2U, m_max);
    options.ef_construction = std::clamp(options.ef_construction, options.m, 10'000U);
    return options;
}

/// What hnswlib wants to know about distances.
class HnswSpace final : public hnswlib::SpaceInterface<float> {
  public:
    explicit HnswSpace(Space* space) : space_{space} {}

    std::size_t get_data_size() override { return space_->code_floats() * sizeof(float); }

    hnswlib::DISTFUNC<float> get_dist_func() override {
        return [](const void* a, const void* b, const void* space) {
            return static_cast<const Space*>(space)->walk(
                static_cast<const float*>(a), static_cast<const float*>(b)
            );
        };
    }

    void* get_dist_func_param() override { return space_; }

  private:
    Space* space_;
};

struct Farther {
    bool operator()(const Found& a, const Found& b) const { return a.distance > b.distance; }
};

struct Nearer {
    bool operator()(const Found& a, const Found& b) const { return a.distance < b.distance; }
};

/// The memory of one thread's walks, kept so that a walk allocates nothing.
struct Scratch {
    VisitedSet visited;
    std::vector<Found> candidates;  ///< heap, nearest first
    std::vector<Found> results;     ///< heap, farthest first, at most ef
};

Scratch& scratch() {
    thread_local Scratch memory;
    return memory;
}

void keep(std::vector<Found>& results, std::size_t ef, Found found) {
    results.push_back(found);
    std::push_heap(results.begin(), results.end(), Nearer{});
    if (results.size() > ef) {
        std::pop_heap(results.begin(), results.end(), Nearer{});
        results.pop_back();
    }
}

}  // namespace

class HnswGraph::Impl {
  public:
    Impl(const Space& space, const GraphOptions& options, std::size_t capacity)
        : space_{space},
          options_{bounded(options)},
          adapter_{&space_},
          hnsw_{&adapter_, capacity, options_.m, options_.ef_construction},
          parents_{std::make_unique<std::atomic<Slot>[]>(capacity)},
          levels_{options_.seed} {
        align_records();
    }

    Impl(const Impl& other, std::size_t capacity) : Impl{other.space_, other.options_, capacity} {
        levels_ = other.levels_;
        entry_.store(other.entry_.load(std::memory_order_acquire), std::memory_order_release);
        const std::size_t count = other.hnsw_.cur_element_count;
        std::memcpy(
            hnsw_.data_level0_memory_,
            other.hnsw_.data_level0_memory_,
            count * hnsw_.size_data_per_element_
        );
        for (std::size_t i = 0; i < count; ++i) {
            const int level = other.hnsw_.element_levels_[i];
            allocate_upper(static_cast<Slot>(i), level);
            parents_[i].store(
                other.parents_[i].load(std::memory_order_relaxed), std::memory_order_relaxed
            );
            if (level > 0) {
                std::memcpy(hnsw_.linkLists_[i], other.hnsw_.linkLists_[i], upper_bytes(level));
            }
            hnsw_.cur_element_count = i + 1;
        }
    }

    std::size_t capacity() const { return hnsw_.max_elements_; }

    std::size_t size() const { return hnsw_.cur_element_count; }

    const float* code(Slot slot) const {
        return reinterpret_cast<const float*>(hnsw_.getDataByInternalId(slot));
    }

    Slot append(std::span<const float> vector);
    void link(Slot slot);
    void search(
        const float* query,
        std::size_t ef,
        const Versions& versions,
        Sequence published,
        std::vector<Found>& found
    );

  private:
    using Links = std::array<Slot, std::size_t{2} * m_max>;
    using Hnsw = hnswlib::HierarchicalNSW<float>;
    using Queue = decltype(std::declval<Hnsw&>().searchBaseLayer(0, nullptr, 0));

    struct Entry {
        Slot slot = no_slot;
        int level = 0;
    };

    static std::uint64_t pack(Entry entry) {
        return static_cast<std::uint64_t>(entry.level) << 32 | entry.slot;
    }

    Entry entry() const {
        const std::uint64_t packed = entry_.load(std::memory_order_acquire);
        return {static_cast<Slot>(packed), static_cast<int>(packed >> 32)};
    }

    std::size_t upper_bytes(int level) const {
        return hnsw_.size_links_per_element_ * static_cast<std::size_t>(level);
    }

    bool is_child(Slot slot, Slot parent) const {
        return parents_[slot].load(std::memory_order_relaxed) == parent;
    }

    Found found_at(const float* query, Slot slot) const {
        return {space_.walk(query, code(slot)), slot};
    }

    void align_records();
    void allocate_upper(Slot slot, int level);
    int draw_level();
    std::size_t copy_links(Slot slot, int level, Links& links);
    void prefetch_code(Slot slot) const;
    Found descend(const float* query, Found nearest, int from, int to);
    std::vector<Found> select(const std::vector<Found>& from, std::size_t count);
    void connect(Slot slot, int level, const std::vector<Found>& nearby);
    void write_links(Slot slot, int level, std::span<const Found> to);
    void link_back(Slot from, Found added, int level);
    void adopt(Slot parent, Slot child, std::span<const Slot> links);
    Found nearest_link(const float* query, Found nearest, int level);
    void raise_entry(Entry mine);

    template <class Ahead, class Offer>
    void walk_layer(
        const float* query,
        Found start,
        int level,
        std::size_t ef,
        Scratch& memory,
        Ahead ahead,
        Offer offer
    );

    Space space_;
    GraphOptions options_;
    HnswSpace adapter_;
    Hnsw hnsw_;
    std::unique_ptr<std::atomic<Slot>[]> parents_;
    std::mt19937_64 levels_;
    std::atomic<std::uint64_t> entry_{pack({})};
};

/// hnswlib puts links first and the vector at an odd multiple of four bytes, so that every load of
/// the kernels crosses a cache line. Its members are public; the record is laid out anew.
void HnswGraph::Impl::align_records() {
    std::free(hnsw_.data_level0_memory_);
    hnsw_.data_level0_memory_ = nullptr;
    hnsw_.offsetData_ = 0;
    hnsw_.offsetLevel0_ = hnsw_.data_size_;
    hnsw_.label_offset_ = hnsw_.offsetLevel0_ + hnsw_.size_links_level0_;
    hnsw_.size_data_per_element_ =
        round_up(hnsw_.label_offset_ + sizeof(hnswlib::labeltype), line_bytes);
    const std::size_t bytes = capacity() * hnsw_.size_data_per_element_;
    const bool huge = bytes >= 2 * huge_page_bytes;
    const std::size_t alignment = huge ? huge_page_bytes : line_bytes;
    void* const memory = std::aligned_alloc(alignment, round_up(bytes, alignment));
    if (memory == nullptr) {
        throw std::bad_alloc{};
    }
    if (huge) {
        ::madvise(memory, round_up(bytes, alignment), MADV_HUGEPAGE);  // a wish; failure is fine
    }
    hnsw_.data_level0_memory_ = static_cast<char*>(memory);
}

void HnswGraph::Impl::allocate_upper(Slot slot, int level) {
    hnsw_.element_levels_[slot] = 0;
    if (level > 0) {
        hnsw_.linkLists_[slot] = static_cast<char*>(std::calloc(1, upper_bytes(level)));
        if (hnsw_.linkLists_[slot] == nullptr) {
            throw std::bad_alloc{};
        }
        hnsw_.element_levels_[slot] = level;
    }
}

int HnswGraph::Impl::draw_level() {
    std::uniform_real_distribution<double> uniform{0.0, 1.0};
    const double level = -std::log(1.0 - uniform(levels_)) / std::log(options_.m);
    return std::min(static_cast<int>(level), level_max);
}

Slot HnswGraph::Impl::append(std::span<const float> vector) {
    const Slot slot = static_cast<Slot>(size());
    allocate_upper(slot, draw_level());
    space_.encode(vector, reinterpret_cast<float*>(hnsw_.getDataByInternalId(slot)));
    std::memset(hnsw_.get_linklist0(slot), 0, hnsw_.size_links_level0_);
    hnsw_.setExternalLabel(slot, slot);
    parents_[slot].store(no_slot, std::memory_order_relaxed);
    hnsw_.cur_element_count = std::size_t{slot} + 1;
    return slot;
}

std::size_t HnswGraph::Impl::copy_links(Slot slot, int level, Links& links) {
    const std::lock_guard lock{hnsw_.link_list_locks_[slot]};
    hnswlib::linklistsizeint* const list = hnsw_.get_linklist_at_level(slot, level);
    const std::size_t count = hnsw_.getListCount(list);
    std::memcpy(links.data(), list + 1, count * sizeof(Slot));
    return count;
}

void HnswGraph::Impl::prefetch_code(Slot slot) const {
    const char* const begin = hnsw_.getDataByInternalId(slot);
    // The processor's own stride prefetcher takes over after some lines.
    const std::size_t bytes = std::min(hnsw_.data_size_, 32 * line_bytes);
    for (std::size_t i = 0; i < bytes; i += line_bytes) {
        __builtin_prefetch(begin + i);
    }
}

/// Greedy steps on the layers above `to`: Malkov & Yashunin 2016, algorithm 2 with ef = 1.
Found HnswGraph::Impl::descend(const float* query, Found nearest, int from, int to) {
    for (int level = from; level > to; --level) {
        Slot left = no_slot;
        while (left != nearest.slot) {
            left = nearest.slot;
            nearest = nearest_link(query, nearest, level);
        }
    }
    return nearest;
}

/// The nearest of a node and its links.
Found HnswGraph::Impl::nearest_link(const float* query, Found nearest, int level) {
    Links links;
    const std::size_t count = copy_links(nearest.slot, level, links);
    for (std::size_t i = 0; i < count; ++i) {
        if (i + 1 < count) {
            prefetch_code(links[i + 1]);
        }
        const Found found = found_at(query, links[i]);
        if (found.distance < nearest.distance) {
            nearest = found;
        }
    }
    return nearest;
}

/// Algorithm 2 with any ef. `offer` puts what a node stands for into memory.results; `ahead` is
/// told of nodes that offer may soon be asked about.
template <class Ahead, class Offer>
void HnswGraph::Impl::walk_layer(
    const float* query,
    Found start,
    int level,
    std::size_t ef,
    Scratch& memory,
    Ahead ahead,
    Offer offer
) {
    VisitedSet& visited = memory.visited;
    std::vector<Found>& candidates = memory.candidates;
    const std::vector<Found>& results = memory.results;
    visited.begin(capacity());
    memory.results.clear();
    candidates.assign(1, start);
    visited.insert(start.slot);
    offer(start);
    Links links;
    while (!candidates.empty()) {
        const Found current = candidates.front();
        if (results.size() >= ef && current.distance > results.front().distance) {
            break;
        }
        std::pop_heap(candidates.begin(), candidates.end(), Farther{});
        candidates.pop_back();
        const std::size_t count = copy_links(current.slot, level, links);
        for (std::size_t i = 0; i < count; ++i) {
            visited.prefetch(links[i]);
        }
        std::size_t fresh = 0;
        for (std::size_t i = 0; i < count; ++i) {
            if (visited.insert(links[i])) {
                links[fresh++] = links[i];
                ahead(links[i]);
            }
        }
        for (std::size_t i = 0; i < std::min<std::size_t>(fresh, 2); ++i) {
            prefetch_code(links[i]);
        }
        for (std::size_t i = 0; i < fresh; ++i) {
            if (i + 2 < fresh) {
                prefetch_code(links[i + 2]);
            }
            const Found found = found_at(query, links[i]);
            if (results.size() < ef || found.distance < results.front().distance) {
                candidates.push_back(found);
                std::push_heap(candidates.begin(), candidates.end(), Farther{});
                offer(found);
            }
        }
    }
}

/// Searches all layers before it links any: see invariant 3.
void HnswGraph::Impl::link(Slot slot) {
    const int level = hnsw_.element_levels_[slot];
    std::uint64_t empty = pack({});
    if (entry_.compare_exchange_strong(empty, pack({slot, level}), std::memory_order_acq_rel)) {
        return;
    }
    const Entry top = entry();
    const float* const query = code(slot);
    Found nearest = descend(query, found_at(query, top.slot), top.level, level);
    const int highest = std::min(level, top.level);
    std::vector<std::vector<Found>> neighbours(static_cast<std::size_t>(highest) + 1);
    Scratch& memory = scratch();
    const std::size_t ef = options_.ef_construction;
    for (int layer = highest; layer >= 0; --layer) {
        walk_layer(
            query,
            nearest,
            layer,
            ef,
            memory,
            [](Slot) {},
            [&](Found found) { keep(memory.results, ef, found); }
        );
        nearest = *std::min_element(memory.results.begin(), memory.results.end(), Nearer{});
        neighbours[static_cast<std::size_t>(layer)] = memory.results;
    }
    for (int layer = 0; layer <= highest; ++layer) {
        connect(slot, layer, neighbours[static_cast<std::size_t>(layer)]);
    }
    raise_entry({slot, level});
}

/// The heuristic's choice, nearest first.
std::vector<Found> HnswGraph::Impl::select(const std::vector<Found>& from, std::size_t count) {
    Queue::container_type pairs;
    pairs.reserve(from.size());
    for (const Found& one : from) {
        pairs.emplace_back(one.distance, one.slot);
    }
    Queue queue{Hnsw::CompareByFirst{}, std::move(pairs)};
    hnsw_.getNeighborsByHeuristic2(queue, count);
    std::vector<Found> selected(queue.size());
    for (std::size_t i = queue.size(); i-- > 0; queue.pop()) {
        selected[i] = {queue.top().first, queue.top().second};
    }
    return selected;
}

void HnswGraph::Impl::connect(Slot slot, int level, const std::vector<Found>& nearby) {
    const std::vector<Found> selected = select(nearby, options_.m);
    {
        const std::lock_guard lock{hnsw_.link_list_locks_[slot]};
        write_links(slot, level, selected);
    }
    for (const Found& neighbour : selected) {
        link_back(neighbour.slot, {neighbour.distance, slot}, level);
    }
}

void HnswGraph::Impl::write_links(Slot slot, int level, std::span<const Found> to) {
    hnswlib::linklistsizeint* const list = hnsw_.get_linklist_at_level(slot, level);
    for (std::size_t i = 0; i < to.size(); ++i) {
        list[i + 1] = to[i].slot;
    }
    hnsw_.setListCount(list, static_cast<unsigned short>(to.size()));
}

void HnswGraph::Impl::link_back(Slot from, Found added, int level) {
    const std::size_t room = level == 0 ? hnsw_.maxM0_ : hnsw_.maxM_;
    const std::lock_guard lock{hnsw_.link_list_locks_[from]};
    hnswlib::linklistsizeint* const list = hnsw_.get_linklist_at_level(from, level);
    const std::size_t count = hnsw_.getListCount(list);
    const std::span<const Slot> links{list + 1, count};
    if (level == 0) {
        adopt(from, added.slot, links);
    }
    if (count < room) {
        list[count + 1] = added.slot;
        hnsw_.setListCount(list, static_cast<unsigned short>(count + 1));
        return;
    }
    std::vector<Found> all{added};
    all.reserve(count + 1);
    for (const Slot link : links) {
        all.push_back(found_at(code(from), link));
    }
    std::vector<Found> kept;
    kept.reserve(2 * room);
    if (level == 0) {
        std::copy_if(all.begin(), all.end(), std::back_inserter(kept), [&](Found found) {
            return is_child(found.slot, from);
        });
    }
    for (const Found& found : select(all, room)) {
        if (level > 0 || !is_child(found.slot, from)) {
            kept.push_back(found);
        }
    }
    kept.resize(std::min(kept.size(), room));
    write_links(from, level, kept);
}

/// Gives a new node its parent: the nearest of its neighbours that has not m children already.
void HnswGraph::Impl::adopt(Slot parent, Slot child, std::span<const Slot> links) {
    if (parents_[child].load(std::memory_order_relaxed) != no_slot) {
        return;
    }
    const auto children = std::count_if(links.begin(), links.end(), [&](Slot link) {
        return is_child(link, parent);
    });
    if (static_cast<std::size_t>(children) < options_.m) {
        parents_[child].store(parent, std::memory_order_relaxed);
    }
}

void HnswGraph::Impl::raise_entry(Entry mine) {
    std::uint64_t seen = entry_.load(std::memory_order_acquire);
    while (static_cast<int>(seen >> 32) < mine.level &&
           !entry_.compare_exchange_weak(seen, pack(mine), std::memory_order_acq_rel)) {
    }
}

void HnswGraph::Impl::search(
    const float* query,
    std::size_t ef,
    const Versions& versions,
    Sequence published,
    std::vector<Found>& found
) {
    found.clear();
    const Entry top = entry();
    if (top.slot == no_slot) {
        return;
    }
    Scratch& memory = scratch();
    const Found nearest = descend(query, found_at(query, top.slot), top.level, 0);
    walk_layer(
        query,
        nearest,
        0,
        ef,
        memory,
        [&](Slot slot) { versions.prefetch(slot); },
        [&](Found node) {
            for (Slot slot = node.slot; slot != no_slot; slot = versions.next(slot)) {
                if (versions.visible(slot, published)) {
                    keep(memory.results, ef, {node.distance, slot});
                }
                if (memory.results.size() >= ef &&
                    memory.results.front().distance <= node.distance) {
                    return;  // the rest of the chain is no nearer
                }
            }
        }
    );
    found = memory.results;
}

HnswGraph::HnswGraph(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}

HnswGraph::~HnswGraph() = default;

Result<std::unique_ptr<HnswGraph>> HnswGraph::create(
    const Space& space, const GraphOptions& options, std::size_t capacity
) {
    try {
        auto impl = std::make_unique<Impl>(space, options, std::max<std::size_t>(capacity, 1));
        return std::unique_ptr<HnswGraph>(new HnswGraph{std::move(impl)});
    } catch (const std::exception&) {
        return make_error_code(Errc::out_of_memory);
    }
}

Result<std::unique_ptr<HnswGraph>> HnswGraph::grown(std::size_t capacity) const {
    try {
        return std::unique_ptr<HnswGraph>(new HnswGraph{
            std::make_unique<Impl>(*impl_, std::max(capacity, impl_->size()))});
    } catch (const std::exception&) {
        return make_error_code(Errc::out_of_memory);
    }
}

std::size_t HnswGraph::capacity() const {
    return impl_->capacity();
}

std::size_t HnswGraph::size() const {
    return impl_->size();
}

const float* HnswGraph::code(Slot slot) const {
    return impl_->code(slot);
}

Result<Slot> HnswGraph::append(std::span<const float> vector) {
    try {
        return impl_->append(vector);
    } catch (const std::exception&) {
        return make_error_code(Errc::out_of_memory);
    }
}

Result<void> HnswGraph::link(Slot slot) {
    try {
        impl_->link(slot);
        return {};
    } catch (const std::exception&) {
        return make_error_code(Errc::out_of_memory);
    }
}

Result<void> HnswGraph::search(
    const float* query,
    std::size_t ef,
    const Versions& versions,
    Sequence published,
    std::vector<Found>& found
) const {
    try {
        impl_->search(query, ef, versions, published, found);
        return {};
    } catch (const std::exception&) {
        return make_error_code(Errc::out_of_memory);
    }
}

}  // namespace veer::index

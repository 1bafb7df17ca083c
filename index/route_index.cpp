#include "index/route_index.hpp"

#include "index/graph_store.hpp"
#include "index/route_index_impl.hpp"

#include <exception>

namespace veer::index {

namespace {

/// Catalogue estimates can be absurd; beyond this an index grows by doubling.
constexpr std::size_t expected_rows_max = std::size_t{4} << 20;

RowBytes row_bytes_of(const IndexOptions& options) {
    const Space space{options.metric, options.dimensions, options.kind};
    const GraphOptions graph{
        .m = options.m, .quantization = options.quantization, .vector_file = options.vector_file};
    return Segment::row_bytes(space, graph, Records::bytes_per_slot(options.columns));
}

}  // namespace

RouteIndex::Impl::Impl(IndexOptions options)
    : options_{std::move(options)},
      space_{options_.metric, options_.dimensions, options_.kind},
      records_{make_records()},
      matches_{std::make_shared<MatchCache>()} {
    const std::size_t expected = std::min(
        std::clamp<std::size_t>(options_.expected_rows, capacity_min, expected_rows_max),
        slots_max()
    );
    auto segment = Segment::create(space_, graph_options(), expected, room());
    if (!segment) {
        segment =
            Segment::create(space_, graph_options(), std::min(capacity_min, slots_max()), room());
    }
    if (!segment) {
        throw std::bad_alloc{};
    }
    segment_ = std::move(*segment);
    snapshot_.segment = segment_;
    snapshot_.records = records_;
    snapshot_.matches = matches_;
}

std::size_t RouteIndex::Impl::slots_max() const {
    return std::min<std::size_t>(
        row_bytes_of(options_).rows_in(options_.memory_bytes_max), std::size_t{no_slot}
    );
}

FileBytes RouteIndex::Impl::file_bytes() const {
    return snapshot().segment->graph().store().in_file();
}

/// What the slots leave of the memory.
std::uint64_t RouteIndex::Impl::texts_max() const {
    const std::uint64_t rows = space_.fixed_size()
                                   ? memory_estimate(segment_->graph().size(), options_)
                                   : segment_->memory_bytes();
    return options_.memory_bytes_max - std::min(options_.memory_bytes_max, rows);
}

Result<void> RouteIndex::Impl::set_values(Slot slot, std::span<const storage::ColumnValue> values) {
    if (records_->text_bytes() > texts_max() || !records_->set(slot, values, open_)) {
        return make_error_code(Errc::out_of_memory);
    }
    return {};
}

/// Stores one row without linking it; the slot to link, if it needs that.
Result<std::optional<Slot>> RouteIndex::Impl::stage(const Row& row) {
    const auto& [key, vector, values] = row;
    const Result<void> checked = vector.empty() ? Result<void>{} : space_.check(vector);
    if (vector.empty() || !checked) {
        unplaced_.add(key, vector.empty());
        remove(key);
        if (vector.empty() || checked.error() == Errc::zero_norm) {
            return std::nullopt;
        }
        rejected_.fetch_add(1, std::memory_order_relaxed);
        return checked.error();
    }
    unplaced_.remove(key);
    const auto current = live_.find(key);
    if (current != live_.end() && segment_->holds(current->second, vector)) {
        const Result<void> set = records_->holds(current->second, values)
                                     ? Result<void>{}
                                     : set_values(current->second, values);
        return set ? Result<std::optional<Slot>>{std::nullopt} : set.error();
    }
    if (const auto reserved = segment_->make_room(segment_->graph().size() + 1, vector);
        !reserved) {
        return reserved.error();
    }
    const auto added = segment_->add(key, vector, open_);
    if (!added) {
        return added.error();
    }
    try {
        if (const auto set = set_values(added->slot, values); !set) {
            segment_->kill(added->slot, 0);
            return set.error();
        }
        if (current != live_.end()) {
            kill(current->second);
            current->second = added->slot;
        } else {
            live_.emplace(added->key, added->slot);
        }
    } catch (const std::exception&) {  // no memory: what is nobody's must not be found
        segment_->kill(added->slot, 0);
        throw;
    }
    return added->needs_link ? std::optional{added->slot} : std::nullopt;
}

Result<void> RouteIndex::Impl::put(const Row& row) {
    const auto lock = writing();
    finish_restore();
    const auto staged = stage(row);
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
    std::vector<Restore::Claim> claims(entries.size());
    if (restore_) {
        claims = fill_restored(entries);
    }
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const Entry& entry = entries[i];
        if (!claims[i].empty()) {
            const Slot slot = claims[i].mapped();
            restore_->take(std::move(claims[i]), live_);
            missing_ += set_values(slot, entry.values) ? 0U : 1U;
            continue;
        }
        const auto staged = stage({entry.key, entry.vector, entry.values});
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
    segment_->judge_codes(segment_->graph().size());
    missing_ += segment_->link(nodes, builders_);
}

void RouteIndex::Impl::kill(Slot slot) {
    if (deaths_) {
        deaths_->push_back(slot);  // first, as it may throw
    }
    segment_->kill(slot, open_);
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
    unplaced_.remove(key);
}

void RouteIndex::Impl::clear() {
    const auto lock = writing();
    finish_restore();
    for (const auto& [key, slot] : live_) {
        kill(slot);
    }
    live_.clear();
    unplaced_.clear();
}

void RouteIndex::Impl::publish() {
    const auto lock = writing();
    finish_restore();
    Snapshot next{
        segment_,
        open_,
        live_.size(),
        segment_->graph().size(),
        records_,
        matches_,
        records_->size(),
        {.null = unplaced_.null(), .zero = unplaced_.zero()}};
    {
        const std::lock_guard snapshot_lock{mutex_};
        std::swap(snapshot_, next);
    }
    ++open_;
    if (needs_upkeep()) {
        upkeep_.request();
    }
}

RouteIndex::RouteIndex(IndexOptions options) : impl_{std::make_unique<Impl>(std::move(options))} {}

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

void RouteIndex::request_rebuild() const {
    impl_->request_rebuild();
}

bool RouteIndex::rebuilding() const {
    return impl_->rebuilding();
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

FileBytes RouteIndex::file_bytes() const {
    return impl_->file_bytes();
}

const IndexOptions& RouteIndex::options() const {
    return impl_->options();
}

void RouteIndex::load(std::span<const Entry> entries, unsigned threads) {
    impl_->load(entries, threads);
}

Result<void> RouteIndex::put(
    const std::string& key,
    std::span<const float> vector,
    std::span<const storage::ColumnValue> values
) {
    return impl_->put({key, vector, values});
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

RouteIndex::Unplaced RouteIndex::unplaced() const {
    return impl_->snapshot().unplaced;
}

std::uint64_t RouteIndex::rows() const {
    return impl_->rows();
}

std::uint64_t RouteIndex::dead_slots() const {
    const Impl::Snapshot view = impl_->snapshot();
    return view.slots - view.live;
}

std::uint64_t RouteIndex::superseded_values() const {
    const Impl::Snapshot view = impl_->snapshot();
    return view.record_count - std::min(view.record_count, view.live);
}

std::uint64_t RouteIndex::missing_rows() const {
    return impl_->missing();
}

std::uint64_t memory_estimate(std::uint64_t rows, const IndexOptions& options) {
    // What a row takes of the memory is known of its vector only; here it is assumed.
    const bool assumed = options.kind == storage::VectorKind::sparsevec;
    return row_bytes_of(options).of(rows) +
           (assumed ? rows * GraphStore::vector_bytes(options.dimensions) : 0);
}

std::uint64_t memory_estimate(std::uint64_t rows, std::uint32_t dimensions, std::uint32_t m) {
    return memory_estimate(rows, {.dimensions = dimensions, .m = m});
}

std::uint64_t RouteIndex::rejected() const {
    return impl_->rejected();
}

}  // namespace veer::index

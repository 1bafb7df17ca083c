#include "index/route_index_impl.hpp"

#include <algorithm>
#include <exception>
#include <thread>
#include <utility>

// What becomes of an index beside its writer: rebuilds, repair, checkpoints.

namespace veer::index {

namespace {

/// Below this a rebuild saves nothing that anyone could notice.
constexpr std::size_t dead_slots_min = 1000;
constexpr std::size_t dead_share = 5;  ///< one in five

/// Fewer superseded records are not worth a copy of the others.
constexpr std::size_t superseded_records_min = 10'000;

/// So many new slots later it is looked again for nodes out of reach: this many, and one in ten.
constexpr std::size_t new_slots_min = 1000;
constexpr std::size_t new_share = 10;

/// Changes that a rebuild may copy while the writer waits: some milliseconds.
constexpr std::size_t tail_rows_max = 32;

/// How often it copies all that has changed beside the writer. One that changes rows as fast as
/// they are copied waits from then on, again and again for as many, once no more than these are
/// left.
constexpr unsigned rounds_beside = 7;
constexpr std::size_t caught_up_max = 4096;

/// Of the time that it waits, what it gets in between: less, or it would never be caught up with.
constexpr int share_between = 4;

/// And not more: whoever ends the upkeep waits for it.
constexpr std::chrono::milliseconds between_max{50};

/// Records are copied faster than they can be written. Of those, the tail may grow.
constexpr unsigned tail_doublings = 7;

/// When a rebuild that found no memory is tried again.
constexpr std::chrono::milliseconds retry_after{10'000};

/// Says until it dies, whatever is thrown meanwhile, that something is going on.
class Saying {
  public:
    Saying(std::atomic<bool>& what, bool so) : what_{what} { what_ = so; }

    Saying(const Saying&) = delete;
    Saying& operator=(const Saying&) = delete;

    ~Saying() { what_ = false; }

  private:
    std::atomic<bool>& what_;
};

/// Which slots' records readers of `published` and later can see: where each goes when records
/// alone are copied.
struct Kept {
    const Segment& segment;
    Sequence published;

    Slot operator()(Slot slot) const {
        return segment.versions().death(slot) <= published ? no_slot : slot;
    }

    /// What the vectors of those below `end` take, where the number of slots does not say it.
    std::size_t bytes(std::size_t end) const {
        std::size_t bytes = 0;
        for (std::size_t slot = 0; slot < end && !segment.fixed_size(); ++slot) {
            if ((*this)(static_cast<Slot>(slot)) != no_slot) {
                bytes += segment.vector_bytes(static_cast<Slot>(slot));
            }
        }
        return bytes;
    }
};

}  // namespace

bool RouteIndex::Impl::is_worn() const {
    const std::size_t slots = segment_->graph().size();
    const std::size_t dead = slots - live_.size();
    return dead > dead_slots_min && dead * dead_share > slots;
}

bool RouteIndex::Impl::has_worn_records() const {
    const std::size_t superseded = records_->size() - std::min(records_->size(), live_.size());
    return superseded > superseded_records_min && superseded > live_.size();
}

bool RouteIndex::Impl::has_grown() const {
    const std::size_t fresh = segment_->graph().size() - checked_slots_;
    return fresh > new_slots_min && fresh * new_share > checked_slots_;
}

/// What has found no memory waits for its time, however many transactions there are, unless it
/// needs less by now.
bool RouteIndex::Impl::needs_upkeep() const {
    const HnswGraph& graph = segment_->graph();
    const bool waits = live_.size() >= no_memory_for_;
    return rebuild_wanted_ || has_grown() || graph.codes_to_be_judged() ||
           (!waits && (is_worn() || has_worn_records() || graph.codes_are_coarse()));
}

/// Whether walks by codes would be led astray. Beside the writer: what it reads never changes.
bool RouteIndex::Impl::judge_codes() {
    std::shared_ptr<Segment> segment;
    std::size_t slots = 0;
    {
        const auto lock = keeping_up();
        segment = segment_;
        slots = segment->graph().size();
    }
    if (segment->graph().codes_to_be_judged()) {
        segment->judge_codes(slots);
        codes_chosen_anew_ = codes_chosen_anew_ && segment->graph().codes_are_coarse();
    }
    return segment->graph().codes_are_coarse();
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

/// Of the rows that are as they were, their slots: to hash and encode vectors is most of a restart.
std::vector<Restore::Claim> RouteIndex::Impl::fill_restored(std::span<const Entry> entries) {
    constexpr std::size_t rows_per_thread_min = 64;
    std::vector<Restore::Claim> claims;
    claims.reserve(entries.size());
    for (const Entry& entry : entries) {
        claims.push_back(restore_->claim(entry.key));
    }
    const std::size_t useful = space_.fixed_size() ? entries.size() / rows_per_thread_min : 1;
    const std::size_t threads = std::clamp<std::size_t>(useful, 1, builders_);
    // Where memory runs out, the row has no slot of the checkpoint's: it comes as a new one does.
    const auto filled = [&](std::size_t i) {
        try {
            return restore_->fill(claims[i].mapped(), entries[i].vector);
        } catch (const std::exception&) {
            return false;
        }
    };
    const auto fill = [&](std::size_t part) {
        const std::size_t end = entries.size() * (part + 1) / threads;
        for (std::size_t i = entries.size() * part / threads; i < end; ++i) {
            if (!claims[i].empty() && !filled(i)) {
                claims[i] = {};
            }
        }
    };
    std::vector<std::thread> others;
    std::size_t begun = 1;
    try {
        for (; begun < threads; ++begun) {
            others.emplace_back(fill, begun);
        }
    } catch (const std::exception&) {
        // No more threads to be had: the rest is done here.
    }
    fill(0);
    for (; begun < threads; ++begun) {
        fill(begun);
    }
    for (std::thread& other : others) {
        other.join();
    }
    return claims;
}

void RouteIndex::Impl::finish_restore() {
    if (!restore_) {
        return;
    }
    const std::unique_ptr<Restore> restore = std::move(restore_);
    const Restore::Finished finished = restore->finish(unlinked_);
    (void)segment_->train();  // without memory for codes, vectors do
    segment_->doubt_codes();  // rows may have come that they do not tell apart
    vectors_walked_until_ = restore->manifest().vectors_until;
    if (restore->proved_codes_coarse(options_.quantization) &&
        live_.size() >= vectors_walked_until_) {
        rebuild_wanted_ = true;  // with codes
    }
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
        auto written = checkpoints_->write(
            {view.segment, view.slots, view.published, position, vectors_walked_until_}, stopping
        );
        return written.has_value() ? storage::Result<std::uint64_t>{written->bytes}
                                   : storage::Result<std::uint64_t>{written.error()};
    } catch (const std::exception& error) {
        return storage::Error{storage::Errc::unexpected, error.what()};
    }
}

std::chrono::milliseconds RouteIndex::Impl::keep_up(const std::atomic<bool>& stopping) {
    (void)retired_.sweep();  // its memory may be what was wanted the last time
    bool worn = judge_codes();
    bool worn_records = false;
    {
        const auto lock = keeping_up();
        worn = worn || is_worn();
        worn_records = has_worn_records();
    }
    bool due = worn || rebuild_wanted_;
    bool rebuilt = true;
    {
        const Saying rebuilding{rebuilding_, due};
        due = rebuild_wanted_.exchange(false) || worn;
        rebuilt = !due || rebuild(stopping);
        if (due && rebuilt && !stopping && judge_codes()) {
            rebuilt = rebuild(stopping);  // without codes
        }
    }
    bool found_memory = rebuilt || !worn;
    if (worn_records && (!due || !rebuilt)) {  // a rebuild leaves the superseded out, too
        found_memory = renew_records(stopping) && found_memory;
    }
    if (!stopping) {
        repair(stopping);
    }
    const bool in_use = retired_.sweep();
    // What somebody has asked for is not tried again: they hear of it, and may.
    {
        const auto lock = keeping_up();
        no_memory_for_ = found_memory ? no_slot : live_.size();
    }
    return !found_memory ? retry_after : in_use ? Retirement::pause : std::chrono::milliseconds{0};
}

/// False where it found no memory.
bool RouteIndex::Impl::rebuild(const std::atomic<bool>& stopping) {
    std::shared_ptr<Segment> old;
    std::shared_ptr<Records> records;
    Sequence published = 0;
    std::size_t live = 0;
    Changes begin;
    {
        const auto lock = keeping_up();
        if (restore_) {
            return true;  // its rows have yet to come, and have slots of this segment
        }
        old = segment_;
        records = records_;
        published = open_ - 1;
        live = live_.size();
        begin = {old->graph().size(), records->size()};
        deaths_.emplace();
    }
    if (codes_chosen_anew_ && old->graph().codes_are_coarse()) {
        vectors_walked_until_ = 2 * live;
    }
    const bool done = rebuild_from(old, records, published, live, std::move(begin), stopping);
    {
        const auto lock = keeping_up();
        deaths_.reset();
    }
    if (segment_ != old) {
        retired_.add(std::move(old));
        retired_.add(std::move(records));
        (void)retired_.sweep();  // its memory is wanted
    }
    const std::lock_guard lock{mutex_};
    upkeep_trouble_.clear();
    if (!done && !stopping) {
        const std::uint64_t bytes = memory_estimate(live, options_);
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
    const std::shared_ptr<Records>& records,
    Sequence published,
    std::size_t live,
    Changes begin,
    const std::atomic<bool>& stopping
) {
    try {
        // A file's room is taken from the disk at once, and the budget is asked only then.
        const std::size_t wanted = options_.vector_file.used() ? 0 : live * 5 / 4;
        const std::size_t capacity = std::min(std::max(capacity_min, wanted), slots_max());
        GraphOptions graph = graph_options();
        graph.walk_vectors = live < vectors_walked_until_;
        auto fresh = Segment::create(space_, graph, capacity, room());
        const Kept kept{*old, published};
        if (!fresh ||
            !(*fresh)->make_room_for(std::max<std::size_t>(live, 1), kept.bytes(begin.end))) {
            return false;
        }
        RecordsCopy copy{records, make_records(), published};
        if (!copy.make_room(begin.records_end, kept)) {
            return false;
        }
        Rebuild rebuild{old, *fresh, std::move(copy), published};
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
        if (!rebuild.follow(changes, threads, stopping)) {
            return false;
        }
        const bool catches_up = round >= rounds_beside;
        std::chrono::nanoseconds held{0};
        const auto exchanged = exchange(rebuild, catches_up, changes, held, stopping);
        if (!exchanged || *exchanged) {
            return exchanged.has_value();
        }
        if (catches_up) {
            std::this_thread::sleep_for(
                std::min<std::chrono::nanoseconds>(held / share_between, between_max)
            );
        }
    }
}

/// Copies the tail and puts the fresh segment in the old one's place, where the tail is short. Else
/// says false, and in `changes` what is to be copied first; or, where it is to catch up, has copied
/// some of it, and in `held` how long the writer has waited for that. Nothing where that failed.
std::optional<bool> RouteIndex::Impl::exchange(
    Rebuild& rebuild,
    bool catches_up,
    Changes& changes,
    std::chrono::nanoseconds& held,
    const std::atomic<bool>& stopping
) {
    auto matches = std::make_shared<MatchCache>();  // may throw, and what follows may not
    Snapshot before;                                // dies outside of the locks
    const auto lock = keeping_up();
    const auto begun = std::chrono::steady_clock::now();
    changes = {segment_->graph().size(), records_->size(), std::exchange(*deaths_, {})};
    const bool all = rebuild.left(changes) <= tail_rows_max;
    if (!all && (!catches_up || rebuild.left(changes) > caught_up_max)) {
        return false;
    }
    if (!rebuild.follow(rebuild.first_of(changes, tail_rows_max), 1, stopping)) {
        return std::nullopt;
    }
    if (!all) {
        changes = rebuild.first_of({segment_->graph().size(), records_->size()}, 0);  // followed
        held = std::chrono::steady_clock::now() - begun;
        return false;
    }
    segment_ = rebuild.fresh();
    segment_->doubt_codes();  // before, there were no links to judge them by
    codes_chosen_anew_ = true;
    records_ = rebuild.records();
    matches_ = std::move(matches);
    live_.swap(rebuild.live());
    checked_slots_ = 0;
    ++rebuilds_;
    const std::lock_guard snapshot_lock{mutex_};
    before = snapshot_;
    snapshot_.segment = segment_;
    snapshot_.slots = segment_->graph().size();
    snapshot_.records = records_;
    snapshot_.matches = matches_;
    snapshot_.record_count = records_->size();
    return true;
}

/// Leaves superseded records behind. Where there is no memory for it, the old ones still answer;
/// false.
bool RouteIndex::Impl::renew_records(const std::atomic<bool>& stopping) {
    std::shared_ptr<Records> old;
    std::shared_ptr<const Segment> segment;
    Sequence published = 0;
    std::size_t end = 0;
    {
        const auto lock = keeping_up();
        old = records_;
        segment = segment_;
        published = open_ - 1;
        end = old->size();
    }
    try {
        RecordsCopy copy{old, make_records(), published};
        const Kept kept{*segment, published};
        unsigned round = 0;
        while (
            (round > 0 || copy.make_room(end, kept)) && copy.follow(end, kept, stopping) &&
            !exchange_records(copy, tail_rows_max << std::min(round, tail_doublings), end, stopping)
        ) {
            ++round;
        }
        if (records_ == old) {
            return stopping;
        }
        retired_.add(std::move(old));
        return true;
    } catch (const std::exception&) {
        return false;
    }
}

/// Copies the tail and puts the fresh records in the old ones' place; or says false, and in `end`
/// what is to be copied first.
bool RouteIndex::Impl::exchange_records(
    RecordsCopy& copy, std::size_t tail_max, std::size_t& end, const std::atomic<bool>& stopping
) {
    auto matches = std::make_shared<MatchCache>();
    Snapshot before;  // dies outside of the locks
    const auto lock = keeping_up();
    end = records_->size();
    if (end - copy.copied() > tail_max) {
        return false;
    }
    if (!copy.follow(end, Kept{*segment_, open_ - 1}, stopping)) {
        return true;
    }
    records_ = copy.fresh();
    matches_ = std::move(matches);
    const std::lock_guard snapshot_lock{mutex_};
    before = snapshot_;
    snapshot_.slots = segment_->graph().size();  // those of all records, of open transactions, too
    snapshot_.records = records_;
    snapshot_.matches = matches_;
    snapshot_.record_count = records_->size();
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

}  // namespace veer::index

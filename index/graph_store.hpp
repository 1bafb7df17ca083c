#pragma once

#include "index/link_lists.hpp"
#include "index/quantization.hpp"
#include "index/reserved_memory.hpp"
#include "index/sign_codes.hpp"
#include "index/space.hpp"
#include "index/sq8.hpp"
#include "index/vector_file.hpp"

#include <atomic>
#include <cstring>
#include <memory>
#include <optional>
#include <span>

namespace veer::index {

/// What a graph keeps for each slot, in arrays that grow in place:
///
///     vectors   [ code of Space, to a cache line ]     re-ranking, and the walk without Sq8
///               [ place in `arena` ]                   of a Space without a fixed size
///     arena     codes of Space, one behind the other
///     codes     [ code of Sq8 ]                        the walk; none before train()
///     signs     [ code of SignCodes ]                  what a search need not walk; as codes
///     links     LinkLists
///
/// Invariants:
/// 1. One writer; readers know a slot from a link, or from a snapshot published later than it.
/// 2. Once sq8() is set, every slot has a code and signs, and a slot to come gets them before it is
/// linked.
class GraphStore {
  public:
    /// A file is for vectors of a fixed size only.
    GraphStore(
        const Space& space, std::uint32_t m, std::size_t slots_max, const VectorFile& file = {}
    );

    /// Memory of one slot, with its code and its signs.
    static std::size_t bytes_per_slot(std::uint32_t dimensions, std::uint32_t m);

    /// Of that, the vector.
    static std::size_t vector_bytes(std::uint32_t dimensions);

    /// Memory of one slot of a space without a fixed size, its vector excepted.
    static std::size_t bytes_per_slot_beside_arena(std::uint32_t m);

    /// What the vectors of such a space take, and would take with one more.
    std::size_t arena_bytes(std::span<const float> more = {}) const {
        return arena_used_ + (arena_ && !more.empty() ? arena_code_bytes(more) : 0);
    }

    const Space& space() const { return space_; }

    std::size_t capacity() const { return capacity_; }

    std::size_t size() const { return size_.load(std::memory_order_acquire); }

    FileBytes in_file() const { return vectors_.in_file(size() * vector_bytes_); }

    /// Makes room; says whether there was memory.
    bool reserve(std::size_t slots);

    /// Stores a checked vector in the next slot, without links; no_slot where memory is missing.
    Slot append(std::span<const float> vector, int level);

    /// Makes the next slot without a vector: zeros until set_vector().
    Slot append_empty(int level);

    /// Gives a slot of append_empty() its checked vector, before anyone can find it; says whether
    /// there was memory.
    bool set_vector(Slot slot, std::span<const float> vector);

    /// Makes codes about a centre that was learnt before, while there are no vectors; says whether
    /// there was memory. Requires as many floats as dimensions.
    bool use_codes(std::span<const float> centre);

    /// Gives every slot a code, its centre drawn from them; says whether there was memory. Without
    /// effect where Sq8::agreement() is less than `agreement_min`.
    bool train(double agreement_min);

    const Sq8* sq8() const { return trained_.load(std::memory_order_acquire); }

    /// What walks compare: sq8(), or null where there are no codes or they are too coarse.
    const Sq8* walked() const { return coarse_.load(std::memory_order_acquire) ? nullptr : sq8(); }

    /// How well the codes tell who is near, asked about some of these slots: among all of them, and
    /// among the nodes that they are linked to. Requires sq8(), and that they have vectors.
    double agreement(std::span<const Slot> sample) const;

    /// From now on walks compare vectors. Codes stay, for walks that have begun.
    void give_codes_up() { coarse_.store(true, std::memory_order_release); }

    bool gave_codes_up() const { return coarse_.load(std::memory_order_acquire); }

    const float* vector(Slot slot) const {
        const std::byte* const at = vectors_.data() + slot * vector_bytes_;
        return reinterpret_cast<const float*>(arena_ ? arena_->data() + place_at(at) : at);
    }

    const std::int8_t* code(Slot slot) const {
        return reinterpret_cast<const std::int8_t*>(codes_.data() + slot * code_bytes_);
    }

    /// Where there are codes.
    const SignCodes* sign_codes() const { return sq8() != nullptr ? sign_codes_.get() : nullptr; }

    const std::byte* signs(Slot slot) const { return signs_.data() + slot * sign_bytes_; }

    /// Cache lines that a search reads of a row: of its code or vector, and of its signs.
    std::size_t code_lines() const {
        return lines_of(walked() != nullptr ? code_bytes_ : vector_bytes_max_);
    }

    std::size_t sign_lines() const { return walked() != nullptr ? lines_of(sign_bytes_) : 0; }

    LinkLists& links() { return links_; }

    const LinkLists& links() const { return links_; }

    void prefetch_vector(Slot slot) const {
        if (arena_) {
            prefetch(*arena_, place_at(vectors_.data() + slot * vector_bytes_), vector_bytes_max_);
        } else {
            prefetch(vectors_, slot * vector_bytes_, vector_bytes_);
        }
    }

    void prefetch_code(Slot slot) const { prefetch(codes_, slot * code_bytes_, code_bytes_); }

    /// Into the second level, which waits for three times as many lines at once as the first.
    void prefetch_signs(Slot slot) const {
        const std::byte* const at = signs(slot);
        for (std::size_t i = 0; i < sign_bytes_; i += 64) {
            __builtin_prefetch(at + i, 0, 2);
        }
        __builtin_prefetch(at + sign_bytes_ - 1, 0, 2);
    }

  private:
    static std::size_t arena_code_bytes(std::span<const float> vector) {
        return Space::code_floats(vector) * sizeof(float);
    }

    static std::size_t lines_of(std::size_t bytes) { return (bytes + 63) / 64; }

    bool grow_codes(std::size_t slots) {
        return codes_.grow(slots * code_bytes_) && signs_.grow(slots * sign_bytes_);
    }

    static std::uint64_t place_at(const std::byte* at) {
        std::uint64_t place = 0;
        std::memcpy(&place, at, sizeof place);
        return place;
    }

    float* place_for(Slot slot, std::span<const float> vector);
    static void prefetch(const ReservedMemory& memory, std::size_t at, std::size_t bytes);
    void encode(Slot slot, const Sq8& sq8, const SignCodes& sign_codes);

    Space space_;
    std::size_t vector_bytes_;
    std::size_t vector_bytes_max_;  ///< worth prefetching
    std::size_t code_bytes_;
    std::size_t sign_bytes_;
    ReservedMemory vectors_;
    ReservedMemory codes_;
    ReservedMemory signs_;
    std::optional<ReservedMemory> arena_;
    std::size_t arena_used_ = 0;  ///< the writer's
    LinkLists links_;
    std::size_t capacity_ = 0;
    std::atomic<std::size_t> size_{0};
    std::unique_ptr<const Sq8> sq8_;
    std::unique_ptr<const SignCodes> sign_codes_;
    std::atomic<const Sq8*> trained_{nullptr};
    std::atomic<bool> coarse_{false};
};

/// Distances over the vectors themselves.
class OverVectors {
  public:
    using Code = const float*;

    explicit OverVectors(const GraphStore& store) : store_{store} {}

    std::size_t slots() const { return store_.size(); }

    Code code(Slot slot) const { return store_.vector(slot); }

    float distance(Code a, Code b) const { return store_.space().walk(a, b); }

    void prefetch(Slot slot) const { store_.prefetch_vector(slot); }

  private:
    const GraphStore& store_;
};

/// Distances over codes. Requires a trained store.
class OverCodes {
  public:
    using Code = const std::int8_t*;

    explicit OverCodes(const GraphStore& store) : store_{store}, sq8_{*store.sq8()} {}

    std::size_t slots() const { return store_.size(); }

    Code code(Slot slot) const { return store_.code(slot); }

    float distance(Code a, Code b) const { return sq8_.distance(a, b); }

    void prefetch(Slot slot) const { store_.prefetch_code(slot); }

  private:
    const GraphStore& store_;
    const Sq8& sq8_;
};

}  // namespace veer::index

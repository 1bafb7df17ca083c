#pragma once

#include "index/graph_store.hpp"
#include "index/link_lists.hpp"
#include "index/sign_codes.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

namespace veer::index {

/// Spares a walk the codes of nodes that are sure to be too far, by SignCodes: an eighth of the
/// memory is read of most.
class SignScreen {
  public:
    SignScreen(const GraphStore& store, const SignCodes::Query& query)
        : store_{store}, query_{query} {}

    /// Puts those that may be nearer than `farthest` first, in their order; how many they are.
    std::size_t near(std::span<Slot> slots, float farthest) const {
        std::size_t kept = 0;
        prefetch(block_at(slots, 0));
        for (std::size_t first = 0; first < slots.size(); first += SignCodes::block) {
            prefetch(block_at(slots, first + SignCodes::block));
            const std::span<Slot> some = block_at(slots, first);
            std::array<const std::byte*, SignCodes::block> codes;
            std::array<float, SignCodes::block> bounds;
            std::transform(some.begin(), some.end(), codes.begin(), [&](Slot slot) {
                return store_.signs(slot);
            });
            store_.sign_codes()->bounds(query_, {codes.data(), some.size()}, bounds.data());
            for (std::size_t i = 0; i < some.size(); ++i) {
                if (!(bounds[i] >= farthest)) {  // nor where overflow has made it NaN
                    slots[kept++] = some[i];
                }
            }
        }
        return kept;
    }

    /// Fetches the signs of those that `next` links to and that are `wanted`, so that they come
    /// while codes are compared. Where a nearer node comes up, that was in vain; mostly none does.
    template <class Wanted>
    void expect(const LinkList& next, Wanted wanted) const {
        Links links;
        const std::size_t count = next.read(links);
        for (const Slot slot : std::span{links.data(), count}) {
            if (wanted(slot)) {
                store_.prefetch_signs(slot);
            }
        }
    }

  private:
    static std::span<Slot> block_at(std::span<Slot> slots, std::size_t first) {
        const std::size_t begin = std::min(first, slots.size());
        return slots.subspan(begin, std::min(SignCodes::block, slots.size() - begin));
    }

    void prefetch(std::span<const Slot> slots) const {
        std::for_each(slots.begin(), slots.end(), [&](Slot slot) { store_.prefetch_signs(slot); });
    }

    const GraphStore& store_;
    const SignCodes::Query& query_;
};

}  // namespace veer::index

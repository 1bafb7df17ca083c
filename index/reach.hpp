#pragma once

#include "index/link_lists.hpp"

#include <atomic>
#include <vector>

namespace veer::index {

/// Who can be reached from the entry on the bottom layer, while links change.
///
/// Invariants:
/// 1. It takes no lock. What changes beside it may make it see a node as lost that is not, which
///    costs a search for it; a node that stays lost is found.
/// 2. A slot without links is no node: it shares another's, or was never linked.
class Reach {
  public:
    /// Of the nodes below `slots`.
    Reach(const LinkLists& links, Slot entry, std::size_t slots);

    /// The next node that was not reached, in the order of slots, or no_slot where there is none
    /// left or `stopping` is set. Takes it for reached from now on, and what it leads to.
    Slot next_lost(const std::atomic<bool>& stopping);

  private:
    void reach(Slot slot);
    bool spread(const std::atomic<bool>& stopping);

    const LinkLists& links_;
    std::vector<bool> reached_;
    std::vector<Slot> fringe_;  ///< reached, their links not yet followed
    Slot next_ = 0;
};

}  // namespace veer::index

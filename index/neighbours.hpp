#pragma once

#include "index/link_lists.hpp"
#include "index/walk.hpp"

#include <algorithm>
#include <mutex>
#include <vector>

namespace veer::index {

/// Decides who links to whom. The heuristic is algorithm 4 of Malkov & Yashunin 2016; what it
/// passes over fills a list up while there is room, as in pgvector, because full lists find more at
/// the same ef.
template <class Measure>
class Neighbours {
  public:
    Neighbours(const Measure& measure, LinkLists& links, std::uint32_t m)
        : measure_{measure}, links_{links}, m_{m} {}

    /// Links a new node and those `nearby` it, both ways.
    void connect(Slot slot, int layer, std::vector<Found>& nearby) {
        LinkList list = links_.at(slot, layer);
        select(nearby, list.room(), list.room());
        const std::vector<Found> selected = chosen_;
        {
            const std::lock_guard lock{list};
            write(list, selected);
        }
        for (const Found& neighbour : selected) {
            link_back(neighbour.slot, {neighbour.distance, slot}, layer);
        }
    }

  private:
    /// A list that overflows is filled up less than whole, so that it does not overflow at the next
    /// new neighbour again: one in eight links left out halves the time of a build.
    static constexpr std::size_t spare_share = 8;

    /// Fills chosen_ with up to `count`, of which the first ones are the heuristic's, nearest
    /// first. Sorts `from`.
    void select(std::vector<Found>& from, std::size_t count, std::size_t filled) {
        std::sort(from.begin(), from.end(), Nearer{});
        chosen_.clear();
        passed_.clear();
        for (const Found& candidate : from) {
            if (chosen_.size() == count) {
                break;
            }
            (is_diverse(candidate) ? chosen_ : passed_).push_back(candidate);
        }
        const std::size_t missing =
            std::min(filled - std::min(filled, chosen_.size()), passed_.size());
        chosen_.insert(
            chosen_.end(), passed_.begin(), passed_.begin() + static_cast<std::ptrdiff_t>(missing)
        );
    }

    /// Whether it is nearer to the node in question than to all chosen before.
    bool is_diverse(Found candidate) const {
        const auto code = measure_.code(candidate.slot);
        return std::none_of(chosen_.begin(), chosen_.end(), [&](Found chosen) {
            return measure_.distance(code, measure_.code(chosen.slot)) < candidate.distance;
        });
    }

    static void write(LinkList& list, const std::vector<Found>& to) {
        Links links;
        std::transform(to.begin(), to.end(), links.begin(), [](Found one) { return one.slot; });
        list.write({links.data(), to.size()});
    }

    bool is_child(Slot slot, Slot parent) const { return links_.parent(slot) == parent; }

    void link_back(Slot from, Found added, int layer) {
        LinkList list = links_.at(from, layer);
        const std::lock_guard lock{list};
        Links links;
        const std::size_t count = list.read(links);
        if (layer == 0) {
            adopt(from, added.slot, {links.data(), count});
        }
        if (count < list.room()) {
            list.append(count, added.slot);
            return;
        }
        const auto code = measure_.code(from);
        around_.assign(1, added);
        for (const Slot link : std::span{links.data(), count}) {
            around_.push_back({measure_.distance(code, measure_.code(link)), link});
        }
        select(around_, list.room(), list.room() - list.room() / spare_share);
        if (layer == 0) {
            keep_children(from, list.room());
        }
        write(list, chosen_);
    }

    /// Puts the children among around_ in front, and drops what then has no room.
    void keep_children(Slot from, std::size_t room) {
        passed_.clear();
        for (const Found& found : around_) {
            if (is_child(found.slot, from)) {
                passed_.push_back(found);
            }
        }
        for (const Found& found : chosen_) {
            if (!is_child(found.slot, from)) {
                passed_.push_back(found);
            }
        }
        passed_.resize(std::min(passed_.size(), room));
        chosen_.swap(passed_);
    }

    /// Gives a new node its parent: the nearest of its neighbours that has not m children already.
    void adopt(Slot parent, Slot child, std::span<const Slot> links) {
        if (links_.parent(child) != no_slot) {
            return;
        }
        const auto children = std::count_if(links.begin(), links.end(), [&](Slot link) {
            return is_child(link, parent);
        });
        if (static_cast<std::size_t>(children) < m_) {
            links_.set_parent(child, parent);
        }
    }

    const Measure& measure_;
    LinkLists& links_;
    std::uint32_t m_;
    std::vector<Found> chosen_;
    std::vector<Found> passed_;
    std::vector<Found> around_;
};

}  // namespace veer::index

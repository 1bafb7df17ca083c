#pragma once

#include "index/link_lists.hpp"
#include "index/walk.hpp"

#include <algorithm>
#include <mutex>
#include <vector>

namespace veer::index {

/// Decides who links to whom. The heuristic is algorithm 4 of Malkov & Yashunin 2016; what it
/// passes over fills a list up, as in pgvector, because full lists find more at the same ef.
///
///     [ chosen, nearest first | passed over, nearest first ]       a full list
///
/// A full list keeps that order, so that a newcomer is judged alone: it is compared with the chosen
/// ones, takes its place, and the farthest of those passed over has to go. Judging all again
/// would cost five times as many comparisons, and most of the time of a build.
template <class Measure>
class Neighbours {
  public:
    Neighbours(const Measure& measure, LinkLists& links, std::uint32_t m)
        : measure_{measure}, links_{links}, m_{m} {}

    /// Links a new node and those `nearby` it, both ways.
    void connect(Slot slot, int layer, std::vector<Found>& nearby) {
        LinkList list = links_.at(slot, layer);
        judge_all(nearby);
        chosen_.resize(std::min(chosen_.size(), list.room()));
        passed_.resize(std::min(passed_.size(), list.room() - chosen_.size()));
        std::vector<Found> selected = chosen_;
        selected.insert(selected.end(), passed_.begin(), passed_.end());
        {
            const std::lock_guard lock{list};
            write(list);
        }
        for (const Found& neighbour : selected) {
            link_back(neighbour.slot, {neighbour.distance, slot}, layer);
        }
        links_.touch(slot, LinkLists::links_changed);
    }

    /// Links a node anew on layer 0 that no path leads to, both ways; what it is linked to stays as
    /// far as there is room.
    void reconnect(Slot slot, std::vector<Found>& nearby) {
        std::sort(nearby.begin(), nearby.end(), Nearer{});
        nearby.resize(std::min<std::size_t>(nearby.size(), m_));
        LinkList list = links_.at(slot, 0);
        const auto code = measure_.code(slot);
        {
            const std::lock_guard lock{list};
            Links links;
            const std::size_t count = list.read(links);
            around_ = nearby;
            for (const Slot link : std::span{links.data(), count}) {
                if (!contains(nearby, link)) {
                    around_.push_back({measure_.distance(code, measure_.code(link)), link});
                }
            }
            write_around(list, slot);
        }
        links_.set_parent(slot, no_slot);  // the old one is out of reach as well
        for (const Found& neighbour : nearby) {
            link_back(neighbour.slot, {neighbour.distance, slot}, 0);
        }
        links_.touch(slot, LinkLists::links_changed);
    }

    /// Puts the links of lost nodes in the place of links to them. `is_lost` says of whom not even
    /// the vector is known any more.
    template <class IsLost>
    void bridge(Slot slot, int layer, IsLost is_lost) {
        LinkList list = links_.at(slot, layer);
        const std::lock_guard lock{list};
        Links links;
        const std::span<const Slot> mine{links.data(), list.read(links)};
        if (std::none_of(mine.begin(), mine.end(), is_lost)) {
            return;
        }
        const auto code = measure_.code(slot);
        around_.clear();
        const auto add = [&](Slot link) {
            if (link != slot && !is_lost(link) && !contains(around_, link)) {
                around_.push_back({measure_.distance(code, measure_.code(link)), link});
            }
        };
        for (const Slot link : mine) {
            if (!is_lost(link)) {
                add(link);
                continue;
            }
            Links theirs;
            const std::size_t count = links_.at(link, layer).read(theirs);
            std::for_each_n(theirs.begin(), count, add);
        }
        write_around(list, slot);
        links_.touch(slot, LinkLists::links_changed);
    }

  private:
    static bool contains(const std::vector<Found>& all, Slot slot) {
        return std::any_of(all.begin(), all.end(), [&](Found one) { return one.slot == slot; });
    }

    /// Writes the best of around_ that there is room for; children stay.
    void write_around(LinkList& list, Slot slot) {
        judge_all(around_);
        const std::size_t count = chosen_.size() + passed_.size();
        for (std::size_t over = count - std::min(count, list.room()); over > 0; --over) {
            drop_farthest(slot);
        }
        write(list);
    }

    /// Parts them into chosen_ and passed_.
    void judge_all(std::vector<Found>& from) {
        std::sort(from.begin(), from.end(), Nearer{});
        chosen_.clear();
        passed_.clear();
        for (const Found& candidate : from) {
            (is_diverse(candidate, chosen_.size()) ? chosen_ : passed_).push_back(candidate);
        }
    }

    /// Puts one more into chosen_ or passed_. Whom it displaces is passed over from now on; whom
    /// the displaced one had kept out stays out.
    void judge(Found added) {
        const auto place = std::upper_bound(chosen_.begin(), chosen_.end(), added, Nearer{});
        const auto nearer = static_cast<std::size_t>(place - chosen_.begin());
        if (!is_diverse(added, nearer)) {
            pass_over(added);
            return;
        }
        const auto code = measure_.code(added.slot);
        const auto displaced = std::stable_partition(place, chosen_.end(), [&](Found one) {
            return measure_.distance(code, measure_.code(one.slot)) >= one.distance;
        });
        std::for_each(displaced, chosen_.end(), [this](Found one) { pass_over(one); });
        chosen_.erase(displaced, chosen_.end());
        chosen_.insert(chosen_.begin() + static_cast<std::ptrdiff_t>(nearer), added);
    }

    void pass_over(Found one) {
        passed_.insert(std::upper_bound(passed_.begin(), passed_.end(), one, Nearer{}), one);
    }

    /// Whether it is nearer to the node in question than to the first of chosen_.
    bool is_diverse(Found candidate, std::size_t first) const {
        const auto code = measure_.code(candidate.slot);
        const auto end = chosen_.begin() + static_cast<std::ptrdiff_t>(first);
        return std::none_of(chosen_.begin(), end, [&](Found chosen) {
            return measure_.distance(code, measure_.code(chosen.slot)) < candidate.distance;
        });
    }

    /// Writes chosen_ and passed_, which have room.
    void write(LinkList& list) {
        Links links;
        std::size_t count = 0;
        for (const auto* part : {&chosen_, &passed_}) {
            for (const Found& one : *part) {
                links[count++] = one.slot;
            }
        }
        list.write({links.data(), count}, count == list.room() ? chosen_.size() : 0);
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
        const auto end = links.begin() + static_cast<std::ptrdiff_t>(count);
        if (std::find(links.begin(), end, added.slot) != end) {
            return;
        }
        if (count < list.room()) {
            list.append(count, added.slot);
            links_.touch(from, LinkLists::links_changed);
            return;
        }
        const auto code = measure_.code(from);
        around_.clear();
        for (const Slot link : std::span{links.data(), count}) {
            around_.push_back({measure_.distance(code, measure_.code(link)), link});
        }
        const std::size_t chosen = list.chosen();
        if (chosen > 0) {
            const auto parted = around_.begin() + static_cast<std::ptrdiff_t>(chosen);
            chosen_.assign(around_.begin(), parted);
            passed_.assign(parted, around_.end());
            judge(added);
        } else {
            around_.push_back(added);
            judge_all(around_);
        }
        drop_farthest(from);
        write(list);
        links_.touch(from, LinkLists::links_changed);
    }

    /// Of those passed over, else of the chosen; children stay. A node has fewer of them than room
    /// (adopt()).
    void drop_farthest(Slot from) {
        for (auto* part : {&passed_, &chosen_}) {
            const auto farthest = std::find_if(part->rbegin(), part->rend(), [&](Found one) {
                return !is_child(one.slot, from);
            });
            if (farthest != part->rend()) {
                part->erase(std::next(farthest).base());
                return;
            }
        }
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
            links_.touch(child, LinkLists::links_changed);
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

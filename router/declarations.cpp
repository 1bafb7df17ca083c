#include "router/declarations.hpp"

#include <algorithm>
#include <utility>

namespace veer::router {

namespace {

Complaint complaint(std::string sqlstate, std::string message, std::string hint) {
    return {std::move(sqlstate), std::move(message), std::move(hint)};
}

}  // namespace

std::optional<Complaint> collision(
    const Declaration& declaration, const Declarations::All& others
) {
    for (const Declaration& other : others) {
        const bool index = declaration.kind == Declaration::Kind::index;
        if (other.kind == declaration.kind && other.name == declaration.name &&
            (!index || other.schema == declaration.schema)) {
            return index ? complaint("42P07", "relation \"" + other.name + "\" already exists", {})
                         : complaint(
                               "42710",
                               "collection \"" + other.name + "\" already exists",
                               "SELECT veer.unregister('...') takes one away."
                           );
        }
        // Who calls it by that name means the other table, or the other index.
        const bool elsewhere =
            other.schema != declaration.schema || other.table != declaration.table;
        if (!index && elsewhere &&
            (other.table == declaration.name ||
             (other.kind == Declaration::Kind::index && other.name == declaration.name))) {
            return complaint(
                "42710",
                "collection \"" + declaration.name + "\" would be called as route \"" +
                    route_name(other) + "\" is",
                {}
            );
        }
        if (other.same_route(declaration)) {
            return complaint(
                "42710",
                "route \"" + route_name(other) + "\" is declared already, as \"" + other.name + '"',
                other.kind == Declaration::Kind::index
                    ? "DROP INDEX takes it away."
                    : "SELECT veer.unregister('...') takes it away."
            );
        }
    }
    if (others.size() >= Declarations::most) {
        return complaint(
            "54000", "there are " + std::to_string(others.size()) + " declared routes already", {}
        );
    }
    return std::nullopt;
}

Declarations::Declarations(All known, std::string database, Save save)
    : database_(std::move(database)),
      save_(std::move(save)),
      all_(std::make_shared<const All>(std::move(known))) {}

std::shared_ptr<const Declarations::All> Declarations::all() const {
    const std::lock_guard lock(mutex_);
    return all_;
}

std::uint64_t Declarations::revision() const {
    const std::lock_guard lock(mutex_);
    return revision_;
}

bool Declarations::has_index(std::string_view name) const {
    const auto known = all();
    return std::any_of(known->begin(), known->end(), [name](const Declaration& each) {
        return each.kind == Declaration::Kind::index && each.name == name;
    });
}

std::optional<Complaint> Declarations::add(const Declaration& declaration) {
    const std::lock_guard one_at_a_time(changing_);
    All wanted = *all();
    if (auto why = collision(declaration, wanted)) {
        return why;
    }
    wanted.push_back(declaration);
    return replace(std::move(wanted));
}

std::optional<Complaint> Declarations::remove(const Declaration& declaration) {
    const std::lock_guard one_at_a_time(changing_);
    All wanted = *all();
    if (std::erase(wanted, declaration) == 0) {
        return complaint("42704", '"' + declaration.name + "\" is gone already", {});
    }
    return replace(std::move(wanted));
}

std::optional<Complaint> Declarations::replace(All wanted) {
    auto next = std::make_shared<const All>(std::move(wanted));  // before anything is stored
    if (const std::string problem = save_(*next); !problem.empty()) {
        return complaint("58030", "veer could not store its declared routes: " + problem, {});
    }
    const std::lock_guard lock(mutex_);
    all_ = std::move(next);
    ++revision_;
    return std::nullopt;
}

}  // namespace veer::router

#include "config/freshness.hpp"

#include "config/quantity.hpp"

namespace veer::config {

namespace {

constexpr std::string_view bounded = "bounded ";

}  // namespace

std::optional<Freshness> parse_freshness(std::string_view text) {
    if (text == "causal") {
        return Freshness{};
    }
    if (text == "eventual") {
        return Freshness{.kind = Freshness::Kind::eventual};
    }
    if (!text.starts_with(bounded)) {
        return std::nullopt;
    }
    const auto bound = parse_duration(text.substr(bounded.size()));
    if (!bound || *bound < Freshness::bound_min || *bound > Freshness::bound_max) {
        return std::nullopt;
    }
    return Freshness{.kind = Freshness::Kind::bounded, .bound = *bound};
}

std::string to_string(const Freshness& freshness) {
    switch (freshness.kind) {
        case Freshness::Kind::causal:
            return "causal";
        case Freshness::Kind::bounded:
            return std::string(bounded) + to_string(freshness.bound);
        case Freshness::Kind::eventual:
            return "eventual";
    }
    return "causal";
}

}  // namespace veer::config

#include "router/cutover/gates.hpp"

#include "router/cutover/betting.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace veer::router::cutover {

namespace {

constexpr double evidence_most = 1e99;  // what is worth showing

/// The mean of what was seen must be above m.
Gate betting_gate(
    std::string_view name, const Histogram& seen, double m, const config::Gates& wanted
) {
    const double log_found = log_evidence(seen, m);
    Gate gate{
        .name = name,
        .value = seen.mean(),
        .bound = lower_bound(seen, wanted.confidence),
        .threshold = m,
        .samples = seen.count(),
        .evidence = std::min(std::exp(std::min(log_found, 500.0)), evidence_most),
        .verdict = Verdict::inconclusive,
        .more_needed = more_needed(seen, m, wanted.confidence)};
    if (log_found >= log_evidence_needed(wanted.confidence)) {
        gate.verdict = Verdict::pass;
    } else if (seen.count() > 0 && upper_bound(seen, wanted.confidence) < m) {
        gate.verdict = Verdict::fail;
    }
    return gate;
}

Gate recall_vs_postgres(const Evidence& evidence, const config::Gates& wanted) {
    Gate gate = betting_gate("recall_vs_pg", evidence.advantage, (1.0 - wanted.margin) / 2, wanted);
    const auto difference = [](double halved) {
        return 2 * halved - 1;
    };
    gate.value = difference(gate.value);
    gate.bound = difference(gate.bound);
    gate.threshold = -wanted.margin;
    return gate;
}

Gate slow_share(const Evidence& evidence, const config::Gates& wanted) {
    Gate gate = betting_gate("slow_share", evidence.in_time, 1.0 - wanted.slow_share_max, wanted);
    gate.value = gate.samples == 0 ? 0 : 1.0 - gate.value;
    gate.bound = 1.0 - gate.bound;
    gate.threshold = wanted.slow_share_max;
    return gate;
}

Gate hard(const Evidence& evidence) {
    return {
        .name = "hard",
        .value = static_cast<double>(evidence.hard),
        .bound = 0,
        .threshold = 0,
        .samples = evidence.compared,
        .evidence = 0,
        .verdict = evidence.hard > 0 ? Verdict::fail : Verdict::pass,
        .more_needed = 0};
}

Gate compared(const Evidence& evidence, const config::Gates& wanted) {
    const std::uint64_t useful = evidence.compared - evidence.excluded;
    const bool enough = useful >= wanted.compared_min;
    return {
        .name = "compared",
        .value = static_cast<double>(useful),
        .bound = 0,
        .threshold = static_cast<double>(wanted.compared_min),
        .samples = evidence.compared,
        .evidence = 0,
        .verdict = enough ? Verdict::pass : Verdict::inconclusive,
        .more_needed = enough ? 0 : wanted.compared_min - useful};
}

/// What is set aside as noise must not hide damage: too much of it, and nothing is known.
Gate noise(const Evidence& evidence, const config::Gates& wanted) {
    const double share = evidence.compared == 0 ? 0
                                                : static_cast<double>(evidence.excluded) /
                                                      static_cast<double>(evidence.compared);
    return {
        .name = "noise",
        .value = share,
        .bound = 0,
        .threshold = wanted.excluded_max,
        .samples = evidence.compared,
        .evidence = 0,
        .verdict = share <= wanted.excluded_max ? Verdict::pass : Verdict::inconclusive,
        .more_needed = std::nullopt};
}

Gate age(const Evidence& evidence, Duration age_max, Time now) {
    const double hours =
        evidence.last ? static_cast<double>((now - *evidence.last).count()) / 3.6e6 : 0;
    const bool fresh = evidence.last && now - *evidence.last <= age_max && now >= *evidence.last;
    return {
        .name = "age",
        .value = hours,
        .bound = 0,
        .threshold = static_cast<double>(age_max.count()) / 3.6e6,
        .samples = evidence.compared,
        .evidence = 0,
        .verdict = fresh ? Verdict::pass : Verdict::inconclusive,
        .more_needed = std::nullopt};
}

std::string in_words(const Gate& gate) {
    char text[200];
    if (gate.name == "hard") {
        std::snprintf(text, sizeof text, "%.0f wrong answers were found", gate.value);
    } else if (gate.name == "age") {
        std::snprintf(
            text,
            sizeof text,
            "nothing was compared %s",
            gate.samples == 0 ? "yet" : "for too long: the evidence is stale"
        );
    } else if (gate.name == "noise") {
        std::snprintf(
            text,
            sizeof text,
            "%.1f %% of the comparisons prove nothing, because rows were changing",
            100 * gate.value
        );
    } else if (gate.verdict == Verdict::fail) {
        std::snprintf(
            text,
            sizeof text,
            "%s is %.4f and would have to be %.4f",
            std::string(gate.name).c_str(),
            gate.value,
            gate.threshold
        );
    } else if (gate.more_needed) {
        std::snprintf(
            text,
            sizeof text,
            "about %llu more compared searches for %s",
            static_cast<unsigned long long>(*gate.more_needed),
            std::string(gate.name).c_str()
        );
    } else {
        std::snprintf(
            text,
            sizeof text,
            "%s is not proven: %.4f of %llu samples, %.4f needed",
            std::string(gate.name).c_str(),
            gate.value,
            static_cast<unsigned long long>(gate.samples),
            gate.threshold
        );
    }
    return text;
}

}  // namespace

std::vector<Gate> gates(
    const Evidence& evidence, const config::Gates& wanted, Duration age_max, Time now
) {
    return {
        hard(evidence),
        betting_gate("recall", evidence.recall, wanted.recall_min, wanted),
        recall_vs_postgres(evidence, wanted),
        slow_share(evidence, wanted),
        compared(evidence, wanted),
        noise(evidence, wanted),
        age(evidence, age_max, now)};
}

Verdict verdict(const std::vector<Gate>& gates) {
    const auto any = [&gates](Verdict verdict) {
        return std::any_of(gates.begin(), gates.end(), [verdict](const Gate& gate) {
            return gate.verdict == verdict;
        });
    };
    if (any(Verdict::fail)) {
        return Verdict::fail;
    }
    return any(Verdict::inconclusive) ? Verdict::inconclusive : Verdict::pass;
}

std::string obstacle(const std::vector<Gate>& gates) {
    for (const Verdict wanted : {Verdict::fail, Verdict::inconclusive}) {
        const auto found = std::find_if(gates.rbegin(), gates.rend(), [wanted](const Gate& gate) {
            return gate.verdict == wanted;
        });
        if (found != gates.rend()) {
            return in_words(*found);
        }
    }
    return {};
}

}  // namespace veer::router::cutover

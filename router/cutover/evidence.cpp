#include "router/cutover/evidence.hpp"

#include "router/cutover/text.hpp"

#define XXH_INLINE_ALL  // NOLINT(readability-identifier-naming): xxhash names it
#include <xxhash.h>

namespace veer::router::cutover {

namespace {

std::string time_to_text(const std::optional<Time>& time) {
    return time ? std::to_string(time->time_since_epoch().count()) : std::string();
}

std::optional<Time> time_from_text(std::string_view text) {
    const auto count = number_from_text<std::int64_t>(text);
    return count ? std::optional(Time(Duration(*count))) : std::nullopt;
}

/// False where the value is not understood.
bool take(Evidence& evidence, std::string_view name, std::string_view value) {
    const auto into_histogram = [value](Histogram& target) {
        const auto read = histogram_from_text(value);
        target = read.value_or(Histogram());
        return read.has_value();
    };
    const auto into_count = [value](std::uint64_t& target) {
        const auto read = number_from_text<std::uint64_t>(value);
        target = read.value_or(0);
        return read.has_value();
    };
    const auto into_time = [value](std::optional<Time>& target) {
        target = time_from_text(value);
        return value.empty() || target.has_value();
    };
    if (name == "recall") {
        return into_histogram(evidence.recall);
    }
    if (name == "advantage") {
        return into_histogram(evidence.advantage);
    }
    if (name == "in_time") {
        return into_histogram(evidence.in_time);
    }
    if (name == "compared") {
        return into_count(evidence.compared);
    }
    if (name == "excluded") {
        return into_count(evidence.excluded);
    }
    if (name == "hard") {
        return into_count(evidence.hard);
    }
    if (name == "first") {
        return into_time(evidence.first);
    }
    return name == "last" && into_time(evidence.last);
}

}  // namespace

std::string_view to_string(HardDifference difference) {
    switch (difference) {
        case HardDifference::filter_violation:
            return "filter_violation";
        case HardDifference::invisible_row:
            return "invisible_row";
        case HardDifference::wrong_distance:
            return "wrong_distance";
        case HardDifference::missing_row:
            return "missing_row";
        case HardDifference::payload:
            return "payload";
        case HardDifference::metadata:
            return "metadata";
        case HardDifference::duplicate_id:
            return "duplicate_id";
        case HardDifference::unsorted:
            return "unsorted";
        case HardDifference::error_veer_only:
            return "error_veer_only";
    }
    return "unknown";
}

std::uint64_t shape_id(std::string_view shape) {
    return XXH3_64bits(shape.data(), shape.size());
}

std::string to_text(const Evidence& evidence) {
    return "compared=" + std::to_string(evidence.compared) +
           " excluded=" + std::to_string(evidence.excluded) +
           " hard=" + std::to_string(evidence.hard) + " first=" + time_to_text(evidence.first) +
           " last=" + time_to_text(evidence.last) + " recall=" + to_text(evidence.recall) +
           " advantage=" + to_text(evidence.advantage) + " in_time=" + to_text(evidence.in_time);
}

std::optional<Evidence> evidence_from_text(std::string_view text) {
    Evidence evidence;
    for (const std::string_view word : split(text, ' ')) {
        const std::size_t equals = word.find('=');
        if (equals == std::string_view::npos ||
            !take(evidence, word.substr(0, equals), word.substr(equals + 1))) {
            return std::nullopt;
        }
    }
    return evidence;
}

}  // namespace veer::router::cutover

#include "router/compare/recent.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <utility>

namespace veer::router::compare {

void RecentComparisons::add(Entry entry) {
    if (kept_.size() >= kept_max) {
        complete_from_us_ = std::max(complete_from_us_.value_or(0), kept_.front().taken_us + 1);
        kept_.pop_front();
    }
    kept_.push_back(std::move(entry));
}

std::map<std::string, RouteStatistics> RecentComparisons::since(std::int64_t from_us) const {
    std::map<std::string, RouteStatistics> routes;
    for (const Entry& entry : kept_) {
        if (entry.taken_us >= from_us) {
            RouteStatistics& statistics = routes[entry.route];
            statistics.cold_left = entry.cold ? 1 : 0;
            statistics.add(entry.judgement, entry.durations, entry.applied);
        }
    }
    return routes;
}

std::optional<std::int64_t> parse_time(std::string_view text) {
    // 2026-05-04T14:22:07
    // 0    5  8  11 14 17
    constexpr std::string_view form = "dddd-dd-ddTdd:dd:dd";
    if (text.size() <= form.size()) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < form.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        const bool fits = form[i] == 'd' ? std::isdigit(c) != 0 : std::toupper(c) == form[i];
        if (!fits) {
            return std::nullopt;
        }
    }
    const auto number = [text](std::size_t at, std::size_t digits) {
        unsigned value = 0;
        std::from_chars(text.data() + at, text.data() + at + digits, value);
        return value;
    };
    const std::chrono::year_month_day day{
        std::chrono::year{static_cast<int>(number(0, 4))},
        std::chrono::month{number(5, 2)},
        std::chrono::day{number(8, 2)}};
    if (!day.ok() || number(11, 2) > 23 || number(14, 2) > 59 || number(17, 2) > 59) {
        return std::nullopt;
    }
    std::string_view rest = text.substr(form.size());
    std::int64_t fraction_us = 0;
    if (rest.front() == '.') {
        rest.remove_prefix(1);
        for (std::int64_t unit = 100'000; !rest.empty() && std::isdigit(rest.front()) != 0;
             unit /= 10) {
            fraction_us += unit * (rest.front() - '0');
            rest.remove_prefix(1);
        }
    }
    if (rest != "Z" && rest != "z") {
        return std::nullopt;
    }
    const auto time = std::chrono::sys_days(day) + std::chrono::hours(number(11, 2)) +
                      std::chrono::minutes(number(14, 2)) + std::chrono::seconds(number(17, 2));
    return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count() +
           fraction_us;
}

}  // namespace veer::router::compare

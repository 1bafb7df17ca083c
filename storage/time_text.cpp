#include "storage/time_text.hpp"

#include <cstdio>
#include <limits>

namespace veer::storage {

namespace {

constexpr std::int64_t microseconds_a_day = 86'400'000'000;

// datatype/timestamp.h: from 4714-11-24 BC to before 5874898-01-01 and 294277-01-01.
constexpr std::int64_t date_min = -2'451'545;
constexpr std::int64_t date_end = 2'145'031'949;
constexpr std::int64_t timestamp_min = -211'813'488'000'000'000;
constexpr std::int64_t timestamp_end = 9'223'371'331'200'000'000;

template <class Number>
std::optional<std::string> infinity(std::int64_t value) {
    if (value == std::numeric_limits<Number>::max()) {
        return "infinity";
    }
    if (value == std::numeric_limits<Number>::min()) {
        return "-infinity";
    }
    return std::nullopt;
}

struct Date {
    std::int64_t year = 0;  ///< 0 is 1 BC
    int month = 1;
    int day = 1;
};

/// Howard Hinnant's civil_from_days: years that begin in March, in eras of 400. std::chrono's years
/// end at 32767.
Date date_of(std::int64_t days) {
    constexpr std::int64_t days_an_era = 146'097;
    constexpr std::int64_t since_0000_03_01 = 730'425;  // of 2000-01-01
    days += since_0000_03_01;
    const std::int64_t era = (days >= 0 ? days : days - (days_an_era - 1)) / days_an_era;
    const std::int64_t of_era = days - era * days_an_era;
    const std::int64_t year_of_era =
        (of_era - of_era / 1'460 + of_era / 36'524 - of_era / 146'096) / 365;
    const std::int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t shifted = (5 * of_year + 2) / 153;  // 0 is March
    const std::int64_t month = shifted < 10 ? shifted + 3 : shifted - 9;
    return {
        year_of_era + era * 400 + (month <= 2 ? 1 : 0),
        static_cast<int>(month),
        static_cast<int>(of_year - (153 * shifted + 2) / 5 + 1)};
}

/// With what stands between the day and the era.
std::string text(const Date& date, const std::string& time) {
    const bool before_christ = date.year <= 0;
    char day[32];
    std::snprintf(
        day,
        sizeof day,
        "%04lld-%02d-%02d",
        static_cast<long long>(before_christ ? 1 - date.year : date.year),
        date.month,
        date.day
    );
    return day + time + (before_christ ? " BC" : "");
}

std::optional<std::string> date_text(std::int64_t days) {
    if (auto infinite = infinity<std::int32_t>(days)) {
        return infinite;
    }
    return days >= date_min && days < date_end ? std::optional{text(date_of(days), "")}
                                               : std::nullopt;
}

std::optional<std::string> timestamp_text(std::int64_t microseconds, const char* zone) {
    if (auto infinite = infinity<std::int64_t>(microseconds)) {
        return infinite;
    }
    if (microseconds < timestamp_min || microseconds >= timestamp_end) {
        return std::nullopt;
    }
    const std::int64_t rest =
        (microseconds % microseconds_a_day + microseconds_a_day) % microseconds_a_day;
    const std::int64_t seconds = rest / 1'000'000;
    char time[32];
    std::snprintf(
        time,
        sizeof time,
        " %02d:%02d:%02d.%06d",
        static_cast<int>(seconds / 3600),
        static_cast<int>(seconds / 60 % 60),
        static_cast<int>(seconds % 60),
        static_cast<int>(rest % 1'000'000)
    );
    return text(date_of((microseconds - rest) / microseconds_a_day), time + std::string{zone});
}

}  // namespace

std::optional<std::string> time_text(ColumnType type, std::int64_t value) {
    switch (type) {
        case ColumnType::date:
            return date_text(value);
        case ColumnType::timestamp:
            return timestamp_text(value, "");
        case ColumnType::timestamptz:
            return timestamp_text(value, "+00");
        default:
            return std::nullopt;
    }
}

}  // namespace veer::storage

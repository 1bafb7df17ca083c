#include "proxy/admin/value.hpp"

#include "proxy/wire/reader.hpp"

#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace veer::proxy::admin {

namespace {

constexpr std::int64_t microseconds_a_second = 1'000'000;
/// From 1970 to 2000, where Postgres begins to count.
constexpr std::int64_t postgres_epoch = 946'684'800 * microseconds_a_second;

std::string timestamp_text(Timestamp moment) {
    using namespace std::chrono;
    const sys_time<microseconds> time{microseconds(moment.microseconds)};
    const auto day = floor<days>(time);
    const year_month_day date(day);
    const hh_mm_ss clock(time - day);
    char buffer[64];
    std::snprintf(
        buffer,
        sizeof buffer,
        "%04d-%02u-%02u %02d:%02d:%02d.%06d+00",
        static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()),
        static_cast<unsigned>(date.day()),
        static_cast<int>(clock.hours().count()),
        static_cast<int>(clock.minutes().count()),
        static_cast<int>(clock.seconds().count()),
        static_cast<int>(clock.subseconds().count())
    );
    return buffer;
}

std::string number_text(double value) {
    if (std::isnan(value)) {
        return "NaN";
    }
    if (std::isinf(value)) {
        return value > 0 ? "Infinity" : "-Infinity";
    }
    char buffer[32];
    const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
    return {buffer, end};
}

std::string big_endian(std::uint64_t value, int bytes) {
    std::string text;
    for (int i = bytes - 1; i >= 0; --i) {
        text.push_back(static_cast<char>(value >> static_cast<unsigned>(8 * i)));
    }
    return text;
}

struct Text {
    std::string operator()(std::monostate) const { return {}; }

    std::string operator()(const std::string& value) const { return value; }

    std::string operator()(std::int64_t value) const { return std::to_string(value); }

    std::string operator()(double value) const { return number_text(value); }

    std::string operator()(bool value) const { return value ? "t" : "f"; }

    std::string operator()(Timestamp value) const { return timestamp_text(value); }
};

struct Binary {
    std::string operator()(std::monostate) const { return {}; }

    std::string operator()(const std::string& value) const { return value; }

    std::string operator()(std::int64_t value) const {
        return big_endian(static_cast<std::uint64_t>(value), 8);
    }

    std::string operator()(double value) const {
        return big_endian(std::bit_cast<std::uint64_t>(value), 8);
    }

    std::string operator()(bool value) const { return {value ? '\1' : '\0'}; }

    std::string operator()(Timestamp value) const {
        return big_endian(static_cast<std::uint64_t>(value.microseconds - postgres_epoch), 8);
    }
};

template <class T>
std::optional<Value> number_from(std::string_view text) {
    T number{};
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = error == std::errc{} && stop == text.data() + text.size();
    return whole ? std::optional<Value>(number) : std::nullopt;
}

std::optional<Value> boolean_from(std::string_view text) {
    if (text == "t" || text == "true" || text == "on" || text == "yes" || text == "1") {
        return true;
    }
    if (text == "f" || text == "false" || text == "off" || text == "no" || text == "0") {
        return false;
    }
    return std::nullopt;
}

/// "2026-11-21 14:58:29.5", with T in place of the space, and with nothing, Z or +00 behind.
std::optional<Value> timestamp_from(std::string_view text) {
    using namespace std::chrono;
    int year = 0;
    unsigned month = 0;
    unsigned day = 0;
    int hour = 0;
    int minute = 0;
    double second = 0;
    char between = ' ';
    char zone[8] = "";
    const std::string copy(text.substr(0, 64));
    const int found = std::sscanf(
        copy.c_str(),
        "%4d-%2u-%2u%c%2d:%2d:%lf%7s",
        &year,
        &month,
        &day,
        &between,
        &hour,
        &minute,
        &second,
        zone
    );
    const std::string_view offset(zone);
    const bool utc = offset.empty() || offset == "Z" || offset == "+00" || offset == "+00:00";
    const year_month_day date{
        std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
    if (found < 3 || (found > 3 && found < 7) || !utc || !date.ok()) {
        return std::nullopt;
    }
    const auto since = sys_days(date).time_since_epoch() + hours(hour) + minutes(minute);
    return Timestamp{
        duration_cast<microseconds>(since).count() + std::llround(second * microseconds_a_second)};
}

double as_number(const Value& value) {
    const auto* whole = std::get_if<std::int64_t>(&value);
    return whole != nullptr ? static_cast<double>(*whole) : std::get<double>(value);
}

bool is_number(const Value& value) {
    return std::holds_alternative<std::int64_t>(value) || std::holds_alternative<double>(value);
}

}  // namespace

TypeFacts facts_of(Type type) {
    switch (type) {
        case Type::text:
            break;
        case Type::integer:
            return {.oid = 20, .length = 8, .name = "bigint"};
        case Type::number:
            return {.oid = 701, .length = 8, .name = "double precision"};
        case Type::boolean:
            return {.oid = 16, .length = 1, .name = "boolean"};
        case Type::timestamp:
            return {.oid = 1184, .length = 8, .name = "timestamp with time zone"};
    }
    return {};
}

std::optional<Type> type_of_oid(std::uint32_t oid) {
    switch (oid) {
        case 16:
            return Type::boolean;
        case 20:
        case 21:
        case 23:
            return Type::integer;
        case 700:
        case 701:
        case 1700:
            return Type::number;
        case 19:
        case 25:
        case 1042:
        case 1043:
            return Type::text;
        case 1114:
        case 1184:
            return Type::timestamp;
        default:
            return std::nullopt;
    }
}

std::string to_text(const Value& value) {
    return std::visit(Text{}, value);
}

std::string to_binary(const Value& value) {
    return std::visit(Binary{}, value);
}

std::optional<Value> from_text(std::string_view text, Type type) {
    switch (type) {
        case Type::text:
            return std::string(text);
        case Type::integer:
            return number_from<std::int64_t>(text);
        case Type::number:
            return number_from<double>(text);
        case Type::boolean:
            return boolean_from(text);
        case Type::timestamp:
            return timestamp_from(text);
    }
    return std::nullopt;
}

std::optional<Value> from_binary(std::string_view bytes, std::uint32_t oid) {
    wire::Reader reader(bytes);
    Value value;
    switch (oid) {
        case 16:
            value = reader.u8() != 0;
            break;
        case 21:
            value = std::int64_t{reader.i16()};
            break;
        case 23:
            value = std::int64_t{reader.i32()};
            break;
        case 20:
            value = static_cast<std::int64_t>(reader.u64());
            break;
        case 700:
            value = static_cast<double>(std::bit_cast<float>(reader.u32()));
            break;
        case 701:
            value = std::bit_cast<double>(reader.u64());
            break;
        case 1114:
        case 1184:
            value = Timestamp{static_cast<std::int64_t>(reader.u64()) + postgres_epoch};
            break;
        case 0:
        case 19:
        case 25:
        case 705:
        case 1042:
        case 1043:
            return std::string(bytes);
        default:
            return std::nullopt;
    }
    return reader.done() ? std::optional(value) : std::nullopt;
}

bool comparable(const Value& left, const Value& right) {
    return (is_number(left) && is_number(right)) ||
           (left.index() == right.index() && !is_null(left));
}

int compare(const Value& left, const Value& right) {
    const auto order = [](const auto& a, const auto& b) {
        return a < b ? -1 : (b < a ? 1 : 0);
    };
    if (left.index() != right.index()) {
        return order(as_number(left), as_number(right));
    }
    return std::visit(
        [&]<class T>(const T& a) -> int {
            if constexpr (std::is_same_v<T, std::monostate>) {
                return 0;
            } else {
                return order(a, std::get<T>(right));
            }
        },
        left
    );
}

bool is_like(std::string_view text, std::string_view pattern) {
    // Where the last % began, and how much of the text it has taken: as much work as their product.
    std::size_t at = 0;
    std::size_t in_pattern = 0;
    std::size_t percent = std::string_view::npos;
    std::size_t taken = 0;
    while (at < text.size()) {
        const bool more = in_pattern < pattern.size();
        if (more && pattern[in_pattern] == '%') {
            percent = in_pattern++;
            taken = at;
            continue;
        }
        const bool escaped = more && pattern[in_pattern] == '\\' && in_pattern + 1 < pattern.size();
        const std::size_t letter = in_pattern + (escaped ? 1 : 0);
        const bool any = more && !escaped && pattern[in_pattern] == '_';
        if (any || (more && pattern[letter] == text[at])) {
            in_pattern = letter + 1;
            ++at;
        } else if (percent != std::string_view::npos) {
            in_pattern = percent + 1;
            at = ++taken;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('%', in_pattern) == std::string_view::npos;
}

}  // namespace veer::proxy::admin

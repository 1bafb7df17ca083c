#include "router/cutover/journal.hpp"

#include "router/cutover/text.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <functional>
#include <optional>
#include <vector>

namespace veer::router::cutover {

namespace {

constexpr int version = 1;
constexpr std::string_view title = "veer cutover state ";
constexpr std::string_view what_to_do =
    " Until this is settled Postgres answers everything. Bring back a copy of the file and send "
    "SIGHUP or restart; or move it away and restart, then the percentages of veer.toml hold.";

/// FNV-1a: finds accidents, not forgeries.
std::string checksum(std::string_view text) {
    std::uint64_t sum = 0xcbf29ce484222325ULL;
    for (const char c : text) {
        sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    }
    std::array<char, 20> digits{};
    std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(sum));
    return digits.data();
}

std::string milliseconds(Time time) {
    return std::to_string(time.time_since_epoch().count());
}

/// One member of a position and its form in text. get() of an absent one is empty, and it is left
/// out; set() is false where the text is not understood.
struct Field {
    std::string_view name;
    std::string (*get)(const Stored::Route&);
    bool (*set)(Stored::Route&, std::string_view);
};

template <class T>
bool assign(T& target, const std::optional<T>& value) {
    if (value) {
        target = *value;
    }
    return value.has_value();
}

template <class T>
bool assign_number(T& target, std::string_view text) {
    return assign(target, number_from_text<T>(text));
}

std::optional<Time> time_from_text(std::string_view text) {
    const auto count = number_from_text<std::int64_t>(text);
    return count ? std::optional(Time(Duration(*count))) : std::nullopt;
}

bool set_trial(Stored::Route& route, std::string_view text) {
    const auto parts = split(text, ',');
    if (parts.size() != 4) {
        return false;
    }
    Trial trial;
    route.position.trial = trial;
    return assign(route.position.trial->started, time_from_text(parts[0])) &&
           assign(route.position.trial->until, time_from_text(parts[1])) &&
           assign(route.position.trial->back_state, state_from_text(parts[2])) &&
           assign_number(route.position.trial->back_percent, parts[3]);
}

std::string get_trial(const Stored::Route& route) {
    const auto& trial = route.position.trial;
    return trial ? milliseconds(trial->started) + ',' + milliseconds(trial->until) + ',' +
                       std::string(to_string(trial->back_state)) + ',' +
                       number_to_text(trial->back_percent)
                 : std::string();
}

bool set_trip(Stored::Route& route, std::string_view text) {
    const auto parts = split(text, ',');
    if (parts.size() != 4) {
        return false;
    }
    route.position.trip = Trip{
        .guard = std::string(parts[0]),
        .at = {},
        .cool_until = {},
        .acknowledged = parts[3] == "1"};
    return assign(route.position.trip->at, time_from_text(parts[1])) &&
           assign(route.position.trip->cool_until, time_from_text(parts[2]));
}

std::string get_trip(const Stored::Route& route) {
    const auto& trip = route.position.trip;
    return trip ? trip->guard + ',' + milliseconds(trip->at) + ',' +
                      milliseconds(trip->cool_until) + (trip->acknowledged ? ",1" : ",0")
                : std::string();
}

bool set_quarantined(Stored::Route& route, std::string_view text) {
    for (const std::string_view part : split(text, ',')) {
        std::uint64_t shape = 0;
        if (!assign_number(shape, part)) {
            return false;
        }
        route.position.quarantined.push_back(shape);
    }
    return true;
}

std::string get_quarantined(const Stored::Route& route) {
    std::string text;
    for (const std::uint64_t shape : route.position.quarantined) {
        text += (text.empty() ? "" : ",") + std::to_string(shape);
    }
    return text;
}

bool set_evidence(Stored::Route& route, std::string_view text) {
    return assign(route.evidence, evidence_from_text(text));
}

using Route = Stored::Route;
using View = std::string_view;

const std::array<Field, 18> fields{{
    {"state",
     [](const Route& r) { return std::string(to_string(r.position.state)); },
     [](Route& r, View v) {
         return assign(r.position.state, state_from_text(v));
     }},
    {"desired",
     [](const Route& r) { return number_to_text(r.position.desired); },
     [](Route& r, View v) {
         return assign_number(r.position.desired, v);
     }},
    {"ceiling",
     [](const Route& r) { return number_to_text(r.position.ceiling); },
     [](Route& r, View v) {
         return assign_number(r.position.ceiling, v);
     }},
    {"revision",
     [](const Route& r) { return std::to_string(r.position.revision); },
     [](Route& r, View v) {
         return assign_number(r.position.revision, v);
     }},
    {"origin",
     [](const Route& r) { return std::string(to_string(r.position.origin)); },
     [](Route& r, View v) {
         return assign(r.position.origin, origin_from_text(v));
     }},
    {"file_percent",
     [](const Route& r) { return number_to_text(r.position.file_percent); },
     [](Route& r, View v) {
         return assign_number(r.position.file_percent, v);
     }},
    {"held",
     [](const Route& r) { return std::string(r.position.held ? "1" : "0"); },
     [](Route& r, View v) {
         r.position.held = v == "1";
         return v == "1" || v == "0";
     }},
    {"since",
     [](const Route& r) { return milliseconds(r.position.since); },
     [](Route& r, View v) {
         return assign(r.position.since, time_from_text(v));
     }},
    {"trial", get_trial, set_trial},
    {"trip", get_trip, set_trip},
    {"cooldown",
     [](const Route& r) { return std::to_string(r.position.cooldown.count()); },
     [](Route& r, View v) {
         std::int64_t count = 0;
         const bool read = assign_number(count, v);
         r.position.cooldown = Duration(count);
         return read;
     }},
    {"good",
     [](const Route& r) { return number_to_text(r.position.good); },
     [](Route& r, View v) {
         return assign_number(r.position.good, v);
     }},
    {"before_state",
     [](const Route& r) { return std::string(to_string(r.position.before_state)); },
     [](Route& r, View v) {
         return assign(r.position.before_state, state_from_text(v));
     }},
    {"before_desired",
     [](const Route& r) { return number_to_text(r.position.before_desired); },
     [](Route& r, View v) {
         return assign_number(r.position.before_desired, v);
     }},
    {"reshuffles",
     [](const Route& r) { return std::to_string(r.position.reshuffles); },
     [](Route& r, View v) {
         return assign_number(r.position.reshuffles, v);
     }},
    {"quarantined", get_quarantined, set_quarantined},
    {"evidence", [](const Route& r) { return to_text(r.evidence); }, set_evidence},
    {"hash",  // of the buckets: frozen, but should there ever be another, old shares keep theirs
     [](const Route&) { return std::string("v1"); },
     [](Route&, View v) {
         return v == "v1";
     }},
}};

bool believable(const Position& position) {
    const bool shares = position.desired >= 0 && position.desired <= 100 && position.ceiling >= 0 &&
                        position.ceiling <= 100;
    return shares && state_of(position.desired, State::shadow) ==
                         (position.state <= State::shadow     ? State::shadow
                          : position.state == State::complete ? State::full
                                                              : position.state);
}

std::string route_line(const std::string& name, const Route& route) {
    std::string line = "route\t" + escaped(name);
    for (const Field& field : fields) {
        const std::string value = field.get(route);
        if (!value.empty()) {
            line += '\t' + std::string(field.name) + '=' + escaped(value);
        }
    }
    return line + '\n';
}

bool read_route(Stored& stored, const std::vector<std::string_view>& parts) {
    const auto name = parts.size() < 2 ? std::nullopt : unescaped(parts[1]);
    if (!name) {
        return false;
    }
    Route route;
    for (std::size_t i = 2; i < parts.size(); ++i) {
        const std::size_t equals = std::min(parts[i].find('='), parts[i].size());
        const auto value = unescaped(parts[i].substr(std::min(equals + 1, parts[i].size())));
        bool read = false;
        for (const Field& field : fields) {
            read = read ||
                   (field.name == parts[i].substr(0, equals) && value && field.set(route, *value));
        }
        if (!read) {
            return false;
        }
    }
    return believable(route.position) && stored.routes.emplace(*name, std::move(route)).second;
}

bool read_line(Stored& stored, std::string_view line) {
    const auto parts = split(line, '\t');
    if (parts.empty()) {
        return false;
    }
    if (parts[0] == "panic") {
        stored.panic = parts.size() == 2 && parts[1] == "1";
        return parts.size() == 2;
    }
    if (parts[0] == "audit") {
        stored.audit_hash = parts.size() == 3 ? parts[2] : "";
        return parts.size() == 3 && assign_number(stored.audit_seq, parts[1]);
    }
    return parts[0] == "route" && read_route(stored, parts);
}

}  // namespace

std::string encode(const Stored& stored) {
    std::string text = std::string(title) + std::to_string(version) + '\n';
    text += std::string("panic\t") + (stored.panic ? '1' : '0') + '\n';
    if (!stored.audit_hash.empty()) {
        text += "audit\t" + std::to_string(stored.audit_seq) + '\t' + stored.audit_hash + '\n';
    }
    for (const auto& [name, route] : stored.routes) {
        text += route_line(name, route);
    }
    return text + "end\t" + checksum(text) + '\n';
}

std::variant<Stored, std::string> decode(std::string_view text) {
    const auto refused = [](const std::string& why) {
        return why + std::string(what_to_do);
    };
    const std::size_t first_end = text.find('\n');
    if (!text.starts_with(title) || first_end == std::string_view::npos) {
        return refused("This is no state file of veer, or it is cut short.");
    }
    const auto found = number_from_text<int>(text.substr(title.size(), first_end - title.size()));
    if (found && *found > version) {
        return refused(
            "It was written by a newer veer (format " + std::to_string(*found) +
            ", this one reads up to " + std::to_string(version) + "): run that one."
        );
    }
    const std::size_t last = text.rfind("\nend\t");
    if (!found || *found < 1 || last == std::string_view::npos ||
        text.substr(last + 1) != "end\t" + checksum(text.substr(0, last + 1)) + '\n') {
        return refused("It is cut short, or was changed by something else than veer.");
    }
    Stored stored;
    std::uint64_t number = 1;
    for (const std::string_view line :
         split(text.substr(first_end + 1, last - std::min(last, first_end)), '\n')) {
        ++number;
        if (!line.empty() && !read_line(stored, line)) {
            return refused("Line " + std::to_string(number) + " is not understood.");
        }
    }
    return stored;
}

}  // namespace veer::router::cutover

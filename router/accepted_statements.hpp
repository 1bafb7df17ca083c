#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace veer::router {

/// What Postgres said of statements that it has parsed: that it accepts them, and how it describes
/// them. One for each RouteTable, so that what was said of other tables is forgotten with them.
///
///     Parse "" (text, types) ──▶ Postgres ──▶ ParseComplete        ──▶ note_parsed()
///     Describe S             ──▶ Postgres ──▶ ParameterDescription,
///                                             RowDescription       ──▶ note_described()
///
/// Whoever answers Parse from here must know besides that names still mean what they meant: the
/// session's facts say so.
///
/// Thread-safe. Bounded: at most `entries_max`, the least recently used go first, and longer texts
/// than `text_bytes_max` are not kept.
class AcceptedStatements {
  public:
    static constexpr std::size_t entries_max = 1024;
    static constexpr std::size_t text_bytes_max = 8192;
    static constexpr std::size_t description_bytes_max = 65'536;

    void note_parsed(std::string_view text, const std::vector<std::uint32_t>& parameter_types);

    /// `description`: the two messages as they came. No effect where the statement is not known.
    void note_described(
        std::string_view text,
        const std::vector<std::uint32_t>& parameter_types,
        std::string_view description
    );

    bool parsed(std::string_view text, const std::vector<std::uint32_t>& parameter_types);

    /// The two messages; nothing where Postgres has not been asked yet.
    std::optional<std::string> described(
        std::string_view text, const std::vector<std::uint32_t>& parameter_types
    );

  private:
    struct Entry {
        std::string key;
        std::string description;
    };

    using Entries = std::list<Entry>;

    Entry* find(const std::string& key);

    std::mutex mutex_;
    Entries entries_;                                                 // most recently used first
    std::unordered_map<std::string_view, Entries::iterator> by_key_;  // views into the entries
};

}  // namespace veer::router

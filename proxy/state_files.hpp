#pragma once

#include <filesystem>
#include <string>

namespace veer::proxy {

/// Replaces a file whole, or leaves it as it is: written beside it, fsynced, renamed, directory
/// fsynced. A sentence where that failed.
std::string replace_file(
    const std::filesystem::path& directory, const std::string& name, const std::string& text
);

/// The files in veer's data directory that outlive it and concern where traffic goes. Does I/O,
/// knows nothing of what the texts mean (router/cutover/journal.hpp, audit.hpp).
///
///     cutover.state   replaced whole: written beside it, fsynced, renamed, directory fsynced
///     audit.jsonl     appended to and fsynced, line by line
///     panic           whoever creates it sends all traffic to Postgres
///
/// Functions that can fail return a sentence, empty where they did not.
class StateFiles {
  public:
    /// Makes the directory where it is missing.
    explicit StateFiles(std::filesystem::path directory);
    StateFiles(const StateFiles&) = delete;
    StateFiles& operator=(const StateFiles&) = delete;
    ~StateFiles();

    struct Found {
        std::string state;       ///< empty where there is none
        std::string last_audit;  ///< line, without its line feed
        std::string problem;     ///< there is something, and it cannot be read
    };

    /// Reads both. An audit line that is cut short was never confirmed to anybody: it is cut off.
    Found read();

    std::string save_state(const std::string& text) const;
    std::string append_audit(const std::string& line);

    /// Where that cannot be told, it is taken to be there.
    bool panic_file() const;

  private:
    std::string cut_audit(std::string& last_line);

    std::filesystem::path directory_;
    int audit_ = -1;
};

}  // namespace veer::proxy

#pragma once

#include <random>
#include <string>
#include <vector>

namespace veer::sim {

/// Draws numbers from a seed, the same on every platform.
class Dice {
  public:
    explicit Dice(unsigned seed) : random_(seed) {}

    std::size_t below(std::size_t end) { return random_() % end; }

    bool once_in(std::size_t times) { return below(times) == 0; }

  private:
    std::mt19937 random_;
};

struct ClientMessage {
    std::string bytes;
    std::string label;    ///< for people: Bind "" "s" [7.25,0]
    bool settle = false;  ///< the client then reads until nothing more comes
};

/// A client's whole conversation. Its messages are whole and well formed; their order is often
/// wrong: names that do not exist, portals of ended transactions, parameters that do not fit,
/// errors in mid-batch. Batches that a driver would send are among them, searches above all.
std::vector<ClientMessage> random_conversation(unsigned seed);

/// A conversation as it was, one message a line.
std::string transcript(const std::vector<ClientMessage>& conversation);

}  // namespace veer::sim

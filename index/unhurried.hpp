#pragma once

#include <functional>

namespace veer::index {

/// Says that the calling thread is in no hurry: while it lives, scans on this thread
/// (search_exact()) call `breathe` every some hundred rows, holding no lock, and it may sleep. A
/// matter of the thread, as its niceness is: whoever asks for an answer in the meantime says
/// nothing of it. Of several the last counts.
class Unhurried {
  public:
    explicit Unhurried(std::function<void()> breathe);
    Unhurried(const Unhurried&) = delete;
    Unhurried& operator=(const Unhurried&) = delete;
    ~Unhurried();

  private:
    friend void breathe();

    std::function<void()> breathe_;
    Unhurried* before_;
};

/// What a scan calls now and then; nothing on a thread that is in a hurry.
void breathe();

}  // namespace veer::index

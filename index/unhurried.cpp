#include "index/unhurried.hpp"

#include <utility>

namespace veer::index {

namespace {

Unhurried*& of_thread() {
    thread_local Unhurried* last = nullptr;
    return last;
}

}  // namespace

Unhurried::Unhurried(std::function<void()> breathe)
    : breathe_(std::move(breathe)), before_(std::exchange(of_thread(), this)) {}

Unhurried::~Unhurried() {
    of_thread() = before_;
}

void breathe() {
    if (const Unhurried* const last = of_thread()) {
        last->breathe_();
    }
}

}  // namespace veer::index

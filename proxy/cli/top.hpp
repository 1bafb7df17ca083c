#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace veer::proxy::cli {

/// What `veer top` does with keys: one for each action. What takes traffic back is done at once;
/// what moves it towards the index waits for a y.
///
///     r rollback   h hold   P panic          at once
///     p promote    s shadow   c confirm   u unpanic      then y
///     1 to 9 the route that is meant   q quit
class Top {
  public:
    /// The routes on the screen, in order.
    void show(std::vector<std::string> routes);

    /// The console's statement that is to be said now; empty: none.
    std::string press(char key);

    bool over() const { return over_; }

    /// The route that is meant; empty where there is none.
    std::string route() const;

    /// The screen's last line: what a y would do, or which keys there are.
    std::string line() const;

  private:
    std::vector<std::string> routes_;
    std::size_t chosen_ = 0;
    std::string waiting_;  // a statement that a y sends
    bool over_ = false;
};

}  // namespace veer::proxy::cli

#include "proxy/cli/command_line.hpp"
#include "proxy/cli/status_text.hpp"
#include "proxy/cli/text_output.hpp"
#include "proxy/cli/top.hpp"

#include <CLI/CLI.hpp>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <string>

// veer top: the status on the whole screen, and a key for each action.

namespace veer::proxy::cli {

namespace {

constexpr int look_every_ms = 1000;

/// Keys come one by one, and are not shown; afterwards the terminal is as it was.
class Keys {
  public:
    Keys() : raw_(tcgetattr(STDIN_FILENO, &before_) == 0) {
        termios wanted = before_;
        wanted.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
        raw_ = raw_ && tcsetattr(STDIN_FILENO, TCSANOW, &wanted) == 0;
    }

    Keys(const Keys&) = delete;
    Keys& operator=(const Keys&) = delete;

    ~Keys() {
        if (raw_) {
            tcsetattr(STDIN_FILENO, TCSANOW, &before_);
        }
    }

    bool raw() const { return raw_; }

    /// The next one, or '\0' where none is pressed for a while; 'q' where none will come.
    static char next() {
        pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
        if (poll(&input, 1, look_every_ms) <= 0) {
            return '\0';
        }
        char key = 'q';
        return read(STDIN_FILENO, &key, 1) == 1 ? key : 'q';
    }

  private:
    termios before_{};
    bool raw_;
};

std::vector<std::string> names_of(const Answer& routes) {
    std::vector<std::string> names;
    for (std::size_t row = 0; row < routes.rows.size(); ++row) {
        names.push_back(field(routes, row, "route"));
    }
    return names;
}

/// What the console answers, on one line.
std::string told(const std::string& directory, const std::string& statement) {
    const auto answer = ask(directory, statement);
    if (answer.has_error()) {
        return answer.error().message;
    }
    return answer->rows.empty() ? std::string("done") : field(*answer, 0, "result");
}

int top(const Flags& flags) {
    std::string directory;
    if (!find_directory(flags, directory)) {
        return misused;
    }
    if (isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0) {
        std::fputs("veer: top needs a terminal; veer status -w does not\n", stderr);
        return misused;
    }
    const Keys keys;
    if (!keys.raw()) {
        return failed;
    }
    Top top;
    Look before;
    std::string message;
    while (!top.over()) {
        auto look = look_around(directory);
        if (look.has_error()) {
            std::fprintf(stderr, "\nveer: %s\n", look.error().message.c_str());
            return look.error().unreachable ? unreachable : failed;
        }
        top.show(names_of(look->routes));
        const std::string screen = "\x1b[H\x1b[2J" +
                                   status_text(*look, before, terminal_is_utf8()) + '\n' + message +
                                   (message.empty() ? "" : "\n") + top.line() + '\n';
        std::fputs(screen.c_str(), stdout);
        std::fflush(stdout);
        before = *std::move(look);
        if (const std::string statement = top.press(Keys::next()); !statement.empty()) {
            message = told(directory, statement);
        }
    }
    return succeeded;
}

}  // namespace

void add_top_command(CLI::App& app, Flags& flags, Chosen& chosen) {
    CLI::App* const command =
        app.add_subcommand("top", "The status on the whole screen, with a key for each action");
    add_place_options(*command, flags);
    command->callback([&flags, &chosen] {
        chosen = [&flags] {
            return top(flags);
        };
    });
}

}  // namespace veer::proxy::cli

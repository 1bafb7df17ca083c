#include "proxy/admin/console_dialogue.hpp"

#include "proxy/admin/console.hpp"
#include "proxy/admin/console_login.hpp"
#include "proxy/auth/scram.hpp"
#include "proxy/wire/backend.hpp"

#include <optional>
#include <utility>

namespace veer::proxy::admin {

namespace {

/// Where answers wait for the connection's thread.
struct Mailbox {
    std::mutex mutex;
    std::optional<Snapshot> snapshot;
    std::optional<Outcome> outcome;
};

struct DialogueOptions {
    Operations& operations;
    ConsoleOptions console;
    std::optional<ConsoleLoginOptions> login;  ///< nothing: let in without a password
    Actor actor;
    net::Wake wake;
};

/// Puts ConsoleLogin, Console and Operations together.
class ConsoleDialogue final : public net::Dialogue {
  public:
    explicit ConsoleDialogue(DialogueOptions options)
        : operations_(options.operations),
          console_options_(std::move(options.console)),
          actor_(std::move(options.actor)),
          wake_(std::move(options.wake)) {
        if (options.login) {
            login_.emplace(*std::move(options.login));
        }
    }

    void begin(session::Output& out) override {
        if (login_) {
            login_->begin(out.to_client);
        } else {
            let_in(console_options_.role, out);
        }
    }

    void on_client(std::string_view bytes, session::Output& out) override {
        if (console_) {
            console_->on_client(bytes, out.to_client);
            settle(out);
            return;
        }
        login_->on_client(bytes, out.to_client);
        if (login_->role()) {
            const std::string rest = login_->take_rest();
            let_in(*login_->role(), out);
            console_->on_client(rest, out.to_client);
            settle(out);
        } else if (login_->over()) {
            out.close = true;
        }
    }

    void on_wake(session::Output& out) override {
        std::unique_lock lock(mailbox_->mutex);
        auto snapshot = std::exchange(mailbox_->snapshot, std::nullopt);
        auto outcome = std::exchange(mailbox_->outcome, std::nullopt);
        lock.unlock();
        if (snapshot) {
            console_->on_snapshot(*snapshot, out.to_client);
        } else if (outcome) {
            console_->on_outcome(*outcome, out.to_client);
        }
        settle(out);
    }

    void on_shutdown(session::Output& out) override {
        wire::write_fatal(
            out.to_client, "57P01", "terminating connection due to administrator command"
        );
        out.close = true;
    }

    bool paused() const override { return console_ && console_->waiting(); }

    bool let_in() const override { return console_.has_value(); }

    bool at_rest() const override { return !console_ || console_->at_rest(); }

  private:
    void let_in(Role role, session::Output& out) {
        console_options_.role = role;
        console_.emplace(console_options_);
        out.to_client += console_->greeting();
    }

    void settle(session::Output& out) {
        if (auto question = console_->take_question()) {
            ask(*question);
        }
        out.close = out.close || console_->over();
    }

    void ask(const Question& question) {
        if (const auto* command = std::get_if<Command>(&question)) {
            operations_
                .carry_out(*command, actor_, [mailbox = mailbox_, wake = wake_](Outcome outcome) {
                    const std::lock_guard lock(mailbox->mutex);
                    mailbox->outcome = std::move(outcome);
                    wake();
                });
            return;
        }
        operations_.look([mailbox = mailbox_, wake = wake_](Snapshot snapshot) {
            const std::lock_guard lock(mailbox->mutex);
            mailbox->snapshot = std::move(snapshot);
            wake();
        });
    }

    Operations& operations_;
    ConsoleOptions console_options_;
    Actor actor_;
    net::Wake wake_;
    std::optional<ConsoleLogin> login_;
    std::optional<Console> console_;
    std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
};

/// A replication connection names a database, too, and is not meant for people.
bool is_replication(const wire::StartupMessage& startup) {
    const std::string wanted = startup.parameter("replication");
    return !wanted.empty() && wanted != "false" && wanted != "off" && wanted != "no" &&
           wanted != "0";
}

}  // namespace

ConsoleEntrance::ConsoleEntrance(Operations& operations, std::string version)
    : operations_(operations), version_(std::move(version)) {}

void ConsoleEntrance::configure(std::shared_ptr<const Access> access) {
    const std::lock_guard lock(mutex_);
    access_ = std::move(access);
}

std::shared_ptr<const Access> ConsoleEntrance::access() const {
    const std::lock_guard lock(mutex_);
    return access_;
}

std::unique_ptr<net::Dialogue> ConsoleEntrance::make(
    const net::Caller& caller, const wire::StartupMessage& startup, net::Wake wake
) {
    const std::shared_ptr<const Access> access = this->access();
    const std::string user = startup.parameter("user");
    const std::string named = startup.parameter("database");
    const std::string& database = named.empty() ? user : named;
    const bool meant = !access->database.empty() && database == access->database;
    if (!caller.local && (!meant || is_replication(startup))) {
        return nullptr;
    }
    const std::string application = startup.parameter("application_name");
    DialogueOptions options{
        .operations = operations_,
        .console =
            {.asker =
                 {.user = user,
                  .database = access->database.empty() ? "veer" : access->database,
                  .server_version = "15.0 (veer " + version_ + ")"},
             .role = Role::reader,
             .process_id = sessions_.fetch_add(1) + 1,
             .secret_key = auth::random_bytes(4).value_or(std::string(4, '\0'))},
        .login = std::nullopt,
        .actor =
            {.name = user,
             .via = application == "veer cli" ? "cli" : "console",
             .peer = caller.local ? "local" : caller.address},
        .wake = std::move(wake)};
    const Entry entry = entry_of(
        *access, {.local = caller.local, .owner = caller.owner, .loopback = caller.loopback}
    );
    if (entry == Entry::owner) {
        options.console.role = Role::owner;
    } else if (entry == Entry::password) {
        // Without random bytes no proof can be trusted: an empty nonce is refused by SCRAM itself.
        options.login = ConsoleLoginOptions{
            .user = user,
            .access = access,
            .channel_binding = caller.channel_binding,
            .nonce = auth::make_scram_nonce().value_or("")};
    }
    return std::make_unique<ConsoleDialogue>(std::move(options));
}

}  // namespace veer::proxy::admin

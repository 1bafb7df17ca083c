#include "proxy/run.hpp"

#include "index/replica.hpp"
#include "proxy/admin/access.hpp"
#include "proxy/admin/console_dialogue.hpp"
#include "proxy/admin/http_server.hpp"
#include "proxy/candidate/postgres_candidate.hpp"
#include "proxy/column_choices.hpp"
#include "proxy/compare/change_tap.hpp"
#include "proxy/compare/comparer.hpp"
#include "proxy/compare/golden_keeper.hpp"
#include "proxy/cutover_course.hpp"
#include "proxy/cutover_feed.hpp"
#include "proxy/declared_routes.hpp"
#include "proxy/directory_lock.hpp"
#include "proxy/drills.hpp"
#include "proxy/evidence.hpp"
#include "proxy/freshness_probe.hpp"
#include "proxy/index_options.hpp"
#include "proxy/learned_efs.hpp"
#include "proxy/log.hpp"
#include "proxy/net/host_watch.hpp"
#include "proxy/net/server.hpp"
#include "proxy/net/upstreams.hpp"
#include "proxy/operations.hpp"
#include "proxy/reload.hpp"
#include "proxy/secret_store.hpp"
#include "proxy/security.hpp"
#include "proxy/server_look.hpp"
#include "proxy/token_file.hpp"
#include "proxy/traffic_facts.hpp"
#include "proxy/upstream_watch.hpp"
#include "router/compare/shape_ledger.hpp"
#include "router/router.hpp"
#include "storage/source/connection_string.hpp"
#include "storage/source/tls_options.hpp"
#include "storage/sync/syncer.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <optional>
#include <thread>

namespace veer::proxy {

namespace {

session::SessionOptions session_options(const config::Config& config) {
    return {
        .inspected_bytes_max = config.limits.message_bytes_inspected_max,
        .stash_bytes_max = config.limits.result_bytes_max,
        .wanted_max = config.limits.k_max,
        .freshness_wait_ns = std::chrono::nanoseconds(config.defaults.freshness_wait).count()};
}

/// Each session costs two descriptors, each client that has none yet one; the soft limit is often
/// 1024.
void allow_descriptors(std::size_t wanted) {
    constexpr std::size_t own = 300;  // RocksDB, libpq, log
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur < wanted + own) {
        spdlog::warn(
            "only {} file descriptors are allowed; [listen] max_connections would need {}",
            limit.rlim_cur,
            wanted + own
        );
    }
}

std::vector<net::Endpoint> endpoints(const storage::source::ConnectionTarget& target) {
    std::vector<net::Endpoint> endpoints;
    for (const auto& host : target.hosts) {
        endpoints.push_back(
            {.host = host.name,
             .port = host.port,
             .by_address = host.by_address,
             .certificate_name = host.certificate_name}
        );
    }
    return endpoints;
}

/// The copy: who follows it, who finds in it, who routes to it, and who checks the answers.
///
///     Syncer ──▶ ChangeTap ──▶ Replica ◀── Router ◀── sessions
///                   ├─▶ ChangeLog ◀── Comparer ◀── (what was sampled) ──┘
///                   └─▶ GoldenInbox ─▶ GoldenKeeper ◀── (what was compared)
struct Copy {
    /// `now` is the time as the cutover means it; called on the comparer's threads.
    Copy(
        const config::Config& config,
        const std::string& dsn,
        index::ReplicaOptions options,
        router::Declarations& declarations,
        std::function<router::cutover::Time()> now
    )
        : replica(std::move(options)),
          router(config, replica),
          tap(changes, golden_inbox, replica),
          syncer(
              {.dsn = dsn,
               .directory = config.storage.dir,
               .wal_keep_max = config.sync.wal_keep_max,
               .verify_rows_per_second = config.sync.verify_rate,
               .columns = column_choices(config, &declarations),
               .copy = {config.sync.copy_connections, config.sync.copy_rate},
               .transactions = {.disk_max = config.sync.streamed_max}},
              tap
          ),
          golden(
              {.replica = replica,
               .inbox = golden_inbox,
               .served = [this] { return served(); },
               .searches = [this] { return router.ledger().searches(); },
               .measured =
                   [this, now](const std::string& route, const auto& summary) {
                       if (summary.tells() || summary.searches == 0) {
                           router.control().note(
                               route, {.golden_recall = summary.recall_at_most}, now()
                           );
                       }
                   },
               .learned = read_learned_efs(config.storage.dir),
               .keep_learned = learned_efs_keeper(config.storage.dir)}
          ),
          comparer(
              {.dsn = dsn,
               .replica = replica,
               .log = changes,
               .ledger = router.ledger(),
               .ignored = &ignored,
               .nudge = [this] { syncer.nudge(); },
               .compared =
                   [this, now = std::move(now)](const router::compare::Mismatch& comparison) {
                       router.control().note(comparison.route, to_evidence(comparison), now());
                       golden.offer(
                           comparison.route,
                           {.vector = comparison.vector,
                            .k = comparison.answers.k,
                            .ef = comparison.ef_search,
                            .filter = comparison.filter,
                            .shape = router::cutover::shape_id(comparison.shape)},
                           exact_of(comparison)
                       );
                   }}
          ) {
        router.set_declarations(declarations);
        router.set_candidates([this](const config::Route& route, const auto& column) {
            return candidates.make(route, column);
        });
        comparer.configure(config);
        golden.configure(config);
        router.set_comparison(&comparer);
    }

    /// The routes whose index answers.
    std::vector<compare::GoldenKeeper::Served> served() {
        const std::shared_ptr<const router::RouteTable> table = router.routes();
        std::vector<compare::GoldenKeeper::Served> all;
        for (const router::Route& route : table->routes) {
            if (route.live()) {
                all.push_back(
                    {.route = route.name,
                     .column = {table, &route.column},
                     .recall_target = route.recall_target,
                     .traffic = route.traffic,
                     .candidate = route.candidate}
                );
            }
        }
        return all;
    }

    candidate::Candidates candidates;
    router::compare::Ignored ignored;
    index::Replica replica;
    router::Router router;
    router::compare::ChangeLog changes;
    router::compare::GoldenInbox golden_inbox;
    compare::ChangeTap tap;
    storage::sync::Syncer syncer;
    compare::GoldenKeeper golden;
    compare::Comparer comparer;
};

/// Nobody outside may know it: another one at every start will do, as no user outlives a session.
std::string mock_secret() {
    return auth::random_bytes(auth::Key::size).value_or("");
}

/// The page, the metrics and their API; without them veer serves all the same.
void open_site(const config::Config& config, admin::HttpServer& site) {
    if (config.admin.http.empty()) {
        return;
    }
    const std::string file = config.storage.dir + "/http_token";
    const auto token = make_token_file(file);
    if (!token) {
        spdlog::warn("could not write {}: nothing can be changed by HTTP", file);
    }
    const std::string problem = site.start(config.admin.http, token.value_or(""));
    if (!problem.empty()) {
        spdlog::error("no page and no metrics: {}", problem);
        return;
    }
    spdlog::info(
        "page and metrics at port {} of this machine; its buttons need #token= and what {} says",
        site.port(),
        file
    );
}

/// The second door is for this machine's operators; without it veer serves all the same.
void open_local_door(const config::Config& config, net::Server& server) {
    std::error_code ignored;
    std::filesystem::create_directories(config.storage.dir, ignored);
    if (const std::string problem = server.listen_locally(config.storage.dir); !problem.empty()) {
        spdlog::warn("no local socket for veer's own commands: {}", problem);
    }
}

/// The calling thread's part of a run: signals, and the shutdown that they ask for.
///
///     SIGTERM | SIGINT ─▶ drain ─▶ drain_timeout ─▶ everyone is told 57P01 ─▶ a moment ─▶ stop
///                           └─ nobody is left, or a second signal ────────────────────────┘
class Signals {
  public:
    Signals(
        boost::asio::io_context& context,
        LiveConfig& config,
        net::Server& server,
        CutoverCourse& course
    )
        : context_(context),
          signals_(context, SIGTERM, SIGINT, SIGHUP),
          timer_(context),
          config_(config),
          server_(server),
          course_(course) {
        signals_.add(SIGUSR2);
    }

    /// Returns when the server is to stop.
    void serve() {
        await_signal();
        context_.run();
    }

  private:
    void await_signal() {
        signals_.async_wait([this](const boost::system::error_code& error, int signal) {
            if (!error) {
                on_signal(signal);
                await_signal();
            }
        });
    }

    void on_signal(int signal) {
        if (signal == SIGHUP) {
            config_.reload();
        } else if (signal == SIGUSR2) {
            course_.toggle_panic();
        } else if (draining_) {
            spdlog::info("a second signal: stopping at once");
            context_.stop();
        } else {
            drain();
        }
    }

    void drain() {
        draining_ = true;
        spdlog::info("no more clients; sessions end when they are at rest");
        // The last client may be gone after this object is; the context outlives the server.
        server_.drain([&context = context_] { context.stop(); });
        timer_.expires_after(config_.state().current.limits.drain_timeout);
        timer_.async_wait([this](const boost::system::error_code& error) {
            if (!error) {
                end_sessions();
            }
        });
    }

    void end_sessions() {
        spdlog::info("drain_timeout has passed: ending the sessions that are left");
        server_.end_sessions();
        constexpr std::chrono::seconds last_words{2};
        timer_.expires_after(last_words);
        timer_.async_wait([this](const boost::system::error_code& /*error*/) { context_.stop(); });
    }

    boost::asio::io_context& context_;
    boost::asio::signal_set signals_;
    boost::asio::steady_timer timer_;
    LiveConfig& config_;
    net::Server& server_;
    CutoverCourse& course_;
    bool draining_ = false;
};

void say_listening(
    const config::Config& config, std::uint16_t port, const net::Upstreams& upstreams
) {
    spdlog::info(
        "veer {} listens on {}:{}, upstream {}:{}",
        VEER_VERSION,
        config.listen.address,
        port,
        upstreams.hosts().front().host,
        upstreams.hosts().front().port
    );
}

/// What sessions share.
net::Shared shared_parts(const config::Config& config, Copy& copy, net::Upstreams& upstreams) {
    return {
        .router = copy.router,
        .replica = copy.replica,
        .nudge = [&copy] { copy.syncer.nudge(); },
        .upstreams = upstreams,
        .session_options = session_options(config),
        .connections_max = config.listen.max_connections,
        .session_bytes_max = config.limits.session_bytes_max,
        .unsent_bytes_max = config.limits.unsent_bytes_max,
        .connect_timeout = config.limits.connect_timeout,
        .authentication_timeout = config.limits.authentication_timeout,
        .client_idle_timeout = config.limits.client_idle_timeout};
}

/// The parts of a process, in the order in which they need each other.
class Process {
  public:
    Process(
        const RunOptions& options,
        const config::Config& config,
        const storage::source::ConnectionTarget& target,
        router::Declarations& declarations
    )
        : config_(config),
          own_dsn_(storage::source::for_installed_libpq(config.upstream.dsn)),
          checkpoints_(open_checkpoints(config)),
          copy_(
              config,
              own_dsn_,
              replica_options(config, threads_, checkpoints_.get(), declarations),
              declarations,
              [this] { return course_.now(); }
          ),
          secrets_(own_dsn_),
          course_(context_, copy_.router.control(), config.storage.dir),
          feed_(
              {.router = copy_.router,
               .replica = copy_.replica,
               .memory_bytes_max = index_memory_max(config),
               .nudge =
                   [this] {
                       copy_.syncer.nudge();
                   }}
          ),
          upstream_watch_(
              {.dsn = own_dsn_,
               .slot = [this] { return copy_.syncer.slot(); },
               .seen =
                   [this](const auto& look) {
                       feed_.note(look, course_.now());
                   }}
          ),
          freshness_probe_(
              {.dsn = own_dsn_,
               .gauge = copy_.router.freshness(),
               .applied = [this] { return copy_.replica.applied(); },
               .nudge =
                   [this] {
                       copy_.syncer.nudge();
                   }}
          ),
          upstreams_(endpoints(target), target.session_attrs, target.shuffled),
          host_watch_(own_dsn_, upstreams_),
          shared_(shared_parts(config, copy_, upstreams_)),
          server_(shared_, threads_),
          live_config_(
              options,
              config,
              [this](const config::Config& wanted) { return apply(wanted); },
              [this](const config::Config& wanted) {
                  course_.restore_if_unreadable();
                  copy_.comparer.configure(wanted);  // first: what is sampled must find it ready
                  copy_.golden.configure(wanted);
                  copy_.router.configure(wanted);
              },
              [this](const std::string& route) {
                  return has_share(copy_.router.control().routes(), route);
              }
          ),
          drills_(
              {.context = context_,
               .router = copy_.router,
               .now =
                   [this] {
                       return course_.now();
                   }}
          ),
          server_look_(config.upstream.dsn),
          operations_(
              {.router = copy_.router,
               .replica = copy_.replica,
               .shared = shared_,
               .server = server_,
               .config = live_config_,
               .syncer = copy_.syncer,
               .feed = feed_,
               .drills = drills_,
               .golden = copy_.golden,
               .comparer = copy_.comparer,
               .ignored = copy_.ignored,
               .now = [this] { return course_.now(); },
               .server_look = server_look_,
               .aside = [this](std::function<void()> task
                        ) { boost::asio::post(context_, std::move(task)); },
               .version = VEER_VERSION}
          ),
          entrance_(operations_, VEER_VERSION),
          site_(operations_) {
        course_.restore();
        shared_.make_dialogue =
            [this](const auto& caller, const auto& startup, const net::Wake& wake) {
                return entrance_.make(caller, startup, wake);
            };
    }

    /// Takes its ports; a sentence where it cannot.
    std::string open() {
        if (std::string problem = apply(config_); !problem.empty()) {
            return problem;
        }
        allow_descriptors(2 * shared_.connections_max + shared_.sockets_max());
        const std::string& http = config_.admin.http;
        std::string problem = http.empty() ? std::string() : admin::HttpServer::check(http);
        if (problem.empty()) {
            problem = server_.listen(config_.listen.address, config_.listen.port);
        }
        if (problem.empty()) {
            open_local_door(config_, server_);
            open_site(config_, site_);
        }
        return problem;
    }

    /// Returns when a signal has ended it.
    void serve() {
        host_watch_.start();
        server_.start();
        copy_.syncer.start();
        say_listening(config_, server_.port(), upstreams_);
        upstream_watch_.start();
        freshness_probe_.start();
        course_.start([this](router::cutover::Time now) { feed_.tick(now); });
        Signals(context_, live_config_, server_, course_).serve();
        spdlog::info("stopping");
        copy_.comparer.stop();  // its last findings are stored
        copy_.golden.stop();
        course_.stop();  // operators get their answers while they can be reached
        server_look_.stop();
        upstream_watch_.stop();
        freshness_probe_.stop();
        host_watch_.stop();
        site_.stop();
        secrets_.stop();  // it answers to the server's threads
        server_.stop();
        copy_.syncer.stop();
        copy_.replica.stop();
    }

  private:
    std::string apply(const config::Config& wanted) {
        const auto access = admin::load_access(wanted.admin, mock_);
        if (access.has_error()) {
            return access.error();
        }
        std::string problem = apply_security(wanted, secrets_, shared_.security);
        if (problem.empty()) {
            entrance_.configure(*access);
            site_.ask_readers(!(*access)->users.empty());
        }
        return problem;
    }

    const config::Config& config_;
    const std::string own_dsn_;
    const std::string mock_ = mock_secret();
    const unsigned threads_ = std::max(1U, std::thread::hardware_concurrency());
    const std::unique_ptr<storage::ChunkStore> checkpoints_;
    Copy copy_;
    SecretStore secrets_;
    boost::asio::io_context context_;
    CutoverCourse course_;
    CutoverFeed feed_;
    UpstreamWatch upstream_watch_;
    FreshnessProbe freshness_probe_;
    net::Upstreams upstreams_;
    net::HostWatch host_watch_;
    net::Shared shared_;
    net::Server server_;
    LiveConfig live_config_;
    Drills drills_;
    ServerLook server_look_;
    ProcessOperations operations_;
    admin::ConsoleEntrance entrance_;
    admin::HttpServer site_;
};

}  // namespace

int run(const RunOptions& options) {
    auto loaded = load_config(options);
    if (!loaded) {
        std::fprintf(stderr, "veer: %s\n", to_string(loaded.error()).c_str());
        return 1;
    }
    const config::Config config = *std::move(loaded);
    set_up_log(config.log);
    const auto target = storage::source::parse_connection_string(config.upstream.dsn);
    if (!target) {
        spdlog::error("[upstream] dsn: {}", target.error().message);
        return 1;
    }
    const auto lock = DirectoryLock::take(config.storage.dir);
    if (lock.has_error()) {
        spdlog::error("{}", lock.error());
        return 1;
    }
    if (!lock->trouble().empty()) {
        spdlog::warn("nothing keeps a second veer from this directory: {}", lock->trouble());
    }
    const auto declarations = load_declarations(config.storage.dir, target->database);
    if (declarations.has_error()) {
        spdlog::error("{}", declarations.error());
        return 1;
    }
    Process process(options, config, *target, **declarations);
    if (const std::string problem = process.open(); !problem.empty()) {
        spdlog::error("{}", problem);
        return 1;
    }
    process.serve();
    return 0;
}

}  // namespace veer::proxy

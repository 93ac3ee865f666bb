//! Family 4: a server over HTTP with its sessions in Redis.
//!
//! | file | content |
//! |---|---|
//! | `server` | axum in a separate process, which reports its CPU time |
//! | `visitors` | connections that send requests and check the responses |
//!
//! The result is the CPU time of the server process per request, with many concurrent connections.
//! The server runs alone on the last core; visitors and Redis share the first one.

mod server;
mod visitors;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use tokio::runtime::{Builder, Runtime};

pub(crate) use server::{SERVER, serve};

use self::{
    server::{DRIVER, FLOOR, LAYERS, OURS, Server},
    visitors::Visitors,
};
use crate::{
    harness::{Candidate, Measured, Outcome, Table, cpu, measure},
    redis_server::{Commands, RedisServer},
    scenario::{SCENARIOS, STEADY, Scenario},
};

/// Requests per batch.
const BATCH: usize = 2_048;
/// Requests with recorded commands, one after another.
const WATCHED: usize = 20;

const NEW: Scenario = Scenario {
    name: "new session",
    path: "/start/1/40",
    with_cookie: false,
};

/// A server with its visitors.
struct Site {
    name: &'static str,
    server: Server,
    visitors: RefCell<Visitors>,
}

/// All running processes.
struct Stage {
    runtime: Runtime,
    redis: RedisServer,
    sites: Vec<Site>,
}

/// The cost in Redis of the requests of one cell.
#[derive(Default)]
struct Behind {
    nanoseconds: Cell<f64>,
    requests: Cell<usize>,
}

pub(crate) fn run(rounds: usize) -> Outcome {
    println!("\n## A server over HTTP, its sessions in Redis");
    let (before, last) = (cpu::cores()?, cpu::last_core());
    cpu::stay_on(0)?;
    let told = Stage::open(last).and_then(|stage| Rc::new(stage).report(rounds));
    cpu::stay_in(&before)?;
    told
}

impl Stage {
    fn open(core: usize) -> Outcome<Self> {
        let runtime = Builder::new_current_thread().enable_io().build()?;
        let redis = RedisServer::start()?;
        println!("\nredis-server {}, without persistence.", redis.version()?);
        let mut sites = Vec::new();
        for layer in &LAYERS {
            let server = Server::start(layer.name, &redis.url(), core)?;
            let visitors = runtime.block_on(Visitors::arrive(server.port))?;
            sites.push(Site {
                name: layer.name,
                server,
                visitors: RefCell::new(visitors),
            });
        }
        Ok(Self {
            runtime,
            redis,
            sites,
        })
    }

    fn report(self: Rc<Self>, rounds: usize) -> Outcome {
        let (mut candidates, mut behind) = (Vec::new(), Vec::new());
        for site in 0..self.sites.len() {
            for scenario in STEADY {
                let cell = Rc::new(Behind::default());
                candidates.push(self.candidate(site, scenario, Rc::clone(&cell)));
                behind.push(cell);
            }
        }
        let measured = measure(candidates, rounds)?;
        times(&measured);
        self.loads(&behind);
        self.commands()
    }

    fn candidate(
        self: &Rc<Self>,
        site: usize,
        scenario: Scenario,
        behind: Rc<Behind>,
    ) -> Candidate {
        let stage = Rc::clone(self);
        let batch = Candidate::told(self.sites[site].name, scenario.name, move |requests| {
            let site = &stage.sites[site];
            let (before, redis) = (
                site.server.cpu_nanoseconds()?,
                stage.redis.cpu_nanoseconds()?,
            );
            let mut visitors = site.visitors.borrow_mut();
            let asking = visitors.ask(scenario.path, scenario.with_cookie, requests);
            stage.runtime.block_on(asking)?;
            behind.add(stage.redis.cpu_nanoseconds()? - redis, requests);
            Ok(site.server.cpu_nanoseconds()? - before)
        });
        batch.in_batches_of(BATCH)
    }

    fn loads(&self, behind: &[Rc<Behind>]) {
        let mut table = head(&STEADY);
        for (site, cells) in self.sites.iter().zip(behind.chunks(STEADY.len())) {
            table.row(site.name, cells.iter().map(|cell| cell.shown()));
        }
        table.print("CPU time of Redis itself, µs a request");
    }

    /// Prints the Redis commands of single requests.
    fn commands(&self) -> Outcome {
        let [first, second, third, fourth, log_in] = SCENARIOS;
        let scenarios = [first, second, third, fourth, log_in, NEW];
        let mut table = head(&scenarios);
        for site in self
            .sites
            .iter()
            .filter(|site| ![FLOOR, DRIVER].contains(&site.name))
        {
            let cells: Outcome<Vec<_>> = scenarios
                .iter()
                .map(|scenario| self.commands_of(site, scenario))
                .collect();
            table.row(site.name, cells?);
        }
        table.print("Commands for one request; in brackets those that a script runs inside Redis");
        Ok(())
    }

    fn commands_of(&self, site: &Site, scenario: &Scenario) -> Outcome<String> {
        let mut visitors = site.visitors.borrow_mut();
        let mut ask = |requests| {
            self.runtime.block_on(async {
                for _ in 0..requests {
                    visitors
                        .one()
                        .ask(scenario.path, scenario.with_cookie)
                        .await?;
                }
                Outcome::Ok(())
            })
        };
        // Redis learns a script at its first use.
        ask(1)?;
        let watch = self.redis.watch()?;
        ask(WATCHED)?;
        Ok(shown(&watch.commands()?))
    }
}

impl Behind {
    fn add(&self, nanoseconds: f64, requests: usize) {
        self.nanoseconds.set(self.nanoseconds.get() + nanoseconds);
        self.requests.set(self.requests.get() + requests);
    }

    fn shown(&self) -> String {
        let each = self.nanoseconds.get() / self.requests.get() as f64;
        format!("{:.1}", each / 1000.0)
    }
}

fn times(measured: &Measured) {
    let mut times = head(&STEADY);
    let mut ratios = head(&STEADY);
    let cells = |cell: &dyn Fn(&str) -> String| STEADY.map(|scenario| cell(scenario.name));
    let added = |row: &str, scenario: &str| measured.added(row, FLOOR, scenario).nanoseconds;
    times.row(
        "axum without a layer, in all",
        cells(&|scenario| format!("{:.1}", measured.nanoseconds(FLOOR, scenario) / 1000.0)),
    );
    for layer in LAYERS.iter().filter(|layer| layer.name != FLOOR) {
        let more = |scenario: &str| format!("{:+.1}", added(layer.name, scenario) / 1000.0);
        times.row(layer.name, cells(&more));
        if layer.name != OURS {
            let ratio = |scenario: &str| {
                format!("{:.2}", added(OURS, scenario) / added(layer.name, scenario))
            };
            ratios.row(layer.name, cells(&ratio));
        }
    }
    times.print("CPU time of the server, µs a request");
    ratios.print("Carafe, as a share of what the others add");
    println!(
        "\nUsual spread: ± {:.1} %.",
        measured.usual_spread() * 100.0
    );
}

/// Returns the commands of all watched requests, per request.
///
/// A fractional count shows that requests differ.
fn shown(commands: &Commands) -> String {
    let names = |list: &[String]| {
        let mut names: Vec<&str> = list.iter().map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        let each = |name: &&str| {
            let count = list.iter().filter(|known| known == name).count();
            let each = count as f64 / WATCHED as f64;
            match each {
                1.0 => (*name).to_owned(),
                _ => format!("{each} {name}"),
            }
        };
        names.iter().map(each).collect::<Vec<_>>().join(" ")
    };
    match (names(&commands.of_clients), names(&commands.of_scripts)) {
        (clients, _) if clients.is_empty() => "none".to_owned(),
        (clients, scripts) if scripts.is_empty() => clients,
        (clients, scripts) => format!("{clients} ({scripts})"),
    }
}

fn head(scenarios: &[Scenario]) -> Table {
    Table::new(std::iter::once("").chain(scenarios.iter().map(|scenario| scenario.name)))
}

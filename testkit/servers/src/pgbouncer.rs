//! A `pgbouncer`.

use std::fs;

use crate::{
    Sql, free_port,
    keeper::{Keeper, directory},
    shell::{run, words},
    sql::unprivileged,
};

/// A private pooler for a Postgres server.
pub struct PgBouncer {
    // Stops pgbouncer on drop.
    _keeper: Keeper,
    port: u16,
}

impl PgBouncer {
    /// Starts a pooler that assigns its four connections per transaction.
    #[must_use]
    pub fn before(postgres: &Sql) -> Self {
        let (dir, port, behind) = (directory("pgbouncer"), free_port(), postgres.port);
        let config = format!(
            "[databases]\npostgres = host=127.0.0.1 port={behind} user=postgres dbname=postgres\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = any\npool_mode = transaction\ndefault_pool_size = 4\nmax_client_conn = 500\n"
        );
        let file = dir.join("pgbouncer.ini");
        fs::write(&file, config).expect("a file");
        let command = words(&[program(), &file.display().to_string()]);
        let keeper = Keeper::start(dir, unprivileged(&command));
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        keeper.wait_until(
            || match run(&words(&["psql", "-XqAt", "-d", &url, "-c", "SELECT 1"])) {
                (true, _) => Ok(()),
                (false, why) => Err(why),
            },
        );
        Self {
            _keeper: keeper,
            port,
        }
    }

    /// Returns the pooler's URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }
}

/// Debian installs it outside of an unprivileged user's `PATH`.
fn program() -> &'static str {
    match fs::exists("/usr/sbin/pgbouncer") {
        Ok(true) => "/usr/sbin/pgbouncer",
        _ => "pgbouncer",
    }
}

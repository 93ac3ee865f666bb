//! Postgres, MariaDB and MySQL.
//!
//! If the test runs as root, the servers run as an unprivileged user, because they refuse to run as
//! root.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::{
    certificate::certify,
    free_port,
    keeper::{Keeper, directory},
    shell::{run, words},
};

/// The user ID of the unprivileged user.
const NOBODY: &str = "65534";

/// A private database server.
pub struct Sql {
    /// The server's directory, which contains its output in the file `log`.
    pub dir: PathBuf,
    /// The server's port on 127.0.0.1.
    pub port: u16,
    url: String,
    client: Vec<String>,
    keeper: Keeper,
}

/// The commands of a database. `{dir}` and `{port}` are replaced by their values.
struct Kind {
    /// Initializes the directory.
    init: String,
    /// Runs the server in the directory.
    run: String,
    /// Runs the SQL that is appended to it.
    client: String,
    url: &'static str,
}

/// Arguments of both databases.
///
/// The temporary directory is not /tmp: a starting server removes the temporary tables of all
/// servers in it.
const MADE: &str = "--datadir={dir}/data --innodb-use-native-aio=0 --tmpdir={dir}";
const RUN: &str = "--port={port} --bind-address=127.0.0.1 --socket={dir}/socket --max-connections=300 \
    --innodb-flush-log-at-trx-commit=2 --log-output=TABLE";

impl Kind {
    fn mariadb() -> Self {
        Self {
            init: format!("mariadb-install-db --no-defaults {MADE} --skip-test-db"),
            run: format!("/usr/sbin/mariadbd --no-defaults {MADE} {RUN} --skip-grant-tables"),
            client: "mariadb --no-defaults -S {dir}/socket -N -B -e".to_owned(),
            url: "mysql://root@127.0.0.1:{port}/carafe",
        }
    }

    /// Returns the commands of MySQL with grant tables and a `root` without a password.
    ///
    /// Without grant tables, MySQL does not listen.
    fn mysql(programs: &str) -> Self {
        let server = format!("{programs}/mysqld --no-defaults {MADE} --secure-file-priv=NULL");
        Self {
            init: format!("{server} --initialize-insecure"),
            run: format!("{server} {RUN} --mysqlx=OFF --skip-log-bin"),
            client: format!("{programs}/mysql --no-defaults -u root -S {{dir}}/socket -N -B -e"),
            url: "mysql://root@127.0.0.1:{port}/carafe",
        }
    }
}

impl Sql {
    /// Starts the newest installed Postgres, for the user `postgres`.
    ///
    /// Writes survive a crash of the process but not of the machine: flushing each write would make
    /// tests slow.
    #[must_use]
    pub fn postgres() -> Self {
        Self::postgres_with("-c fsync=off")
    }

    /// Like [`Sql::postgres`], with other arguments instead of `-c fsync=off`.
    #[must_use]
    pub fn postgres_with(arguments: &str) -> Self {
        let (initdb, postgres) = (postgres_program("initdb"), postgres_program("postgres"));
        Self::start(&Kind {
            init: format!("{initdb} -D {{dir}}/data -U postgres -A trust -N"),
            run: format!(
                "{postgres} -D {{dir}}/data -p {{port}} -c listen_addresses=127.0.0.1 \
                 -c unix_socket_directories={{dir}} -c max_connections=300 {arguments}"
            ),
            client: "psql -XqAt -v ON_ERROR_STOP=1 -d \
                     postgres://postgres@127.0.0.1:{port}/postgres -c"
                .to_owned(),
            url: "postgres://postgres@127.0.0.1:{port}/postgres",
        })
    }

    /// Like [`Sql::postgres`], with TLS.
    ///
    /// The untrusted certificate is in the file `certificate` of its directory. Clients treat
    /// 0.0.0.0 as another host.
    #[must_use]
    pub fn postgres_with_tls() -> Self {
        Self::postgres_with(
            "-c fsync=off -c ssl=on -c ssl_cert_file={dir}/certificate -c ssl_key_file={dir}/key",
        )
    }

    /// Like [`Sql::mariadb`], with TLS as in [`Sql::postgres_with_tls`].
    #[must_use]
    pub fn mariadb_with_tls() -> Self {
        let mut kind = Kind::mariadb();
        kind.run += " --ssl-cert={dir}/certificate --ssl-key={dir}/key";
        let server = Self::start(&kind);
        server.sql("CREATE DATABASE carafe");
        server
    }

    /// Starts MariaDB, for the user `root`, with the database `carafe`.
    ///
    /// If `CARAFE_MYSQL` names the directory of `mysqld` and `mysql`, starts MySQL instead.
    #[must_use]
    pub fn mariadb() -> Self {
        Self::mariadb_with("")
    }

    /// Like [`Sql::mariadb`], with further arguments, which come last.
    #[must_use]
    pub fn mariadb_with(arguments: &str) -> Self {
        let mut kind = match env::var("CARAFE_MYSQL") {
            Ok(programs) => Kind::mysql(&programs),
            Err(_) => Kind::mariadb(),
        };
        kind.run = format!("{} {arguments}", kind.run);
        let server = Self::start(&kind);
        server.sql("CREATE DATABASE carafe");
        server
    }

    fn start(kind: &Kind) -> Self {
        let (dir, port) = (directory("sql"), free_port());
        certify(&dir, "carafe-test");
        if is_root() {
            let chown = words(&["chown", "-R", NOBODY, &dir.to_string_lossy()]);
            assert!(run(&chown).0);
        }
        let place = |text: &str| placed(text, &dir, port);
        let (made, said) = run(&unprivileged(&place(&kind.init)));
        if !made {
            let _ = fs::remove_dir_all(&dir);
            panic!("{said}");
        }
        let server = Self {
            client: place(&kind.client),
            url: place(kind.url).concat(),
            keeper: Keeper::start(dir.clone(), unprivileged(&place(&kind.run))),
            dir,
            port,
        };
        server.wait_until_it_answers();
        server
    }

    /// Returns the server's URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs SQL with the database's command-line client.
    pub fn sql(&self, sql: &str) -> String {
        let (ok, text) = self.try_sql(sql);
        assert!(ok, "{sql}: {text}");
        text
    }

    fn try_sql(&self, sql: &str) -> (bool, String) {
        let mut words = self.client.clone();
        words.push(sql.to_owned());
        run(&words)
    }

    /// Kills the server, like a power failure.
    pub fn kill(&self) {
        self.keeper.kill();
    }

    /// Starts the server again after [`Sql::kill`].
    pub fn restart(&self) {
        self.keeper.restart();
        self.wait_until_it_answers();
    }

    /// Sends a signal such as `STOP` or `CONT` to the server and its processes.
    pub fn signal(&self, signal: &str) {
        self.keeper.signal(signal);
    }

    fn wait_until_it_answers(&self) {
        self.keeper.wait_until(|| match self.try_sql("SELECT 1") {
            (true, _) => Ok(()),
            (false, why) => Err(why),
        });
    }
}

fn placed(text: &str, dir: &Path, port: u16) -> Vec<String> {
    let place = |word: &str| {
        word.replace("{dir}", &dir.to_string_lossy())
            .replace("{port}", &port.to_string())
    };
    text.split_whitespace().map(place).collect()
}

/// Returns the path of a Postgres program in its newest installed version.
fn postgres_program(name: &str) -> String {
    let versions =
        fs::read_dir("/usr/lib/postgresql").expect("postgresql is installed: cargo xtask setup");
    let numbers =
        versions.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let newest = numbers.max().expect("there is a version");
    format!("/usr/lib/postgresql/{newest}/bin/{name}")
}

pub(crate) fn unprivileged(command: &[String]) -> Vec<String> {
    let mut all = match is_root() {
        true => words(&[
            "setpriv",
            "--reuid",
            NOBODY,
            "--regid",
            NOBODY,
            "--clear-groups",
            "--",
        ]),
        false => Vec::new(),
    };
    all.extend(command.iter().cloned());
    all
}

fn is_root() -> bool {
    run(&words(&["id", "-u"])).1.trim() == "0"
}

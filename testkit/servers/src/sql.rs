//! Postgres, MariaDB and MySQL, as a user without rights where the test is root: all refuse root, and should.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::{
    free_port,
    keeper::{Keeper, directory},
    shell::{run, words},
};

/// The number of the user without rights.
const NOBODY: &str = "65534";

/// A database server of a test's own.
pub struct Sql {
    /// Where it lives; its output is in the file `log`.
    pub dir: PathBuf,
    /// Its port on 127.0.0.1.
    pub port: u16,
    url: String,
    client: Vec<String>,
    keeper: Keeper,
}

/// How one of the databases is started. `{dir}` and `{port}` stand for their values.
struct Kind {
    /// Fills the directory.
    init: String,
    /// Runs the server in it.
    run: String,
    /// Runs the SQL that follows it.
    client: String,
    url: &'static str,
}

/// What both take. Not /tmp: a server that starts removes the temporary tables of all who work there.
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

    /// With grant tables, and `root` without a password: without them it would not listen.
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
    /// The newest Postgres that is installed, for the user `postgres`. Writes outlive its process, but not the
    /// machine: a flush for each would make tests slow.
    #[must_use]
    pub fn postgres() -> Self {
        Self::postgres_with("-c fsync=off")
    }

    /// [`Sql::postgres`] with other arguments than its `-c fsync=off`.
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

    /// MariaDB, for the user `root`, with the database `carafe`; or in its place the MySQL whose `mysqld` and `mysql`
    /// are in the directory that `CARAFE_MYSQL` names.
    #[must_use]
    pub fn mariadb() -> Self {
        let server = Self::start(&match env::var("CARAFE_MYSQL") {
            Ok(programs) => Kind::mysql(&programs),
            Err(_) => Kind::mariadb(),
        });
        server.sql("CREATE DATABASE carafe");
        server
    }

    fn start(kind: &Kind) -> Self {
        let (dir, port) = (directory("sql"), free_port());
        if is_root() {
            let chown = words(&["chown", NOBODY, &dir.to_string_lossy()]);
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

    /// Where it is reached.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs SQL with the database's own client.
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

    /// Kills the server as a power cut would.
    pub fn kill(&self) {
        self.keeper.kill();
    }

    /// Starts it again after [`Sql::kill`].
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

/// The newest of the installed versions of one of Postgres's programs.
fn postgres_program(name: &str) -> String {
    let versions =
        fs::read_dir("/usr/lib/postgresql").expect("postgresql is installed: cargo xtask setup");
    let numbers =
        versions.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let newest = numbers.max().expect("there is a version");
    format!("/usr/lib/postgresql/{newest}/bin/{name}")
}

fn unprivileged(command: &[String]) -> Vec<String> {
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

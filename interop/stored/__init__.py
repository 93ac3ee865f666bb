"""Real Flask-Session against Carafe's stores with its layouts, in live sessions.

Both use the same Redis, SQLite, Postgres or MariaDB. `servers` starts the databases, `theirs` is a
Flask application with Flask-Session, `ours` the Rust program, `values` makes sessions; `checks`
runs requests sequentially, `races` concurrently, `comparison` runs everything.
"""

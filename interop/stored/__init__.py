"""Compares Carafe's stores in Flask-Session's layouts with real Flask-Session, in live sessions.

Both use the same Redis, SQLite, Postgres or MariaDB. `servers` starts the databases, `theirs` is a
Flask application with Flask-Session, `ours` is the Rust program, `values` creates sessions;
`checks` runs requests sequentially, `races` concurrently, `comparison` runs everything.
"""

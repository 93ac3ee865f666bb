"""Real Flask-Session against Carafe's stores on its layouts: both on one Redis, SQLite, Postgres or MariaDB, in live sessions.

`servers` starts the databases, `theirs` is a Flask application with Flask-Session, `ours` the Rust program, `values` makes
sessions; `checks` is what one after the other must see, `races` what both do at once, `comparison` runs it all.
"""

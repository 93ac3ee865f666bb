"""Real Flask-Login on sessions that Carafe shares: its own tests, logins and logouts.

`comparison` runs both in a separate environment: `carafe_sessions` is a pytest plugin that gives
every Flask application Carafe's sessions, `scenarios` is a browser that visits both applications,
`ours` is the Rust program.
"""

# Visits, log-in and log-out with Flask and Flask-Session, which stores its sessions in files.

# [shown]
from flask import Flask, session
from flask_session import Session

app = Flask(__name__)
app.config["SESSION_TYPE"] = "cachelib"
Session(app)


@app.route("/")
def visits():
    session["visits"] = session.get("visits", 0) + 1
    return f"visit number {session['visits']}\n"


@app.route("/login")
def log_in():
    app.session_interface.regenerate(session)
    session["user"] = "ada"
    return ""


@app.route("/logout")
def log_out():
    session.clear()
    return ""
# [/shown]

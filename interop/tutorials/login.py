"""Log in, log out."""

from __future__ import annotations

import os

from flask import Flask, redirect, request, session
from markupsafe import escape
from serving import serve
from werkzeug.wrappers import Response

app = Flask(__name__)
app.secret_key = os.environ["SECRET_KEY"]


@app.get("/")
def index() -> str:
    if "username" in session:
        return f"Logged in as {escape(session['username'])}"
    return "You are not logged in"


@app.get("/login")
def form() -> str:
    return '<form method="post"><input type="text" name="username"><input type="submit" value="Login"></form>'


@app.post("/login")
def login() -> Response:
    session["username"] = request.form["username"]
    return redirect("/")


@app.get("/logout")
def logout() -> Response:
    session.pop("username", None)
    return redirect("/")


if __name__ == "__main__":
    serve(app)

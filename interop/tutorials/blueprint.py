"""Routes in blueprints, and a lifetime that changes while the program runs."""

from __future__ import annotations

import os
from datetime import timedelta

from flask import Blueprint, Flask, Response, current_app, make_response, request, session
from serving import serve

cookie = Blueprint("cookie", __name__, url_prefix="/cookie")
sessions = Blueprint("session", __name__, url_prefix="/session")


@cookie.get("/set")
def set_cookie() -> Response:
    response = make_response("<h1>set cookie!</h1>")
    response.set_cookie("test1", "123", max_age=20)
    return response


@cookie.get("/get")
def get_cookie() -> str:
    print(request.cookies.get("test1"))
    return str(request.cookies)


@cookie.get("/del")
def del_cookie() -> Response:
    response = make_response("<h1>del cookie!</h1>")
    response.delete_cookie("test1")
    return response


@sessions.get("/set")
def set_session() -> str:
    session["test2"] = "234"
    current_app.permanent_session_lifetime = timedelta(seconds=10)
    session.permanent = False
    return "<h1> set session </h1>"


@sessions.get("/get")
def get_session() -> str:
    return str(session.get("test2"))


@sessions.get("/del")
def del_session() -> str:
    session.clear()
    return "<h1> del session </h1>"


app = Flask(__name__)
app.secret_key = os.environ["SECRET_KEY"]
app.permanent_session_lifetime = timedelta(seconds=20)
app.register_blueprint(cookie)
app.register_blueprint(sessions)

if __name__ == "__main__":
    serve(app)

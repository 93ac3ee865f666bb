"""Cookies and a session dictionary: set, get and delete both."""

from __future__ import annotations

import os

from flask import Flask, Response, make_response, request, session
from serving import serve

app = Flask(__name__)
app.secret_key = os.environ["SECRET_KEY"]


@app.get("/set_cookie")
def set_cookie() -> Response:
    response = make_response("默认首页")
    response.set_cookie("username", "xiaoming")
    response.set_cookie("user", "xiaoming", max_age=30)
    return response


@app.get("/get_cookie")
def get_cookie() -> str:
    username = request.cookies.get("username")
    user = request.cookies.get("user")
    print(f"username={username},user={user}")
    return "get cookie"


@app.get("/del_cookie")
def del_cookie() -> Response:
    response = make_response("Delete cookie")
    response.delete_cookie("answer")
    return response


@app.get("/del_cookie2")
def del_cookie2() -> Response:
    response = make_response("del cookie")
    response.set_cookie("user", "", max_age=0)
    response.set_cookie("username", "", max_age=0)
    return response


@app.get("/set_session")
def set_session() -> str:
    session["username"] = "xiaoming"
    session["info"] = {"name": "xiaohong", "age": 16}
    return "set_session"


@app.get("/get_session")
def get_session() -> str:
    print(session.get("username"))
    print(session.get("info"))
    return "get session"


@app.get("/del_session")
def del_session() -> str:
    session.pop("username", None)
    session.pop("info", None)
    return "del_session"


if __name__ == "__main__":
    serve(app)

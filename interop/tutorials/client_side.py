"""The state is stored in the cookie, where the client can read it."""

from __future__ import annotations

import os

from flask import Flask, Response, make_response, request, session
from serving import serve

app = Flask(__name__)
app.secret_key = os.environ["SECRET_KEY"]


@app.get("/")
def index() -> str:
    return "cookie和session的设置!"


@app.get("/set_cookie")
def set_cookie() -> Response:
    response = make_response("cookie 设置")
    response.set_cookie("user_id", "settings cookie")
    return response


@app.get("/get_cookie")
def get_cookie() -> str:
    print("user_id: ", request.cookies.get("user_id"))
    return "获取cookie"


@app.get("/set_session")
def set_session() -> str:
    session["username"] = "萧兮"
    return "session设置成功!"


@app.get("/get_session")
def get_session() -> str:
    print("username", session.get("username"))
    return "session 获取成功!"


if __name__ == "__main__":
    serve(app)

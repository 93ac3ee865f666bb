"""A lifetime of seven days: a permanent session outlives the browser, and responses refresh it."""

from __future__ import annotations

import os
from datetime import timedelta

from flask import Flask, session
from serving import serve

app = Flask(__name__)
app.secret_key = os.environ["SECRET_KEY"]
app.permanent_session_lifetime = timedelta(days=7)


@app.get("/")
def index() -> str:
    session["username"] = "xiaoming"
    session.permanent = True
    return "Hello World!"


@app.get("/username/")
def username() -> str:
    return str(session.get("username", "没有用户登录！"))


@app.get("/delete_user/")
def delete_user() -> str:
    name = session.pop("username", None)
    return "删除失败！" if name is None else f"{name}成功删除！"


if __name__ == "__main__":
    serve(app)

"""Says whether a token is good, as a Flask service of the replaced kind does: one view, PyJWT."""

import base64
import os
import pathlib

import flask
import jwt

app = flask.Flask(__name__)
kid, text = pathlib.Path(os.environ["JWT_KEYS_FILE"]).read_text().splitlines()[0].split()
key = base64.urlsafe_b64decode(text + "==")


@app.get("/auth")
def auth():
    scheme, _, token = flask.request.headers.get("Authorization", "").partition(" ")
    try:
        if scheme != "Bearer":
            return "", 401
        jwt.decode(token, key, algorithms=["HS256"], audience="imagegate", issuer="imagegate")
    except jwt.InvalidTokenError:
        return "", 401
    return "", 204

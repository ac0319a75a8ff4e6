"""Takes an image whole and puts it into the store, as a service of the replaced kind does."""

import pathlib
import uuid

import boto3
import botocore.config
import flask

app = flask.Flask(__name__)
key, secret = (pathlib.Path(f"/run/secrets/store_root_{part}").read_text().strip()
               for part in ("user", "password"))
store = boto3.client("s3", endpoint_url="http://storage:9000", region_name="us-east-1",
                     aws_access_key_id=key, aws_secret_access_key=secret,
                     config=botocore.config.Config(s3={"addressing_style": "path"}))


@app.post("/upload")
def upload():
    data = flask.request.get_data()
    if not data.startswith(b"\xff\xd8"):
        return {"error": "no JPEG"}, 415
    name = f"{uuid.uuid4().hex}.jpg"
    store.put_object(Bucket="open", Key=name, Body=data, ContentType="image/jpeg")
    return {"filename": name}, 201

"""S3 clients that sign with path-style addresses and try once."""

from functools import lru_cache

import boto3
import botocore.config


@lru_cache
def client(url, key, secret, signature="s3v4"):
    config = botocore.config.Config(
        signature_version=signature, s3={"addressing_style": "path"}, proxies={},
        retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=15,
        request_checksum_calculation="when_required", response_checksum_validation="when_required")
    return boto3.client("s3", endpoint_url=url, region_name="us-east-1", config=config,
                        aws_access_key_id=key, aws_secret_access_key=secret)


def objects(s3, bucket="images"):
    """Key -> ETag of all in the bucket.  The ETag of a single PUT is the MD5 of its bytes."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {entry["Key"]: entry["ETag"].strip('"')
            for page in pages for entry in page.get("Contents", [])}

"""The calls of a request in the terms of policies: actions on resources.

As on AWS, one request may make several calls. A batch makes one for each resource. A resource
with a customer managed key also needs that key. The 404 for a missing object needs the
permission to list the bucket.
"""

import json
from urllib.parse import parse_qs, unquote

from moto.kms.models import kms_backends
from moto.s3.models import s3_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sqs.models import sqs_backends
from werkzeug.wrappers import Request

from policies import Call
from resource_types import ACCOUNT

# The actions of batch operations.
BATCHES = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}

# The actions on the customer managed key of these actions.
READS = {"secretsmanager:GetSecretValue", "s3:GetObject", "sqs:ReceiveMessage"}
WRITES = {
    "secretsmanager:CreateSecret",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecret",
    "s3:PutObject",
    "sqs:SendMessage",
}


def calls_of(service: str, operation: str, request: Request, body: bytes, region: str) -> list[Call]:
    """The calls of a request. The first is the request's own action."""
    if service == "s3":
        return with_kms_calls(list(s3_calls(request, body)), region)
    members = json.loads(body or b"{}") if "X-Amz-Target" in request.headers else {}
    action = BATCHES.get(f"{service}:{operation}", f"{service}:{operation}")
    match service:
        case "secretsmanager":
            calls = list(secrets_manager_calls(action, members, region))
        case "sqs" if "QueueUrl" in members:
            name = members["QueueUrl"].rstrip("/").rsplit("/", 1)[-1]
            calls = [Call(action, f"arn:aws:sqs:{region}:{ACCOUNT}:{name}")]
        case "events" if operation == "PutEvents":
            buses = {entry.get("EventBusName", "default") for entry in members.get("Entries", [])}
            calls = [Call(action, bus_arn(bus, region)) for bus in sorted(buses)]
        case _:
            calls = [Call(action, "*")]
    return with_kms_calls(calls, region)


def bus_arn(bus: str, region: str) -> str:
    return bus if bus.startswith("arn:") else f"arn:aws:events:{region}:{ACCOUNT}:event-bus/{bus}"


def secrets_manager_calls(action: str, members: dict, region: str):
    backend = secretsmanager_backends[ACCOUNT][region]

    def arn(name: str) -> str:
        if name.startswith("arn:"):
            return name
        secret = backend.secrets.get(name)
        return secret.arn if secret else f"arn:aws:secretsmanager:{region}:{ACCOUNT}:secret:{name}-000000"

    if action == "secretsmanager:BatchGetSecretValue":
        yield Call(action, "*")
        for name in members.get("SecretIdList", []):
            secret = arn(name)
            yield Call("secretsmanager:GetSecretValue", secret, tuple(secret_context(backend, secret, {})))
    elif "SecretId" in members or "Name" in members:
        secret = arn(members.get("SecretId") or members["Name"])
        yield Call(action, secret, tuple(secret_context(backend, secret, members)))
    else:
        yield Call(action, "*")


def secret_context(backend, arn: str, members: dict):
    """The condition keys of a request about a secret."""
    if "VersionStage" in members:
        yield "secretsmanager:VersionStage", members["VersionStage"]
    if members.get("Tags"):
        yield "aws:TagKeys", "\n".join(tag["Key"] for tag in members["Tags"])
    secret = next((one for one in list(backend.secrets.values()) if one.arn == arn), None)
    for tag in getattr(secret, "tags", None) or []:
        for prefix in ("secretsmanager", "aws"):
            yield f"{prefix}:ResourceTag/{tag['Key']}", tag["Value"]


def s3_calls(request: Request, body: bytes):
    bucket, _, key = unquote(request.path).lstrip("/").partition("/")
    query = parse_qs(request.query_string.decode(), keep_blank_values=True)
    whole, one = f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/{key}"
    if not key:
        yield from bucket_call(request.method, whole, query, body)
        return
    match request.method:
        case "GET" if "uploadId" in query:
            yield Call("s3:ListMultipartUploadParts", one)
        case "GET" | "HEAD":
            yield Call("s3:GetObjectVersion" if "versionId" in query else "s3:GetObject", one)
            if not object_exists(bucket, key):
                # S3 uses the key as the prefix when it chooses between 404 and 403.
                yield Call("s3:ListBucket", whole, (("s3:prefix", key),))
        case "PUT" | "POST":
            source = request.headers.get("X-Amz-Copy-Source")
            if source:
                yield Call("s3:GetObject", f"arn:aws:s3:::{unquote(source).lstrip('/')}")
            if "tagging" in query or "X-Amz-Tagging" in request.headers:
                yield Call("s3:PutObjectTagging", one)
            if "tagging" not in query:
                yield Call("s3:PutObject", one, tuple(write_context(request, query)))
        case "DELETE" if "uploadId" in query:
            yield Call("s3:AbortMultipartUpload", one)
        case "DELETE":
            yield Call("s3:DeleteObjectVersion" if "versionId" in query else "s3:DeleteObject", one)
        case method:
            yield Call(f"s3:{method}", one)


def write_context(request: Request, query: dict):
    """The condition keys of a request that writes an object or a part of one."""
    if "If-None-Match" in request.headers:
        yield "s3:if-none-match", request.headers["If-None-Match"]
    # A multipart upload creates its object when it is completed.
    in_parts = "uploads" in query or "partNumber" in query
    yield "s3:ObjectCreationOperation", "false" if in_parts else "true"


def bucket_call(method: str, bucket: str, query: dict, body: bytes):
    match method:
        case "POST" if "delete" in query:
            for part in body.decode().split("<Key>")[1:]:
                yield Call("s3:DeleteObject", f"{bucket}/{part.split('</Key>')[0]}")
        case "GET" if "uploads" in query:
            yield Call("s3:ListBucketMultipartUploads", bucket)
        case "GET" if "location" in query:
            yield Call("s3:GetBucketLocation", bucket)
        case "GET" | "HEAD":
            # Without the parameter the request lacks the key, which differs from an empty value.
            yield Call("s3:ListBucket", bucket, tuple(("s3:prefix", prefix) for prefix in query.get("prefix", [])))
        case method:
            yield Call(f"s3:{method}Bucket", bucket)


def object_exists(bucket: str, key: str) -> bool:
    found = s3_backends[ACCOUNT]["aws"].buckets.get(bucket)
    return found is not None and key in found.keys


def with_kms_calls(calls: list[Call], region: str) -> list[Call]:
    """The calls, with the calls to the customer managed keys of their resources."""
    more = []
    for call in calls:
        key = kms_key_of(call, region)
        if key is None or call.action not in READS | WRITES:
            continue
        via = (("kms:ViaService", f"{call.action.split(':')[0]}.{region}.amazonaws.com"),)
        if call.action in WRITES:
            more.append(Call("kms:GenerateDataKey", key, via))
        # Queues and secrets decrypt their data key again before they encrypt with it.
        if call.action in READS or not call.action.startswith("s3:"):
            more.append(Call("kms:Decrypt", key, via))
    return calls + list(dict.fromkeys(more))


def kms_key_of(call: Call, region: str) -> str | None:
    """The ARN of a resource's customer managed key, or None."""
    name = call.resource.rsplit(":", 1)[-1]
    match call.action.split(":")[0]:
        case "secretsmanager":
            secrets = secretsmanager_backends[ACCOUNT][region].secrets.values()
            key = next((secret.kms_key_id for secret in secrets if secret.arn == call.resource), None)
        case "sqs":
            queue = sqs_backends[ACCOUNT][region].queues.get(name)
            key = getattr(queue, "kms_master_key_id", None)
        case "s3":
            bucket = s3_backends[ACCOUNT]["aws"].buckets.get(name.split("/")[0])
            key = bucket_kms_key(getattr(bucket, "encryption", None))
        case _:
            key = None
    if not key or str(key).startswith(("alias/aws/", "arn:aws:kms:alias/aws/")) or "alias/aws/" in str(key):
        return None
    backend = kms_backends[ACCOUNT][region]
    try:
        return backend.keys[backend.any_id_to_key_id(key)].arn
    except KeyError:
        return None


def bucket_kms_key(encryption) -> str | None:
    rules = (encryption or {}).get("Rule", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        default = rule.get("ApplyServerSideEncryptionByDefault", {})
        if default.get("KMSMasterKeyID"):
            return default["KMSMasterKeyID"]
    return None

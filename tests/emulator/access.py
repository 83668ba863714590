"""The access of roles: their sessions, the check of their requests, and their used permissions.

A function has the keys of a session of its role. For requests with these keys the emulator
checks the signature, and each call against the policies of the role. It denies a call outside
of them with the response of AWS, and records it. Requests with other keys, such as those of an
administrator, are allowed.
"""

import json
import re
import secrets
import threading
from collections import Counter
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from werkzeug.wrappers import Request, Response

from actions import calls_of
from policies import Call, Permission, granting_permission, permissions_of
from resource_types import ACCOUNT

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/[^/]+/([^/]+)/([^/]+)/aws4_request,\s*"
    r"SignedHeaders=([^,]+),\s*Signature=([0-9a-f]+)"
)


@dataclass(frozen=True)
class Session:
    """The keys of a role's session."""

    role: str
    keys: Credentials


class Access:
    """The sessions of roles and their requests."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.sessions: dict[str, Session] = {}
        self.granted: Counter[tuple[str, Call]] = Counter()
        self.refused: Counter[tuple[str, Call]] = Counter()
        self.used: set[tuple[str, Permission]] = set()
        self.rights: dict[str, list[Permission]] = {}

    def open(self, role: str) -> dict[str, str]:
        """Creates keys for a role, by its name or ARN."""
        role = role.rsplit("/", 1)[-1]
        name = f"ASIA{secrets.token_hex(8).upper()}"
        keys = Credentials(name, secrets.token_hex(20), secrets.token_hex(32))
        with self.lock:
            self.sessions[keys.access_key] = Session(role, keys)
        return {"AccessKeyId": name, "SecretAccessKey": keys.secret_key, "SessionToken": keys.token}

    def clear_permissions(self) -> None:
        """Drops the cached policies."""
        with self.lock:
            self.rights.clear()

    def permissions_of(self, role: str) -> list[Permission]:
        with self.lock:
            known = self.rights.get(role)
        if known is None:
            known = permissions_of(role)
            with self.lock:
                self.rights[role] = known
        return known

    def permits(self, role: str, call: Call) -> bool:
        """Whether a role may make this call. Records the call."""
        role = role.rsplit("/", 1)[-1]
        rights = self.permissions_of(role)
        right = granting_permission(rights, call)
        plain = Call(call.action, call.resource)
        with self.lock:
            if right is None:
                self.refused[(role, plain)] += 1
            else:
                self.granted[(role, plain)] += 1
                self.used.update((role, one) for one in rights if one.covers(call))
        return right is not None

    def check(self, request: Request, operation: str, body: bytes) -> Response | None:
        """The response to a denied request; None for an allowed one."""
        signed = AUTHORIZATION.match(request.headers.get("Authorization", ""))
        session = self.sessions.get(signed[1]) if signed else None
        if session is None:
            return None
        region, service = signed[2], signed[3]
        if not is_signed(request, body, session.keys, signed):
            with self.lock:
                self.refused[(session.role, Call("a wrong signature", request.path))] += 1
            return error_response(service, "SignatureDoesNotMatch", "The signature is not that of this request.")
        if request.headers.get("X-Amz-Security-Token") != session.keys.token:
            return error_response(service, "InvalidClientTokenId", "The security token is not that of these keys.")
        for call in calls_of(service, operation, request, body, region):
            if self.permits(session.role, call):
                continue
            who = f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{session.role}/function"
            why = f"{who} is not authorized to perform: {call.action} on resource: {call.resource}"
            return error_response(service, "AccessDenied", why)
        return None

    def report(self) -> dict:
        """The allowed and denied calls of each role, and its permissions with whether a call
        used them."""
        with self.lock:
            opened = {session.role for session in self.sessions.values()}
            roles = sorted(opened | {role for role, _ in [*self.granted, *self.refused]})
        return {
            role: {
                "Calls": self.count_calls(self.granted, role),
                "Denied": self.count_calls(self.refused, role),
                "Permissions": [
                    {
                        "Policy": right.policy,
                        "Statement": right.statement,
                        "Effect": right.effect,
                        "Action": right.action,
                        "Resource": right.resource,
                        "Used": (role, right) in self.used,
                    }
                    for right in self.permissions_of(role)
                ],
            }
            for role in roles
        }

    def count_calls(self, calls: Counter, role: str) -> list[dict]:
        with self.lock:
            own = [(call, count) for (who, call), count in calls.items() if who == role]
        own.sort(key=lambda one: (one[0].action, one[0].resource))
        return [{"Action": call.action, "Resource": call.resource, "Count": count} for call, count in own]


def is_signed(request: Request, body: bytes, keys: Credentials, signed: re.Match) -> bool:
    """Whether the signature matches the request and these keys."""
    _, region, service, names, signature = signed.groups()
    names = names.split(";")
    headers = {name: value for name, value in request.headers.items() if name.lower() in names}
    # As on AWS, needless percent-encoding does not matter.
    path, _, query = (request.environ.get("RAW_URI") or request.full_path).partition("?")
    path = quote(unquote(path), safe="/~") if service == "s3" else path
    pairs = parse_qsl(query, keep_blank_values=True)
    query = "&".join(f"{quote(key, safe='~')}={quote(value, safe='~')}" for key, value in pairs)
    copy = AWSRequest(request.method, f"http://{request.host}{path}?{query}", headers=headers, data=body)
    copy.context["timestamp"] = request.headers.get("X-Amz-Date", "")
    sign = (S3SigV4Auth if service == "s3" else SigV4Auth)(keys, service, region)
    text = sign.string_to_sign(copy, sign.canonical_request(copy))
    return secrets.compare_digest(sign.signature(text, copy), signature)


def error_response(service: str, code: str, message: str) -> Response:
    """The error response to a request, in the format of its service."""
    if service == "s3":
        told = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        text = f"<?xml version='1.0' encoding='UTF-8'?>{told}"
        return Response(text, status=403, content_type="application/xml")
    code = "AccessDeniedException" if code == "AccessDenied" else code
    body = json.dumps({"__type": code, "message": message, "Message": message})
    headers = {"x-amzn-errortype": code}
    return Response(body, status=400, headers=headers, content_type="application/x-amz-json-1.1")

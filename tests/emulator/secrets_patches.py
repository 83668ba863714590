"""Corrections of moto 5.2.5 where it differs from AWS Secrets Manager.

- A request without a version or a label returns the AWSCURRENT version. moto returns the version
  that was current when it was written, even after the label has moved.
- A version's value never changes: a repeated request is accepted, another value is rejected. moto
  changes the value of a version with AWSPENDING.
- A label belongs to one version, and a custom label stays when AWSCURRENT moves. moto drops it, or
  gives it to two versions.
- A batch has at most 20 values, and a filter ignores deleted secrets and those without a current
  value. moto has no limit, and fails the whole batch.
- Versions without a label are not listed, and a secret has the day of its last read.
- The function performs the rotation, step by step: see `rotation.py`. moto runs all steps
  regardless of errors, and moves AWSCURRENT itself.
"""

import time

from moto.secretsmanager.exceptions import (
    InvalidParameterException,
    InvalidRequestException,
    OperationNotPermittedOnReplica,
    ResourceExistsException,
    SecretNotFoundException,
    SecretsManagerClientError,
    ValidationException,
)
from moto.secretsmanager.models import (
    FakeSecret,
    ReplicaSecret,
    SecretsManagerBackend,
    _matches,
)

from rotation import Rotations

CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"
DAY = 24 * 60 * 60

# The maximum number of values of one BatchGetSecretValue.
BATCH = 20


class NoSuchLabel(SecretNotFoundException):
    """The error if no version of the secret has the requested label."""

    def __init__(self, label: str) -> None:
        message = f"Secrets Manager can't find the specified secret value for staging label: {label}"
        self.code = 404
        SecretsManagerClientError.__init__(self, "ResourceNotFoundException", message)


def version_with_label(secret, label: str) -> str | None:
    """The version with a label."""
    versions = secret.versions.items()
    return next((name for name, version in versions if label in version["version_stages"]), None)


def attach(secret, label: str, version_id: str) -> None:
    """Moves a label to a version, and AWSPREVIOUS to the former AWSCURRENT."""
    before = version_with_label(secret, label)
    if before == version_id:
        return
    if before:
        secret.versions[before]["version_stages"].remove(label)
    secret.versions[version_id]["version_stages"].append(label)
    if label == CURRENT:
        secret.default_version_id = version_id
        if before:
            attach(secret, PREVIOUS, before)
        elif PREVIOUS in secret.versions[version_id]["version_stages"]:
            secret.versions[version_id]["version_stages"].remove(PREVIOUS)


def has_value(version: dict) -> bool:
    """Whether a version has a value; a rotation may create one without."""
    return "secret_string" in version or "secret_binary" in version


def writable_secret(backend, secret_id: str) -> FakeSecret:
    """Returns the secret, or raises an error if it cannot be changed."""
    secret = backend.secrets.get(secret_id)
    if secret is None:
        raise SecretNotFoundException()
    if isinstance(secret, ReplicaSecret):
        raise OperationNotPermittedOnReplica()
    if secret.is_deleted():
        raise InvalidRequestException(
            "You can't perform this operation on the secret because it was marked for deletion."
        )
    return secret


def get_secret_value(backend, secret_id, version_id, version_stage, *, moto):
    secret = backend.secrets.get(secret_id)
    if not version_id:
        version_stage = version_stage or CURRENT
        if secret and not secret.is_deleted() and not version_with_label(secret, version_stage):
            raise NoSuchLabel(version_stage)
    value = moto(backend, secret_id, version_id, version_stage)
    source = secret.source if isinstance(secret, ReplicaSecret) else secret
    source.last_accessed_date = int(time.time()) // DAY * DAY
    return value


def batch_get_secret_value(
    backend, secret_id_list=None, filters=None, max_results=None, next_token=None, *, moto
):
    if len(secret_id_list or []) > BATCH or not 1 <= (max_results or BATCH) <= BATCH:
        raise ValidationException(f"A batch has at most {BATCH} values.")
    if secret_id_list or not filters:
        return moto(backend, secret_id_list, filters, max_results, next_token)
    found = [
        secret.secret_id
        for secret in list(backend.secrets.values())
        if _matches(secret, filters) and not secret.is_deleted() and version_with_label(secret, CURRENT)
    ]
    values = [backend.get_secret_value(name, "", "") for name in found]
    page, token = backend._get_secret_values_page_and_next_token(
        values, max_results or BATCH, next_token
    )
    return page, [], token


def to_dict(secret, *, moto):
    described = moto(secret)
    described["LastAccessedDate"] = getattr(secret, "last_accessed_date", None)
    labelled = {name: version["version_stages"] for name, version in secret.versions.items()}
    labelled = {name: labels for name, labels in labelled.items() if labels}
    for key in ("VersionIdsToStages", "SecretVersionsToStages"):
        if key in described:
            described[key] = labelled
    return described


def reset_default_version(secret, secret_version, version_id) -> None:
    """Writes a version and makes it the current one."""
    kept = secret.versions.get(version_id, {}).get("version_stages", [])
    secret.versions[version_id] = {**secret_version, "version_stages": kept}
    for label in secret_version["version_stages"]:
        attach(secret, label, version_id)


def check_version(backend, name, token, string, binary, on_create=False, *, moto):
    """Returns the existing version, or raises an error if its value differs."""
    secret = backend.secrets.get(name)
    version = secret.versions.get(token) if isinstance(secret, FakeSecret) else None
    if version is None or not has_value(version):
        return moto(backend, name, token, string, binary, on_create)
    if (version.get("secret_string"), version.get("secret_binary")) == (string, binary):
        return secret
    raise ResourceExistsException(
        f"You can't use ClientRequestToken {token} because that value is already in use"
        f" for a version of secret {secret.arn}."
    )


def put_secret_value(backend, secret_id, *arguments, moto, **named):
    writable_secret(backend, secret_id)
    return moto(backend, secret_id, *arguments, **named)


def update_secret_version_stage(
    backend, secret_id, version_stage, remove_from_version_id, move_to_version_id
):
    secret = writable_secret(backend, secret_id)
    for version_id in (remove_from_version_id, move_to_version_id):
        if version_id and version_id not in secret.versions:
            raise InvalidParameterException(f"Not a valid version: {version_id}")
    before = version_with_label(secret, version_stage)
    if remove_from_version_id and remove_from_version_id != before:
        raise InvalidParameterException(
            f"Version stage {version_stage} not found in version {remove_from_version_id}"
        )
    if before and not remove_from_version_id and before != move_to_version_id:
        raise InvalidParameterException(
            f"The parameter RemoveFromVersionId can't be empty. Staging label {version_stage} is"
            f" currently attached to version {before}, so you must explicitly reference that"
            " version in RemoveFromVersionId."
        )
    if move_to_version_id:
        attach(secret, version_stage, move_to_version_id)
    elif version_stage == CURRENT:
        raise InvalidParameterException(
            "You can only move staging label AWSCURRENT to a different secret version."
            " It can't be completely removed."
        )
    elif before:
        secret.versions[before]["version_stages"].remove(version_stage)
    return secret.arn, secret.name


def rotate_secret(
    backend,
    secret_id,
    client_request_token=None,
    rotation_lambda_arn=None,
    rotation_rules=None,
    rotate_immediately=True,
    *,
    rotations: Rotations,
):
    secret = writable_secret(backend, secret_id)
    function = rotation_lambda_arn or secret.rotation_lambda_arn
    if not function:
        raise InvalidRequestException("No Lambda rotation function ARN is associated with this secret.")
    if not rotations.possible():
        raise InvalidRequestException("The emulator was started without LAMBDA_ENDPOINT.")
    days = (rotation_rules or {}).get("AutomaticallyAfterDays")
    if days is not None:
        if not 1 <= days <= 1000:
            raise InvalidParameterException("RotationRules.AutomaticallyAfterDays must be within 1-1000.")
        secret.auto_rotate_after_days = days
        secret.next_rotation_date = int(time.time()) + days * DAY
    secret.rotation_requested = secret.rotation_enabled = True
    secret.rotation_lambda_arn = function

    def is_open() -> bool:
        return version_with_label(secret, PENDING) == token and version_with_label(secret, CURRENT) != token

    def finished() -> None:
        if version_with_label(secret, CURRENT) == token:
            secret.last_rotation_date = int(time.time())

    def tested() -> None:
        secret.versions.pop(token, None)

    token = version_with_label(secret, PENDING)
    if token and is_open():
        rotations.start(secret.arn, function, token, is_open=is_open, then=finished)
        raise InvalidRequestException(
            "A previous rotation isn't complete. That rotation will be reattempted."
        )
    token = backend._from_client_request_token(client_request_token)
    if token in secret.versions:
        # A repeated request of a finished rotation.
        return secret.to_short_dict(version_id=token)
    secret.versions[token] = {"createdate": int(time.time()), "version_id": token, "version_stages": []}
    attach(secret, PENDING, token)
    if rotate_immediately:
        rotations.start(secret.arn, function, token, is_open=is_open, then=finished)
    else:
        # The function is tested with a temporary version.
        current = secret.versions.get(version_with_label(secret, CURRENT), {})
        values = {name: current[name] for name in ("secret_string", "secret_binary") if name in current}
        secret.versions[token].update(values)
        rotations.start(secret.arn, function, token, ["testSecret"], is_open=is_open, then=tested)
    return secret.to_short_dict(version_id=token)


def install(rotations: Rotations) -> None:
    """Patches functions of moto."""

    def replace(owner, name: str, patch, **more) -> None:
        setattr(owner, name, lambda *arguments, **named: patch(*arguments, **named, **more))

    def wrap(owner, name: str, patch) -> None:
        replace(owner, name, patch, moto=getattr(owner, name))

    wrap(FakeSecret, "to_dict", to_dict)
    replace(FakeSecret, "reset_default_version", reset_default_version)
    wrap(SecretsManagerBackend, "get_secret_value", get_secret_value)
    wrap(SecretsManagerBackend, "batch_get_secret_value", batch_get_secret_value)
    wrap(SecretsManagerBackend, "put_secret_value", put_secret_value)
    wrap(SecretsManagerBackend, "_check_with_existing_secrets_and_versions", check_version)
    replace(SecretsManagerBackend, "update_secret_version_stage", update_secret_version_stage)
    replace(SecretsManagerBackend, "rotate_secret", rotate_secret, rotations=rotations)

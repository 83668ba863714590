"""Additions to moto's CloudFormation.

- SAM templates are transformed by the translator of AWS.
- Types that moto does not create are created by requests to its services: see
  `resource_types.py`. Any other type exists by name only, and is reported.
- `AWS::NoValue` also removes members of lists.
- Outputs exist after a change set, and a parameter within `Fn::Sub` counts as a change.
- Change sets respect `DependsOn`.
- Nested stacks are updated in place, and have outputs.
- A bucket has versions and a life cycle. `policies.py` evaluates its policy, like those of roles.
- The name of a FIFO queue ends with `.fifo`. Event source mappings do not poll.
"""

import copy
import json
import re
import traceback

from botocore.exceptions import ClientError
from moto.cloudformation import models, parsing
from moto.cloudformation.exceptions import ValidationError
from moto.core.common_models import CloudFormationModel
from moto.events.models import EventBus
from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket
from moto.sqs.models import Queue
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from resource_types import KINDS, CreatedResource, Request, client_of

# The error codes of missing resources.
NOT_FOUND_ERROR = re.compile("NotFound|NoSuch|NonExistent|DoesNotExist|^404$")

SAM = "AWS::Serverless-2016-10-31"

# The requests for the properties of a bucket that moto's CloudFormation ignores.
BUCKET_PROPERTIES = {
    "VersioningConfiguration": "put_bucket_versioning",
    "PublicAccessBlockConfiguration": "put_public_access_block",
    "OwnershipControls": "put_bucket_ownership_controls",
}

# Properties that moto's own types ignore, without a correction here.
IGNORED_PROPERTIES = {
    "AWS::S3::Bucket": {"LoggingConfiguration", "NotificationConfiguration"},
    "AWS::Lambda::Function": {"LoggingConfig", "TracingConfig"},
    "AWS::Logs::LogGroup": {"LogGroupClass"},
    "AWS::Events::EventBus": {"DeadLetterConfig", "KmsKeyIdentifier", "Policy"},
}


class NoManagedPolicies:
    """The managed policies for the SAM translator: none, because the templates use none."""

    def load(self) -> dict[str, str]:
        return {}


def transformed(template, parameters: dict, stack: str, account: str, region: str) -> str:
    """The transformed template."""
    parsed = yaml_parse(template) if isinstance(template, str) else template
    transforms = parsed.get("Transform", [])
    if SAM not in ([transforms] if isinstance(transforms, str) else transforms):
        return template
    defaults = {name: given.get("Default") for name, given in parsed.get("Parameters", {}).items()}
    pseudo = {"Region": region, "AccountId": account, "Partition": "aws", "StackName": stack}
    values = {**defaults, **parameters, **{f"AWS::{name}": value for name, value in pseudo.items()}}
    try:
        result = transform(parsed, values, NoManagedPolicies())
    except InvalidDocumentException as error:
        causes = "; ".join(cause.message for cause in error.causes)
        raise ValidationError(message=f"{error.message} {causes}")
    result.pop("Transform", None)
    return json.dumps(result)


class Resource:
    """A resource of a type that moto's CloudFormation lacks."""

    def __init__(self, kind: str, made: CreatedResource, region: str) -> None:
        self.type, self.made, self.region = kind, made, region

    @property
    def physical_resource_id(self) -> str:
        return self.made.id

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return True

    def get_cfn_attribute(self, name: str) -> str:
        if name in self.made.attributes or self.type in KINDS:
            return self.made.attributes[name]
        # For a resource that exists by name only.
        service = self.type.split("::")[1].lower()
        arn = f"arn:aws:{service}:{self.region}:{self.made.id}"
        return arn if name == "Arn" else f"{self.made.id}.{name}"

    @property
    def is_emulated(self) -> bool:
        return self.type in KINDS


def model_of(kind: str) -> type[CloudFormationModel]:
    """The class with which moto creates resources of a type."""

    class Model(Resource, CloudFormationModel):
        # moto derives the service from the second word.
        __module__ = "emulator.resources"

        @staticmethod
        def cloudformation_name_type() -> str:
            return ""

        @staticmethod
        def cloudformation_type() -> str:
            return kind

        @classmethod
        def create_from_cloudformation_json(
            cls, resource_name, cloudformation_json, account_id, region_name, **rest
        ):
            properties = cloudformation_json.get("Properties", {})
            if kind in KINDS:
                return cls(kind, KINDS[kind].create(region_name, properties, resource_name), region_name)
            return cls(kind, CreatedResource(resource_name, dropped=list(properties)), region_name)

        @classmethod
        def update_from_cloudformation_json(
            cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name
        ):
            update = KINDS[kind].update if kind in KINDS else None
            if update:
                properties = cloudformation_json.get("Properties", {})
                original_resource.made = update(region_name, original_resource.made, properties)
            return original_resource

        def delete(self, account_id, region):
            try:
                if kind in KINDS and KINDS[kind].delete:
                    KINDS[kind].delete(region, self.made, {})
            except ClientError as error:
                # It may have been deleted with its parent.
                if not NOT_FOUND_ERROR.search(error.response["Error"]["Code"]):
                    raise

    return Model


def create_bucket(cls, resource_name, cloudformation_json, account_id, region_name, *, moto, **rest):
    bucket = moto(resource_name, cloudformation_json, account_id, region_name, **rest)
    finish_bucket(bucket.name, cloudformation_json.get("Properties", {}), region_name)
    return bucket


def update_bucket(cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name):
    finish_bucket(original_resource.name, cloudformation_json.get("Properties", {}), region_name)
    return original_resource


def queue_name(name: str, definition: dict) -> str:
    """The name of a queue, with `.fifo` at the end of a FIFO queue's generated name."""
    if str(definition["Properties"].get("FifoQueue", False)).lower() != "true" or name.endswith(".fifo"):
        return name
    return f"{name[:75]}.fifo"


def finish_bucket(name: str, properties: dict, region: str) -> None:
    for key, operation in BUCKET_PROPERTIES.items():
        if key in properties:
            Request("s3", operation).send(region, {"Bucket": name, key: properties[key]})
    if "LifecycleConfiguration" in properties:
        rules = [lifecycle_rule(rule) for rule in properties["LifecycleConfiguration"]["Rules"]]
        client = client_of("s3", region)
        client.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})


def lifecycle_rule(rule: dict) -> dict:
    """A template's rule in the format of the request."""
    sent = {"Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "Id" in rule:
        sent["ID"] = rule["Id"]
    if "ExpirationInDays" in rule:
        sent["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
    elif "ExpiredObjectDeleteMarker" in rule:
        sent["Expiration"] = {"ExpiredObjectDeleteMarker": bool(rule["ExpiredObjectDeleteMarker"])}
    if "NoncurrentVersionExpiration" in rule:
        days = rule["NoncurrentVersionExpiration"]["NoncurrentDays"]
        sent["NoncurrentVersionExpiration"] = {"NoncurrentDays": int(days)}
    if "AbortIncompleteMultipartUpload" in rule:
        days = rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]
        sent["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": int(days)}
    return sent


def clean_json(value, resources, *, moto):
    """A template's value with its functions resolved."""
    # moto splits the name of an output within `Fn::Sub`.
    if isinstance(value, dict) and len(value.get("Fn::GetAtt", [])) > 2:
        name, *attribute = value["Fn::GetAtt"]
        value = {"Fn::GetAtt": [name, ".".join(attribute)]}
    result = moto(value, resources)
    return [item for item in result if item is not None] if isinstance(result, list) else result


def create(name: str, definition: dict, resources, *, moto, **rest):
    """Creates a resource after its dependencies."""
    others = definition.get("DependsOn", [])
    for other in [others] if isinstance(others, str) else others:
        resources[other]
    return moto(name, definition, resources, **rest)


def references(template, *, moto) -> list[str]:
    """The parameters and resources that a part of a template refers to."""
    found = moto(template)
    text = json.dumps(template)
    return found + [word.split("}")[0].split(".")[0] for word in text.split("${")[1:]]


def update_nested_stack(cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name):
    """Updates a nested stack in place."""
    properties = cloudformation_json["Properties"]
    template = models.get_stack_from_s3_url(
        properties["TemplateURL"], account_id=account_id, partition="aws"
    )
    parameters = properties.get("Parameters", {})
    template = transformed(template, parameters, original_resource.name, account_id, region_name)
    original_resource.update(template, parameters=parameters)
    return original_resource


def update(name, definition, resources, *, moto, **rest):
    """Updates a resource, unless its condition is false."""
    condition = definition.get("Condition")
    if condition and not resources.lazy_condition_map[condition]:
        return None
    return moto(name, definition, resources, **rest)


def output_of(stack, attribute: str) -> str:
    """The result of `Fn::GetAtt` for a nested stack."""
    return stack.output_map[attribute.removeprefix("Outputs.")].value


def apply(change_set) -> None:
    """Executes a change set."""
    stack = change_set.stack
    # The stack gets the parameters of the change set. Differences to the former ones,
    # including defaults, change resources.
    stack.parameters = change_set.parameters
    stack.resource_map.input_parameters = dict(stack.resource_map.resolved_parameters)
    try:
        stack.resource_map.update(change_set.template_dict, change_set.parameters)
    except Exception as error:
        # The deployer gets the message, the log the traceback.
        traceback.print_exc()
        raise ValidationError(message=f"{type(error).__name__}: {error}")
    stack.template_dict = change_set.template_dict
    stack.output_map = stack._create_output_map()


def delete(resources, *, moto) -> None:
    """Deletes the resources of a stack, except retained ones."""
    for definition in resources._resource_json_map.values():
        if definition.get("DeletionPolicy") == "RetainExceptOnCreate":
            definition["DeletionPolicy"] = "Retain"
    moto(resources)


def describe_stack(stack) -> dict:
    """A deployed stack: its outputs, and for each resource the type, the result of `Ref`,
    the resolved properties, and the ignored properties."""
    resources, outputs = {}, {}
    for name, definition in stack.resource_map._resource_json_map.items():
        made = stack.resource_map._parsed_resources.get(name)
        if made is None:
            continue
        properties = copy.deepcopy(definition.get("Properties", {}))
        resources[name] = {
            "Type": definition["Type"],
            "Id": getattr(made, "physical_resource_id", None),
            "Properties": parsing.clean_json(properties, stack.resource_map),
            "Emulated": getattr(made, "is_emulated", True),
            "IgnoredProperties": ignored_properties(made, properties),
        }
    if stack.status.endswith("_COMPLETE"):
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.outputs or []}
    return {"Name": stack.name, "Status": stack.status, "Outputs": outputs, "Resources": resources}


def ignored_properties(made, properties: dict) -> list[str]:
    """The ignored properties of a resource."""
    if isinstance(made, Resource):
        return made.made.dropped
    unknown = IGNORED_PROPERTIES.get(made.cloudformation_type(), set())
    return sorted(unknown & set(properties))


def list_stacks() -> list[dict]:
    """All deployed stacks."""
    accounts = models.cloudformation_backends.values()
    backends = [backend for account in accounts for backend in account.values()]
    return [describe_stack(stack) for backend in backends for stack in list(backend.stacks.values())]


def resources_of(kind: str) -> list[dict]:
    """The resources of this type in all stacks."""
    found = (resource for stack in list_stacks() for resource in stack["Resources"].values())
    return [resource for resource in found if resource["Type"] == kind]


def install() -> None:
    """Patches functions of moto."""
    ours = {kind: model_of(kind) for kind in KINDS}
    known = {**parsing.get_model_map(), **ours}
    names = {**parsing.get_name_type_map(), **{kind: "" for kind in KINDS}}

    class Known(dict):
        def __contains__(self, kind) -> bool:
            return True

        def __missing__(self, kind):
            self[kind] = model_of(kind)
            return self[kind]

    models_by_type = Known(known)
    parsing.get_model_map = lambda: models_by_type
    parsing.get_name_type_map = lambda: names
    parsing.resource_name_property_from_type = names.get

    moto_json, moto_references = parsing.clean_json, parsing.get_references_from_template
    parsing.clean_json = lambda value, resources: clean_json(value, resources, moto=moto_json)
    parsing.get_references_from_template = lambda template: references(template, moto=moto_references)
    moto_create = parsing.parse_and_create_resource
    parsing.parse_and_create_resource = lambda name, definition, resources, **rest: create(
        name, definition, resources, moto=moto_create, **rest
    )
    models.ChangeSet.apply = apply
    moto_update = parsing.parse_and_update_resource
    parsing.parse_and_update_resource = lambda name, definition, resources, **rest: update(
        name, definition, resources, moto=moto_update, **rest
    )
    moto_delete = parsing.ResourceMap.delete
    parsing.ResourceMap.delete = lambda resources: delete(resources, moto=moto_delete)

    backend = models.CloudFormationBackend
    backend.create_stack = with_transform(backend.create_stack)
    backend.create_change_set = with_transform(backend.create_change_set)

    models.Stack.update_from_cloudformation_json = classmethod(update_nested_stack)
    models.Stack.get_cfn_attribute = output_of

    make = FakeBucket.create_from_cloudformation_json
    FakeBucket.create_from_cloudformation_json = classmethod(
        lambda cls, *arguments, **rest: create_bucket(cls, *arguments, moto=make, **rest)
    )
    FakeBucket.update_from_cloudformation_json = classmethod(update_bucket)
    FakeBucket.get_permission = lambda bucket, action, resource: PermissionResult.NEUTRAL
    make_queue = Queue.create_from_cloudformation_json
    Queue.create_from_cloudformation_json = classmethod(
        lambda cls, name, definition, *arguments, **rest: make_queue(
            queue_name(name, definition), definition, *arguments, **rest
        )
    )
    EventBus.physical_resource_id = property(lambda bus: bus.name)
    # The runner of the functions polls the queues, not moto.
    Queue.lambda_event_source_mappings = property(lambda queue: {}, lambda queue, value: None)


def with_transform(method):
    """The method of the backend, with a transformed template."""

    def call(backend, *arguments, **named):
        named = {**dict(zip(("name", "template", "parameters"), arguments)), **named}
        stack = named.get("stack_name") or named.get("name")
        named["template"] = transformed(
            named["template"], named["parameters"], stack, backend.account_id, backend.region_name
        )
        return method(backend, **named)

    return call

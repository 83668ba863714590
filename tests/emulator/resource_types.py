"""The resource types that moto's services have and moto's CloudFormation lacks.

Each is created by a request to its service on this server. The properties of a template are the
members of that request; the tables below have the differences. Properties that the request does
not have are dropped and reported.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import boto3

# The only account.
ACCOUNT = "123456789012"

KEYS = {"aws_access_key_id": "loopback", "aws_secret_access_key": "loopback"}


@dataclass
class CreatedResource:
    """A created resource: the results of `Ref` and `Fn::GetAtt`, and the dropped
    properties."""

    id: str
    attributes: dict[str, str] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)


@dataclass
class Request:
    """A request to a service from a resource's properties."""

    service: str
    operation: str
    # The property of a generated name, for a template without a name.
    name: str | None = None
    # Properties with another name in the request.
    renamed: dict[str, str] = field(default_factory=dict)

    def send(self, region: str, properties: dict, name: str = "") -> tuple[dict, dict, list[str]]:
        """Sends the request. Returns its parameters, the response, and the dropped properties."""
        client = client_of(self.service, region)
        shape = client.meta.service_model.operation_model(
            client.meta.method_to_api_mapping[self.operation]
        ).input_shape
        given = {self.renamed.get(key, key): value for key, value in properties.items()}
        if self.name:
            given.setdefault(self.name, name)
        dropped: list[str] = []
        sent = fitted(shape, given, "", dropped)
        return sent, getattr(client, self.operation)(**sent), dropped


def client_of(service: str, region: str):
    """A client of this server."""
    endpoint = f"http://localhost:{os.environ['MOTO_PORT']}"
    return boto3.client(service, endpoint_url=endpoint, region_name=region, **KEYS)


def fitted(shape, value, path: str, dropped: list[str]):
    """A template's value in the format of a request: only known members, numbers as
    numbers, documents as text."""
    match shape.type_name:
        case "structure" if isinstance(value, dict):
            known = {}
            for key, inner in value.items():
                member = shape.members.get(key) or shape.members.get(key[:1].lower() + key[1:])
                if member is None:
                    dropped.append(f"{path}{key}")
                    continue
                name = key if key in shape.members else key[:1].lower() + key[1:]
                known[name] = fitted(member, inner, f"{path}{key}.", dropped)
            return known
        case "list" if isinstance(value, list):
            return [fitted(shape.member, inner, path, dropped) for inner in value]
        case "map" if isinstance(value, dict):
            return {key: fitted(shape.value, inner, path, dropped) for key, inner in value.items()}
        case "integer" | "long":
            return int(value)
        case "double" | "float":
            return float(value)
        case "boolean":
            return str(value).lower() == "true"
        case "string":
            return value if isinstance(value, str) else json.dumps(value)
    return value


@dataclass
class Kind:
    """A resource type: the requests that create, update and delete a resource."""

    create: Callable[[str, dict, str], CreatedResource]
    delete: Callable[[str, CreatedResource, dict], Any] | None = None
    # By default, the request that creates also updates.
    update: Callable[[str, CreatedResource, dict], CreatedResource] | None = None


def made_by(
    request: Request,
    ref: Callable[[dict, dict], str],
    attributes: Callable[[dict, dict], dict[str, str]] = lambda sent, answer: {},
    delete: tuple[str, str] | None = None,
    update: str | None = None,
) -> Kind:
    """A type that is created by one request. `ref` and `attributes` take the request and
    its response; `delete` has the operation, and its parameter for the result of `Ref`."""

    def create(region: str, properties: dict, name: str) -> CreatedResource:
        sent, answer, dropped = request.send(region, properties, name)
        return CreatedResource(ref(sent, answer), attributes(sent, answer), dropped)

    def change(region: str, made: CreatedResource, properties: dict) -> CreatedResource:
        again = Request(request.service, update or request.operation, request.name, request.renamed)
        sent, _, dropped = again.send(region, properties, made.id)
        return CreatedResource(made.id, made.attributes, dropped)

    def remove(region: str, made: CreatedResource, properties: dict) -> None:
        operation, parameter = delete
        getattr(client_of(request.service, region), operation)(**{parameter: made.id})

    return Kind(create, remove if delete else None, change)


def secret(region: str, properties: dict, name: str) -> CreatedResource:
    """A secret with the template's value, or a generated one."""
    properties = dict(properties)
    generate = properties.pop("GenerateSecretString", None)
    client = client_of("secretsmanager", region)
    if generate is not None:
        aside = ("SecretStringTemplate", "GenerateStringKey")
        rules = {key: value for key, value in generate.items() if key not in aside}
        shape = client.meta.service_model.operation_model("GetRandomPassword").input_shape
        value = client.get_random_password(**fitted(shape, rules, "", []))["RandomPassword"]
        if "GenerateStringKey" in generate:
            members = json.loads(generate.get("SecretStringTemplate", "{}"))
            value = json.dumps({**members, generate["GenerateStringKey"]: value})
        properties["SecretString"] = value
    request = Request("secretsmanager", "create_secret", "Name")
    _, answer, dropped = request.send(region, properties, name)
    return CreatedResource(answer["ARN"], {"Id": answer["ARN"]}, dropped)


def update_secret(region: str, made: CreatedResource, properties: dict) -> CreatedResource:
    """Updates a secret. Its value stays unless the template has one."""
    kept = {key: properties[key] for key in ("Description", "KmsKeyId", "SecretString") if key in properties}
    client = client_of("secretsmanager", region)
    client.update_secret(SecretId=made.id, **kept)
    if "Tags" in properties:
        client.tag_resource(SecretId=made.id, Tags=properties["Tags"])
    return made


def delete_secret(region: str, made: CreatedResource, properties: dict) -> None:
    client = client_of("secretsmanager", region)
    client.delete_secret(SecretId=made.id, ForceDeleteWithoutRecovery=True)


def queue_policy(region: str, properties: dict, name: str) -> CreatedResource:
    policy = json.dumps(properties["PolicyDocument"])
    for queue in properties["Queues"]:
        client_of("sqs", region).set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    return CreatedResource(name)


def topic_policy(region: str, properties: dict, name: str) -> CreatedResource:
    policy = json.dumps(properties["PolicyDocument"])
    for topic in properties["Topics"]:
        client = client_of("sns", region)
        client.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    return CreatedResource(name)


def recreate(create: Callable[[str, dict, str], CreatedResource]) -> Callable[[str, CreatedResource, dict], CreatedResource]:
    """Updates a resource with the request that creates it."""
    return lambda region, made, properties: create(region, properties, made.id)


def http_api(region: str, properties: dict, name: str) -> CreatedResource:
    """An HTTP API from its OpenAPI description."""
    described = properties["Body"]
    members = {"Name": described["info"]["title"], "ProtocolType": "HTTP"}
    _, answer, _ = Request("apigatewayv2", "create_api").send(region, members)
    create_routes(region, answer["ApiId"], described)
    attributes = {"ApiId": answer["ApiId"], "ApiEndpoint": answer["ApiEndpoint"]}
    return CreatedResource(answer["ApiId"], attributes, [key for key in properties if key != "Body"])


def create_routes(region: str, api: str, described: dict) -> None:
    """The routes of an OpenAPI description, each with its integration."""
    client = client_of("apigatewayv2", region)
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            integration = operation.get("x-amazon-apigateway-integration")
            if not integration:
                continue
            behind = client.create_integration(
                ApiId=api,
                IntegrationType=integration["type"].upper(),
                IntegrationUri=integration["uri"],
                PayloadFormatVersion=integration.get("payloadFormatVersion", "1.0"),
            )
            client.create_route(
                ApiId=api,
                RouteKey=f"{method.upper()} {path}",
                Target=f"integrations/{behind['IntegrationId']}",
            )


def delete_http_api(region: str, made: CreatedResource, properties: dict) -> None:
    client_of("apigatewayv2", region).delete_api(ApiId=made.id)


def unchanged(region: str, made: CreatedResource, properties: dict) -> CreatedResource:
    return made


def stage(region: str, properties: dict, name: str) -> CreatedResource:
    """A stage of an HTTP API, which is deleted with it."""
    _, answer, dropped = Request("apigatewayv2", "create_stage").send(region, properties)
    return CreatedResource(answer["StageName"], dropped=dropped)


KINDS: dict[str, Kind] = {
    "AWS::SecretsManager::Secret": Kind(secret, delete_secret, update_secret),
    "AWS::SecretsManager::RotationSchedule": made_by(
        Request(
            "secretsmanager",
            "rotate_secret",
            renamed={"RotateImmediatelyOnUpdate": "RotateImmediately"},
        ),
        lambda sent, answer: sent["SecretId"],
        delete=("cancel_rotate_secret", "SecretId"),
    ),
    "AWS::Scheduler::Schedule": made_by(
        Request("scheduler", "create_schedule", "Name"),
        lambda sent, answer: sent["Name"],
        lambda sent, answer: {"Arn": answer["ScheduleArn"]},
        delete=("delete_schedule", "Name"),
        update="update_schedule",
    ),
    "AWS::Lambda::EventInvokeConfig": made_by(
        Request("lambda", "put_function_event_invoke_config"),
        lambda sent, answer: sent["FunctionName"],
        delete=("delete_function_event_invoke_config", "FunctionName"),
    ),
    "AWS::S3::BucketPolicy": made_by(
        Request("s3", "put_bucket_policy", renamed={"PolicyDocument": "Policy"}),
        lambda sent, answer: sent["Bucket"],
        delete=("delete_bucket_policy", "Bucket"),
    ),
    "AWS::SQS::QueuePolicy": Kind(queue_policy, None, recreate(queue_policy)),
    "AWS::SNS::TopicPolicy": Kind(topic_policy, None, recreate(topic_policy)),
    "AWS::SNS::Subscription": made_by(
        Request("sns", "subscribe"),
        lambda sent, answer: answer["SubscriptionArn"],
        delete=("unsubscribe", "SubscriptionArn"),
    ),
    "AWS::CloudWatch::Alarm": made_by(
        Request("cloudwatch", "put_metric_alarm", "AlarmName"),
        lambda sent, answer: sent["AlarmName"],
        lambda sent, answer: {"Arn": alarm_arn(sent["AlarmName"])},
    ),
    "AWS::CloudWatch::Dashboard": made_by(
        Request("cloudwatch", "put_dashboard", "DashboardName"),
        lambda sent, answer: sent["DashboardName"],
    ),
    "AWS::Logs::MetricFilter": made_by(
        Request("logs", "put_metric_filter", "filterName"),
        lambda sent, answer: sent["filterName"],
    ),
    "AWS::Glue::Database": made_by(
        Request("glue", "create_database"),
        lambda sent, answer: sent["DatabaseInput"]["Name"],
        delete=("delete_database", "Name"),
    ),
    "AWS::Glue::Table": made_by(
        Request("glue", "create_table"),
        lambda sent, answer: sent["TableInput"]["Name"],
        update="update_table",
    ),
    "AWS::Athena::WorkGroup": made_by(
        Request("athena", "create_work_group", "Name", {"WorkGroupConfiguration": "Configuration"}),
        lambda sent, answer: sent["Name"],
        delete=("delete_work_group", "WorkGroup"),
    ),
    "AWS::Athena::NamedQuery": made_by(
        Request("athena", "create_named_query", "Name"),
        lambda sent, answer: answer["NamedQueryId"],
    ),
    "AWS::ApiGatewayV2::Api": Kind(http_api, delete_http_api, unchanged),
    "AWS::ApiGatewayV2::Stage": Kind(stage, None, unchanged),
}


def alarm_arn(name: str) -> str:
    region = os.environ["AWS_DEFAULT_REGION"]
    return f"arn:aws:cloudwatch:{region}:{ACCOUNT}:alarm:{name}"

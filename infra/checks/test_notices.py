"""Notices reach the queue in the form of S3, and a reader of another account reads the export and nothing else.

    python -m unittest test_notices

It needs aws-sam-translator, for its reader of templates.
"""

import json
import unittest

from samtranslator.yaml_helper import yaml_parse

from patterns import matches
from rights import resolve
from test_listing import TRANSFORMED

INFRA = TRANSFORMED.parent
SOURCE = INFRA.parent / "functions" / "alert-export" / "src" / "event_bus.rs"
READER = {"AWS": "<name>"}


def resource(file: str, name: str, **held: bool) -> dict:
    """The properties of a resource where these conditions hold and these do not."""
    template = yaml_parse((INFRA / file).read_text())
    held = dict.fromkeys(template["Conditions"], False) | held
    return resolve(template["Resources"][name]["Properties"], held)


def of_reader(statements: list[dict]) -> list[dict]:
    return [one for one in statements if one.get("Principal") == READER]


class Notices(unittest.TestCase):
    def test_rule_takes_the_events_of_the_function(self):
        rule = resource("notices.yaml", "NoticeRule", HasQueue=True, HasTopic=True, CreateBus=True)
        source = SOURCE.read_text()
        constants = {
            key: source.split(f'const {name}: &str = "')[1].split('"')[0]
            for key, name in [("source", "EVENT_SOURCE"), ("detail-type", "DETAIL_TYPE")]
        }
        self.assertTrue(matches(rule["EventPattern"], constants), constants)
        self.assertFalse(matches(rule["EventPattern"], constants | {"source": "aws.s3"}))
        self.assertEqual([target["Id"] for target in rule["Targets"]], ["queue", "topic"])
        for target in rule["Targets"]:
            self.assertEqual(target["InputPath"], "$.detail.s3_notification")
            self.assertIn("Arn", target["DeadLetterConfig"])
        self.assertIn('"s3_notification":', source)

    def test_function_puts_events_on_its_bus_only(self):
        template = json.loads((TRANSFORMED / "template.json").read_text())
        policy = template["Resources"]["ExportRole"]["Properties"]["Policies"][0]["PolicyDocument"]
        for enabled in (True, False):
            held = dict.fromkeys(template["Conditions"], False) | {"NoticesEnabled": enabled}
            given = [one for one in resolve(policy, held)["Statement"] if one["Action"] == "events:PutEvents"]
            expected = ["arn:<name>:events:<name>:<name>:event-bus/<name>"] if enabled else []
            self.assertEqual([one["Resource"] for one in given], expected)

    def test_reader_reads_the_export_and_nothing_else(self):
        policy = resource("buckets.yaml", "BucketPolicy", HasReader=True)["PolicyDocument"]
        given = {one["Sid"]: one for one in of_reader(policy["Statement"])}
        self.assertEqual({one["Action"] for one in given.values()}, {"s3:GetObject", "s3:ListBucket"})
        self.assertEqual(given["ReadExport"]["Resource"], "<name>/<name>/*")
        self.assertEqual(given["ListExport"]["Condition"], {"StringLike": {"s3:prefix": "<name>/*"}})
        key = resource("template.yaml", "Key", HasReader=True, CreateKey=True)["KeyPolicy"]
        [use] = of_reader([one for one in key["Statement"] if one["Sid"] != "Account"])
        self.assertEqual((use["Action"], list(use["Condition"]["StringEquals"])), ("kms:Decrypt", ["kms:ViaService"]))
        queues = resource("notices.yaml", "NoticeQueuesPolicy", HasRule=True, HasQueue=True, QueueHasReader=True)
        [read] = of_reader(queues["PolicyDocument"]["Statement"])
        self.assertNotIn("sqs:SendMessage", read["Action"])
        self.assertEqual(read["Resource"], "<name>", "the queue, and not the dead-letter queue")

    def test_no_statement_names_a_reader_by_default(self):
        for file, name in [("buckets.yaml", "BucketPolicy"), ("notices.yaml", "NoticeQueuesPolicy")]:
            self.assertEqual(of_reader(resource(file, name)["PolicyDocument"]["Statement"]), [], file)
        statements = resource("template.yaml", "Key")["KeyPolicy"]["Statement"]
        self.assertEqual([one["Sid"] for one in statements], ["Account", "Alarms", "Logs"])

    def test_existing_bucket_creates_none_but_that_of_permits(self):
        template = yaml_parse((INFRA / "buckets.yaml").read_text())
        always = [name for name, one in template["Resources"].items() if "Condition" not in one]
        self.assertEqual(always, ["RateLimitBucket", "RateLimitBucketPolicy"])

    def test_own_key_encrypts_every_queue(self):
        count = 0
        for file, condition in [("template.yaml", "CreateKey"), ("isolation.yaml", "EncryptedBySqs"), ("notices.yaml", "EncryptedBySqs")]:
            template = yaml_parse((INFRA / file).read_text())
            for name, one in template["Resources"].items():
                if one["Type"] == "AWS::SQS::Queue":
                    count += 1
                    own, default = resource(file, name), resource(file, name, **{condition: True})
                    self.assertEqual((own.get("KmsMasterKeyId"), own.get("SqsManagedSseEnabled")), ("<name>", None), name)
                    self.assertEqual((default.get("KmsMasterKeyId"), default.get("SqsManagedSseEnabled")), (None, True), name)
        self.assertEqual(count, 7)


if __name__ == "__main__":
    unittest.main()

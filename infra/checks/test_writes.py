"""The bucket refuses to overwrite what the functions create once.

    python -m unittest test_writes

It needs aws-sam-translator, for its reader of templates.
"""

import json
import unittest

from samtranslator.yaml_helper import yaml_parse

from listing import buckets_and_keys, fits, statements
from rights import as_list
from test_listing import BUDGET, TRANSFORMED

BUCKETS = TRANSFORMED.parent / "buckets.yaml"

# What is rewritten: hints and intents of the export's log, the lists of tenants, and the hint of the lake.
REWRITTEN = {"${ExportPrefix}/_log/*", "${ExportPrefix}/_plan/*", "${ExportPrefix}/_lake/*/_positions"}

# The bucket of the lake is another.
LAKE = "${LakeBucket}"


class Writes(unittest.TestCase):
    def setUp(self):
        policy = yaml_parse(BUCKETS.read_text())["Resources"]["BucketPolicy"]["Properties"]["PolicyDocument"]
        self.once = next(one for one in policy["Statement"] if one["Sid"] == "WriteOnce")
        self.keys = [resource["Fn::Sub"].removeprefix("${Bucket.Arn}/") for resource in self.once["Resource"]]

    def refuses(self, key: str) -> bool:
        return any(fits(pattern, key) for pattern in self.keys)

    def test_every_write_without_a_condition_is_denied(self):
        self.assertEqual((self.once["Effect"], self.once["Principal"], self.once["Action"]), ("Deny", "*", "s3:PutObject"))
        condition = {"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}}
        self.assertEqual(self.once["Condition"], condition)

    def test_what_roles_create_is_written_once(self):
        created = set()
        for name in ("isolation", "lake", "template"):
            for role, statement in statements(json.loads((TRANSFORMED / f"{name}.json").read_text())):
                if "s3:PutObject" in as_list(statement["Action"]):
                    created |= {(bucket, key) for bucket, key in buckets_and_keys(statement) if bucket not in (BUDGET, LAKE)}
        self.assertGreater(len(created), 10)
        for _, key in created:
            self.assertEqual(self.refuses(key), key not in REWRITTEN, key)

    def test_webhook_and_worker_write_none_of_each_others_objects(self):
        writers = {}
        for who, statement in statements(json.loads((TRANSFORMED / "isolation.json").read_text())):
            for action in {"s3:PutObject", "s3:DeleteObject"} & set(as_list(statement["Action"])):
                for _, key in buckets_and_keys(statement):
                    writers.setdefault((who, action), set()).add(key)
        webhook, worker = writers["WebhookRole", "s3:PutObject"], writers["WorkerRole", "s3:PutObject"]
        own = {"answers", "arrivals", "inbox", "received", "replays", "unreadable"}
        # Each process tests once whether the bucket honors conditional writes.
        probe = {"isolation/_probe/if-none-match"}
        self.assertEqual(webhook, {f"isolation/{folder}/*" for folder in own} | probe)
        self.assertEqual(webhook & worker, probe)
        self.assertNotIn(("WebhookRole", "s3:DeleteObject"), writers)
        # The worker takes reminders off, and nothing else of the webhook's.
        self.assertEqual(writers["WorkerRole", "s3:DeleteObject"] & webhook, {"isolation/inbox/*"})
        # The emergency stop is the operator's.
        for keys in writers.values():
            self.assertFalse(any(fits(key, "isolation/stop") for key in keys), keys)

    def test_what_is_rewritten_stays_possible(self):
        log = "${ExportPrefix}/_log/events/tenant"
        for key, once in [
            (f"{log}/000000000007.json", True),
            (f"{log}/_from", False),
            (f"{log}/_partial", False),
            (f"{log}/000000000007.run.wal", False),
            ("${ExportPrefix}/_plan/client.json", False),
            ("${ExportPrefix}/_lake/sophos/000000000001.json", True),
            ("${ExportPrefix}/_lake/sophos/000000000001.done", True),
            ("${ExportPrefix}/_lake/sophos/_positions", False),
            ("policy/policy.toml", False),
            ("isolation/decisions/iso-0f/0001.json", True),
        ]:
            self.assertEqual(self.refuses(key), once, key)


if __name__ == "__main__":
    unittest.main()

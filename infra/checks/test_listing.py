"""No role lists a folder of another, and each gets 404 for what it looks for and is not there.

    python -m unittest test_listing
"""

import json
import unittest
from pathlib import Path

from listing import check_listing, may_list

TRANSFORMED = Path(__file__).resolve().parent.parent / "transformed"
MAIN, EXPORT, BUDGET = "${BucketName}", "${Buckets.Outputs.BucketArn}", "${Buckets.Outputs.RateLimitBucketArn}"
PREFIX = "${ExportPrefix}"

# What each function lists: the calls of `names`, `list_names` and `list_names_with_limit` in its sources.
FOLDERS = {
    ("isolation", "WebhookRole", MAIN): [],
    ("isolation", "WorkerRole", MAIN): [
        "isolation/schedule/",
        "isolation/alerts/crowdstrike/a1/tenant.endpoint/",
        "isolation/inbox/",
        "isolation/claims/tenant/endpoint/",
        "isolation/permits/estate/tenant/",
        "isolation/permits/hour/489000/source/first/",
        "isolation/permits/hour/489000/lookups/first/",
    ],
    ("template", "ExportRole", EXPORT): [
        f"{PREFIX}/_log/events/tenant/",
        f"{PREFIX}/endpoints/tenant_id=tenant/day=2026-11-23/",
        "isolation/arrivals/",
    ],
    ("template", "ExportRole", BUDGET): ["_rate_limit/client/"],
    ("lake", "LakeRole", MAIN): [f"{PREFIX}/_log/events/", f"{PREFIX}/_log/endpoints/"],
}

# What each function reads that may not be there.
ABSENT = {
    ("isolation", "WebhookRole", MAIN): [
        "isolation/answers/iso-0f.json",
        "isolation/checks/0f.json",
        "isolation/decisions/iso-0f/0001.json",
        "isolation/received/iso-0f.json",
        "policy/policy.toml",
    ],
    ("isolation", "WorkerRole", MAIN): [
        "isolation/alerts/first/a1/tenant.endpoint/0001",
        "isolation/answers/iso-0f.json",
        "isolation/decisions/iso-0f/0002.json",
        "isolation/published/iso-0f-0003",
        "isolation/received/iso-0f.json",
        "isolation/permits/estate/tenant/000001.00000001",
        "isolation/stop",
        "policy/policy.toml",
    ],
    ("template", "ExportRole", EXPORT): [
        f"{PREFIX}/_log/events/tenant/_from",
        f"{PREFIX}/_log/events/tenant/000000000001.json",
        f"{PREFIX}/_log/endpoints/tenant/_partial",
        f"{PREFIX}/_plan/client.json",
        f"{PREFIX}/_plan/snapshots/sent.json",
        "isolation/decisions/iso-0f/0002.json",
        "isolation/received/iso-0f.json",
    ],
    ("template", "ExportRole", BUDGET): [],
    ("lake", "LakeRole", MAIN): [
        f"{PREFIX}/_lake/sophos/000000000001.json",
        f"{PREFIX}/_lake/sophos/000000000001.done",
        f"{PREFIX}/_lake/sophos/_positions",
        f"{PREFIX}/_log/alerts/tenant/000000000001.json",
        f"{PREFIX}/events/tenant_id=tenant/day=2026-11-23/000000000001-run-0000.ndjson.gz",
        f"{PREFIX}/isolations/tenant_id=ledger/day=2026-11-23/000000000001-run-0000.ndjson.gz",
    ],
}

# The lake reads what the export commits.
READERS_OF_LOG = {"ExportRole", "LakeRole"}

FORBIDDEN_PREFIXES = [
    None,
    "",
    "isolation",
    "isolation/",
    "isolation/answers/",
    "isolation/checks/",
    "isolation/decisions/",
    "isolation/received/",
    "isolation/decisions/iso-",
    "isolation/published/",
    "isolation/replays/",
    "isolation/unreadable/",
    "policy/",
    "athena/",
    PREFIX,
    f"{PREFIX}/",
    f"{PREFIX}/_plan/",
    f"{PREFIX}/events/",
    f"{PREFIX}/alerts/",
]


def role(action, resource, condition=None) -> dict:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})


def template(*statements) -> dict:
    policy = {"PolicyName": "policy", "PolicyDocument": {"Statement": list(statements)}}
    return {"Resources": {"It": {"Type": "AWS::IAM::Role", "Properties": {"Policies": [policy]}}}}


BUCKET = {"Fn::GetAtt": ["Bucket", "Arn"]}
READ = role("s3:GetObject", {"Fn::Sub": "${Bucket.Arn}/own/*"})


class Listing(unittest.TestCase):
    def setUp(self):
        self.templates = {
            name: json.loads((TRANSFORMED / f"{name}.json").read_text()) for name in ("isolation", "lake", "template")
        }

    def test_roles_list_their_own_folders_only(self):
        for (name, who, bucket), own in FOLDERS.items():
            apart = [role for role in FOLDERS if role != (name, who, bucket) and {role[1], who} != READERS_OF_LOG]
            of_others = [folder for role in apart for folder in FOLDERS[role]]
            for folder in own:
                self.assertTrue(may_list(self.templates[name], who, bucket, folder), (who, folder))
            for folder in [*FORBIDDEN_PREFIXES, *of_others]:
                self.assertFalse(may_list(self.templates[name], who, bucket, folder), (who, folder))

    def test_roles_may_look_for_what_is_absent(self):
        for (name, who, bucket), keys in ABSENT.items():
            for key in keys:
                self.assertTrue(may_list(self.templates[name], who, bucket, key), (who, key))

    def test_every_role_that_lists_is_in_the_tables(self):
        self.assertEqual(FOLDERS.keys(), ABSENT.keys())
        for name, one in self.templates.items():
            known = {who for file, who, _ in FOLDERS if file == name}
            self.assertIn("s3:ListBucket", json.dumps(one))
            for who, resource in one["Resources"].items():
                if resource["Type"] == "AWS::IAM::Role" and who not in known:
                    self.assertNotIn("s3:", json.dumps(resource).replace(":s3:::", ""), who)

    def test_listing_without_a_bound_is_found(self):
        for condition in [
            None,
            {"StringLikeIfExists": {"s3:prefix": "own/*"}},
            {"StringNotLike": {"s3:prefix": "other/*"}},
            {"Null": {"s3:prefix": "true"}},
        ]:
            defects = list(check_listing(template(READ, role("s3:ListBucket", BUCKET, condition))))
            self.assertEqual(len(defects), 1, condition)
            self.assertIn("StringLike or StringEquals", defects[0])

    def test_listing_of_what_is_not_its_own_is_found(self):
        for prefix in ["other/*", "*", "own*", "", "o*/x"]:
            condition = {"StringLike": {"s3:prefix": ["own/*", prefix]}}
            defects = list(check_listing(template(READ, role("s3:ListBucket", BUCKET, condition))))
            self.assertEqual(len(defects), 1, prefix)
            self.assertIn(f"lists {prefix},", defects[0])
        elsewhere = role("s3:ListBucket", {"Fn::GetAtt": ["Other", "Arn"]}, {"StringLike": {"s3:prefix": "own/*"}})
        self.assertEqual(len(list(check_listing(template(READ, elsewhere)))), 1)

    def test_listing_of_its_own_is_good(self):
        condition = {"StringLike": {"s3:prefix": ["own/*", "own/*.json"]}}
        self.assertEqual(list(check_listing(template(READ, role("s3:ListBucket", BUCKET, condition)))), [])


if __name__ == "__main__":
    unittest.main()

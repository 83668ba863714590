"""What a policy allows without a name is found, wherever it stands.

    python -m unittest test_rights
"""

import unittest

from rights import is_unbounded, check_permissions

BY_TAG, OWN = {"Condition": "FindByTag"}, {"Condition": "Own"}
CONDITIONS = {
    "FindByTag": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Tag"}, ""]}]},
    "Own": {"Fn::Equals": [{"Ref": "Name"}, ""]},
    "Both": {"Fn::And": [BY_TAG, OWN]},
    "TagOnly": {"Fn::And": [BY_TAG, {"Fn::Not": [OWN]}]},
    "Neither": {"Fn::Not": [{"Fn::Or": [BY_TAG, OWN]}]},
}
QUEUE = {"Fn::GetAtt": ["Queue", "Arn"]}
SECRETS = {
    "Fn::Sub": [
        "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${Names}*",
        {"Names": {"Fn::If": ["FindByTag", "", {"Ref": "Prefix"}]}},
    ]
}
TAGGED = {"StringEquals": {"secretsmanager:ResourceTag/kind": {"Ref": "Tag"}}}
IF_BY_TAG = {"Fn::If": ["FindByTag", TAGGED, {"Ref": "AWS::NoValue"}]}


def allow(action, resource=QUEUE, **more) -> dict:
    return {"Sid": "One", "Effect": "Allow", "Action": action, "Resource": resource, **more}


def role(*statements, reason=None) -> dict:
    """A role with these statements, and a reason for the one that is called so."""
    skip = [{"id": reason, "comment": "a reason"}] if reason else []
    policy = {"PolicyName": "policy", "PolicyDocument": {"Statement": list(statements)}}
    return {
        "Type": "AWS::IAM::Role",
        "Metadata": {"consistent": {"skip": skip}},
        "Properties": {"Policies": [policy]},
    }


def policy(kind, statement) -> dict:
    return {"Type": kind, "Properties": {"PolicyDocument": {"Statement": statement}}}


class Rights(unittest.TestCase):
    def defects(self, resource) -> list[str]:
        return list(check_permissions({"Conditions": CONDITIONS, "Resources": {"It": resource}}))

    def found(self, resource, *words) -> None:
        defects = self.defects(resource)
        self.assertEqual(len(defects), 1, defects)
        for word in ("It ", *words):
            self.assertIn(word, defects[0])

    def test_what_names_its_actions_and_resources_is_good(self):
        for statement in [
            allow(["sqs:SendMessage", "sqs:ReceiveMessage"]),
            allow("s3:GetObject", [{"Fn::Sub": "${Bucket.Arn}/*"}, "arn:aws:s3:::name-*/x"]),
            allow("secretsmanager:GetSecretValue", {"Fn::Sub": "arn:aws:secretsmanager:eu:1:secret:${Name}-??????"}),
            allow(["xray:PutTraceSegments", "secretsmanager:ListSecrets"], "*"),
            {"Effect": "Deny", "Action": "*", "Resource": "*"},
            {"Fn::If": ["FindByTag", {"Ref": "AWS::NoValue"}, allow("sqs:SendMessage")]},
        ]:
            self.assertEqual(self.defects(role(statement)), [], statement)

    def test_all_but_something_is_found(self):
        self.found(role({"Effect": "Allow", "NotAction": "iam:*", "Resource": QUEUE}), "NotAction")
        self.found(role({"Effect": "Allow", "Action": "sqs:SendMessage", "NotResource": QUEUE}), "NotResource")

    def test_everything_of_a_service_is_found(self):
        self.found(role(allow("s3:GetObject", {"Fn::Sub": "arn:${AWS::Partition}:s3:::*"})), "s3:GetObject", "s3:::*")
        for resource in [
            "*",
            "arn:aws:s3:::*/*",
            "arn:aws:sqs:eu-west-1:123456789012:*",
            "arn:aws:lambda:eu-west-1:123456789012:function:*",
            "arn:aws:events:eu-west-1:123456789012:event-bus/*",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:*-??????",
            "arn:aws:secretsmanager:eu-west-1:123456789012:s*",
            "arn:aws:secretsmanager:eu-west-1:123456789012:s*:name",
            "arn:aws:*",
        ]:
            self.assertTrue(is_unbounded(resource), resource)
        # Of a function that is not known, anything may come.
        self.found(role(allow("sqs:SendMessage", {"Fn::ImportValue": "x"})), "everything")

    def test_an_action_with_a_wildcard_is_found(self):
        for action in ["s3:*", "s3:Get?bject", "*"]:
            self.found(role(allow(action)), f"allows {action};")

    def test_a_policy_that_is_a_resource_is_looked_at(self):
        for kind in ["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"]:
            self.found(policy(kind, allow("sqs:*")), "sqs:*")
            self.assertEqual(self.defects(policy(kind, allow("sqs:SendMessage"))), [])

    def test_each_case_of_a_condition_is_looked_at(self):
        self.found(role({"Fn::If": ["FindByTag", allow("sqs:SendMessage"), allow("sqs:*")]}), "sqs:*")
        self.found(role(allow("secretsmanager:GetSecretValue", SECRETS)), "secret:*")

    def test_conditions_that_exclude_each_other_are_no_case(self):
        wrong, right = allow("sqs:*"), allow("sqs:SendMessage")
        for outer, inner in [("Own", "TagOnly"), ("TagOnly", "Own"), ("FindByTag", "Neither"), ("Neither", "Both")]:
            nested = {"Fn::If": [outer, {"Fn::If": [inner, wrong, right]}, right]}
            self.assertEqual(self.defects(role(nested)), [], (outer, inner))
        for outer, inner in [("Own", "Both"), ("FindByTag", "TagOnly"), ("TagOnly", "FindByTag")]:
            self.found(role({"Fn::If": [outer, {"Fn::If": [inner, wrong, right]}, right]}), "sqs:*")

    def test_a_reason_lets_through_what_a_tag_bounds(self):
        read = allow("secretsmanager:GetSecretValue", SECRETS, Condition=IF_BY_TAG)
        self.found(role(read), "secret:*")
        self.assertEqual(self.defects(role(read, reason="One")), [])
        # Without the condition no reason helps.
        unbounded = self.defects(role(allow("secretsmanager:GetSecretValue", SECRETS), reason="One"))
        self.assertIn("secret:*", unbounded[0])
        # One that nothing needs is not left behind.
        self.found(role(allow("sqs:SendMessage"), reason="One"), "a reason for One")


if __name__ == "__main__":
    unittest.main()

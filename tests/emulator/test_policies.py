"""Tests of the evaluation of policies, as far as those of the stack need it.

    python -m unittest test_policies
"""

import unittest

from policies import Call, Permission, matches_pattern, granting_permission, evaluate_condition, permissions_of_document


class Policies(unittest.TestCase):
    def test_patterns(self):
        for pattern, text, fitting in [
            ("s3:Get*", "s3:GetObject", True),
            ("s3:Get*", "s3:PutObject", False),
            ("arn:x:secret:name-??????", "arn:x:secret:name-a1B2c3", True),
            ("arn:x:secret:name-??????", "arn:x:secret:name-a1B2c3d", False),
            ("a.c", "abc", False),
            ("*", "", True),
        ]:
            self.assertEqual(matches_pattern(pattern, text), fitting, (pattern, text))

    def test_conditions(self):
        tags = {"aws:TagKeys": "one\ntwo"}
        for condition, context, holding in [
            ({}, {}, True),
            ({"StringEquals": {"a": "x"}}, {"A": "x"}, True),
            ({"StringEquals": {"a": ["y", "x"]}}, {"a": "x"}, True),
            ({"StringEquals": {"a": "x"}}, {}, False),
            ({"StringNotEquals": {"a": "x"}}, {"a": "x"}, False),
            ({"StringNotEquals": {"a": "x"}}, {}, True),
            ({"StringLike": {"a": "x/*"}}, {"a": "x/y"}, True),
            ({"StringLikeIfExists": {"a": "x/*"}}, {}, True),
            ({"StringLikeIfExists": {"a": "x/*"}}, {"a": "y"}, False),
            ({"Bool": {"aws:SecureTransport": False}}, {"aws:SecureTransport": "true"}, False),
            ({"Null": {"a": "true"}}, {}, True),
            ({"Null": {"a": "true"}}, {"a": "x"}, False),
            ({"StringEquals": {"a": "x"}, "StringLike": {"b": "*"}}, {"a": "x"}, False),
            ({"ForAllValues:StringEquals": {"aws:TagKeys": ["one", "two"]}}, tags, True),
            ({"ForAllValues:StringEquals": {"aws:TagKeys": ["one"]}}, tags, False),
            ({"ForAllValues:StringEquals": {"aws:TagKeys": ["one"]}}, {}, True),
            ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["one"]}}, tags, True),
            ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["one"]}}, {}, False),
        ]:
            self.assertEqual(evaluate_condition(condition, context), holding, (condition, context))
        with self.assertRaises(ValueError):
            evaluate_condition({"DateGreaterThan": {"a": "2026-01-01"}}, {"a": "2026-01-01"})

    def test_what_is_denied_is_not_granted(self):
        document = {
            "Statement": [
                {"Effect": "Allow", "Action": ["s3:*", "sqs:SendMessage"], "Resource": "arn:a:*"},
                {"Sid": "Never", "Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"},
            ]
        }
        rights = permissions_of_document("policy", document)
        self.assertEqual(len(rights), 3)
        for action, resource, statement in [
            ("s3:GetObject", "arn:a:b", "0"),
            ("S3:GETOBJECT", "arn:a:b", "0"),
            ("s3:GetObject", "arn:b:b", None),
            ("s3:DeleteObject", "arn:a:b", None),
            ("sqs:SendMessage", "arn:a:b", "0"),
            ("sqs:ReceiveMessage", "arn:a:b", None),
        ]:
            right: Permission | None = granting_permission(rights, Call(action, resource))
            self.assertEqual(right and right.statement, statement, action)


if __name__ == "__main__":
    unittest.main()

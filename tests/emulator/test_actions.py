"""Tests of the actions of S3 requests.

    python -m unittest test_actions
"""

import unittest

from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from actions import calls_of
from policies import granting_permission, permissions_of_document

REGION = "eu-west-1"


def calls(method: str, path: str, query: str = "", headers: dict | None = None):
    request = Request(EnvironBuilder(method=method, path=path, query_string=query, headers=headers or {}).get_environ())
    return calls_of("s3", method, request, b"", REGION)


def allow(action: str, resource: str, **condition) -> dict:
    return {"Effect": "Allow", "Action": action, "Resource": resource, "Condition": condition}


class Actions(unittest.TestCase):
    def granted(self, statements: list[dict], *request) -> bool:
        rights = permissions_of_document("policy", {"Statement": statements})
        return all(granting_permission(rights, call) for call in calls(*request))

    def test_absent_object_is_told_to_who_may_list_its_key(self):
        read = allow("s3:GetObject", "arn:aws:s3:::bucket/*")
        lists = allow("s3:ListBucket", "arn:aws:s3:::bucket", StringLike={"s3:prefix": ["own/*.json", "folder/*"]})
        for path, told in [("own/a.json", True), ("own/a", False), ("other/a.json", False), ("folder/a", True)]:
            self.assertEqual(self.granted([read, lists], "GET", f"/bucket/{path}"), told, path)
        self.assertFalse(self.granted([read], "GET", "/bucket/own/a.json"))

    def test_listing_without_a_prefix_has_no_such_key(self):
        lists = allow("s3:ListBucket", "arn:aws:s3:::bucket", StringLike={"s3:prefix": "folder/*"})
        lenient = allow("s3:ListBucket", "arn:aws:s3:::bucket", StringLikeIfExists={"s3:prefix": "folder/*"})
        for query, strictly, leniently in [
            ("prefix=folder/", True, True),
            ("prefix=folder", False, False),
            ("prefix=", False, False),
            ("list-type=2", False, True),
        ]:
            self.assertEqual(self.granted([lists], "GET", "/bucket", query), strictly, query)
            self.assertEqual(self.granted([lenient], "GET", "/bucket", query), leniently, query)

    def test_write_without_a_condition_is_told_from_one_with_it(self):
        write = allow("s3:PutObject", "arn:aws:s3:::bucket/*")
        once = {
            "Effect": "Deny",
            "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::bucket/once/*",
            "Condition": {"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}},
        }
        conditional = {"If-None-Match": "*"}
        for method, path, query, headers, granted in [
            ("PUT", "once/a", "", conditional, True),
            ("PUT", "once/a", "", {}, False),
            ("PUT", "other/a", "", {}, True),
            ("POST", "once/a", "uploads", {}, True),
            ("PUT", "once/a", "partNumber=1&uploadId=u", {}, True),
            ("POST", "once/a", "uploadId=u", {}, False),
            ("POST", "once/a", "uploadId=u", conditional, True),
        ]:
            request = (method, f"/bucket/{path}", query, headers)
            self.assertEqual(self.granted([write, once], *request), granted, request)


if __name__ == "__main__":
    unittest.main()

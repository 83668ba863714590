"""Rules invoke the webhook for the findings that it acts on, and for no others.

    python -m unittest test_patterns
"""

import json
import unittest
from pathlib import Path

from patterns import matches

TRANSFORMED = Path(__file__).resolve().parent.parent / "transformed" / "isolation.json"


def imported_v2(**finding) -> dict:
    """A finding in OCSF as Security Hub sends it, but for these members."""
    detection = {
        "activity_id": 1,
        "category_uid": 2,
        "class_uid": 2004,
        "cloud": {"account": {"uid": "111111111111"}},
        "finding_info": {"uid": "f-1", "title": "Cryptocurrency mining"},
        "metadata": {"product": {"name": "GuardDuty"}},
        "resources": [{"type": "AWS::EC2::Instance", "uid": "i-0123456789abcdef0"}],
        "severity_id": 4,
        "status_id": 1,
    }
    findings = [{name: value for name, value in (detection | finding).items() if value is not None}]
    return {"source": "aws.securityhub", "detail-type": "Findings Imported V2", "detail": {"findings": findings}}


def imported(**finding) -> dict:
    """The same in ASFF."""
    active = {
        "RecordState": "ACTIVE",
        "Resources": [{"Type": "AwsEc2NetworkInterface"}, {"Type": "AwsEc2Instance"}],
        "Types": ["TTPs/Command and Control/Backdoor:EC2-C&CActivity.B"],
        "Workflow": {"Status": "NEW"},
    }
    detail = {"findings": [active | finding]}
    return {"source": "aws.securityhub", "detail-type": "Security Hub Findings - Imported", "detail": detail}


class Patterns(unittest.TestCase):
    def setUp(self):
        resources = json.loads(TRANSFORMED.read_text())["Resources"]
        self.patterns = {
            name.removeprefix("WebhookFunction"): resource["Properties"]["EventPattern"]
            for name, resource in resources.items()
            if resource["Type"] == "AWS::Events::Rule"
        }

    def assert_matches(self, rule, cases):
        for event, matching in cases:
            self.assertEqual(matches(self.patterns[rule], event), matching, event)

    def test_ocsf_rule_takes_detection_findings_only(self):
        cases = [(imported_v2(), True), (imported_v2(activity_id=2), True), (imported(), False)]
        # Vulnerabilities, compliance, incidents, data security, and what has no class.
        cases += [(imported_v2(class_uid=uid), False) for uid in (2001, 2002, 2003, 2005, 2006, 2007, None)]
        # One that is closed.
        cases += [(imported_v2(activity_id=3), False)]
        self.assert_matches("SecurityHubOcsf", cases)

    def test_asff_rule_takes_new_findings_of_instances(self):
        self.assert_matches(
            "SecurityHub",
            [
                (imported(), True),
                (imported(RecordState="ARCHIVED"), False),
                (imported(Workflow={"Status": "SUPPRESSED"}), False),
                (imported(Resources=[{"Type": "AwsS3Bucket"}]), False),
                (imported_v2(), False),
            ],
        )

    def test_guardduty_rule_takes_findings(self):
        finding = {"source": "aws.guardduty", "detail-type": "GuardDuty Finding", "detail": {}}
        self.assert_matches("GuardDuty", [(finding, True), (finding | {"source": "aws.macie"}, False), (imported(), False)])

    def test_patterns_are_read_as_eventbridge_reads_them(self):
        for pattern, event, matching in [
            ({"a": ["x"]}, {"a": "x"}, True),
            ({"a": ["x", "y"]}, {"a": ["z", "y"]}, True),
            ({"a": [1]}, {"a": "1"}, False),
            ({"a": [1]}, {"a": True}, False),
            ({"a": ["x"]}, {}, False),
            ({"a": [{"anything-but": 3}]}, {"a": 3}, False),
            ({"a": [{"anything-but": [3, 4]}]}, {"a": 5}, True),
            ({"a": [{"anything-but": 3}]}, {}, False),
            ({"a": [{"prefix": "x"}]}, {"a": "xy"}, True),
            ({"a": [{"exists": False}]}, {}, True),
            ({"a": {"b": ["x"]}}, {"a": [{"b": "y"}, {"b": "x"}]}, True),
            ({"a": {"b": ["x"]}}, {"a": []}, False),
            ({"a": {"b": ["x"]}}, {"a": "x"}, False),
        ]:
            self.assertEqual(matches(pattern, event), matching, (pattern, event))
        with self.assertRaises(ValueError):
            matches({"a": [{"wildcard": "*"}]}, {"a": "x"})


if __name__ == "__main__":
    unittest.main()

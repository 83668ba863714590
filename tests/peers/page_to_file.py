"""A minimal exporter of the SIEM feed, for `cargo xtask bench peers`.

It does what scripts for a SIEM do: it gets a token, requests pages of 1,000 events over one
connection, parses each page with `json`, and appends each record to a file as one line. It has no
state and no retries.

Its settings are environment variables: IDENTITY_URL, GLOBAL_URL, CLIENT_ID,
CLIENT_SECRET, TENANT_ID, FROM_DATE (seconds since the Unix epoch), RESULT (a file) and
SSL_CERT_FILE (the certificate to trust).
"""

import json
import os

import requests

variables = os.environ
session = requests.Session()
session.verify = variables["SSL_CERT_FILE"]
session.trust_env = False


def answer(response):
    response.raise_for_status()
    return json.loads(response.content)


token = answer(
    session.post(
        variables["IDENTITY_URL"] + "/api/v2/oauth2/token",
        data={
            "grant_type": "client_credentials",
            "scope": "token",
            "client_id": variables["CLIENT_ID"],
            "client_secret": variables["CLIENT_SECRET"],
        },
    )
)
session.headers["Authorization"] = "Bearer " + token["access_token"]
partner = answer(session.get(variables["GLOBAL_URL"] + "/whoami/v1"))
tenant = answer(
    session.get(
        variables["GLOBAL_URL"] + "/partner/v1/tenants/" + variables["TENANT_ID"],
        headers={"X-Partner-ID": partner["id"]},
    )
)
parameters = {"limit": 1000, "from_date": variables["FROM_DATE"]}
with open(variables["RESULT"], "w", encoding="utf-8") as result:
    while True:
        page = answer(
            session.get(
                tenant["apiHost"] + "/siem/v1/events",
                params=parameters,
                headers={"X-Tenant-ID": tenant["id"]},
            )
        )
        for item in page["items"]:
            result.write(json.dumps(item, ensure_ascii=False) + "\n")
        if not page["has_more"]:
            break
        parameters = {"limit": 1000, "cursor": page["next_cursor"]}

"""Lists the endpoints of a tenant with a client of another project, and writes their ids, one a line.

The arguments are the name of the client and the file for the ids.
"""

import sys

from service import Service

TENANT = "Acme"


def pysophoscentral(service):
    from pysophoscentral import api
    from pysophoscentral.models.endpoints import ReadEndpointIn
    from pysophoscentral.settings import SophosCentraApiSettings

    client_id, secret = service.credential("tenant")
    client = api.SophosCentralClient(
        SophosCentraApiSettings(
            base_url="https://api.central.sophos.com",
            auth_endpoint_url="https://id.sophos.com/api/v2/oauth2/token",
            auth_client_id=client_id,
            auth_client_secret=secret,
            api_version="v1",
        )
    )
    client.authenticate()
    client.read_whoami()
    key = None
    while True:
        wanted = ReadEndpointIn(page_size=500)
        if key:
            wanted.page_from_key = key
        page = client.read_endpoints(wanted)
        yield from (item.id for item in page.items)
        key = page.pages.next_key
        if not key:
            return


def sophoscentral(service):
    import json

    from sophoscentral import class_sophoscentral

    client = class_sophoscentral.SCentralConnection(*service.credential("partner"))
    tenant = service.tenant(TENANT)["id"]
    for item in json.loads(client.get_tenant_endpoints(tenant, json_output=True)):
        yield item["id"]


CLIENTS = {"pysophoscentral": pysophoscentral, "sophoscentral": sophoscentral}

name, result = sys.argv[1:]
with open(result, "w", encoding="utf-8") as file:
    for endpoint in CLIENTS[name](Service()):
        file.write(endpoint + "\n")

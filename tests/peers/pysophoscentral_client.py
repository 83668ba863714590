"""Calls every function of the package `pysophoscentral` with the credential of one tenant."""

from pysophoscentral import api
from pysophoscentral.exceptions import ApiResponseError
from pysophoscentral.models.common import CreateUserIn, ReadUsersIn
from pysophoscentral.models.endpoints import ReadEndpointIn
from pysophoscentral.settings import SophosCentraApiSettings

from results import Results, equal, true
from service import Service

HEALTH_FAULT = "the client accepts `disabled`, a number of endpoints, as 0 or 1 only"
results = Results("pysophoscentral", explained={"api.SophosCentralClient.read_health_check": HEALTH_FAULT})
service = Service()
tenant = service.tenant("Acme")
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
ENDPOINTS = "/endpoint/v1/endpoints"
USERS = "/common/v1/directory/users"


def ids(items):
    return sorted(item["id"] if isinstance(item, dict) else item.id for item in items)


@results.of("api.SophosCentralClient.authenticate")
def authenticate():
    answer = client.authenticate()
    equal((answer.error_code, answer.token_type), ("success", "bearer"), "the token response")
    true(answer.expires_in > 0 and answer.refresh_token, "no lifetime or no refresh token")


@results.of("api.SophosCentralClient.read_whoami")
def read_whoami():
    answer = client.read_whoami()
    equal((answer.id_type, answer.id.lower()), ("tenant", tenant["id"]), "the identity")
    equal(str(client.data_region).rstrip("/"), service.addresses["regions"][tenant["region"]], "the host")


@results.of("api.SophosCentralClient.make_http_request")
def make_http_request():
    answer = client.make_http_request("get", f"{client.data_region}endpoint/v1/endpoints")
    equal(ids(answer.json()["items"]), ids(service.call(tenant, "GET", ENDPOINTS)["items"]), "the first page")


@results.of("api.SophosCentralClient.read_endpoints")
def read_endpoints():
    everything, key = [], None
    while True:
        wanted = ReadEndpointIn(page_size=50, page_total=True, view="full")
        if key:
            wanted.page_from_key = key
        page = client.read_endpoints(wanted)
        everything += page.items
        key = page.pages.next_key
        if not key:
            break
    expected = service.items(tenant, ENDPOINTS, {"view": "full"})
    equal(ids(everything), ids(expected), "the endpoints")
    expected = {item["id"]: item for item in expected}
    for item in everything:
        equal(item.hostname, expected[item.id].get("hostname"), "a host name")
        equal(item.ipv4_addresses, expected[item.id].get("ipv4Addresses"), "addresses")
    servers = client.read_endpoints(ReadEndpointIn(type="server", tamper_protection_enabled=True, page_size=500))
    wanted = [
        item for item in expected.values() if item["type"] == "server" and item["tamperProtectionEnabled"]
    ]
    equal(ids(servers.items), ids(wanted), "the servers with tamper protection")


@results.of("api.SophosCentralClient.read_endpoints_not_seen_before_days")
def read_endpoints_not_seen_before_days():
    found = client.read_endpoints_not_seen_before_days(0)
    expected = service.call(tenant, "GET", ENDPOINTS, {"lastSeenBefore": "P0D"})
    equal(ids(found.items), ids(expected["items"]), "the endpoints")


@results.of("api.SophosCentralClient.read_endpoint")
def read_endpoint():
    for expected in service.items(tenant, ENDPOINTS)[:20]:
        equal(client.read_endpoint(expected["id"]).hostname, expected.get("hostname"), "the host name")


@results.of("api.SophosCentralClient.read_alerts")
def read_alerts():
    listing = client.read_alerts({"pageSize": 50, "pageTotal": True})
    expected = service.call(tenant, "GET", "/common/v1/alerts", {"pageSize": 50, "pageTotal": "true"})
    equal(ids(listing.items), ids(expected["items"]), "the alerts")
    equal(listing.pages.items, expected["pages"]["items"], "the total")
    high = client.read_alerts({"severity": "high"})
    true(high.items and all(alert.severity == "high" for alert in high.items), "other severities than high")


@results.of("api.SophosCentralClient.create_user", "api.SophosCentralClient.read_user")
def create_user():
    wanted = CreateUserIn(name="Ada Peer", first_name="Ada", last_name="Peer", email="ada@peers.example")
    made = client.create_user(wanted)
    equal(service.call(tenant, "GET", f"{USERS}/{made.id}")["email"], "ada@peers.example", "the address")
    found = client.read_user(made.id)
    equal((found.name, found.first_name), ("Ada Peer", "Ada"), "the user")
    equal(str(found.source.type), "custom", "the source")


@results.of("api.SophosCentralClient.read_users")
def read_users():
    expected = service.items(tenant, USERS, {"pageSize": 100})
    listing = client.read_users(ReadUsersIn(page_size=100, page=1))
    equal(ids(listing.items), ids(expected), "the users")
    found = client.read_users(ReadUsersIn(search="ada@peers", search_fields=["email"]))
    equal([user.email for user in found.items], ["ada@peers.example"], "the search")


@results.of("api.SophosCentralClient.update_user")
def update_user():
    user = client.read_users(ReadUsersIn(search="ada@peers", search_fields=["email"])).items[0]
    client.update_user(user.id, CreateUserIn(name="Ada P.", last_name="P."))
    stored = service.call(tenant, "GET", f"{USERS}/{user.id}")
    equal((stored["name"], stored["lastName"], stored["firstName"]), ("Ada P.", "P.", "Ada"), "the user")


@results.of("api.SophosCentralClient.delete_user")
def delete_user():
    user = client.read_users(ReadUsersIn(search="ada@peers", search_fields=["email"])).items[0]
    true(client.delete_user(user.id).deleted, "the response denies the deletion")
    true(user.id not in ids(service.items(tenant, USERS)), "the user is still there")
    try:
        client.read_user(user.id)
    except ApiResponseError as error:
        equal(error.response.status_code, 404, "the status of a deleted user")
    else:
        true(False, "the deleted user is readable")


HEALTH_CHECK = "/account-health-check/v1/health-check"


@results.of("api.SophosCentralClient.read_health_check")
def read_health_check():
    expected = service.call(tenant, "GET", HEALTH_CHECK)["endpoint"]
    try:
        client.read_health_check()
    except ValueError as error:
        fields = [".".join(fault["loc"]) for fault in error.errors()]
        true(all(field.endswith(".disabled") for field in fields), f"the client rejects {fields}")
    else:
        true(False, "the fault of the client is gone")
    found = client.make_http_request("get", str(client.data_region).rstrip("/") + HEALTH_CHECK)
    equal(found.json()["endpoint"], expected, "the health check")


results.finish(api)

"""Calls every function of `sfos-central-sdk`, with the credentials of a partner and of a tenant."""

import hashlib
import importlib
import pathlib
import sqlite3
import subprocess
import sys
import tempfile

from central.alerts import methods as alerts
from central.common import methods as common
from central.firewalls import methods as firewalls
from central.firewalls.config import methods as config
from central.firewalls.firmware import classes as firmware_classes
from central.firewalls.firmware import methods as firmware
from central.firewalls.groups import methods as groups
from central.firewalls.licenses import methods as licenses
from central.firewalls.mdr import methods as mdr
from central.session import CentralSession

from results import Results, equal, true
from service import Service, plain, send

NAMES = ["classes", "session", "sync_to_db", "alerts.classes", "alerts.methods", "common.classes"]
NAMES += ["common.methods", "firewalls.classes", "firewalls.methods"]
NAMES += [f"firewalls.{part}.{kind}" for part in ("config", "firmware", "groups", "licenses") for kind in ("classes", "methods")]
NAMES += ["firewalls.mdr.methods"]

WRAPPED = (
    "the request is made and has its effect; then the client reads the status from the wrong object "
    "and raises AttributeError"
)
NESTED = "the client searches for an attribute with a dot in its name, which no object has"
explained = {
    f"firewalls.methods.{name}": WRAPPED
    for name in (
        "approve_management", "cancel_firmware_upgrade", "delete_firewall", "firmware_upgrade_check",
        "schedule_firmware_upgrade", "set_firewall_location_and_label",
    )
}
explained |= {
    "session.CentralSession.get_tenants": "the first call returns the tenants; the client fails the second one",
    "firewalls.classes.Firewalls.get_firewalls_by_group_id": NESTED,
    "firewalls.classes.Firewalls.get_firewalls_by_group_name": NESTED,
    "firewalls.groups.classes.Groups.get_child_groups": NESTED,
    "firewalls.licenses.classes.Licenses.get_licenses_by_tenant_id": NESTED,
}
SCREEN = "it draws on the terminal only"
skipped = {f"sync_to_db.SyncProgress.{name}": SCREEN for name in ("set_total", "update", "clear")}
results = Results("sfos-central-sdk", explained=explained, skipped=skipped)
service = Service()
acme, bolt = service.tenant("Acme"), service.tenant("Bolt")
host = service.addresses["regions"][acme["region"]]
partner = CentralSession(*service.credential("partner"))
tenant = CentralSession(*service.credential("tenant"))
WHERE = {"url_base": host, "tenant_id": acme["id"]}
FIREWALLS, GROUPS = "/firewall/v1/firewalls", "/firewall/v1/firewall-groups"


def ids(items):
    return sorted(item["id"] if isinstance(item, dict) else item.id for item in items)


def stored(path, query=None):
    return service.items(acme, path, query)


def succeeded(state):
    true(state.success, f"the client reports {state.message}: {getattr(state.value, 'data', state.value)}")
    return state.value


def succeeded_info(state):
    true(state.success, f"the client reports {getattr(state, 'message', '')}")
    return state


def fails_afterwards(call):
    try:
        call()
    except AttributeError:
        return
    true(False, "the fault of the client is gone")


@results.of("session.CentralSession.authenticate", "classes.AuthenticationResponse.is_valid")
def authenticate():
    for session in (partner, tenant):
        succeeded(session.authenticate())
        true(session.auth.is_valid(), "the token is invalid")
    true(not CentralSession(service.credential("partner")[0], "wrong").authenticate().success, "a wrong secret")


@results.of("classes.WhoamiResponse.global_url", "classes.WhoamiResponse.data_region_url")
def urls():
    equal(partner.whoami.global_url(), service.addresses["global"], "the global host")
    equal(partner.whoami.data_region_url(), None, "the regional host of a partner")
    equal(tenant.whoami.data_region_url(), host, "the regional host of a tenant")


@results.of("session.CentralSession.get_tenants")
def get_tenants():
    global tenants
    tenants = partner.get_tenants()
    found = {item.id: item.name for item in tenants}
    equal(found, {item["id"]: item["name"] for item in service.tenants()}, "the tenants")
    true(not tenant.get_tenants().success, "a tenant has tenants")
    true(not partner.get_tenants().success, "the fault of the client is gone")


LOOK_UPS = ["get_tenant_by_id", "get_tenant_by_name", "find_tenantss_by_name", "get_tenants_by_region"]
LOOK_UPS += ["get_tenants_by_billingType", "get_tenants_by_status"]


@results.of(*[f"classes.Tenants.{name}" for name in LOOK_UPS])
def look_up_tenants():
    found = tenants
    equal(found.get_tenant_by_id(acme["id"]).name, acme["name"], "by id")
    equal(found.get_tenant_by_name(acme["name"].upper()).id, acme["id"], "by name")
    equal(ids(found.find_tenantss_by_name("_works_")), [acme["id"]], "by a part of the name")
    equal(ids(found.get_tenants_by_region("eu02")), sorted([acme["id"], bolt["id"]]), "by region")
    kinds = {item.billingType for item in found}
    equal(sum(len(found.get_tenants_by_billingType(kind)) for kind in kinds), len(found), "by billing type")
    equal(len(found.get_tenants_by_status("active")), len(found), "by status")


@results.of("classes.Tenants.get_tenants_by_product")
def get_tenants_by_product():
    found = tenants
    codes = {product["code"] for item in found for product in item.products or []}
    true(codes, "no tenant has products")


@results.of("classes.Tenants.get_tenants_by_organization")
def get_tenants_by_organization():
    found = tenants
    owner = found.get_tenant_by_id(bolt["id"]).organization["id"]
    true(owner, "a tenant of an organization names none")


@results.of(
    "classes.CentralItems.count", "classes.CentralItems.get_item_by_attr", "classes.CentralItems.get_items_by_attr"
)
def central_items():
    found = tenants
    equal(found.count(), len(service.tenants()), "the number")
    equal(found.get_item_by_attr("name", bolt["name"]).id, bolt["id"], "one")
    equal(ids(found.get_items_by_attr("dataRegion", "us01")), [service.tenant("Cedar")["id"]], "several")


@results.of("session.CentralSession.get", "session.CentralSession.get_page")
def get():
    found = succeeded(partner.get("/endpoint/v1/endpoints", paginated=False, **WHERE))
    equal(ids(found), ids(stored("/endpoint/v1/endpoints")), "the endpoints")
    page = succeeded(partner.get_page("/endpoint/v1/endpoints", **WHERE))
    equal(len(page.items), 100, "a page of endpoints")


@results.of("session.CentralSession.post", "session.CentralSession.patch", "session.CentralSession.delete")
def change():
    path = "/common/v1/directory/user-groups"
    made = succeeded(partner.post(path, payload={"name": "Peers", "description": "one"}, **WHERE)).data
    succeeded(partner.patch(f"{path}/{made['id']}", payload={"description": "two"}, **WHERE))
    equal(service.call(acme, "GET", f"{path}/{made['id']}")["description"], "two", "the change")
    succeeded(partner.delete(f"{path}/{made['id']}", **WHERE))
    true(made["id"] not in ids(stored(path)), "the group is still there")


ALERTS = "/common/v1/alerts"


@results.of("alerts.methods.get_alerts")
def get_alerts():
    equal(ids(alerts.get_alerts(partner, **WHERE)), ids(stored(ALERTS)), "the alerts")
    equal(ids(alerts.get_alerts(tenant, tenant_id=acme["id"])), ids(stored(ALERTS)), "by the tenant's credential")
    query = {"product": ["endpoint", "server"], "severity": ["high", "medium"], "sort": ["raisedAt:desc"]}
    found = alerts.get_alerts(partner, **query, **WHERE)
    listing = stored(ALERTS, query)
    equal([item.id for item in found], [item["id"] for item in listing], "the filtered alerts")


@results.of("alerts.methods.get_alert")
def get_alert():
    for expected in stored(ALERTS)[:20]:
        found = alerts.get_alert(partner, expected["id"], **WHERE)
        equal((found.description, found.raisedAt), (expected["description"], expected["raisedAt"]), "an alert")


@results.of("alerts.methods.search_alerts")
def search_alerts():
    found = alerts.search_alerts(partner, severity=["high"], page_size=50, **WHERE)
    listing = stored(ALERTS, {"severity": "high"})
    true(listing, "no high alert")
    equal(ids(found), ids(listing), "the alerts")


@results.of("alerts.methods.take_alert_action")
def take_alert_action():
    listing = [alert for alert in stored(ALERTS) if "acknowledge" in alert["allowedActions"]]
    found = alerts.take_alert_action(partner, listing[0]["id"], "acknowledge", "seen", **WHERE)
    equal((found.alertId, found.action), (listing[0]["id"], "acknowledge"), "the action")


@results.of(
    "alerts.classes.Alerts.get_alert_by_id", "alerts.classes.Alerts.get_alerts_by_severity",
    "alerts.classes.Alerts.get_alerts_by_category", "alerts.classes.Alerts.get_alerts_by_product",
)
def look_up_alerts():
    found = alerts.get_alerts(partner, **WHERE)
    for name, call in (
        ("severity", found.get_alerts_by_severity),
        ("category", found.get_alerts_by_category),
        ("product", found.get_alerts_by_product),
    ):
        for value in {getattr(alert, name) for alert in found}:
            equal(len(call(value)), sum(getattr(alert, name) == value for alert in found), name)
    equal(found.get_alert_by_id(list(found)[3].id).id, list(found)[3].id, "by id")


@results.of("common.methods.get_roles", "common.classes.Roles.get_role_by_id")
def get_roles():
    found = common.get_roles(partner, **WHERE)
    listing = stored("/common/v1/roles")
    true(listing, "the simulator has no roles")
    equal(ids(found), ids(listing), "the roles")
    equal(found.get_role_by_id(listing[0]["id"]).name, listing[0]["name"], "a name")
    equal(len(common.get_roles(partner, role_type="custom", **WHERE)), len(stored("/common/v1/roles", {"type": "custom"})), "custom roles")


@results.of("common.methods.get_admins", "common.classes.Admins.get_admin_by_id")
def get_admins():
    listing = stored("/common/v1/admins", {"pageSize": 100})
    true(listing, "the simulator has no admins")
    found = common.get_admins(partner, **WHERE)
    equal(ids(found), ids(listing), "the admins")
    equal(found.get_admin_by_id(listing[0]["id"]).roleAssignments, listing[0].get("roleAssignments", []), "the roles")


@results.of("firewalls.methods.get_firewalls")
def get_firewalls():
    listing = {item["id"]: item for item in stored(FIREWALLS, {"pageSize": 100})}
    true(listing, "the simulator has no firewalls")
    found = firewalls.get_firewalls(partner, **WHERE)
    equal(ids(found), sorted(listing), "the firewalls")
    for item in found:
        equal(item.serialNumber, listing[item.id]["serialNumber"], "a serial number")
    name = next(iter(listing.values()))["name"]
    equal(ids(firewalls.get_firewalls(partner, search=name, **WHERE)), ids(stored(FIREWALLS, {"search": name})), "the search")


@results.of(*[f"firewalls.classes.Firewalls.{name}" for name in ("get_firewall_by_id", "get_firewall_by_name", "find_firewalls_by_name")])
def look_up_firewalls():
    found = firewalls.get_firewalls(partner, **WHERE)
    one = list(found)[0]
    equal(found.get_firewall_by_id(one.id).id, one.id, "by id")
    equal(found.get_firewall_by_name(one.name).id, one.id, "by name")
    equal(ids(found.find_firewalls_by_name(one.name)), [one.id], "several by name")


@results.of(*[f"firewalls.classes.Firewalls.get_firewalls_by_group_{by}" for by in ("id", "name")])
def look_up_by_group():
    found = firewalls.get_firewalls(partner, **WHERE)
    group = next(item["group"] for item in stored(FIREWALLS) if item["group"])
    true(any(item.group and item.group.id == group["id"] for item in found), "no firewall of the group")
    equal(found.get_firewalls_by_group_id(group["id"]), None, "by id")
    equal(found.get_firewalls_by_group_name(group["name"]), None, "by name")


def firewall():
    return stored(FIREWALLS)[0]


@results.of("firewalls.methods.set_firewall_location_and_label")
def set_firewall_location_and_label():
    one = firewall()["id"]
    fails_afterwards(
        lambda: firewalls.set_firewall_location_and_label(partner, one, 48.2, 16.37, "Peer's firewall", **WHERE)
    )
    found = next(item for item in stored(FIREWALLS) if item["id"] == one)
    equal((found["name"], found["geoLocation"]["longitude"]), ("Peer's firewall", "16.37"), "the firewall")


@results.of("firewalls.methods.approve_management")
def approve_management():
    waiting = [item for item in stored(FIREWALLS) if "pending" in item["status"]["managingStatus"].lower()]
    one = (waiting or stored(FIREWALLS))[0]["id"]
    fails_afterwards(lambda: firewalls.approve_management(partner, one, **WHERE))
    found = next(item for item in stored(FIREWALLS) if item["id"] == one)
    true("approved" in found["status"]["managingStatus"].lower(), f"the status is {found['status']}")


def upgradable():
    answer = service.call(acme, "POST", FIREWALLS + "/actions/firmware-upgrade-check", body={"firewalls": ids(stored(FIREWALLS))})
    return next((item["id"], item["upgradeToVersion"][0]) for item in answer["firewalls"] if item["upgradeToVersion"])


@results.of(
    "firewalls.firmware.methods.firmware_upgrade_check",
    "firewalls.firmware.classes.FirewallUpgradeInfo.list_available_upgrades",
    "firewalls.firmware.classes.FirewallUpgradeInfo.count_available_upgrades",
)
def firmware_upgrade_check():
    wanted = ids(stored(FIREWALLS))
    found = succeeded_info(firmware.firmware_upgrade_check(partner, wanted, **WHERE))
    equal(ids(found.firewalls), wanted, "the firewalls")
    offered = {version for item in found.firewalls for version in item.upgradeToVersion}
    equal({item.version for item in found.firmwareVersions}, offered, "the versions")
    equal(found.count_available_upgrades(), len(list(found.list_available_upgrades())), "the upgrades")


@results.of("firewalls.firmware.methods.upgrade_firmware", "firewalls.firmware.methods.cancel_firmware_upgrade")
def upgrade_firmware():
    one, version = upgradable()
    succeeded(firmware.upgrade_firmware(partner, firmware_classes.FirmwareUpgrade(one, version), **WHERE))
    succeeded(firmware.cancel_firmware_upgrade(partner, [one], **WHERE))


@results.of(
    "firewalls.methods.firmware_upgrade_check", "firewalls.methods.schedule_firmware_upgrade",
    "firewalls.methods.cancel_firmware_upgrade",
)
def older_firmware_functions():
    one, version = upgradable()
    fails_afterwards(lambda: firewalls.firmware_upgrade_check(partner, [one], **WHERE))
    at = "2030-01-01T00:00:00.000Z"
    fails_afterwards(lambda: firewalls.schedule_firmware_upgrade(partner, one, version, at, **WHERE))
    fails_afterwards(lambda: firewalls.cancel_firmware_upgrade(partner, [one], version, **WHERE))


@results.of("firewalls.groups.methods.create_firewall_group", "firewalls.groups.methods.update_firewall_group")
def create_firewall_group():
    one = next(item for item in stored(FIREWALLS) if not item.get("group"))["id"]
    parent = succeeded(groups.create_firewall_group(partner, "Peers", [one], **WHERE))
    child = succeeded(groups.create_firewall_group(partner, "Peers below", [], parent_group_id=parent.id, **WHERE))
    equal(child.parentGroup["id"], parent.id, "the parent")
    changed = succeeded(groups.update_firewall_group(partner, parent.id, "Peers II", unassign_firewalls=[one], **WHERE))
    equal(changed.name, "Peers II", "the name")
    found = next(item for item in stored(GROUPS, {"recurseSubgroups": "true"}) if item["id"] == parent.id)
    equal((found["name"], found["firewalls"]["total"]), ("Peers II", 0), "the group")
    groups.update_firewall_group(partner, parent.id, assign_firewalls=[one], **WHERE)


@results.of(
    "firewalls.groups.methods.get_firewall_groups", "firewalls.groups.classes.Groups.get_group_by_id",
    "firewalls.groups.classes.Groups.get_group_by_name", "firewalls.groups.classes.Groups.find_groups_by_name",
    "firewalls.groups.classes.Groups.get_root_groups", "firewalls.groups.classes.Groups.get_child_groups",
)
def get_firewall_groups():
    found = groups.get_firewall_groups(partner, **WHERE)
    listing = stored(GROUPS, {"recurseSubgroups": "true"})
    equal(ids(found), ids(listing), "the groups")
    peers = found.get_group_by_name("Peers II")
    equal(found.get_group_by_id(peers.id).name, "Peers II", "by id")
    equal(ids(found.find_groups_by_name("Peers II")), [peers.id], "several by name")
    roots = [item for item in listing if not item.get("parentGroup")]
    equal(ids(found.get_root_groups()), ids(roots), "the roots")
    equal(found.get_child_groups(peers.id), None, "the children")


@results.of("firewalls.groups.methods.get_firewall_group_sync_status")
def get_firewall_group_sync_status():
    group = next(item for item in stored(GROUPS, {"recurseSubgroups": "true"}) if item["name"] == "Peers II")
    found = groups.get_firewall_group_sync_status(partner, group["id"], **WHERE)
    equal(len(succeeded_info(found)), 1, "the firewalls of the group")


@results.of("firewalls.groups.methods.delete_firewall_group")
def delete_firewall_group():
    for name in ("Peers below", "Peers II"):
        group = next(item for item in stored(GROUPS, {"recurseSubgroups": "true"}) if item["name"] == name)
        succeeded(groups.delete_firewall_group(partner, group["id"], **WHERE))
        true(group["id"] not in ids(stored(GROUPS, {"recurseSubgroups": "true"})), "the group is still there")


LICENSES = "/licenses/v1/licenses/firewalls"


@results.of(
    "firewalls.licenses.methods.get_licenses", "firewalls.licenses.classes.Licenses.get_license_by_serial_number",
    "firewalls.licenses.classes.Licenses.get_licenses_by_tenant_id",
)
def get_licenses():
    expected = service.call_global("GET", LICENSES, X_Partner_ID=service.partner_id())["items"]
    true(expected, "the simulator has no licenses of firewalls")
    found = succeeded_info(licenses.get_licenses(partner, partner_id=partner.whoami.id))
    serials = sorted(item["serialNumber"] for item in expected)
    equal(sorted(item.serialNumber for item in found), serials, "the serial numbers")
    equal(found.get_license_by_serial_number(serials[0]).serialNumber, serials[0], "by serial number")
    equal(found.get_licenses_by_tenant_id(acme["id"]), None, "by tenant")
    of_tenant = succeeded_info(licenses.get_licenses(partner, tenant_id=acme["id"]))
    expected = service.call_global("GET", LICENSES, X_Tenant_ID=acme["id"])["items"]
    equal(len(of_tenant), len(expected), "the licenses of the tenant")


def finished(one, state):
    """Waits for a transaction and returns it."""
    transaction = succeeded(state).data["transactionId"]
    service.control("/clock", "POST", {"advance_seconds": 600})
    found = succeeded(mdr.get_firewall_transaction(partner, one, transaction, **WHERE)).data
    equal((found["id"], found["status"]), (transaction, "finished"), "the transaction")
    return found


def known(one):
    """The values of INDICATORS that a search finds."""
    values = [indicator["value"] for indicator in INDICATORS]
    found = finished(one, mdr.search_mdr_threat_feed_indicators(partner, one, values, **WHERE))
    return {value for value in values if value in str(found.get("response"))}


INDICATORS = [{"type": "ipv4-addr", "value": "192.0.2.7"}, {"type": "domain-name", "value": "bad.example"}]


@results.of(*[
    f"firewalls.mdr.methods.{name}"
    for name in (
        "get_mdr_threat_feed", "patch_mdr_threat_feed_settings", "create_mdr_threat_feed_indicators",
        "search_mdr_threat_feed_indicators", "delete_mdr_threat_feed_indicators",
        "delete_all_mdr_threat_feed_indicators", "get_firewall_transaction",
    )
])
def mdr_threat_feed():
    one = firewall()["id"]
    finished(one, mdr.patch_mdr_threat_feed_settings(partner, one, True, "logAndDrop", **WHERE))
    finished(one, mdr.create_mdr_threat_feed_indicators(partner, one, INDICATORS, **WHERE))
    feed = finished(one, mdr.get_mdr_threat_feed(partner, one, **WHERE))
    true("logAndDrop" in str(feed.get("response")), "the feed has another action")
    equal(known(one), {"192.0.2.7", "bad.example"}, "the created indicators")
    finished(one, mdr.delete_mdr_threat_feed_indicators(partner, one, INDICATORS[:1], **WHERE))
    equal(known(one), {"bad.example"}, "the indicators after a deletion")
    finished(one, mdr.delete_all_mdr_threat_feed_indicators(partner, one, **WHERE))
    equal(known(one), set(), "the indicators after the deletion of all")


@results.of(*[
    f"firewalls.config.{name}"
    for name in (
        "methods.export_firewall_config", "classes.ExportConfigRequest.to_payload",
        "methods.get_firewall_config_transaction", "methods.wait_for_firewall_config_transaction",
    )
])
def export_firewall_config():
    started = succeeded(config.export_firewall_config(partner, firewall()["id"], True, **WHERE)).data
    seen = []
    done = succeeded(
        config.wait_for_firewall_config_transaction(
            partner, started.transactionId, on_update=lambda found: seen.append(found.status), **WHERE
        )
    ).data
    equal((done.id, done.status, seen[-1]), (started.transactionId, "finished", "finished"), "the transaction")
    again = succeeded(config.get_firewall_config_transaction(partner, started.transactionId, **WHERE)).data
    equal(again.result, done.result, "the result")


@results.of(*[
    f"firewalls.config.{name}"
    for name in (
        "methods.start_firewall_config_import", "methods.complete_firewall_config_import_upload",
        "classes.ImportUploadCompleteRequest.to_payload",
    )
])
def import_firewall_config():
    upload = succeeded(config.start_firewall_config_import(partner, **WHERE)).data
    archive = b"an archive"
    status, _ = send(upload.method, plain(upload.url), body=archive)
    true(status in (200, 201, 204), f"the upload gets {status}")
    one = [firewall()["id"]]
    digest = hashlib.md5(archive, usedforsecurity=False).hexdigest()
    done = succeeded(
        config.complete_firewall_config_import_upload(
            partner, upload.transactionId, one, digest, len(archive), **WHERE
        )
    ).data
    equal(done.id, upload.transactionId, "the transaction")


@results.of("firewalls.methods.delete_firewall")
def delete_firewall():
    one = stored(FIREWALLS)[-1]["id"]
    fails_afterwards(lambda: firewalls.delete_firewall(partner, one, **WHERE))
    true(one not in ids(stored(FIREWALLS)), "the firewall is still there")


folder = pathlib.Path(tempfile.mkdtemp())
PROGRAM = pathlib.Path(sys.executable).parent / "central-sync-to-db"


def synchronize(kind, *options):
    """Runs the program with the credential of a kind and returns its database."""
    client_id, secret = service.credential(kind)
    file = folder / "credentials.env"
    file.write_text(f"CENTRAL-CLIENT-ID={client_id}\nCENTRAL-CLIENT-SECRET={secret}\n")
    database = folder / f"{kind}.db"
    command = [PROGRAM, "--db", database, "--log-level", "WARNING", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    text = done.stdout + done.stderr
    equal(done.returncode, 0, "the exit of the program: " + text[-300:])
    true("WARNING" not in text and "ERROR" not in text, f"the program warns: {text[:300]}")
    return sqlite3.connect(database)


def column(database, query):
    return sorted(row[0] for row in database.execute(query))


def alerts_of(one):
    """The alerts that the program requests."""
    return set(ids(service.items(one, ALERTS, {"product": ["firewall", "other"]})))


def same_alerts(database, one, before):
    """The program's waits move the clock, so alerts may follow after its request."""
    found = set(column(database, f"select id from alerts where tenant_id = '{one['id']}'"))
    true(before and before <= found <= alerts_of(one), f"other alerts of {one['name']}")


def same_tables(database, tenants):
    for table, path, query in (
        ("firewalls", FIREWALLS, {"pageSize": 100}),
        ("firewall_groups", GROUPS, {"recurseSubgroups": "true", "pageSize": 100}),
        ("tenant_roles", "/common/v1/roles", {}),
        ("tenant_admins", "/common/v1/admins", {"pageSize": 100}),
    ):
        for one in tenants:
            query_text = f"select id from {table} where tenant_id = '{one['id']}'"
            equal(column(database, query_text), ids(service.items(one, path, query)), f"{table} of {one['name']}")


@results.of(*[
    f"sync_to_db.{name}"
    for name in (
        "main", "parse_args", "get_creds", "get_creds_from_env_file", "sync_partner", "ensure_tenant_record",
        "sync_client_credentials_to_database", "export_db_to_xlsx",
    )
])
def sync_partner():
    workbook = folder / "partner.xlsx"
    before = {one["id"]: alerts_of(one) for one in service.tenants()}
    database = synchronize("partner", "--export-xlsx", workbook, "--mdr", "--env", folder / "credentials.env")
    equal(column(database, "select id from tenants"), sorted(item["id"] for item in service.tenants()), "the tenants")
    same_tables(database, service.tenants()[:2])
    for one in service.tenants():
        same_alerts(database, one, before[one["id"]])
    true(workbook.stat().st_size > 0, "the workbook is empty")


@results.of("sync_to_db.sync_tenant")
def sync_tenant():
    before = alerts_of(acme)
    database = synchronize("tenant")
    same_tables(database, [acme])
    same_alerts(database, acme, before)


@results.of(
    "sync_to_db.sync_partner_incremental", "sync_to_db.sync_tenant_incremental",
    "sync_to_db.sync_client_credentials_to_database_incremental",
)
def sync_incrementally():
    service.control("/clock", "POST", {"advance_seconds": 7200})
    for kind in ("partner", "tenant"):
        before = alerts_of(acme)
        same_alerts(synchronize(kind, "--incremental"), acme, before)


results.finish(*[importlib.import_module("central." + name) for name in NAMES])

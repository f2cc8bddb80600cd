"""The operations that the sandbox's SCM serves: name, method, path, handler."""

from collections.abc import Callable, Iterator

from starlette.responses import Response

from reconciler.sandbox.scm import (
    admins,
    approve,
    catalog,
    collect,
    dcv,
    details,
    domains,
    enroll,
    imports,
    listing,
    locations,
    order_dcv,
    organizations,
    renew,
    reports,
    revoke,
)
from reconciler.sandbox.scm.world import Visit, World

Row = tuple[str, str, str, Callable[[World, Visit], Response]]

# ssl/v1 and ssl/v2 are the same operations; only the import differs.
_SSL: tuple[Row, ...] = (
    ("enroll", "POST", "/enroll", enroll.enroll),
    ("enroll", "POST", "/enroll/", enroll.enroll),
    ("list_orders", "GET", "", listing.list_orders),
    ("count_orders", "HEAD", "", listing.count_orders),
    ("update_order", "PUT", "", details.update_order),
    ("get_order", "GET", "/{ssl_id:int}", details.get_order),
    ("delete_order", "DELETE", "/{ssl_id:int}", details.delete_order),
    ("collect", "GET", "/collect/{ssl_id:int}", collect.collect),
    ("collect", "GET", "/collect/{ssl_id:int}/{format}", collect.collect_by_path),
    ("approve", "POST", "/approve/{ssl_id:int}", approve.approve),
    ("decline", "POST", "/decline/{ssl_id:int}", approve.decline),
    ("renew_by_id", "POST", "/renewById/{ssl_id:int}", renew.renew_by_id),
    ("mark_renewed", "POST", "/renew/manual/{ssl_id:int}", renew.mark_renewed),
    ("renew", "POST", "/renew/{renew_id}", renew.renew),
    ("replace", "POST", "/replace/{ssl_id:int}", renew.replace),
    ("mark_revoked", "POST", "/revoke/manual", revoke.mark_revoked),
    ("revoke_by_serial", "POST", "/revoke/serial/{serial}", revoke.revoke_by_serial),
    ("revoke", "POST", "/revoke/{ssl_id:int}", revoke.revoke),
    ("list_profiles", "GET", "/types", catalog.list_profiles),
    ("list_custom_fields", "GET", "/customFields", catalog.list_custom_fields),
    ("list_locations", "GET", "/{ssl_id:int}/location", locations.list_locations),
    ("add_location", "POST", "/{ssl_id:int}/location", locations.add_location),
    ("get_location", "GET", "/{ssl_id:int}/location/{location:int}", locations.get_location),
    ("update_location", "PUT", "/{ssl_id:int}/location/{location:int}", locations.update_location),
    ("delete_location", "DELETE", "/{ssl_id:int}/location/{location:int}", locations.delete_location),
    ("get_order_dcv", "GET", "/{ssl_id:int}/dcv", order_dcv.get_order_dcv),
    ("recheck_order_dcv", "POST", "/{ssl_id:int}/dcv/recheck", order_dcv.recheck_order_dcv),
)
_DCV: tuple[Row, ...] = (
    ("list_dcv", "GET", "", dcv.list_dcv),
    ("get_dcv_status", "POST", "/status", dcv.get_dcv_status),
    ("start_email_dcv", "POST", "/start/domain/email", dcv.start_email_dcv),
    ("start_dcv", "POST", "/start/domain/{mode}", dcv.start_dcv),
    ("submit_email_dcv", "POST", "/submit/domain/email", dcv.submit_email_dcv),
    ("submit_email_dcv", "POST", "/submit-bulk/domain/email", dcv.submit_email_dcv),
    ("submit_txt_dcv", "POST", "/submit/domain/txt", dcv.submit_txt_dcv),
    ("submit_dcv", "POST", "/submit/domain/{mode}", dcv.submit_dcv),
    ("sync_dcv", "POST", "/sync", dcv.sync_dcv),
    ("clear_dcv", "POST", "/clear", dcv.clear_dcv),
    ("delete_dcv", "POST", "/delete", dcv.delete_dcv),
)
_REST: tuple[Row, ...] = (
    ("import_certificates", "POST", "/ssl/v1/import", imports.import_zip),
    ("import_certificates", "POST", "/ssl/v2/import", imports.import_list),
    ("report", "POST", "/report/v1/ssl-certificates", reports.report),
    ("activity_report", "POST", "/report/v1/activity", reports.activity_report),
    ("domains_report", "POST", "/report/v1/domains", reports.domains_report),
    ("list_organizations", "GET", "/organization/v1", organizations.list_organizations),
    ("get_organization", "GET", "/organization/v1/{org_id:int}", organizations.get_organization),
    (
        "list_managed_organizations",
        "GET",
        "/organization/v1/managedBy/{role}",
        organizations.list_managed_organizations,
    ),
    (
        "list_managed_organizations",
        "GET",
        "/organization/v1/managed-by/{role}",
        organizations.list_managed_organizations,
    ),
    (
        "list_report_organizations",
        "GET",
        "/organization/v1/report-type/{kind}",
        organizations.list_report_organizations,
    ),
    (
        "list_organization_validations",
        "GET",
        "/organization/v2/{org_id:int}/validations",
        organizations.list_organization_validations,
    ),
    ("list_typed_custom_fields", "GET", "/customField/v2", catalog.list_typed_custom_fields),
    ("list_domains", "GET", "/domain/v1", domains.list_domains),
    ("count_domains", "GET", "/domain/v1/count", domains.count_domains),
    ("create_domain", "POST", "/domain/v1", domains.create_domain),
    ("delegate_domains", "POST", "/domain/v1/delegation", domains.delegate_domains),
    ("get_domain", "GET", "/domain/v1/{domain_id:int}", domains.get_domain),
    ("delete_domain", "DELETE", "/domain/v1/{domain_id:int}", domains.delete_domain),
    ("activate_domain", "PUT", "/domain/v1/{domain_id:int}/activate", domains.activate_domain),
    ("suspend_domain", "PUT", "/domain/v1/{domain_id:int}/suspend", domains.suspend_domain),
    ("delegate_domain", "POST", "/domain/v1/{domain_id:int}/delegation", domains.delegate_domain),
    ("remove_delegation", "DELETE", "/domain/v1/{domain_id:int}/delegation", domains.remove_delegation),
    ("approve_delegation", "POST", "/domain/v1/{domain_id:int}/delegation/approve", domains.approve_delegation),
    ("reject_delegation", "POST", "/domain/v1/{domain_id:int}/delegation/reject", domains.reject_delegation),
    ("list_admins", "GET", "/admin/v1", admins.list_admins),
    ("get_admin", "GET", "/admin/v1/{admin_id:int}", admins.get_admin),
    ("list_privileges", "GET", "/admin/v1/privileges", admins.list_privileges),
    ("get_password_state", "GET", "/admin/v1/password", admins.get_password_state),
    ("change_password", "POST", "/admin/v1/changepassword", admins.change_password),
)


def _below(prefixes: tuple[str, ...], rows: tuple[Row, ...]) -> Iterator[Row]:
    for prefix in prefixes:
        for name, method, path, act in rows:
            yield name, method, f"{prefix}{path}", act


OPERATIONS: tuple[Row, ...] = (
    *_below(("/ssl/v1", "/ssl/v2"), _SSL),
    *_below(("/dcv/v1/validation", "/dcv/v2/validation"), _DCV),
    *_REST,
)

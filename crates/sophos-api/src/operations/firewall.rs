//! Operations of the firewall API.

use crate::operation::macros::files;

files! { configuration firewall_groups firewalls mdr_threat_feed }

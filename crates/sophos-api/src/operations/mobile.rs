//! Operations of the mobile API.

use crate::operation::macros::files;

files! {
    actions
    app_groups
    device_details
    device_groups
    device_properties
    devices
    operating_systems
    setup_data
}

//! Alerts of the Common API, kept for 90 days.

mod act_on_alert;
mod get_alert;
mod list_alerts;
mod search_alerts;

pub use act_on_alert::ActOnAlert;
pub use get_alert::GetAlert;
pub use list_alerts::ListAlerts;
pub use search_alerts::SearchAlerts;

//! Presets for tools that use `generic`: `fields` and `when` in the syntax of a policy. Each file
//! states how to configure its sender.

/// The presets, each with its name in policies and its text.
pub(crate) const ALL: [(&str, &str); 15] = [
    ("alertmanager", include_str!("presets/alertmanager.toml")),
    ("cortex_xdr", include_str!("presets/cortex_xdr.toml")),
    ("darktrace", include_str!("presets/darktrace.toml")),
    ("darktrace_ai_analyst", include_str!("presets/darktrace_ai_analyst.toml")),
    ("datadog", include_str!("presets/datadog.toml")),
    ("google_secops", include_str!("presets/google_secops.toml")),
    ("grafana", include_str!("presets/grafana.toml")),
    ("jira", include_str!("presets/jira.toml")),
    ("panther", include_str!("presets/panther.toml")),
    ("servicenow", include_str!("presets/servicenow.toml")),
    ("sumo_logic", include_str!("presets/sumo_logic.toml")),
    ("tines", include_str!("presets/tines.toml")),
    ("torq", include_str!("presets/torq.toml")),
    ("vectra", include_str!("presets/vectra.toml")),
    ("xsoar", include_str!("presets/xsoar.toml")),
];

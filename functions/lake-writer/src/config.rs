//! The function's configuration from environment variables. It is validated when the
//! function starts, and one error lists all issues.
//!
//! | variable | value | default |
//! |---|---|---|
//! | `EXPORT_LOCATION` | the export: `s3://bucket/prefix`, or a folder | required |
//! | `LAKE_LOCATION` | the root of the lake, which has `ext/`: `s3://bucket`, or a folder | required |
//! | `LAKE_SOURCE_PREFIX` | the prefix of the names of the sources, up to 15 characters | `sophos` |
//! | `LAKE_CLASSES` | the classes: `2004`, `5001`, `7001`, `7002`, `7003`, with commas | `2004,5001,7002` |
//! | `LAKE_REGION` | the Region in paths | `AWS_REGION` |
//! | `LAKE_ACCOUNT_ID` | the account in paths: 12 digits, or a name that begins with `external_` | `external_<LAKE_SOURCE_PREFIX>` |
//! | `LAKE_PRODUCT_NAME` | `metadata.product.name` | `Sophos Central` |
//! | `LAKE_ROLE_ARN` | the role with which objects are written; `{source}` stands for the source's name | the function's own |
//! | `LAKE_EXTERNAL_ID` | the external id of that role | none |
//! | `METRICS_NAMESPACE` | the CloudWatch namespace | `SophosCentral` |
//! | `LOG_LEVEL` | `error`, `warn`, `info`, `debug` or `trace` | `info` |

use lambda_support::{ConfigError, ConfigReader, assumed_role::RoleRef, logging};
use sophos_lake::{Class, LakeLayout, LakeSettings};

#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) export_location: String,
    pub(crate) lake_location: String,
    pub(crate) settings: LakeSettings,
    pub(crate) metrics_namespace: String,
    role: Option<RoleRef>,
}

impl Config {
    pub(crate) fn from_environment() -> Result<Self, ConfigError> {
        Self::parse(ConfigReader::from_env())
    }

    fn parse(mut reader: ConfigReader<'_>) -> Result<Self, ConfigError> {
        let export_location = location(&mut reader, "EXPORT_LOCATION");
        let lake_location = location(&mut reader, "LAKE_LOCATION");
        let role = RoleRef::from_reader(&mut reader, "LAKE_ROLE_ARN", "LAKE_EXTERNAL_ID");
        if role.is_some() && !lake_location.is_empty() && !lake_location.starts_with("s3://") {
            reader.invalid("LAKE_ROLE_ARN", "is set with a folder; set LAKE_LOCATION to s3://bucket");
        }
        let settings = settings(&mut reader);
        logging::validate_level(&mut reader);
        let metrics_namespace = reader.text("METRICS_NAMESPACE").unwrap_or_else(|| "SophosCentral".into());
        reader.finish(Self { export_location, lake_location, settings, metrics_namespace, role })
    }

    /// The role with which the objects of a source are written.
    pub(crate) fn role(&self, source: &str) -> Option<RoleRef> {
        let mut role = self.role.clone()?;
        role.arn = role.arn.replace("{source}", source);
        Some(role)
    }
}

fn location(reader: &mut ConfigReader<'_>, name: &str) -> String {
    let location = reader.text(name).unwrap_or_else(|| {
        reader.invalid(name, "is not set; set it to s3://bucket/prefix or a folder");
        String::new()
    });
    if location.contains("://") && !location.starts_with("s3://") && !location.starts_with("file://") {
        reader.invalid(name, "is invalid: expected s3://bucket/prefix or a folder");
    }
    location
}

fn settings(reader: &mut ConfigReader<'_>) -> LakeSettings {
    let prefix = reader.text("LAKE_SOURCE_PREFIX").unwrap_or_else(|| "sophos".into());
    let region = reader.text("LAKE_REGION").or_else(|| reader.text("AWS_REGION")).unwrap_or_default();
    let account = reader.text("LAKE_ACCOUNT_ID").unwrap_or_else(|| format!("external_{prefix}"));
    let mut classes = Vec::new();
    for name in reader.text("LAKE_CLASSES").unwrap_or_default().split(',').filter(|name| !name.is_empty()) {
        match name.parse::<Class>() {
            Ok(class) if classes.contains(&class) => {}
            Ok(class) => classes.push(class),
            Err(error) => reader.invalid("LAKE_CLASSES", format!("is invalid: {error}")),
        }
    }
    let layout = LakeLayout::new(&prefix, &region, &account).unwrap_or_else(|error| {
        reader.invalid("LAKE_SOURCE_PREFIX, LAKE_REGION or LAKE_ACCOUNT_ID", format!("is invalid: {error}"));
        LakeLayout::default()
    });
    let mut settings = LakeSettings::new(layout);
    if !classes.is_empty() {
        settings.mapping.classes = classes;
    }
    if let Some(name) = reader.text("LAKE_PRODUCT_NAME") {
        settings.mapping.product_name = name;
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUIRED: [(&str, &str); 3] = [
        ("EXPORT_LOCATION", "s3://bucket/sophos"),
        ("LAKE_LOCATION", "s3://lake"),
        ("AWS_REGION", "eu-west-1"),
    ];

    fn parse_with(more: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let variables: Vec<_> = more.iter().chain(&REQUIRED).copied().collect();
        Config::parse(ConfigReader::from_fn(move |name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        }))
    }

    #[test]
    fn config_uses_defaults_for_optional_variables() {
        let config = parse_with(&[]).expect("enough");
        assert_eq!(config.settings.mapping.classes, Class::DEFAULT);
        assert_eq!(config.settings.layout.account(), "external_sophos");
        assert_eq!(config.settings.layout.region(), "eu-west-1");
        assert_eq!(config.role("sophos-2004"), None);
    }

    #[test]
    fn config_has_a_role_for_each_source() {
        let arn = "arn:aws:iam::123456789012:role/AmazonSecurityLake-Provider-{source}-eu-west-1";
        let config =
            parse_with(&[("LAKE_ROLE_ARN", arn), ("LAKE_EXTERNAL_ID", "id"), ("LAKE_CLASSES", "7001, 2004")]);
        let config = config.expect("a role");
        assert_eq!(config.settings.mapping.classes, [Class::Remediation, Class::DetectionFinding]);
        let role = config.role("sophos-2004").expect("a role");
        assert_eq!(role.arn, arn.replace("{source}", "sophos-2004"));
        assert_eq!(role.external_id.as_deref(), Some("id"));
    }

    #[test]
    fn config_error_names_the_invalid_variable() {
        for (name, value) in [
            ("EXPORT_LOCATION", ""),
            ("LAKE_LOCATION", "ftp://lake"),
            ("LAKE_SOURCE_PREFIX", "a name that is too long"),
            ("LAKE_REGION", "eu/west"),
            ("LAKE_ACCOUNT_ID", "partner"),
            ("LAKE_CLASSES", "2004,6004"),
            ("LAKE_ROLE_ARN", "role"),
            ("LAKE_EXTERNAL_ID", "id"),
            ("LOG_LEVEL", "loud"),
        ] {
            let error = parse_with(&[(name, value)]).expect_err(name).to_string();
            assert!(error.contains(name), "{name}: {error}");
        }
        let folder = [("LAKE_LOCATION", "/tmp/lake"), ("LAKE_ROLE_ARN", "arn:aws:iam::123456789012:role/x")];
        assert!(parse_with(&folder).is_err(), "a role for a folder");
    }
}

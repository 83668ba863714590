/// The S3 endpoint of a region in a partition whose host names do not end in
/// `amazonaws.com`, such as China's; `None` for all others, which `object_store` knows.
pub(crate) fn s3_endpoint(region: &str) -> Option<String> {
    const SUFFIXES: [(&str, &str); 6] = [
        ("cn-", "amazonaws.com.cn"),
        ("eusc-", "amazonaws.eu"),
        ("us-iso-", "c2s.ic.gov"),
        ("us-isob-", "sc2s.sgov.gov"),
        ("us-isof-", "csp.hci.ic.gov"),
        ("eu-isoe-", "cloud.adc-e.uk"),
    ];
    let (_, suffix) = SUFFIXES.into_iter().find(|(prefix, _)| region.starts_with(prefix))?;
    Some(format!("https://s3.{region}.{suffix}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s3_endpoint_follows_the_partition_of_the_region() {
        for (region, expected) in [
            ("cn-north-1", Some("https://s3.cn-north-1.amazonaws.com.cn")),
            ("eusc-de-east-1", Some("https://s3.eusc-de-east-1.amazonaws.eu")),
            ("us-iso-east-1", Some("https://s3.us-iso-east-1.c2s.ic.gov")),
            ("us-gov-west-1", None),
            ("eu-west-1", None),
            ("", None),
        ] {
            assert_eq!(s3_endpoint(region).as_deref(), expected, "{region}");
        }
    }
}

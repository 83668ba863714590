//! The signed time of a request.

use std::time::Duration;

use sophos_isolation::verify::VerificationError;

use super::{NOW, RequestExt, keys, post, v1_signature, verification};

/// The result of a delivery with this time, at `now`, under a window.
fn check(time: &str, now: Duration, window: Option<u64>) -> Option<VerificationError> {
    let window = window.map(|seconds| format!(", window_seconds = {seconds}")).unwrap_or_default();
    let own = verification("generic", &format!("scheme = 'signature'{window}"));
    let request = post("/hooks/x", "{}")
        .with_header("x-sophos-timestamp", time)
        .with_header("x-sophos-signature", v1_signature("key", time, b"{}"));
    own.verify(&request, &keys("key", None), now).err()
}

#[test]
fn window_covers_past_and_future() {
    let now = NOW.as_secs();
    for (window, seconds) in [(None, 300), (Some(1), 1), (Some(3_600), 3_600)] {
        for time in [now, now - seconds, now + seconds] {
            assert_eq!(check(&time.to_string(), NOW, window), None, "{time} {window:?}");
            assert_eq!(check(&format!("{time}000"), NOW, window), None, "{time} {window:?}");
        }
        for time in [now - seconds - 1, now + seconds + 1] {
            let outside = Some(VerificationError::TimestampOutsideWindow);
            assert_eq!(check(&time.to_string(), NOW, window), outside, "{time} {window:?}");
            assert_eq!(check(&format!("{time}000"), NOW, window), outside, "{time} {window:?}");
        }
        let late = (now - seconds) * 1_000 - 1;
        assert_eq!(
            check(&late.to_string(), NOW, window),
            Some(VerificationError::TimestampOutsideWindow),
            "{late}"
        );
    }
}

#[test]
fn timestamp_is_accepted_in_three_formats() {
    // 1_790_000_000
    let rows = [
        ("1790000000", None),
        ("1790000000000", None),
        ("1789999700000", None),
        ("2026-09-21T14:13:20Z", None),
        ("2026-09-21T14:18:20.000Z", None),
        ("2026-09-21T16:13:20.123456789+02:00", None),
        ("2026-09-21T14:18:21Z", Some(VerificationError::TimestampOutsideWindow)),
        ("2026-09-21T14:08:19.999Z", Some(VerificationError::TimestampOutsideWindow)),
        ("2026-09-21T14:13:20+02:00", Some(VerificationError::TimestampOutsideWindow)),
        ("0", Some(VerificationError::TimestampOutsideWindow)),
        ("18446744073709551615", Some(VerificationError::TimestampOutsideWindow)),
        ("9999-12-30T00:00:00Z", Some(VerificationError::TimestampOutsideWindow)),
        // A time without an offset is invalid.
        ("2026-09-21T14:13:20", Some(VerificationError::MissingTimestamp)),
        ("1969-12-31T23:59:59Z", Some(VerificationError::MissingTimestamp)),
        ("18446744073709551616", Some(VerificationError::MissingTimestamp)),
        ("-1790000000", Some(VerificationError::MissingTimestamp)),
        ("+1790000000", Some(VerificationError::MissingTimestamp)),
        ("1790000000.0", None),
        ("1790000300.000", None),
        ("1789999700.123456789012345678901234567890", None),
        ("1790000000123.25", None),
        ("1790000300.001", Some(VerificationError::TimestampOutsideWindow)),
        ("1790000000.", Some(VerificationError::MissingTimestamp)),
        (".1790000000", Some(VerificationError::MissingTimestamp)),
        ("1790000000.0.0", Some(VerificationError::MissingTimestamp)),
        ("1790000000.-1", Some(VerificationError::MissingTimestamp)),
        ("1.79e9", Some(VerificationError::MissingTimestamp)),
        ("1790000000,1790000000", Some(VerificationError::MissingTimestamp)),
        ("0x6ab13b80", Some(VerificationError::MissingTimestamp)),
        ("١٧٩٠٠٠٠٠٠٠", Some(VerificationError::MissingTimestamp)),
        ("now", Some(VerificationError::MissingTimestamp)),
        ("", Some(VerificationError::MissingTimestamp)),
    ];
    for (time, expected) in rows {
        assert_eq!(check(time, NOW, None), expected, "{time}");
    }
    assert_eq!(check(&"1".repeat(1 << 20), NOW, None), Some(VerificationError::MissingTimestamp));
}

/// An unset clock accepts no time.
#[test]
fn window_holds_when_the_clock_is_at_zero() {
    assert_eq!(check("1790000000", Duration::ZERO, None), Some(VerificationError::TimestampOutsideWindow));
    assert_eq!(check("300", Duration::ZERO, None), None);
}

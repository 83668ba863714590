//! Conversion of `wasi:http` error codes to transport errors.

use sophos_api::{TransportError, TransportErrorKind};

use crate::bindings::wasi::http::types::ErrorCode;

pub(super) fn to_transport_error(code: ErrorCode) -> TransportError {
    // The message is the code's name with the host's details.
    TransportError::new(error_kind(&code), format!("{code:?}"))
}

fn error_kind(code: &ErrorCode) -> TransportErrorKind {
    match code {
        ErrorCode::DnsTimeout
        | ErrorCode::DnsError(_)
        | ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpUnroutable
        | ErrorCode::ConnectionRefused
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionLimitReached
        | ErrorCode::TlsProtocolError
        | ErrorCode::TlsCertificateError
        | ErrorCode::TlsAlertReceived(_) => TransportErrorKind::Connect,
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => TransportErrorKind::Blocked,
        ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout => TransportErrorKind::Timeout,
        ErrorCode::HttpResponseBodySize(_) => TransportErrorKind::TooLarge,
        ErrorCode::HttpRequestLengthRequired
        | ErrorCode::HttpRequestBodySize(_)
        | ErrorCode::HttpRequestMethodInvalid
        | ErrorCode::HttpRequestUriInvalid
        | ErrorCode::HttpRequestUriTooLong
        | ErrorCode::HttpRequestHeaderSectionSize(_)
        | ErrorCode::HttpRequestHeaderSize(_)
        | ErrorCode::HttpRequestTrailerSectionSize(_)
        | ErrorCode::HttpRequestTrailerSize(_)
        | ErrorCode::ConfigurationError => TransportErrorKind::InvalidRequest,
        _ => TransportErrorKind::Interrupted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_codes_distinguish_unsent_requests_from_interrupted() {
        for (code, expected) in [
            (ErrorCode::ConnectionRefused, TransportErrorKind::Connect),
            (ErrorCode::TlsCertificateError, TransportErrorKind::Connect),
            (ErrorCode::HttpRequestDenied, TransportErrorKind::Blocked),
            (ErrorCode::ConnectionTerminated, TransportErrorKind::Interrupted),
            (ErrorCode::InternalError(Some("?".into())), TransportErrorKind::Interrupted),
            (ErrorCode::HttpResponseTimeout, TransportErrorKind::Timeout),
        ] {
            assert_eq!(to_transport_error(code).kind(), expected);
        }
    }
}

//! The address of a receiver of syslog.

use std::{fmt, str::FromStr};

/// The transport of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// A datagram for each message, by RFC 5426.
    Udp,
    /// A connection with the length before each message, by RFC 6587.
    Tcp,
    /// The same within TLS, by RFC 5425.
    Tls,
}

impl Protocol {
    const ALL: [Self; 3] = [Self::Udp, Self::Tcp, Self::Tls];

    fn scheme(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }

    /// The port that IANA has registered.
    fn default_port(self) -> u16 {
        match self {
            Self::Udp => 514,
            Self::Tcp => 601,
            Self::Tls => 6514,
        }
    }
}

/// The address of a receiver, such as `tcp://siem.example.com:601`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    pub(super) protocol: Protocol,
    /// A name or an address, without the brackets of IPv6.
    pub(super) host: String,
    pub(super) port: u16,
}

impl Destination {
    /// A part of a file name that differs between destinations.
    pub(super) fn file_name_part(&self) -> String {
        format!("{}-{}-{}", self.protocol.scheme(), self.host.replace(':', "_"), self.port)
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { protocol, host, port } = self;
        let scheme = protocol.scheme();
        if host.contains(':') {
            write!(f, "{scheme}://[{host}]:{port}")
        } else {
            write!(f, "{scheme}://{host}:{port}")
        }
    }
}

impl FromStr for Destination {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = "expected udp://HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT";
        let uri: http::Uri = text.parse().map_err(|_| invalid)?;
        let protocol = Protocol::ALL.into_iter().find(|protocol| uri.scheme_str() == Some(protocol.scheme()));
        let (Some(protocol), Some(authority)) = (protocol, uri.authority()) else { return Err(invalid) };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let is_bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
        if host.is_empty() || !is_bare || authority.as_str().contains('@') {
            return Err(invalid);
        }
        let port = match authority.port_u16() {
            Some(port @ 1..) => port,
            // `port_u16` also omits an invalid port.
            None if authority.as_str() == authority.host() => protocol.default_port(),
            _ => return Err(invalid),
        };
        Ok(Self { protocol, host: host.to_owned(), port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destination_is_parsed_and_shown() {
        for (text, expected) in [
            ("udp://127.0.0.1:514", "udp://127.0.0.1:514"),
            ("udp://siem", "udp://siem:514"),
            ("tcp://siem.example.com/", "tcp://siem.example.com:601"),
            ("tls://[::1]", "tls://[::1]:6514"),
            ("tls://[2001:db8::1]:65535", "tls://[2001:db8::1]:65535"),
        ] {
            let parsed: Destination = text.parse().expect(text);
            assert_eq!(parsed.to_string(), expected);
            assert_eq!(expected.parse(), Ok(parsed));
        }
        let address: Destination = "tls://[::1]".parse().expect("a destination");
        assert_eq!((address.host.as_str(), address.file_name_part()), ("::1", "tls-__1-6514".to_owned()));
    }

    #[test]
    fn destination_rejects_other_texts() {
        for text in [
            "",
            "siem:514",
            "http://siem:514",
            "udp://",
            "udp://:514",
            "udp://siem:0",
            "udp://siem:",
            "udp://siem:65536",
            "udp://siem:514/path",
            "udp://siem:514?query",
            "udp://user@siem:514",
        ] {
            assert!(text.parse::<Destination>().is_err(), "{text}");
        }
    }
}
